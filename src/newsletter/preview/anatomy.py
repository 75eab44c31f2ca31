"""Taking a finished message apart again, to show what is in its bytes.

Everything the preview shows comes from here and so from what would be sent, not from what rendering
meant to send.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property

_FOLD = re.compile(r"\r?\n(?=[ \t])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """One header field.

    Attributes:
        decoded: the value as a person reads it, one line.
        raw: the value as it stands in the message, with its folds.

    """

    name: str
    decoded: str
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One leaf of the MIME tree.

    Attributes:
        depth: how many multiparts are around it.
        encoded: bytes that it takes in the message, without its own headers.
        decoded: bytes after the transfer encoding is undone.

    """

    content_type: str
    filename: str | None
    content_id: str | None
    encoding: str
    depth: int
    encoded: int
    decoded: int


@dataclass(frozen=True)
class Anatomy:
    """A message with its parts laid out. `data` is what SMTP's DATA would carry, CRLF line ends."""

    data: bytes

    @cached_property
    def message(self) -> EmailMessage:
        """The message as the standard library reads it."""
        parsed = message_from_bytes(self.data, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @cached_property
    def html(self) -> str:
        """The HTML part, decoded; empty when there is none."""
        return self._body("html")

    @cached_property
    def text(self) -> str:
        """The plain-text part, decoded, with LF line ends; empty when there is none."""
        return self._body("plain").replace("\r\n", "\n")

    @property
    def headers(self) -> tuple[Header, ...]:
        """The header fields in their order."""
        return tuple(_headers(self.data, self.message))

    @property
    def parts(self) -> tuple[Part, ...]:
        """The leaves of the MIME tree in their order."""
        return tuple(_part(leaf, depth) for leaf, depth in _leaves(self.message, 0))

    def image(self, content_id: str) -> tuple[str, bytes] | None:
        """MIME type and bytes of the part with this Content-ID (RFC 2392), or None."""
        for leaf, _depth in _leaves(self.message, 0):
            if _bare(leaf["Content-ID"]) == content_id:
                return leaf.get_content_type(), _payload(leaf)
        return None

    def _body(self, subtype: str) -> str:
        for leaf, _depth in _leaves(self.message, 0):
            if leaf.get_content_type() == f"text/{subtype}":
                charset = leaf.get_content_charset() or "utf-8"
                return _payload(leaf).decode(charset, "replace")
        return ""


def _leaves(message: EmailMessage, depth: int) -> Iterator[tuple[EmailMessage, int]]:
    if not message.is_multipart():
        yield message, depth
        return
    for child in message.iter_parts():
        assert isinstance(child, EmailMessage)
        yield from _leaves(child, depth + 1)


def _payload(leaf: EmailMessage) -> bytes:
    payload = leaf.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _part(leaf: EmailMessage, depth: int) -> Part:
    body = leaf.get_payload(decode=False)
    return Part(
        content_type=leaf.get_content_type(),
        filename=leaf.get_filename(),
        content_id=_bare(leaf["Content-ID"]),
        encoding=str(leaf.get("Content-Transfer-Encoding", "7bit")).lower(),
        depth=depth,
        encoded=len(str(body).encode("utf-8", "surrogateescape")),
        decoded=len(_payload(leaf)),
    )


def _bare(content_id: str | None) -> str | None:
    return str(content_id).strip().strip("<>") if content_id else None


def _headers(data: bytes, message: EmailMessage) -> Iterator[Header]:
    block = data.split(b"\r\n\r\n", 1)[0].decode("utf-8", "replace")
    unfolded = _FOLD.sub("\0", block).split("\r\n")
    values = list(message.values())
    for index, field in enumerate(unfolded):
        name, _colon, raw = field.partition(":")
        decoded = str(values[index]) if index < len(values) else raw
        yield Header(
            name=name,
            decoded=" ".join(decoded.split()),
            raw=raw.strip(" ").replace("\0", "\n"),
        )
