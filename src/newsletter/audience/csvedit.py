"""Changing a list that is a CSV file: one row changes or is added, and every other stays, byte for byte.

The file's own columns, delimiter, quotation marks, line ends and byte order mark are kept. What has no column in the
file is left out, but nobody who is not active is ever written down as if they were. The new file is written beside the
old one and takes its place when it is on the disk; a lock keeps two editors apart, and a list that somebody else saves
meanwhile, in a spreadsheet, is read again.
"""

from __future__ import annotations

import contextlib
import csv
import fcntl
import io
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from newsletter.audience import cells as cell
from newsletter.audience.cells import RowError
from newsletter.audience.csvfile import Columns, list_records, list_row, read_header
from newsletter.audience.delimited import Record
from newsletter.audience.models import Subscriber, SubscriberStatus
from newsletter.errors import AudienceError

HEADER = ("email", "name", "status", "tags", "language", "joined")
"""The columns of a list that begins here; fields follow."""

TAG_SEPARATOR = "; "
ATTEMPTS = 5
"""How often a list that changes while it is read is read again."""

Change = Callable[[Subscriber], Subscriber | None]


def append_subscriber(path: Path, subscriber: Subscriber, *, root: Path) -> None:
    """Write one subscriber to the end of the list: see `append_subscribers`."""
    append_subscribers(path, [subscriber], root=root)


def append_subscribers(path: Path, people: Collection[Subscriber], *, root: Path) -> None:
    """Write subscribers to the end of the list; one that is not there yet begins with them.

    Args:
        path: the CSV file, absolute or relative to `root`.
        people: whom to add; that their addresses are new is for the caller to know.
        root: the publication's folder; messages name the file relative to it.

    Raises:
        AudienceError: the list cannot be read or written, has no column for a status that is not
            `active`, or a value cannot stand in it. The file is as it was.

    """

    def edit(sheet: _Sheet, write: Callable[[str], object]) -> bool:
        last, model = None, sheet.header
        for record in sheet.records():
            write(record.text)
            last, model = record, model if record.blank or record.problem else record.text
        if not (last.text if last else sheet.header).endswith(("\n", "\r")):
            write(sheet.ending)
        if last and last.problem:
            sheet.refuse_open_quotation(last)
        raw, _ = sheet.split(model)
        quote = all(text.lstrip(" ").startswith('"') for text in raw)
        for subscriber in people:
            blank = ['""' if quote else ""] * sheet.columns.count
            write(sheet.row(blank, sheet.ending, None, subscriber))
        return bool(people)

    _rewrite(path, edit, root=root, begin=people)


def change_subscriber(path: Path, key: str, change: Change, *, root: Path) -> int:
    """Change every row of the address with this key, or take it out where `change` gives None.

    A row with mistakes in it is taken out too, but never changed.

    Returns:
        How many rows were changed or taken out. A list that is not there has none.

    Raises:
        AudienceError: as for `append_subscribers`.

    """
    found = 0

    def edit(sheet: _Sheet, write: Callable[[str], object]) -> bool:
        nonlocal found
        found, different = 0, False
        for record in sheet.records():
            text = record.text
            known = None if record.blank else sheet.address_of(record)
            if known is None or known.address.key != key:
                write(text)
                continue
            changed = change(known)
            row = list_row(record, sheet.columns, sheet.shown)
            if changed is None:
                text = ""
            elif row.subscriber is not None:
                raw, ending = sheet.split(text)
                text = sheet.row(raw, ending, row.subscriber, changed)
            else:
                write(text)
                continue
            found += 1
            different = different or text != record.text
            write(text)
        return different

    if (root / path).exists():
        _rewrite(path, edit, root=root)
    return found


def list_columns(path: Path, *, root: Path) -> Columns | None:
    """The columns of the list; None for one that is not there yet.

    Raises:
        AudienceError: it cannot be read.

    """
    try:
        with (root / path).open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            return read_header(file, str(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AudienceError(f"{path}: the list cannot be read: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The list that is being rewritten: its header, and what is below it."""

    shown: str
    header: str
    columns: Columns
    below: Iterable[str]

    @property
    def ending(self) -> str:
        """How its lines end."""
        return next((end for end in ("\r\n", "\n", "\r") if self.header.endswith(end)), "\n")

    def records(self) -> Iterator[Record]:
        return list_records(self.below, self.columns, self.shown)

    def refuse_open_quotation(self, last: Record) -> None:
        """Raise where a row below `last` would be lost in its quotation mark."""
        lines = [last.text.rstrip("\r\n") + self.ending, f"below{self.ending}"]
        try:
            list(list_records(lines, self.columns, self.shown))
        except AudienceError:
            raise AudienceError(
                f"{self.shown}:{last.row}: a quotation mark opens here and is never closed; a row below would be"
                " lost in it"
            ) from None

    def address_of(self, record: Record) -> Subscriber | None:
        """Who a record is about: all that is known of them, or the address alone of a bad row."""
        if row := list_row(record, self.columns, self.shown).subscriber:
            return row
        reader = csv.reader(record.lines, delimiter=self.columns.delimiter, skipinitialspace=True)
        try:
            rough = [text.strip() for text in next(reader, [])]
            return Subscriber(address=cell.address(rough[self.columns.email]))
        except (csv.Error, IndexError, RowError):
            return None

    def split(self, text: str) -> tuple[list[str], str]:
        """The cells of a record as they are spelled, quotation marks and all, and how the record ends."""
        delimiter = re.escape(self.columns.delimiter)
        spelled = re.compile(rf' *"(?:[^"]|"")*"(?={delimiter}|[\r\n]|\Z)|[^{delimiter}\r\n]*')
        raw: list[str] = []
        at = 0
        while match := spelled.match(text, at):
            raw.append(match[0])
            at = match.end()
            if not text.startswith(self.columns.delimiter, at):
                break
            at += 1
        return raw, text[at:]

    def row(self, raw: list[str], ending: str, before: Subscriber | None, after: Subscriber) -> str:
        """A record with what is different from `before` put in; what is as it was keeps its spelling.

        Raises:
            AudienceError: what it should say cannot be said in this list.

        """
        raw += [""] * (self.columns.count - len(raw))
        known = _values(before, self.columns) if before else {}
        for place, value in _values(after, self.columns).items():
            if before is None or value != known[place]:
                raw[place] = self._spell(value, like=raw[place])
        text = self.columns.delimiter.join(raw) + ending
        self._prove(text, after)
        return text

    def _spell(self, value: str, *, like: str) -> str:
        special = value.startswith(" ") or any(
            char in value for char in ('"', "\r", "\n", self.columns.delimiter)
        )
        if special or like.lstrip(" ").startswith('"'):
            return '"' + value.replace('"', '""') + '"'
        return value

    def _prove(self, text: str, wanted: Subscriber) -> None:
        """Read back what is about to be written."""
        if self.columns.status is None and wanted.status is not SubscriberStatus.ACTIVE:
            raise AudienceError(
                f"{self.shown}: there is no `status` column, so that somebody is {wanted.status} cannot be"
                " written down; add one"
            )
        (record,) = list_records([text], self.columns, self.shown) if text.strip() else (None,)
        row = list_row(record, self.columns, self.shown) if record else None
        if row is None or row.subscriber is None:
            problem = row.problem.message if row and row.problem else "the row would be empty"
            raise AudienceError(f"{self.shown}: {wanted.address} cannot be written down: {problem}")
        if _values(row.subscriber, self.columns) != _values(wanted, self.columns):
            raise AudienceError(
                f"{self.shown}: {wanted.address} cannot be written down as it is; are there separators in a tag?"
            )


def _values(subscriber: Subscriber, columns: Columns) -> Mapping[int, str]:
    """What stands in which column."""
    values = {
        columns.email: str(subscriber.address),
        columns.name: subscriber.name,
        columns.status: subscriber.status.value,
        columns.tags: TAG_SEPARATOR.join(sorted(subscriber.tags)),
        columns.language: subscriber.language or "",
        columns.joined: subscriber.joined.isoformat() if subscriber.joined else "",
    }
    values |= {place: subscriber.fields.get(name, "").strip() for name, place in columns.fields}
    return {place: value for place, value in values.items() if place is not None}


_Edit = Callable[[_Sheet, Callable[[str], object]], bool]


def _rewrite(path: Path, edit: _Edit, *, root: Path, begin: Collection[Subscriber] = ()) -> None:
    """Put what `edit` writes in the place of the list; it returns whether that is anything new."""
    target = (root / path).resolve()  # a link stays a link
    path = root / path
    shown = str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
    draft = target.with_name(f".{target.name}.draft")
    try:
        with _locked(target), _cleared(draft), _begun(target, begin):
            for _ in range(ATTEMPTS):
                if _attempt(target, draft, edit, shown):
                    return
            raise AudienceError(f"{shown}: the list keeps changing; close what else is writing it")
    except OSError as error:
        raise AudienceError(f"{shown}: the list cannot be changed: {error.strerror}") from error


def _attempt(target: Path, draft: Path, edit: _Edit, shown: str) -> bool:
    """Write the draft and let it take the place of the list; false when the list has changed meanwhile."""
    with (
        target.open(encoding="utf-8", errors="surrogateescape", newline="") as before,
        _create(draft, like=before) as after,
    ):
        read = os.fstat(before.fileno())
        header = before.readline()
        columns = read_header(io.StringIO(header.removeprefix("\ufeff")), shown)
        after.write(header)
        different = edit(_Sheet(shown, header.removeprefix("\ufeff"), columns, before), after.write)
        after.flush()
        if different:
            os.fsync(after.fileno())
    now = target.stat()
    if (now.st_ino, now.st_mtime_ns, now.st_size) != (read.st_ino, read.st_mtime_ns, read.st_size):
        return False
    if different:
        draft.replace(target)
        _sync_folder(target.parent)
    return True


@contextmanager
def _cleared(draft: Path) -> Iterator[None]:
    """Leave no draft behind."""
    try:
        yield
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _begun(target: Path, people: Collection[Subscriber]) -> Iterator[None]:
    """Where there is no list, one with nobody in it, that has a column for all that is known of these people."""
    if target.exists() and target.stat().st_size:
        yield
        return
    fields = {name: None for one in people for name in one.fields}
    names = [*HEADER, *(name for name in fields if name.casefold() not in HEADER)]
    with _create(target) as file:
        csv.writer(file, lineterminator="\n").writerow(names)
    try:
        yield
    except AudienceError:
        target.unlink()
        raise


def _create(path: Path, *, like: IO[str] | None = None) -> IO[str]:
    """A new file that only its owner can read, or with owner and permissions of another."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        if like is not None:
            known = os.fstat(like.fileno())
            with contextlib.suppress(PermissionError):  # only root can give files away
                os.fchown(descriptor, known.st_uid, known.st_gid)
            os.fchmod(descriptor, known.st_mode & 0o7777)
        return os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="")
    except BaseException:
        os.close(descriptor)
        raise


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    """One editor at a time; the lock is a file of its own, since the list itself is replaced."""
    path = target.with_name(f".{target.name}.lock")
    # Reading is enough for a lock, and what root has made is not to be in the way of others.
    descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
