"""Links and images over the network, with `--online` only.

The checks ask a service (`verdict.Online`); the one that goes out is `probe.LinkProbe`, which needs the
extra `links`. What is the publication's own, below `public_url` and `site_url`, is never asked: it is
personal, or not published yet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import TYPE_CHECKING

from newsletter.checks.model import Example, Found, Severity, check
from newsletter.checks.online.verdict import Kind, Known, Online, Verdict

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked, Element

SERVICE = "online"

_PAGE = "https://example.org/paper"
_LINK = f'<p><a href="{_PAGE}">论文</a></p>'
_PICTURE = "https://example.org/a.png"
_IMAGE = f'<img src="{_PICTURE}" width="100" alt="图">'


def _known(address: str, **verdict: str) -> dict[str, Known]:
    """A service that knows one address."""
    return {SERVICE: Known({address: Verdict(**verdict)})}  # type: ignore[arg-type]


@check(
    "link-dead",
    title="A link leads to nothing",
    severity=Severity.ERROR,
    needs=SERVICE,
    passing=(
        Example(html=_LINK, services={SERVICE: Known()}),
        Example(html=_LINK, services=_known(_PAGE, kind=Kind.UNSURE, reason="answers 403")),
    ),
    failing=(
        Example(html=_LINK, services=_known(_PAGE, kind=Kind.DEAD, reason="answers 404")),
        Example(html=_LINK, services=_known(_PAGE, kind=Kind.PRIVATE, reason="is private")),
    ),
)
def link_dead(checked: Checked) -> Iterator[Found]:
    """The page answers 404 or 410, its host is not known or refuses connections, its certificate is not
    valid, or it is inside a private network that your readers cannot reach.

    Runs with `--online` only. Each address is asked once, first with HEAD, then for its first bytes;
    answers are kept in `.newsletter/cache/links.json` for a week, bad ones for an hour.
    """
    for link, verdict in _links(checked):
        if verdict.kind in (Kind.DEAD, Kind.PRIVATE):
            yield Found(
                f"{link.get('href')} {verdict.reason}", place=link.place, hint=_when(verdict)
            )


@check(
    "link-moved",
    title="A link leads to an old address",
    severity=Severity.NOTE,
    needs=SERVICE,
    passing=Example(html=_LINK, services={SERVICE: Known()}),
    failing=Example(
        html=_LINK, services=_known(_PAGE, kind=Kind.MOVED, moved_to="https://example.org/2")
    ),
)
def link_moved(checked: Checked) -> Iterator[Found]:
    """The page says that it has moved for good (301, 308). The link still works, as long as somebody
    keeps the old address alive; the new one is faster and will last longer.
    """
    for link, verdict in _links(checked):
        if verdict.kind is Kind.MOVED:
            yield Found(
                f"{link.get('href')} has moved to {verdict.moved_to}",
                place=link.place,
                hint="link to the new address",
            )


@check(
    "link-unsure",
    title="Nobody can tell whether a link works",
    severity=Severity.NOTE,
    needs=SERVICE,
    passing=Example(html=_LINK, services={SERVICE: Known()}),
    failing=(
        Example(html=_LINK, services=_known(_PAGE, kind=Kind.UNSURE, reason="answers 403")),
        Example(html=_LINK, services=_known(_PAGE, kind=Kind.UNASKED, reason="no time")),
    ),
)
def link_unsure(checked: Checked) -> Iterator[Found]:
    """The page answers 403, 429 or 999, as many do to programs, or 5xx, or not in time: it may be fine
    for a reader. Look at it yourself. Addresses that nobody was asked about, for want of a network or
    of time, are one finding for all.
    """
    unasked: dict[str, list[Element]] = {}
    for link, verdict in _links(checked):
        if verdict.kind is Kind.UNSURE:
            yield Found(
                f"{link.get('href')} {verdict.reason}",
                place=link.place,
                hint="open it in a browser",
            )
        elif verdict.kind is Kind.UNASKED:
            unasked.setdefault(verdict.reason, []).append(link)
    for reason, links in unasked.items():
        number = f"{len(links)} links were" if len(links) > 1 else f"{links[0].get('href')} was"
        yield Found(f"{number} not asked: {reason}", place=links[0].place, hint="run it again")


@check(
    "image-dead",
    title="An image cannot be loaded",
    severity=Severity.ERROR,
    needs=SERVICE,
    passing=(
        Example(html=_IMAGE, services={SERVICE: Known()}),
        Example(html=_IMAGE, services=_known(_PICTURE, kind=Kind.FINE, media="image/png")),
    ),
    failing=(
        Example(html=_IMAGE, services=_known(_PICTURE, kind=Kind.DEAD, reason="answers 404")),
        Example(html=_IMAGE, services=_known(_PICTURE, kind=Kind.FINE, media="text/html")),
    ),
)
def image_dead(checked: Checked) -> Iterator[Found]:
    """Nothing is at the address of an image, or something that is no image, such as a page that asks to
    log in. Readers would see an empty frame.
    """
    for image, verdict in _asked(checked, checked.images, "src"):
        address = image.get("src")
        if verdict.kind in (Kind.DEAD, Kind.PRIVATE):
            yield Found(f"{address} {verdict.reason}", place=image.place, hint=_when(verdict))
        elif verdict.media.startswith(("text/", "application/json", "application/xhtml")):
            yield Found(f"{address} is {verdict.media}, not an image", place=image.place)


def _links(checked: Checked) -> Iterator[tuple[Element, Verdict]]:
    return _asked(checked, checked.links, "href")


def _asked(
    checked: Checked, elements: tuple[Element, ...], attribute: str
) -> Iterator[tuple[Element, Verdict]]:
    """The first element with each address of the web, and what became of it."""
    is_own = _own(checked)
    first: dict[str, Element] = {}
    for element in elements:
        address = element.get(attribute) or ""
        if address.lower().startswith(("http://", "https://")) and not is_own(address):
            first.setdefault(address, element)
    service: Online = checked.services[SERVICE]
    verdicts = service.verdicts(list(first))
    for address, element in first.items():
        yield element, verdicts[address]


def _own(checked: Checked) -> Callable[[str], bool]:
    """Tells addresses that nobody may ask: the publication's own, and those made for one reader."""
    publication = checked.publication
    own = [url.rstrip("/") for url in (publication.public_url, publication.site_url) if url]
    tokens = "|".join(re.escape(slot.token) for slot in checked.edition.slots)
    written = (
        re.findall(r"""(?:href|src)=["']([^"']*)["']""", checked.edition.html) if tokens else []
    )
    personal = [
        re.compile(".*".join(map(re.escape, parts)), re.DOTALL)
        for address in map(unescape, written)
        if len(parts := re.split(tokens, address)) > 1 and any(parts)
    ]

    def is_own(address: str) -> bool:
        if any(address == url or address.startswith(f"{url}/") for url in own):
            return True
        return any(pattern.fullmatch(address) for pattern in personal)

    return is_own


def _when(verdict: Verdict) -> str | None:
    return f"asked at {verdict.at:%Y-%m-%d %H:%M %Z}" if verdict.at else None
