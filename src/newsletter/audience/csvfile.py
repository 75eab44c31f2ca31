"""The list as a CSV file: one subscriber a row, every bad row named and none of them in the way.

The first row names the columns, in any order and any case: `email` (required), `name`, `status`
(pending, active or unsubscribed; active when empty), `tags` (separated by `;`, `,` or `|`, never by
spaces, so that a tag may be two words), `language` (zh-CN, en, …) and `joined` (a date, with or
without a time). Every further column is free and becomes `subscriber.fields.x`. UTF-8, a byte order
mark or not; comma, semicolon or tab.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

from newsletter.audience.models import Subscriber, SubscriberStatus
from newsletter.errors import AudienceError, Place, Problem
from newsletter.mail.address import parse_address

if TYPE_CHECKING:
    from _csv import Reader

_DELIMITERS = ",;\t"
_STATUSES = {"": SubscriberStatus.ACTIVE} | {status.value: status for status in SubscriberStatus}
_TAG_SEPARATOR = re.compile(r"[;,|；，、]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\Z")
# ISO 8601, and what spreadsheets in China make of it: 2026/1/31. A time and an offset may follow.
_DATE = re.compile(
    r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})"
    r"(?:[Tt ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?(?:[Zz]|UTC|[+-]\d{2}:?\d{2}))?)?",
    re.ASCII,
)
# What must never come near a header or a terminal; free columns may have line breaks and tabs.
_NOT_IN_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NOT_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_NOT_UTF8 = re.compile(r"[\udc80-\udcff]")  # how surrogateescape spells a byte that is not UTF-8


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRow:
    """One row of the list: a subscriber, or the problem that keeps it from being one.

    Attributes:
        row: counted as a spreadsheet does: the header is row 1, and blank rows count.

    """

    row: int
    subscriber: Subscriber | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where each value stands in a row; None for a column that the list does not have."""

    email: int
    name: int | None
    status: int | None
    tags: int | None
    language: int | None
    joined: int | None
    fields: tuple[tuple[str, int], ...]
    count: int
    delimiter: str


class _RowError(Exception):
    """What is wrong with a row, and what to do about it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def read_subscribers(path: Path, *, root: Path) -> Iterator[ListRow]:
    """Every row of the list but blank ones, in the order of the file and in constant memory.

    Args:
        path: the CSV file, absolute or relative to `root`.
        root: the publication's folder; messages name the file relative to it.

    Raises:
        AudienceError: at the first step when there is no usable list at all (no file, empty, no
            `email` column); later when the file turns out not to be UTF-8, has NUL bytes, or loses
            rows in an open quotation mark.

    """
    path = root / path
    shown = str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
    try:
        stream = path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
    except OSError as error:
        raise AudienceError(f"{shown}: the list cannot be read: {error.strerror}") from error
    with stream:
        columns = read_header(stream, shown)
        for row in parse_rows(text_lines(stream), columns, shown):
            if row is not None:
                yield row


def parse_rows(lines: Iterable[str], columns: Columns, shown: str) -> Iterator[ListRow | None]:
    """One item for each record after the header, None for a blank one; takes no line before it is needed."""
    reader = csv.reader(lines, delimiter=columns.delimiter, strict=True, skipinitialspace=True)
    for row, cells in _records(reader, shown):
        if isinstance(cells, _RowError):
            yield _bad_row(shown, row, cells)
        elif any(cells) and any(cell.strip() for cell in cells):
            try:
                yield ListRow(row=row, subscriber=_subscriber(cells, columns))
            except _RowError as error:
                yield _bad_row(shown, row, error)
        else:
            yield None


def _bad_row(shown: str, row: int, error: _RowError) -> ListRow:
    place = Place(path=shown, line=row)
    return ListRow(row=row, problem=Problem(message=str(error), place=place, hint=error.hint))


def text_lines(stream: Iterable[str]) -> Iterator[str]:
    """The lines of the file; ValueError at the first one that is not text."""
    for line in stream:
        if not line.isascii() and _NOT_UTF8.search(line):
            raise ValueError("this is not UTF-8; in a spreadsheet, save it as `CSV UTF-8`")
        if "\0" in line:
            raise ValueError("there is a NUL byte here; in a spreadsheet, save it as `CSV UTF-8`")
        yield line


def _records(reader: Reader, shown: str) -> Iterator[tuple[int, list[str] | _RowError]]:
    """Each record after the header with its row; a `_RowError` for one that is wrongly quoted."""
    row = 1
    while True:
        row += 1
        first_line = reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except ValueError as error:
            raise AudienceError(f"{shown}:{row}: {error}") from None
        except csv.Error:
            lines = reader.line_num - first_line
            if lines > 1:  # other people's rows went into this quotation mark
                raise AudienceError(
                    f"{shown}:{row}: a quotation mark opens here and is not closed properly: "
                    f"it swallows {lines} lines"
                ) from None
            yield (
                row,
                _RowError(
                    "the quotation marks do not match", 'write "" for a " inside quotation marks'
                ),
            )
        else:
            yield row, cells


def read_header(stream: TextIO, shown: str) -> Columns:
    """The columns that the first line of `stream` names; AudienceError where they make no list."""
    try:
        line = next(text_lines([stream.readline()]))
    except ValueError as error:
        raise AudienceError(f"{shown}:1: {error}") from None
    if not line:
        raise AudienceError(
            f"{shown}: the list is empty; its first row must name the columns, such as email,name"
        )
    candidates = [(_header_cells(line, delimiter), delimiter) for delimiter in _DELIMITERS]
    cells, delimiter = max(candidates, key=lambda found: ("email" in found[0], len(found[0])))
    return _columns(cells, delimiter, shown)


def _header_cells(line: str, delimiter: str) -> list[str]:
    """The names of the columns: known ones in lower case, the others as they are."""
    cells = [
        cell.strip()
        for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    ]
    known = ("email", "name", "status", "tags", "language", "joined")
    return [cell.lower() if cell.lower() in known else cell for cell in cells]


def _columns(cells: Sequence[str], delimiter: str, shown: str) -> Columns:
    names = [name if name in ("email", "name") else _field_name(name) for name in cells]
    counted = Counter(name.casefold() for name in names if name)
    if twice := [name for name, count in counted.items() if count > 1]:
        raise AudienceError(f"{shown}:1: there are two columns `{twice[0]}`; rename one")
    if "email" not in names:
        there = ", ".join(f"`{name}`" for name in cells if name) or "nothing"
        raise AudienceError(f"{shown}:1: there is no `email` column; the first row has {there}")
    where = {name: index for index, name in enumerate(names) if name}
    return Columns(
        email=where.pop("email"),
        name=where.pop("name", None),
        status=where.pop("status", None),
        tags=where.pop("tags", None),
        language=where.pop("language", None),
        joined=where.pop("joined", None),
        fields=tuple(where.items()),
        count=len(names),
        delimiter=delimiter,
    )


def _field_name(header: str) -> str:
    """A header as `subscriber.fields.x` can spell it: `First name` is First_name, `2022` x2022."""
    name = re.sub(r"\W+", "_", header).strip("_")
    return f"x{name}" if name[:1].isdigit() else name


def _subscriber(cells: list[str], columns: Columns) -> Subscriber:
    if len(cells) != columns.count:
        if any(cell.strip() for cell in cells[columns.count :]):
            _refuse(
                f"this row has {len(cells)} cells, the header names {columns.count}",
                f"put a value that has {_quoted(columns.delimiter)} in it into quotation marks",
            )
        cells += [""] * (columns.count - len(cells))
    fields = {name: cells[index].strip() for name, index in columns.fields}
    for name, value in fields.items():
        if not value.isprintable() and _NOT_IN_TEXT.search(value):
            _refuse(f"`{name}` has a control character in it")
    email = cells[columns.email].strip()
    if not email:
        _refuse("there is no address in this row")
    try:
        address = parse_address(email)
    except ValueError as error:
        _refuse(f"{_quoted(email)}: {error}")
    return Subscriber(
        address=address,
        name=_name(_cell(cells, columns.name)),
        status=_status(_cell(cells, columns.status)),
        tags=_tags(_cell(cells, columns.tags)),
        language=_language(_cell(cells, columns.language)),
        fields=fields,
        joined=_joined(_cell(cells, columns.joined)),
    )


def _refuse(message: str, hint: str | None = None) -> NoReturn:
    raise _RowError(message, hint)


def _quoted(value: str) -> str:
    return repr(value if len(value) <= 80 else value[:79] + "…")


def _cell(cells: list[str], index: int | None) -> str:
    return "" if index is None else cells[index].strip()


def _name(value: str) -> str:
    if not value.isprintable() and _NOT_IN_A_LINE.search(value):
        _refuse("the name has a line break or a control character in it", "keep it on one line")
    return value


def _status(value: str) -> SubscriberStatus:
    status = _STATUSES.get(value.lower())
    if status is None:
        _refuse(f"unknown status {_quoted(value)}", "it is pending, active or unsubscribed")
    return status


def _tags(value: str) -> frozenset[str]:
    if not value:
        return frozenset()
    if _NOT_IN_A_LINE.search(value):
        _refuse("the tags have a line break or a control character in them")
    return frozenset(tag for part in _TAG_SEPARATOR.split(value) if (tag := part.strip()))


def _language(value: str) -> str | None:
    if not value:
        return None
    if not _LANGUAGE.match(tag := value.replace("_", "-")):
        _refuse(f"unknown language {_quoted(value)}", "write a tag such as zh-CN or en")
    return tag


def _joined(value: str) -> date | None:
    """The day as it is written, in whatever zone that was."""
    if not value:
        return None
    if not (written := _DATE.fullmatch(value)):
        _refuse(f"`joined` is no date: {_quoted(value)}", "write it as 2026-01-31")
    try:
        return date(int(written[1]), int(written[3]), int(written[4]))
    except ValueError:
        _refuse(f"`joined` is a day that does not exist: {_quoted(value)}")
