"""A text file that a person wrote: decoded, checked, and able to show the line of a mistake."""

from __future__ import annotations

import codecs
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from wcwidth import wcwidth

from newsletter.errors import Place, Problem, SourceError

MAX_BYTES = 5_000_000
"""Largest source file, in bytes. A file beyond it is no text that somebody wrote."""

_SNIPPET_CELLS = 96
_MOST_PROBLEMS = 20
_LONGEST = 40
# Control characters but tab and line feed; U+0085, U+2028 and U+2029, which YAML would count as
# line ends and editors do not; and what is no character at all.
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class SourceText:
    """A decoded source file, or a part of one.

    Attributes:
        path: the file as the user would type it: relative to the publication's folder.
        text: the content, every line end a line feed, without a byte order mark.
        first_line: the line of the file on which `text` begins, counted from 1.

    """

    path: str
    text: str
    first_line: int = 1

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines of `text` without their ends; at least one."""
        return tuple(self.text.split("\n"))

    def place(self, line: int, column: int) -> Place:
        """The place at this line and column of the file, both counted from 1."""
        return Place(path=self.path, line=line, column=column)

    def snippet(self, line: int, column: int, *, cells: int = _SNIPPET_CELLS) -> str:
        """The source line and, under it, a caret at `column`, aligned by display cells.

        Args:
            line: line of the file, counted from 1; it may lie outside of the text.
            column: column in characters, counted from 1; beyond the end means just behind it.
            cells: how many display cells of a long line are shown.

        Returns:
            Two lines joined by a line feed, or an empty string when there is no such line.

        """
        index = line - self.first_line
        if not 0 <= index < len(self.lines):
            return ""
        content = FORBIDDEN.sub("\ufffd", self.lines[index].replace("\t", " "))
        at = min(max(column - 1, 0), len(content))
        start, end = _window(content, at, cells)
        head = "…" if start else ""
        tail = "…" if end < len(content) else ""
        prefix = f"{line:>5} | "
        shown = prefix + head + content[start:end] + tail
        indent = len(prefix) + len(head) + _cells(content[start:at])
        return f"{shown.rstrip()}\n{' ' * indent}^"

    def problem(self, line: int, column: int, message: str, hint: str | None = None) -> Problem:
        """A mistake at this line and column of the file, with the line shown."""
        return Problem(
            message=message,
            place=self.place(line, column),
            hint=hint,
            snippet=self.snippet(line, column) or None,
        )


def read_source(path: Path, *, root: Path) -> SourceText:
    """Read a UTF-8 text file below `root`.

    A byte order mark is dropped and every line end becomes a line feed.

    Raises:
        SourceError: the file is missing, unreadable, outside of `root` (also through a symbolic
            link), larger than `MAX_BYTES`, not UTF-8, or holds control characters. Encoding and
            characters are reported by line.

    """
    display = display_path(path, root=root)
    data = _read_bytes(path, display, root)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(problems=[_encoding_problem(display, data, error)]) from None
    source = SourceText(path=display, text=text.replace("\r\n", "\n").replace("\r", "\n"))
    problems = list(_character_problems(source))
    if problems:
        raise SourceError(problems=problems)
    return source


def display_path(path: Path, *, root: Path) -> str:
    """`path` as the user would type it: relative to `root` where it lies below it."""
    try:
        shown = Path(os.path.abspath(path)).relative_to(os.path.abspath(root)).as_posix()  # noqa: PTH100
    except ValueError:
        shown = str(path)
    # A name that is not UTF-8 must not keep the message from being printed.
    return shown.encode("utf-8", "backslashreplace").decode("utf-8")


def refuse_outside(path: Path, *, root: Path) -> None:
    """Refuse a path that leads out of `root`, by `..` or through a symbolic link.

    Raises:
        SourceError: it does, or it cannot be resolved.

    """
    display = display_path(path, root=root)
    try:
        inside = path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError):
        inside = False
    if not inside:
        raise _refusal(display, "leads out of the publication's folder", "copy the file into it")


def _read_bytes(path: Path, display: str, root: Path) -> bytes:
    refuse_outside(path, root=root)
    try:
        # Without O_NONBLOCK a named pipe would wait until somebody writes into it.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _refusal(display, "is not a file")
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _refusal(display, "does not exist") from None
    except IsADirectoryError:
        raise _refusal(display, "is a folder, not a file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _refusal(display, f"cannot be read: {reason}") from None
    if len(data) > MAX_BYTES:
        raise _refusal(display, f"is larger than {MAX_BYTES // 1_000_000} MB", "split it")
    return data


def _refusal(display: str, message: str, hint: str | None = None) -> SourceError:
    return SourceError(problems=[Problem(message=message, place=Place(path=display), hint=hint)])


def _encoding_problem(display: str, data: bytes, error: UnicodeDecodeError) -> Problem:
    offset = error.start + (len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0)
    before = data[:offset]
    line = before.count(b"\n") + 1
    column = len(before.rpartition(b"\n")[2].decode("utf-8-sig")) + 1
    return Problem(
        message=f"the file is not UTF-8: byte 0x{data[offset]:02X} cannot be read",
        place=Place(path=display, line=line, column=column),
        hint=_encoding_hint(data),
    )


def _encoding_hint(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "it looks like UTF-16; save it as UTF-8"
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return "save it as UTF-8"
    return "it may be GBK; save it as UTF-8"


def _character_problems(source: SourceText) -> Iterable[Problem]:
    count = 0
    for number, line in enumerate(source.lines, start=source.first_line):
        for match in FORBIDDEN.finditer(line):
            count += 1
            if count > _MOST_PROBLEMS:
                return
            message = f"invisible character {character_name(match.group())}"
            yield source.problem(number, match.start() + 1, message, "delete it")


def shortened(text: str) -> str:
    """At most 40 characters of what somebody wrote, on one line, for a message."""
    cut = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return " ".join(cut.split())


def character_name(char: str) -> str:
    """A character that cannot be shown, as its code point."""
    return "NUL" if char == "\0" else f"U+{ord(char):04X}"


def _cells(text: str) -> int:
    return sum(max(wcwidth(char), 0) for char in text)


def _window(content: str, at: int, room: int) -> tuple[int, int]:
    """Start and end of the part of a long line that is shown around character `at`."""
    start = at
    while start > 0 and _cells(content[start - 1 : at]) <= room // 2:
        start -= 1
    end = start
    cells = 0
    while end < len(content) and cells < room:
        cells += _cells(content[end])
        end += 1
    return start, end
