"""Is a message fit for the wire? Checked on its octets, since objects can say one thing and serialise to another."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_LINE_OCTETS = 998  # RFC 5322 section 2.1.1, without CRLF

_FIELD = re.compile(rb"([!-9;-~]+):")
_ONCE = ("from", "to", "subject", "date", "message-id", "mime-version", "content-type", "reply-to")
_REQUIRED = ("from", "to", "subject", "date", "message-id", "mime-version", "content-type")


def defects(data: bytes) -> Iterator[str]:
    """Yield one sentence for each rule of RFC 5321/5322 that `data` breaks."""
    if b"\0" in data:
        yield "it holds a NUL octet"
    if data.count(b"\n") != data.count(b"\r\n") or data.count(b"\r") != data.count(b"\r\n"):
        yield "it has line breaks other than CRLF"
    if not data.endswith(b"\r\n"):
        yield "it does not end with CRLF"
    head, separator, _body = data.partition(b"\r\n\r\n")
    if not separator:
        yield "it has no empty line between header and body"
    lines = data.split(b"\r\n")
    if any(len(line) > MAX_LINE_OCTETS for line in lines):
        yield f"it has a line of more than {MAX_LINE_OCTETS} octets"
    if any(line.startswith(b".") for line in lines):
        yield "it has a line that begins with a dot"
    yield from _header_defects(head)


def _header_defects(head: bytes) -> Iterator[str]:
    names: list[str] = []
    for line in head.split(b"\r\n"):
        if line[:1] in (b" ", b"\t"):
            if not line.strip():
                yield "it has a header line of white space only"
            if not names:
                yield "its header begins with a continuation line"
            continue
        field = _FIELD.match(line)
        if not field:
            yield f"its header has a line that is no field: {line[:40]!r}"
            continue
        names.append(field.group(1).decode().lower())
    for name in _REQUIRED:
        if name not in names:
            yield f"it has no {name.title()} field"
    for name in _ONCE:
        if names.count(name) > 1:
            yield f"it has {names.count(name)} {name.title()} fields"
