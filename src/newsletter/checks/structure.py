"""The parts of the message: text first, then HTML, each saying what it should."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from newsletter.checks.model import Example, Found, Severity, check

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked

_HEAD = (
    "From: =?utf-8?b?5bCP5ZGo5YiK?= <weekly@example.org>\nTo: reader@example.com\nSubject: x\n"
    "Date: Mon, 07 Nov 2022 09:00:00 +0800\nMessage-ID: <7.a@example.org>\nMIME-Version: 1.0\n"
)
_TEXT = "--b\nContent-Type: text/plain; charset=utf-8\n\nhello\n"
_HTML = "--b\nContent-Type: text/html; charset=utf-8\n\n<p>hello</p>\n"
_MULTI = 'Content-Type: multipart/alternative; boundary="b"\n\n'


@check(
    "part-order",
    title="The message is not text and HTML, in this order",
    severity=Severity.ERROR,
    passing=Example(body="好。"),
    failing=(
        Example(message=f"{_HEAD}Content-Type: text/html; charset=utf-8\n\n<p>hello</p>\n"),
        Example(message=f"{_HEAD}{_MULTI}{_HTML}{_TEXT}--b--\n"),
    ),
)
def part_order(checked: Checked) -> Iterator[Found]:
    """`multipart/alternative` with the plain text first (RFC 2046, 5.1.4: the best form last).

    Programs that show the last form they understand would show plain text otherwise.
    """
    parsed = checked.headers.parsed
    kinds = [part.get_content_type() for part in parsed.walk() if not part.is_multipart()]
    texts = [kind for kind in kinds if kind.startswith("text/")]
    if parsed.get_content_type() != "multipart/alternative":
        yield Found(f"the message is {parsed.get_content_type()}, not multipart/alternative")
    elif texts[:2] != ["text/plain", "text/html"]:
        yield Found(f"its parts are {', '.join(texts) or 'none'}")


@check(
    "part-defect",
    title="The message does not parse cleanly",
    severity=Severity.ERROR,
    passing=Example(body="好。"),
    failing=Example(message=f"{_HEAD}{_MULTI}{_TEXT}{_HTML}"),
)
def part_defect(checked: Checked) -> Iterator[Found]:
    """A boundary that never comes or base64 that is none: programs guess, each in its own way."""
    for part in checked.headers.parsed.walk():
        part.get_payload(decode=True)
        for defect in part.defects:
            yield Found(f"{type(defect).__name__} in the {part.get_content_type()} part")


@check(
    "part-charset",
    title="A text part does not say UTF-8",
    severity=Severity.ERROR,
    passing=Example(body="好。"),
    failing=Example(message=f"{_HEAD}{_MULTI}{_TEXT.replace('utf-8', 'gb2312')}{_HTML}--b--\n"),
)
def part_charset(checked: Checked) -> Iterator[Found]:
    """Without `charset=utf-8` Chinese text is guessed at, and often wrongly."""
    for part in checked.headers.parsed.walk():
        charset = str(part.get_content_charset())
        if part.get_content_maintype() == "text" and charset != "utf-8":
            yield Found(f"the {part.get_content_type()} part says charset {charset}")


@check(
    "part-differs",
    title="A part of the message is not what was rendered",
    severity=Severity.ERROR,
    passing=Example(body="好。"),
    failing=Example(message=f"{_HEAD}{_MULTI}{_TEXT}{_HTML}--b--\n"),
)
def part_differs(checked: Checked) -> Iterator[Found]:
    """Decoded again, both parts must be letter for letter what was rendered for this recipient."""
    for subtype, wanted in (("plain", checked.text), ("html", checked.html)):
        said = checked.headers.body(subtype)
        if said is not None and said.rstrip("\n") != wanted.rstrip("\n"):
            yield Found(f"the text/{subtype} part is not what was rendered")
