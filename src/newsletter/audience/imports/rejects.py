"""Rows that are nobody, as a file that can be mended and imported: `row,reason` and the columns of their own file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from newsletter.audience.formulas import guard
from newsletter.audience.imports.reading import Reject
from newsletter.audience.private import PrivateFile
from newsletter.errors import AudienceError

EXAMPLES = 5


class RejectsFile:
    """Written row by row; there is a file when there is a row, and when it is kept.

    Args:
        path: its place; None for nobody who wants it. An old file is replaced.
        header: the columns of the file that the rows are from.

    Attributes:
        count: how many rows there are.
        examples: the first few of them.

    """

    def __init__(self, path: Path | None, header: Sequence[str]) -> None:
        self.count = 0
        self.examples: list[Reject] = []
        self._path = path
        self._header = header
        self._file: PrivateFile | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        if self._file is not None:
            self._file.__exit__(*failure)

    def add(self, reject: Reject) -> None:
        """Put a row on record.

        Raises:
            AudienceError: the file cannot be written.

        """
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(reject)
        if self._path is not None:
            try:
                self._write([str(reject.row), reject.reason, *reject.cells])
            except OSError as error:
                raise self._trouble(self._path, error) from error

    def keep(self) -> Path | None:
        """Put the file in its place; None when there is nothing in it."""
        if self._file is None or self._path is None:
            return None
        try:
            self._file.keep()
        except OSError as error:
            raise self._trouble(self._path, error) from error
        return self._path

    def _write(self, cells: Sequence[str]) -> None:
        if self._file is None:
            assert self._path is not None
            self._file = PrivateFile(self._path)
            self._out = csv.writer(self._file.text, lineterminator="\n")
            self._write(["row", "reason", *self._header])
        self._out.writerow([guard(cell) for cell in cells])

    @staticmethod
    def _trouble(path: Path, error: OSError) -> AudienceError:
        return AudienceError(f"{path}: the rejects cannot be written: {error.strerror}")
