"""The list as a CSV file: one subscriber a row, every bad row named and none of them in the way.

The first row names the columns, in any order and any case: `email` (required), `name`, `status`
(pending, active or unsubscribed; active when empty), `tags` (separated by `;`, `,` or `|`, never by
spaces, so that a tag may be two words), `language` (zh-CN, en, …) and `joined` (a date, with or
without a time). Every further column is free and becomes `subscriber.fields.x`. UTF-8, a byte order
mark or not; comma, semicolon or tab.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from newsletter.audience import cells as cell
from newsletter.audience.cells import RowError
from newsletter.audience.delimited import (
    DELIMITERS,
    NotText,
    OpenQuotation,
    Record,
    header_cells,
    not_text,
    records,
)
from newsletter.audience.models import Subscriber
from newsletter.errors import AudienceError, Place, Problem

_KNOWN = ("email", "name", "status", "tags", "language", "joined")


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
        for record in list_records(stream, columns, shown):
            if not record.blank:
                yield list_row(record, columns, shown)


def read_header(stream: TextIO, shown: str) -> Columns:
    """The columns that the first line of `stream` names; AudienceError where they make no list."""
    line = stream.readline()
    if problem := not_text([line]):
        raise _unreadable(problem, shown, 1)
    if not line:
        raise AudienceError(
            f"{shown}: the list is empty; its first row must name the columns, such as email,name"
        )
    candidates = [(_header_cells(line, delimiter), delimiter) for delimiter in DELIMITERS]
    cells, delimiter = max(candidates, key=lambda found: ("email" in found[0], len(found[0])))
    return _columns(cells, delimiter, shown)


def list_records(lines: Iterable[str], columns: Columns, shown: str) -> Iterator[Record]:
    """The records below the header; AudienceError at one that makes the rest of the list unreadable."""
    for record in records(lines, delimiter=columns.delimiter):
        if isinstance(record.problem, (NotText, OpenQuotation)):
            raise _unreadable(record.problem, shown, record.row)
        yield record


def list_row(record: Record, columns: Columns, shown: str) -> ListRow:
    """What a record says: a subscriber, or what is wrong with it."""
    try:
        if record.problem:
            raise record.problem
        return ListRow(row=record.row, subscriber=_subscriber(record.cells, columns))
    except RowError as error:
        place = Place(path=shown, line=record.row)
        problem = Problem(message=str(error), place=place, hint=error.hint)
        return ListRow(row=record.row, problem=problem)


def _unreadable(problem: RowError, shown: str, row: int) -> AudienceError:
    hint = "; in a spreadsheet, save it as `CSV UTF-8`" if isinstance(problem, NotText) else ""
    return AudienceError(f"{shown}:{row}: {problem}{hint}")


def _header_cells(line: str, delimiter: str) -> list[str]:
    """The names of the columns: known ones in lower case, the others as they are."""
    cells = header_cells(line, delimiter)
    return [name.lower() if name.lower() in _KNOWN else name for name in cells]


def _columns(cells: Sequence[str], delimiter: str, shown: str) -> Columns:
    names = [name if name in ("email", "name") else cell.field_name(name) for name in cells]
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


def _subscriber(cells: list[str], columns: Columns) -> Subscriber:
    cell.check_count(cells, columns.count, delimiter=columns.delimiter)
    fields = {name: cells[index].strip() for name, index in columns.fields}
    cell.check_fields(fields)
    return Subscriber(
        address=cell.address(cells[columns.email].strip()),
        name=cell.name(_cell(cells, columns.name)),
        status=cell.status(_cell(cells, columns.status)),
        tags=cell.tags(_cell(cells, columns.tags)),
        language=cell.language(_cell(cells, columns.language)),
        fields=fields,
        joined=cell.day(_cell(cells, columns.joined)),
    )


def _cell(cells: list[str], index: int | None) -> str:
    return "" if index is None else cells[index].strip()
