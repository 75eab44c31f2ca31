"""A stranger's mail as headers and parts, whatever its octets are.

Bounces are written by programs that never read the standards: report parts in base64 (RFC 6533 allows what RFC 3464
forbids), raw GBK in headers, boundaries that occur nowhere. And a mailbox that anybody may write to gets mails made to
keep its reader busy, which the standard library's parser, recursive and square in the depth, would be. So this reads
what a bounce needs and nothing else, in time that grows with the mail, and never raises.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header
from functools import cached_property
from html import unescape

MOST_FIELDS = 1000
LONGEST_FIELD = 16 * 1024
MOST_PARTS = 100
DEEPEST = 8
LONGEST_TEXT = 128 * 1024
MOST_BLOCKS = 200

_BLANK_LINE = re.compile(rb"^\r?\n", re.MULTILINE)
_BLANK_LINES = re.compile(rb"\r?\n(?:[ \t]*\r?\n)+")
_NAME = re.compile(rb"[!-9;-~]{1,76}(?=[ \t]*:)")
_BOUNDARY = re.compile(r"boundary\s*=\s*(?:\"([^\"]*)\"|([^\s;\"]+))", re.IGNORECASE)
_PARAMETER = r"\b{}\s*=\s*\"?([^\s;\"]+)"
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/td|/li|/h\d)\b[^<>]{0,200}>", re.IGNORECASE)
_TAG = re.compile(r"<[!/a-z][^<>]{0,2000}>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one header, or of one block of a report.

    Attributes:
        items: name in lower case and unfolded value, in order.

    """

    items: tuple[tuple[str, str], ...] = ()

    def every(self, *names: str) -> list[str]:
        """All values of the fields of these names, the first name's first."""
        return [value for name in names for known, value in self.items if known == name]

    def first(self, *names: str) -> str:
        """The first value that is not empty, or nothing."""
        return next((value for value in self.every(*names) if value), "")

    def words(self, name: str) -> str:
        """The first value of that name, with RFC 2047 words decoded."""
        return _decoded_words(self.first(name))


@dataclass(frozen=True, slots=True)
class Part:
    """A part that holds no other parts; a returned message is one, and is not looked into.

    Attributes:
        kind: its content type in lower case, without parameters.
        fields: its header.
        content: its octets, with base64 and quoted-printable decoded.

    """

    kind: str
    fields: Fields
    content: bytes

    def text(self) -> str:
        """The first 128 KiB as text; of HTML only what is read."""
        named = _parameter(self.fields.first("content-type"), "charset")
        text = decoded(self.content[:LONGEST_TEXT], named).replace("\r\n", "\n")
        return _readable(text) if self.kind == "text/html" else text

    def blocks(self) -> list[Fields]:
        """Its blocks of fields, as in RFC 3464 section 2.1: what blank lines part."""
        pieces = _BLANK_LINES.split(self.content[: 4 * LONGEST_TEXT], maxsplit=MOST_BLOCKS)
        return [fields for piece in pieces[:MOST_BLOCKS] if (fields := read_fields(piece)).items]

    def header(self) -> Fields:
        """The header of the message that it holds."""
        return _split(self.content)[0]


@dataclass(frozen=True)
class Mail:
    """One mail.

    Attributes:
        header: its fields.
        parts: the parts that hold no others, in order.

    """

    header: Fields
    parts: tuple[Part, ...]

    @property
    def report_type(self) -> str:
        """The report-type of a multipart/report (RFC 6522), in lower case, or nothing."""
        value = self.header.first("content-type").lower()
        return (value.startswith("multipart/report") and _parameter(value, "report-type")) or ""

    def of_kind(self, *kinds: str) -> Iterator[Part]:
        """The parts of these content types."""
        return (part for part in self.parts if part.kind in kinds)

    @cached_property
    def prose(self) -> str:
        """What a person would read: the plain text, or the HTML where there is none."""
        plain = "\n".join(part.text() for part in self.of_kind("text/plain"))
        if not plain.strip():
            plain = "\n".join(part.text() for part in self.of_kind("text/html"))
        return plain[:LONGEST_TEXT]


def read_mail(data: bytes) -> Mail:
    """Headers and parts of a mail."""
    data = data.lstrip(b"\r\n")
    if data.startswith((b"From ", b">From ")):  # as an mbox has it
        data = data.partition(b"\n")[2]
    header, body = _split(data)
    parts: list[Part] = []
    _collect(header, body, into=parts, depth=0)
    return Mail(header, tuple(parts))


def read_fields(block: bytes) -> Fields:
    """The fields of a header: unfolded, lines that are none left out."""
    items: list[tuple[str, list[bytes]]] = []
    for line in block.split(b"\n"):
        line = line[:LONGEST_FIELD].rstrip(b"\r")
        if line[:1] in (b" ", b"\t"):
            if items and len(items[-1][1]) < MOST_FIELDS:
                items[-1][1].append(line.strip())
        elif found := _NAME.match(line):
            if len(items) == MOST_FIELDS:
                break
            value = line[found.end() :].lstrip()[1:]
            items.append((found[0].decode("ascii").lower(), [value.strip()]))
    return Fields(
        tuple((name, decoded(b" ".join(lines)[:LONGEST_FIELD]).strip()) for name, lines in items)
    )


def decoded(octets: bytes, charset: str | None = None) -> str:
    """Octets as text, in the charset that they claim or the one that fits; never raises."""
    for name in (charset or "utf-8", "utf-8", "gb18030"):
        try:
            return octets.decode(name)
        except (LookupError, ValueError):
            continue
    # Cut in the middle of a character, or no charset at all.
    return octets.decode("utf-8", "replace")


def _split(data: bytes) -> tuple[Fields, bytes]:
    """Header and body of an entity."""
    blank = _BLANK_LINE.search(data)
    if blank is None:
        return read_fields(data), b""
    return read_fields(data[: blank.start()]), data[blank.end() :]


def _collect(header: Fields, body: bytes, *, into: list[Part], depth: int) -> None:
    content_type = header.first("content-type")
    kind = content_type.partition(";")[0].strip().lower() or "text/plain"
    if kind.startswith("multipart/") and depth < DEEPEST:
        pieces = list(_pieces(body, content_type))
        for piece in pieces:
            if len(into) < MOST_PARTS:
                _collect(*_split(piece), into=into, depth=depth + 1)
        if pieces:
            return
        kind = "text/plain"  # it only says that it has parts
    into.append(Part(kind, header, _transferred(header, body)))


def _pieces(body: bytes, content_type: str) -> Iterator[bytes]:
    """What stands between the lines of the boundary (RFC 2046 section 5.1.1)."""
    found = _BOUNDARY.search(content_type)
    boundary = (found[1] or found[2] or "").rstrip().encode("utf-8") if found else b""
    if not boundary:
        return
    line = re.compile(rb"^--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r?\n|\r?\Z)", re.MULTILINE)
    start = -1
    for count, match in enumerate(line.finditer(body)):
        if start >= 0:
            yield body[start : match.start()]
        start = match.end()
        if match[1] or count > MOST_PARTS:
            return
    if start >= 0:
        yield body[start:]


def _transferred(header: Fields, body: bytes) -> bytes:
    """The body with its transfer encoding undone as far as that goes."""
    encoding = header.first("content-transfer-encoding").lower()
    if encoding.startswith("quoted-printable"):
        return quopri.decodestring(body)
    if encoding.startswith("base64"):
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
        try:
            return binascii.a2b_base64(letters[: len(letters) // 4 * 4] + _rest(letters))
        except binascii.Error:
            return body
    return body


def _rest(letters: bytes) -> bytes:
    """The last, incomplete group of base64 letters, padded."""
    rest = letters[len(letters) // 4 * 4 :]
    return rest.ljust(4, b"=") if len(rest) > 1 else b""


def _parameter(value: str, name: str) -> str | None:
    found = re.search(_PARAMETER.format(name), value, re.IGNORECASE)
    return found[1] if found else None


def _decoded_words(value: str) -> str:
    value = value[:LONGEST_FIELD]
    try:
        chunks = decode_header(value)
    except (HeaderParseError, ValueError):
        return value
    return "".join(
        chunk if isinstance(chunk, str) else decoded(chunk, charset) for chunk, charset in chunks
    )


def _readable(html: str) -> str:
    """The words of an HTML text, a line for each block."""
    for element in ("style", "script", "title"):
        html = "".join(_outside(html, element))
    return unescape(_TAG.sub(" ", _BREAK.sub("\n", html)))


def _outside(html: str, element: str) -> Iterator[str]:
    """What stands outside the elements of that name."""
    lower = html.lower()
    if len(lower) != len(html):  # a few letters grow when lowered
        lower = html
    position = 0
    while (begin := lower.find(f"<{element}", position)) >= 0:
        yield html[position:begin]
        end = lower.find(f"</{element}", begin)
        position = len(html) if end < 0 else end
    yield html[position:]
