"""Moving in: everybody of a file, with all that is known of who must not be mailed.

With `audience: database` they are merged into the register. With a CSV file, people who are new are written to its end,
rows that are there stay as they are, and who has left is suppressed in the database.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.audience.csvedit import append_subscribers, list_columns
from newsletter.audience.imports import Export, Reject
from newsletter.audience.imports.rejects import RejectsFile
from newsletter.audience.models import Subscriber, SubscriberStatus
from newsletter.audience.register import Change, Consent, Incoming, Merged, Origin, Register
from newsletter.errors import AudienceError

if TYPE_CHECKING:
    from newsletter.project import Project

PENDING, UNSUBSCRIBED = SubscriberStatus.PENDING, SubscriberStatus.UNSUBSCRIBED
STEP = 1000
"""Rows between two calls of `progress`."""

Progress = Callable[[int, int], object]
"""Called with how many rows and how many bytes of the file have been read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did, or would do.

    Attributes:
        rows: how many rows the file has, blank ones aside.
        rejected: how many of them are nobody.
        examples: the first few of those.
        suppressed: what the file says of people who must not be mailed, by reason; `unsubscribed` is one.
        merged: what became of the people.
        rejects: the file with the rejected rows; None when there are none, or nobody wanted it.
        left_out: fields for which a list in a file has no column, so that they were not taken over.

    """

    rows: int
    rejected: int
    examples: tuple[Reject, ...]
    suppressed: Mapping[str, int]
    merged: Merged
    rejects: Path | None = None
    left_out: tuple[str, ...] = ()


def import_people(
    project: Project,
    export: Export,
    *,
    rejects: Path | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Progress = lambda rows, position: None,
    clock: Callable[[], float] = time.time,
) -> ImportReport:
    """Take in everybody of a file, or nobody when it raises.

    Args:
        project: the publication.
        export: the file, just opened.
        rejects: where to write the rows that are nobody, with their reasons; an old file is replaced.
        overwrite: in a database, what the file says wins over what is known.
        dry_run: change nothing, and make no database, but say what would happen.
        progress: told now and then how far it is.
        clock: seconds since the epoch.

    Raises:
        AudienceError: the file, or a list in a file, cannot be read or written.
        LedgerError, ConfigError: the database or the key cannot be used.

    """
    origin = Origin(at=clock(), source=f"import {export.path.name}", reason=export.layout.tool.name)
    consent = Consent(at=origin.at, how="import")
    left_out: tuple[str, ...] = ()
    with (
        _register(project, dry_run=dry_run) as register,
        RejectsFile(rejects, export.layout.header) as refused,
    ):
        sieve = _Sieve(export, refused, progress)
        if project.publication.keeps_list:
            merged = register.merge(
                sieve, origin, consent=consent, overwrite=overwrite, dry_run=dry_run
            )
        else:
            arrivals = _Arrivals(project, register, sieve)
            left_out = arrivals.left_out
            merged = arrivals.merged
            if not dry_run:
                arrivals.settle(origin)
        written = refused.keep()
    return ImportReport(
        rows=sieve.rows,
        rejected=refused.count,
        examples=tuple(refused.examples),
        suppressed=dict(sieve.suppressed),
        merged=merged,
        rejects=written,
        left_out=left_out,
    )


@contextmanager
def _register(project: Project, *, dry_run: bool) -> Iterator[Register]:
    """The register; for a rehearsal where there is none yet, one that is gone afterwards."""
    if project.database.exists() or not dry_run:
        with closing(project.register()) as register:
            yield register
        return
    from newsletter.storage.sqlite.register import SqliteRegister

    def identify(key: str) -> bytes:
        return hashlib.sha256(key.encode()).digest()[:10]

    with (
        tempfile.TemporaryDirectory(prefix="newsletter-") as folder,
        closing(SqliteRegister(Path(folder) / "newsletter.db", identify=identify)) as register,
    ):
        yield register


class _Sieve:
    """The people of a file; what is nobody goes to the rejects on the way."""

    def __init__(self, export: Export, refused: RejectsFile, progress: Progress) -> None:
        self.rows = 0
        self.suppressed: Counter[str] = Counter()
        self._export = export
        self._refused = refused
        self._progress = progress

    def __iter__(self) -> Iterator[Incoming]:
        for row in self._export:
            self.rows += 1
            if self.rows % STEP == 0:
                self._progress(self.rows, self._export.position)
            if isinstance(row, Reject):
                self._refused.add(row)
                continue
            if row.suppress or row.subscriber.status is UNSUBSCRIBED:
                self.suppressed[row.suppress or "unsubscribed"] += 1
            yield row
        self._progress(self.rows, self._export.position)


class _Arrivals:
    """The people of a file against a list that is a file too: who is new, who has left.

    Every address of both is kept in memory, which a list in a file fits in.

    Attributes:
        merged: what becomes of the people.
        left_out: fields for which the list has no column.

    """

    def __init__(self, project: Project, register: Register, people: Iterable[Incoming]) -> None:
        self._path = Path(project.publication.audience)
        self._root = project.root
        self._register = register
        self._listed = self._read_list(project)
        self._stopped = {one.id or one.address for one in register.suppressions()}
        self._arrived: dict[str, Incoming] = {}
        repeated = self._gather(people)
        self._new: list[Incoming] = []
        self._leaving: list[Incoming] = []
        self.merged = self._judge(duplicates=repeated)
        self.left_out = self._check_columns()

    def settle(self, origin: Origin) -> None:
        """Write it all down."""
        with self._register.together():
            for one in self._new:
                as_what = f"as {one.subscriber.status}"
                told = replace(origin, reason=one.suppress or as_what)
                self._register.note(self._who(one), Change.IMPORTED, told)
            for one in self._leaving:
                who, key = self._who(one), one.subscriber.address.key
                if one.suppress:
                    told = replace(origin, reason=one.suppress)
                    change = Change.SUPPRESSED
                    self._register.suppress(
                        who, reason=one.suppress, change=change, origin=told, address=key
                    )
                else:
                    self._register.leave(who, replace(origin, reason=""), address=key)
            if written := self._written():
                append_subscribers(self._path, written, root=self._root)

    def _read_list(self, project: Project) -> dict[str, SubscriberStatus]:
        """Who is on the list, and what they are there: unsubscribed in one row is unsubscribed in all."""
        listed: dict[str, SubscriberStatus] = {}
        if not (self._root / self._path).exists():
            return listed
        for row in project.subscribers():
            if row.subscriber is not None:
                key, status = row.subscriber.address.key, row.subscriber.status
                if status is UNSUBSCRIBED or listed.get(key) is not UNSUBSCRIBED:
                    listed[key] = status
        return listed

    def _gather(self, people: Iterable[Incoming]) -> int:
        """One person for each address, the first of the file, who has left when any row says so."""
        repeated = 0
        for one in people:
            key = one.subscriber.address.key
            first = self._arrived.setdefault(key, one)
            if first is one:
                continue
            repeated += 1
            gone = UNSUBSCRIBED in (first.subscriber.status, one.subscriber.status)
            status = UNSUBSCRIBED if gone else first.subscriber.status
            stop = max((why for why in (first.suppress, one.suppress) if why), default=None)
            person = replace(first.subscriber, status=status)
            self._arrived[key] = replace(first, subscriber=person, suppress=stop)
        return repeated

    def _judge(self, *, duplicates: int) -> Merged:
        added: Counter[SubscriberStatus] = Counter()
        fates: Counter[str] = Counter()
        for key, one in self._arrived.items():
            goes = one.suppress is not None or one.subscriber.status is UNSUBSCRIBED
            stopped = not self._stopped.isdisjoint((self._who(one), key))
            was = self._listed.get(key)
            if was is None and stopped:
                fates["kept_out"] += 1
            elif was is None:
                added[one.subscriber.status] += 1
                self._new.append(one)
                if goes:
                    self._leaving.append(one)
            elif was is UNSUBSCRIBED or stopped:
                fates["unchanged" if goes else "kept_unsubscribed"] += 1
            elif goes:
                fates["left"] += 1
                self._leaving.append(one)
            else:
                fates["unchanged"] += 1
        return Merged(added=added, duplicates=duplicates, **fates)

    def _written(self) -> list[Subscriber]:
        """Who gets a row: whoever may be mailed, now or when they confirm."""
        leaving = {id(one) for one in self._leaving}
        return [one.subscriber for one in self._new if id(one) not in leaving]

    def _check_columns(self) -> tuple[str, ...]:
        """What has no column in the list.

        Raises:
            AudienceError: there is none for the status, and somebody is pending.

        """
        columns = list_columns(self._path, root=self._root)
        people = self._written()
        if columns is None:
            return ()
        if columns.status is None and any(one.status is PENDING for one in people):
            raise AudienceError(
                f"{self._path}: there is no `status` column, so that somebody is pending cannot be written"
                " down; add one"
            )
        known = {name for name, _ in columns.fields}
        found = {name: None for one in people for name, text in one.fields.items() if text}
        for name in ("name", "tags", "language", "joined"):
            if getattr(columns, name) is None and any(getattr(one, name) for one in people):
                found[name] = None
        return tuple(name for name in found if name not in known)

    def _who(self, one: Incoming) -> bytes:
        return self._register.identify(one.subscriber.address.key)
