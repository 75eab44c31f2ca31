"""Changing a list that is a CSV file: one row at a time, and every other row stays as it was, byte for byte.

The file's own columns, delimiter, line ends and byte order mark are kept. A change is written to a draft beside the
file, which takes its place when it is on the disk; a lock keeps two of them apart. What has no column in the file is
left out, but nobody who is not active is ever written down as if they were.
"""

from __future__ import annotations

import csv
import fcntl
import io
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from newsletter.audience.csvfile import Columns, parse_rows, read_header, text_lines
from newsletter.audience.models import Subscriber, SubscriberStatus
from newsletter.errors import AudienceError

HEADER = "email,name,status,tags,language,joined\n"
TAG_SEPARATOR = "; "

Change = Callable[[Subscriber], Subscriber | None]


def append_subscriber(path: Path, subscriber: Subscriber, *, root: Path) -> None:
    """Write a subscriber to the end of the list; a list that is not there yet begins with this one.

    Args:
        path: the CSV file, absolute or relative to `root`.
        subscriber: whom to add; that the address is new is for the caller to know.
        root: the publication's folder.

    Raises:
        AudienceError: the list cannot be read or written, or has no column for a status that is not `active`.

    """
    with _editing(path, root=root) as (before, after, columns, ending):
        last = ""
        for line in before:
            after.write(line)
            last = line
        if last and not last.endswith(("\n", "\r")):
            after.write(ending)
        cells = [""] * columns.count
        _fill(cells, columns, None, subscriber, shown=str(path))
        after.write(_row(cells, columns, ending))


def change_subscriber(path: Path, key: str, change: Change, *, root: Path) -> int:
    """Change every row of the address with this key, or take it out where `change` gives None.

    Returns:
        How many rows there were. A list that is not there has none.

    Raises:
        AudienceError: as for `append_subscriber`.

    """
    if not (root / path).exists():
        return 0
    found = 0
    with _editing(path, root=root) as (before, after, columns, ending):
        lines = _Remembered(before)
        for row in parse_rows(lines, columns, str(path)):
            text = lines.take()
            known = row.subscriber if row else None
            if known is None or known.address.key != key:
                after.write(text)
                continue
            found += 1
            changed = change(known)
            if changed is not None:
                reader = csv.reader([text], delimiter=columns.delimiter, skipinitialspace=True)
                cells = next(reader)
                cells += [""] * (columns.count - len(cells))
                _fill(cells, columns, known, changed, shown=str(path))
                after.write(text if changed == known else _row(cells, columns, ending))
    return found


class _Remembered:
    """Lines on their way to the parser, kept until they are taken."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._kept: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._kept.append(line)
        return line

    def take(self) -> str:
        text = "".join(self._kept)
        self._kept.clear()
        return text


@contextmanager
def _editing(path: Path, *, root: Path) -> Iterator[tuple[Iterator[str], IO[str], Columns, str]]:
    """The lines after the header, the draft with the header in it, the columns, and how lines end."""
    shown = str(path)
    target = (root / path).resolve()  # a link stays a link
    try:
        with _locked(target), _draft(target) as draft:
            if not target.exists():
                target.write_text(HEADER, encoding="utf-8")
            with (
                target.open(encoding="utf-8", errors="surrogateescape", newline="") as before,
                draft.open("w", encoding="utf-8", errors="surrogateescape", newline="") as after,
            ):
                header = before.readline()
                columns = read_header(io.StringIO(header.removeprefix("\ufeff")), shown)
                ending = "\r\n" if header.endswith("\r\n") else "\n"
                after.write(header)
                yield text_lines(before), after, columns, ending
                after.flush()
                os.fchmod(after.fileno(), os.fstat(before.fileno()).st_mode & 0o7777)
                os.fsync(after.fileno())
            draft.replace(target)
    except OSError as error:
        raise AudienceError(f"{shown}: the list cannot be changed: {error.strerror}") from error
    except ValueError as error:
        raise AudienceError(f"{shown}: {error}") from None


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """Where the new list is written, gone afterwards."""
    draft = target.with_name(f".{target.name}.draft")
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    """One editor at a time; the lock is a file of its own, since the list itself is replaced."""
    with target.with_name(f".{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fill(
    cells: list[str],
    columns: Columns,
    before: Subscriber | None,
    after: Subscriber,
    *,
    shown: str,
) -> None:
    """Put into `cells` what is different from `before`; what is as it was keeps its spelling."""
    if columns.status is None and after.status is not SubscriberStatus.ACTIVE:
        raise AudienceError(
            f"{shown}: there is no `status` column, so `{after.status}` cannot be written down; add one"
        )
    wanted = _values(after)
    known = _values(before) if before else {}
    places = {
        "email": columns.email,
        "name": columns.name,
        "status": columns.status,
        "tags": columns.tags,
        "language": columns.language,
        "joined": columns.joined,
    }
    for name, place in places.items():
        if place is not None and wanted[name] != known.get(name):
            cells[place] = wanted[name]
    for name, place in columns.fields:
        value = after.fields.get(name, "")
        if before is None or value != before.fields.get(name, ""):
            cells[place] = value


def _values(subscriber: Subscriber) -> dict[str, str]:
    return {
        "email": str(subscriber.address),
        "name": subscriber.name,
        "status": subscriber.status.value,
        "tags": TAG_SEPARATOR.join(sorted(subscriber.tags)),
        "language": subscriber.language or "",
        "joined": subscriber.joined.isoformat() if subscriber.joined else "",
    }


def _row(cells: list[str], columns: Columns, ending: str) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=columns.delimiter, lineterminator=ending)
    writer.writerow(cells)
    return stream.getvalue()
