"""Replies of a mail server: RFC 5321 section 4.2, with the enhanced status codes of RFC 3463."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_REPLY_LINE = 4096  # RFC 5321 says 512; real servers exceed it
MAX_REPLY_LINES = 100

_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?:\s|$)")
_CONTROL = re.compile(
    r"[\x00-\x08\x0a-\x1f\x7f-\x9f]"
)  # would move the cursor of whoever reads the log
_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?\Z", re.DOTALL)


class ReplyError(ValueError):
    """The server said something that is no reply."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply.

    Attributes:
        code: three digits, 200 to 599.
        text: the lines after the code, joined with line feeds.

    """

    code: int
    text: str

    @property
    def enhanced(self) -> str | None:
        """The enhanced status code such as 5.1.1, if the text begins with one."""
        found = _ENHANCED.match(self.text)
        return found.group(0).strip() if found else None

    @property
    def positive(self) -> bool:
        """2yz: done."""
        return 200 <= self.code < 300

    @property
    def intermediate(self) -> bool:
        """3yz: go on."""
        return 300 <= self.code < 400

    @property
    def transient(self) -> bool:
        """4yz: not now."""
        return 400 <= self.code < 500

    @property
    def permanent(self) -> bool:
        """5yz: no."""
        return self.code >= 500

    def __str__(self) -> str:
        return f"{self.code} {self.text}".replace("\n", " / ").strip()


class ReplyParser:
    """Turns octets, however they are cut, into replies in order."""

    __slots__ = ("_buffer", "_code", "_lines")

    def __init__(self) -> None:
        self._buffer = b""
        self._lines: list[str] = []
        self._code = 0

    def feed(self, data: bytes) -> Iterator[Reply]:
        """Yield every reply that `data` completes.

        Raises:
            ReplyError: what came is not a reply; the connection cannot be trusted any more.

        """
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            if reply := self._line(line.removesuffix(b"\r")):
                yield reply
        if len(self._buffer) > MAX_REPLY_LINE:
            raise ReplyError("the server sent a reply line that does not end")

    def _line(self, line: bytes) -> Reply | None:
        found = _LINE.match(line)
        if not found or len(line) > MAX_REPLY_LINE:
            raise ReplyError(f"the server sent no SMTP reply: {line[:80]!r}")
        code = int(found.group(1))
        if self._lines and code != self._code:
            raise ReplyError(f"a reply changed its code from {self._code} to {code} half-way")
        text = _CONTROL.sub("\ufffd", (found.group(3) or b"").decode("utf-8", "replace"))
        if found.group(2) != b"-" and not self._lines:
            return Reply(code, text)
        self._code = code
        self._lines.append(text)
        if len(self._lines) > MAX_REPLY_LINES:
            raise ReplyError("the server sent a reply of too many lines")
        if found.group(2) == b"-":
            return None
        reply = Reply(code, "\n".join(self._lines))
        self._lines = []
        return reply
