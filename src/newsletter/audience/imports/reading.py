"""A file of people, row by row: somebody to take in, or a reject with its reason. Nobody is lost without a word."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

from newsletter.audience.cells import RowError
from newsletter.audience.delimited import (
    DELIMITERS,
    NotText,
    Record,
    header_cells,
    not_text,
    records,
)
from newsletter.audience.imports.layout import Layout, lay_out, recognise
from newsletter.audience.imports.people import People
from newsletter.audience.imports.tool import COMMON, Tool, plain
from newsletter.audience.models import SubscriberStatus
from newsletter.audience.register import Incoming
from newsletter.errors import AudienceError, UsageError

_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# What Chinese programs call GB2312 or GBK is often more than that, and never less than GB 18030.
_CHINESE = ("gb2312", "gbk", "cp936", "936", "ms936", "euc-cn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A row that is nobody.

    Attributes:
        row: counted as a spreadsheet does, the header is row 1.
        reason: what is wrong with it, in one line.
        cells: what stands in it; the whole line as one cell where its quotation marks do not match.

    """

    row: int
    reason: str
    cells: tuple[str, ...]


class Export:
    """A file of people that is open: iterate over it once.

    Attributes:
        path: the file.
        layout: which column is what.
        encoding: how its characters are encoded.
        size: in bytes; 0 for a pipe.

    """

    def __init__(
        self,
        path: Path,
        stream: BinaryIO,
        text: TextIOWrapper,
        *,
        layout: Layout,
        people: People,
        strict: bool,
    ) -> None:
        self.path = path
        self.layout = layout
        self.encoding = _shown(text)
        self.size = os.fstat(stream.fileno()).st_size
        self._stream = stream
        self._text = text
        self._people = people
        self._strict = strict

    @property
    def position(self) -> int:
        """How many bytes have been read, about."""
        return self._stream.tell() if self._stream.seekable() else 0

    def __iter__(self) -> Iterator[Incoming | Reject]:
        found = records(
            self._text, delimiter=self.layout.delimiter, encoding=self.encoding, reread=True
        )
        try:
            for record in found:
                if record.problem is not None or not record.blank:
                    yield self._read(record)
        except UnicodeError as error:
            raise AudienceError(f"{self.path}: this is not {self.encoding}: {error}") from None

    def _read(self, record: Record) -> Incoming | Reject:
        problem = record.problem
        if isinstance(problem, NotText) and problem.undecoded and self._strict:
            raise _which_encoding(self.path, record.row, problem)
        try:
            if problem is not None:
                raise problem
            return self._people.read(record)
        except RowError as error:
            cells = record.cells or [record.text.rstrip("\r\n")]
            return Reject(row=record.row, reason=error.reason, cells=tuple(cells))


@contextmanager
def open_export(
    path: Path,
    *,
    tool: Tool | None = None,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    status: SubscriberStatus | None = None,
    tags: frozenset[str] = frozenset(),
) -> Iterator[Export]:
    """Open a file of people and find out what its columns are.

    Args:
        path: the file.
        tool: who wrote it; recognised by its columns when None.
        mapping: columns by target, over what is recognised: see `layout.parse_map`.
        encoding: such as gb18030; UTF-8 when None, or UTF-16 where a byte order mark says so. Lines that are not of
            this encoding are rejects; without one, the first that is not UTF-8 raises.
        status: nobody gets a status more active than this.
        tags: everybody gets these too.

    Raises:
        AudienceError: the file cannot be read, has no header, or no column with addresses.
        UsageError: `mapping` or `encoding` names what is not there.

    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise AudienceError(f"{path}: this file cannot be read: {error.strerror}") from error
    with stream, _decoded(stream, encoding) as text:
        try:
            line = text.readline().removeprefix("\ufeff")
        except UnicodeError as error:
            raise AudienceError(f"{path}:1: this is not {_shown(text)}: {error}") from None
        except OSError as error:
            raise AudienceError(f"{path}: this file cannot be read: {error.strerror}") from error
        if (problem := not_text([line], encoding=_shown(text))) is not None:
            raise _which_encoding(path, 1, problem)
        layout = _layout(path, line, tool=tool, mapping=mapping or {})
        _refuse_strangers(path, layout, status)
        people = People(layout, status=status, tags=tags)
        yield Export(path, stream, text, layout=layout, people=people, strict=encoding is None)


def _decoded(stream: BinaryIO, encoding: str | None) -> TextIOWrapper:
    start = stream.peek(4)[:3] if hasattr(stream, "peek") else b""
    marked = next((name for mark, name in _MARKS.items() if start.startswith(mark)), "utf-8")
    if encoding is None:
        encoding = marked
    elif encoding.lower().replace("_", "-") in _CHINESE:
        encoding = "gb18030"
    elif encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        encoding = "utf-8-sig"
    try:
        return TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="")
    except LookupError:
        raise UsageError(
            f"--encoding {encoding}: there is no such encoding; it may be gb18030, big5, utf-16 or windows-1252"
        ) from None


def _shown(text: TextIOWrapper) -> str:
    return text.encoding.removesuffix("-sig").upper()


def _which_encoding(path: Path, row: int, problem: NotText) -> AudienceError:
    return AudienceError(
        f"{path}:{row}: {problem}; say what it is with --encoding, such as gb18030 (Excel in China), big5,"
        " utf-16-le or windows-1252"
    )


def _layout(path: Path, line: str, *, tool: Tool | None, mapping: Mapping[str, str]) -> Layout:
    """What the columns of the first line are, with the delimiter that makes the most of them."""
    if not line.strip():
        raise AudienceError(f"{path}: the first row must name the columns, such as email,name")
    candidates = [(header_cells(line, delimiter), delimiter) for delimiter in DELIMITERS]
    wanted = set(mapping.values())
    header, delimiter = max(
        candidates,
        key=lambda found: (
            len(wanted.intersection(found[0])),
            recognise(found[0]).marks != (),
            any(plain(name) in COMMON["email"] for name in found[0]),
            len(found[0]),
        ),
    )
    layout = lay_out(header, delimiter=delimiter, tool=tool or recognise(header), mapping=mapping)
    if layout.email is None:
        there = ", ".join(f"`{name}`" for name in header if name) or "nothing"
        hint = (
            "the first row must name the columns, such as email,name"
            if any("@" in name for name in header)
            else "say which column has the addresses with --map email=COLUMN"
        )
        raise AudienceError(f"{path}:1: no column has addresses, the first row has {there}; {hint}")
    return layout


def _refuse_strangers(path: Path, layout: Layout, status: SubscriberStatus | None) -> None:
    strangers = layout.tool.strangers
    limited = status not in (None, SubscriberStatus.ACTIVE)
    if strangers and path.name.lower().startswith(strangers) and not limited:
        raise AudienceError(
            f"{path}: by its name this file has people who never subscribed; leave it out, or take them in with"
            " --status unsubscribed"
        )
