"""Moving out: everybody who is known, as a file that spreadsheets, other tools and `subscribers import` read.

Columns: email, name, status, tags, language, joined, every field, suppressed. Whoever must not be mailed has the
status `unsubscribed`, whatever the list says, since that is what other tools look at; `suppressed` has the reason.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from newsletter.audience.csvedit import HEADER, TAG_SEPARATOR
from newsletter.audience.formulas import guard
from newsletter.audience.models import Subscriber, SubscriberStatus
from newsletter.audience.private import PrivateFile
from newsletter.audience.selection import Reason, standing, unsubscribed_keys
from newsletter.errors import AudienceError, NewsletterError
from newsletter.mail.address import Address

if TYPE_CHECKING:
    from newsletter.audience.csvfile import ListRow
    from newsletter.project import Project

UNSUBSCRIBED = SubscriberStatus.UNSUBSCRIBED


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Somebody on the list, or only among the suppressions.

    Attributes:
        row: the row of the list, or the number in the register; 0 for who is not on the list.
        subscriber: with the status that counts: a suppressed person is `unsubscribed`.
        suppressed: why they must not be mailed, if so.

    """

    row: int
    subscriber: Subscriber
    suppressed: str | None = None


class Everybody:
    """Everybody who is known: the list in its order, people who have not confirmed yet, and people who left.

    A list in a file does not have the former; of the latter there may be no more than a suppression.

    Iterate as often as you like; people are read anew each time, and only suppressions are kept in memory.

    Attributes:
        stops: why nobody may mail them, by address key, or by id where that is all that is left.
        bad_rows: how many rows of the list were nobody the last time.

    Raises:
        AudienceError, LedgerError: the list or the database cannot be read.

    """

    def __init__(self, project: Project) -> None:
        self.stops: dict[str | bytes, str] = {}
        self.bad_rows = 0
        self._project = project
        self._waiting: dict[str, Subscriber] = {}
        self._identify: Callable[[str], bytes] | None = None
        if project.database.exists():
            self._identify = project.keyring.subscriber_id
            with closing(project.register()) as register:
                for stop in register.suppressions():
                    if (who := stop.address or stop.id) is not None:
                        self.stops[who] = stop.reason
                if not project.publication.keeps_list:
                    people = (member.subscriber for member in register.members())
                    self._waiting = {one.address.key: one for one in people}

    def __iter__(self) -> Iterator[Known]:
        self.bad_rows = 0
        elsewhere = dict.fromkeys(self._waiting)
        elsewhere |= dict.fromkeys(key for key in self.stops if isinstance(key, str))
        gone = frozenset[int]()
        if not self._project.publication.keeps_list:
            gone = unsubscribed_keys(self._rows())
        for row in self._rows():
            if row.subscriber is None:
                self.bad_rows += 1
                continue
            elsewhere.pop(row.subscriber.address.key, None)
            gone_here = standing(row, unsubscribed=gone) is Reason.UNSUBSCRIBED
            yield self._known(row.row, row.subscriber, gone=gone_here)
        for key in elsewhere:
            yield self._known(0, self._waiting.get(key) or _nobody_else(key))

    def _known(self, row: int, person: Subscriber, *, gone: bool = False) -> Known:
        reason = self._suppression(person.address.key)
        if reason or gone:
            person = replace(person, status=UNSUBSCRIBED)
        return Known(row=row, subscriber=person, suppressed=reason)

    def _suppression(self, key: str) -> str | None:
        if key in self.stops or self._identify is None or not self.stops:
            return self.stops.get(key)
        return self.stops.get(self._identify(key))

    def _rows(self) -> Iterator[ListRow]:
        """The list; one in a file that is not there yet has nobody on it."""
        publication = self._project.publication
        if publication.keeps_list or (self._project.root / publication.audience).exists():
            yield from self._project.subscribers()


def _nobody_else(key: str) -> Subscriber:
    """Somebody of whom the address key is all that is known."""
    local, _, domain = key.rpartition("@")
    return Subscriber(address=Address(local, domain, domain), status=UNSUBSCRIBED)


def export_people(
    everybody: Iterable[Known],
    out: IO[str],
    *,
    raw: bool = False,
    statuses: Sequence[SubscriberStatus] = (),
    meant: Callable[[Subscriber], bool] = lambda subscriber: True,
) -> int:
    """Write people as CSV, line by line.

    Args:
        everybody: who is known; read twice, for the names of all fields first.
        out: where to write.
        raw: cells as they are; otherwise those that a spreadsheet would take for a formula begin with an apostrophe,
            which `subscribers import` takes away again.
        statuses: only people with one of these; everybody when there are none.
        meant: only people of whom it is true.

    Returns:
        How many people were written.

    """

    def chosen() -> Iterator[Known]:
        for known in everybody:
            wanted = not statuses or known.subscriber.status in statuses
            if wanted and meant(known.subscriber):
                yield known

    fields = list({name: None for known in chosen() for name in known.subscriber.fields})
    spell = str if raw else guard
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([spell(name) for name in (*HEADER, *fields, "suppressed")])
    count = 0
    for known in chosen():
        writer.writerow([spell(cell) for cell in _cells(known, fields)])
        count += 1
    return count


def export_file(
    everybody: Iterable[Known],
    path: Path,
    *,
    raw: bool = False,
    statuses: Sequence[SubscriberStatus] = (),
    meant: Callable[[Subscriber], bool] = lambda subscriber: True,
) -> int:
    """`export_people` to a file that only its owner can read, and that is whole or not there.

    A byte order mark tells Excel that it is UTF-8, unless it is to be raw.

    Raises:
        AudienceError: it cannot be written.

    """
    try:
        with PrivateFile(path, encoding="utf-8" if raw else "utf-8-sig") as file:
            count = export_people(everybody, file.text, raw=raw, statuses=statuses, meant=meant)
            file.keep()
    except OSError as error:
        if isinstance(error, NewsletterError):
            raise
        raise AudienceError(f"{path}: this file cannot be written: {error.strerror}") from error
    return count


def _cells(known: Known, fields: Sequence[str]) -> list[str]:
    one = known.subscriber
    return [
        str(one.address),
        one.name,
        one.status.value,
        TAG_SEPARATOR.join(sorted(one.tags)),
        one.language or "",
        one.joined.isoformat() if one.joined else "",
        *(one.fields.get(name, "") for name in fields),
        known.suppressed or "",
    ]
