"""A message as it goes over the wire: header fields and parts, read from its octets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.parser import BytesParser
from functools import cached_property

WORD = re.compile(rb"=\?([^?\s]*)\?([bBqQ])\?([^?\s]*)\?=")
"""An encoded word of RFC 2047: charset, encoding, text."""


@dataclass(frozen=True, slots=True)
class Field:
    """A header field: its name as written, its body with its folds."""

    name: str
    body: bytes

    @property
    def value(self) -> str:
        """The body unfolded, undecoded; octets that are no UTF-8 replaced."""
        return re.sub(rb"\r?\n(?=[ \t])", b"", self.body).decode("utf-8", "replace").strip()

    @property
    def decoded(self) -> str:
        """The body with its encoded words decoded; as it is where they cannot be."""
        try:
            return str(make_header(decode_header(self.value)))
        except (ValueError, LookupError, UnicodeError):
            return self.value


class Wire:
    """A message, read from its octets.

    Args:
        data: header and body, CRLF line ends.

    """

    def __init__(self, data: bytes) -> None:
        self.data = data

    @cached_property
    def head(self) -> bytes:
        """The header without the empty line after it."""
        return self.data.partition(b"\r\n\r\n")[0]

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Every field, in order. A line that is none is left out."""
        unfolded = re.split(rb"\r\n(?![ \t])", self.head)
        found = []
        for line in unfolded:
            name, colon, body = line.partition(b":")
            if colon and name and not re.search(rb"[\s]", name):
                found.append(Field(name.decode("ascii", "replace"), body))
        return tuple(found)

    def all(self, name: str) -> list[Field]:
        """The fields of this name, in any spelling of case."""
        return [field for field in self.fields if field.name.lower() == name.lower()]

    def value(self, name: str) -> str:
        """The first field of this name, unfolded; empty when there is none."""
        return next((field.value for field in self.all(name)), "")

    def decoded(self, name: str) -> str:
        """The first field of this name, encoded words decoded; empty when there is none."""
        return next((field.decoded for field in self.all(name)), "")

    @cached_property
    def parsed(self) -> EmailMessage:
        """The message as the standard library reads it."""
        found = BytesParser(policy=policy.default).parsebytes(self.data)
        assert isinstance(found, EmailMessage)
        return found

    def body(self, subtype: str) -> str | None:
        """The text of the first `text/…` part, with line feeds; None when there is none."""
        for part in self.parsed.walk():
            if part.get_content_type() == f"text/{subtype}":
                payload = part.get_payload(decode=True)
                if isinstance(payload, bytes):
                    return payload.decode("utf-8", "replace").replace("\r\n", "\n")
        return None
