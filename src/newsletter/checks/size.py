"""Size: what Gmail clips, what it drops, and what a phone has to fetch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from newsletter.checks.model import Example, Found, Severity, check

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked

CLIPPED = 102_000
"""Bytes of HTML from which on Gmail hides the rest behind a link."""

NEAR = 82_000
MOST_STYLE = 16_000
"""Bytes of style blocks from which on Gmail ignores them all."""

MOST_MESSAGE = 2_000_000
_PAGE = '<html lang="zh-CN" dir="ltr"><head><title>好</title></head><body>{}</body></html>'


@check(
    "html-size",
    title="The HTML part is so long that Gmail clips it",
    severity=Severity.WARNING,
    passing=Example(html=_PAGE.format("<p>" + "好" * 20_000 + "</p>")),
    failing=(
        Example(html=_PAGE.format("<p>" + "好" * 28_000 + "</p>")),
        Example(html=_PAGE.format("<p>" + "好" * 40_000 + "</p>")),
    ),
)
def html_size(checked: Checked) -> Iterator[Found]:
    """From 102 kB on Gmail shows only the beginning; the footer with the unsubscribe link is lost, and
    readers take the button for spam instead. A warning from 82 kB, an error from 102 kB.

    Counted on the HTML as the longest recipient of the list gets it.
    """
    size = len(checked.html.encode())
    if size > NEAR:
        yield Found(
            f"the HTML part has {size / 1000:.0f} kB; Gmail clips it at {CLIPPED / 1000:.0f} kB",
            severity=Severity.ERROR if size > CLIPPED else Severity.WARNING,
            hint="shorten the issue, or set less style on each element",
        )


@check(
    "style-size",
    title="The style blocks are so long that Gmail drops them",
    severity=Severity.ERROR,
    passing=Example(html="<p>好</p>", css=".a { color: #111 }\n" * 100),
    failing=Example(html="<p>好</p>", css=".a { color: #111 }\n" * 1000),
)
def style_size(checked: Checked) -> Iterator[Found]:
    """Over 16 kB Gmail ignores every style block, and with it the phone layout and the dark colours."""
    size = sum(len(block.encode()) for block in checked.style_blocks)
    if size > MOST_STYLE:
        kept = (
            path
            for path, text in checked.files.items()
            if path.endswith(".css") and "@media" in text
        )
        path = next(kept, None)
        yield Found(
            f"the style blocks have {size / 1000:.0f} kB; Gmail drops them from {MOST_STYLE / 1000:.0f} kB",
            place=checked.places.in_files(checked.files[path].strip()[:40]) if path else None,
        )


@check(
    "message-size",
    title="The whole message is heavy",
    severity=Severity.WARNING,
    passing=Example(body="好。"),
    failing=Example(
        items="\n".join(f"- {{kind: image, src: n{n}.png, alt: 一张照片}}" for n in range(2)),
        files={"n0.png": "1000x900 noise", "n1.png": "1000x901 noise"},
    ),
)
def message_size(checked: Checked) -> Iterator[Found]:
    """Pictures that travel in the message are sent to every reader, whether shown or not.

    From 2 MB on it is slow on a phone, and some relays refuse it. With `site_url` set, pictures stand on
    the web instead.
    """
    size = len(checked.message)
    if size > MOST_MESSAGE:
        pictures = sum(len(image.data) for image in checked.edition.images)
        yield Found(
            f"the message has {size / 1e6:.1f} MB, {pictures / 1e6:.1f} MB of them pictures",
            hint="make the pictures smaller, or set site_url",
        )
