"""Files of rows and cells, such as spreadsheets write: lines to records, and what is wrong with one of them."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from newsletter.audience.cells import RowError

DELIMITERS = ",;\t"
_NOT_DECODED = re.compile(r"[\udc80-\udcff]")  # how surrogateescape spells a byte


class NotText(RowError):
    """A record that is not text: it has bytes that are no characters (`undecoded`), or NUL bytes."""

    def __init__(self, message: str, *, undecoded: bool) -> None:
        super().__init__(message)
        self.undecoded = undecoded


class OpenQuotation(RowError):
    """A quotation mark that opens in one line and is not closed properly in a later one."""


class Record(NamedTuple):
    """One record of a file.

    Attributes:
        row: counted as a spreadsheet does: the header is row 1, and blank rows count.
        cells: empty where there is a problem with the quotation marks.
        lines: as they stand in the file.
        problem: why this is no row, or None.

    """

    row: int
    cells: list[str]
    lines: list[str]
    problem: RowError | None = None

    @property
    def blank(self) -> bool:
        """Whether there is nothing in it."""
        return not any(cell.strip() for cell in self.cells) and self.problem is None

    @property
    def text(self) -> str:
        """The record as it stands in the file."""
        return "".join(self.lines)


def records(
    lines: Iterable[str], *, delimiter: str, encoding: str = "UTF-8", reread: bool = False
) -> Iterator[Record]:
    """Every record below the header, blank ones too; no line is taken before it is needed.

    Args:
        lines: what follows the header, with line ends, undecodable bytes by surrogateescape.
        delimiter: between cells.
        encoding: what it was to be, for messages.
        reread: after a quotation mark that is not closed properly, give up its first line only and
            go on with the second; otherwise all the lines it swallows are one record.

    """
    source = _Lines(lines)
    reader = csv.reader(source, delimiter=delimiter, strict=True, skipinitialspace=True)
    row = 1
    while True:
        row += 1
        problem: RowError | None = None
        source.taken = []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells, problem = [], _misquoted(len(source.taken))
            if reread:
                source.give_back(source.taken[1:])
                del source.taken[1:]
        problem = not_text(source.taken, encoding=encoding) or problem
        yield Record(row, cells, source.taken, problem)


def not_text(lines: Iterable[str], *, encoding: str = "UTF-8") -> NotText | None:
    """What keeps these lines from being text, if anything does."""
    for line in lines:
        if not line.isascii() and _NOT_DECODED.search(line):
            return NotText(f"this is not {encoding}", undecoded=True)
        if "\0" in line:
            return NotText("there is a NUL byte here", undecoded=False)
    return None


def header_cells(line: str, delimiter: str) -> list[str]:
    """The names of the columns as the first line has them."""
    try:
        cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:  # a cell as long as a book
        return []
    return [cell.strip() for cell in cells]


class _Lines:
    """Lines on their way to the parser; what it has taken for a record is kept, and can be given back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.taken: list[str] = []
        self._lines = iter(lines)
        self._again: deque[str] = deque()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        return line

    def give_back(self, lines: list[str]) -> None:
        self._again.extendleft(reversed(lines))


def _misquoted(lines: int) -> RowError:
    if lines > 1:
        return OpenQuotation(
            f"a quotation mark opens here and is not closed properly: it swallows {lines} lines"
        )
    return RowError("the quotation marks do not match", 'write "" for a " inside quotation marks')
