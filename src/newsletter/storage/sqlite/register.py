"""The register on SQLite, in the same database file as the ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from newsletter.audience.models import Subscriber, SubscriberStatus
from newsletter.audience.register import (
    CONFIRMATION_PAUSE,
    CONFIRMATIONS,
    Change,
    Confirmation,
    Consent,
    Event,
    Incoming,
    Member,
    Merged,
    Origin,
    Suppression,
)
from newsletter.storage.sqlite import arrivals, records
from newsletter.storage.sqlite import register_sql as sql
from newsletter.storage.sqlite.database import explained, nested, open_database, prove_identity

NOBODY = '{"at":["forgotten","invalid"]}'


class SqliteRegister:
    """`audience.register.Register` in the database file at `path`. One thread at a time may call it.

    Args:
        path: the database, made when it is not there.
        identify: the id of an address key, `Keyring.subscriber_id`.

    Raises:
        LedgerError: from any method, when the database cannot be used.

    """

    def __init__(self, path: Path, *, identify: Callable[[str], bytes]) -> None:
        self.path = path
        self._identify = identify
        self._db = open_database(path)
        try:
            prove_identity(self._db, path, identify)
        except BaseException:
            self._db.close()
            raise

    @property
    def connection(self) -> sqlite3.Connection:
        """For stores that share its transactions."""
        return self._db

    def identify(self, key: str) -> bytes:
        """See `Register.identify`."""
        return self._identify(key)

    def together(self) -> AbstractContextManager[None]:
        """See `Register.together`."""
        return self._writing()

    def find(self, who: bytes) -> Member | None:
        """See `Register.find`."""
        row = self._one(sql.MEMBER, (who,))
        return _member(row) if row else None

    def members(
        self, *, statuses: Sequence[SubscriberStatus] = (), after: int = 0
    ) -> Iterator[Member]:
        """See `Register.members`."""
        wanted = f",{','.join(statuses)}," if statuses else ""
        while rows := self._all(sql.MEMBERS, {"after": after, "statuses": wanted}):
            after = rows[-1][0]
            yield from map(_member, rows)

    def counts(self) -> Mapping[SubscriberStatus, int]:
        """See `Register.counts`."""
        rows = self._all("SELECT status, count(*) FROM subscriber GROUP BY status", ())
        return {SubscriberStatus(status): count for status, count in rows}

    def changes(self, *, since: float) -> Mapping[Change, int]:
        """See `Register.changes`."""
        return {Change(change): count for change, count in self._all(sql.CHANGES, (since,))}

    def save(
        self,
        subscriber: Subscriber,
        change: Change,
        origin: Origin,
        *,
        consent: Consent | None = None,
    ) -> Member:
        """See `Register.save`."""
        who = self._identify(subscriber.address.key)
        values = {
            "reader": who,
            "status": subscriber.status.value,
            "subscriber": records.freeze(subscriber),
            "at": origin.at,
        }
        with self._writing():
            (number,) = self._db.execute(sql.SAVE, values).fetchone()
            self._tell(who, change, origin)
            if consent:
                self._agree(who, consent)
        return Member(number=number, id=who, subscriber=subscriber, updated_at=origin.at)

    def leave(self, who: bytes, origin: Origin, *, address: str | None = None) -> bool:
        """See `Register.leave`."""
        values = {"reader": who, "status": SubscriberStatus.UNSUBSCRIBED.value, "at": origin.at}
        with self._writing():
            changed = self._db.execute(sql.SET_STATUS, values).rowcount > 0
            self._db.execute(sql.ASKED, {"reader": who})
            stopped = self._stop(who, address or self._address(who), "unsubscribed", origin)
            if changed or stopped:
                self._tell(who, Change.UNSUBSCRIBED, origin)
        return changed or stopped

    def suppress(
        self, who: bytes, *, reason: str, change: Change, origin: Origin, address: str | None = None
    ) -> bool:
        """See `Register.suppress`."""
        with self._writing():
            self._tell(who, change, origin)
            return self._stop(who, address or self._address(who), reason, origin)

    def lift(self, who: bytes, origin: Origin) -> bool:
        """See `Register.lift`."""
        with self._writing():
            values = {"reader": who, "address": self._address(who)}
            lifted = self._db.execute(sql.LIFT, values).rowcount > 0
            if lifted:
                self._tell(who, Change.LIFTED, origin)
        return lifted

    def suppression(self, who: bytes) -> Suppression | None:
        """See `Register.suppression`."""
        row = self._one(sql.SUPPRESSION, (who,))
        return _suppression(row) if row else None

    def suppressions(self) -> Iterator[Suppression]:
        """See `Register.suppressions`."""
        after = 0
        while rows := self._all(sql.SUPPRESSIONS, (after,)):
            after = rows[-1][-1]
            yield from map(_suppression, rows)

    def note(self, who: bytes, change: Change, origin: Origin) -> None:
        """See `Register.note`."""
        with self._writing():
            self._tell(who, change, origin)

    def history(self, who: bytes) -> Sequence[Event]:
        """See `Register.history`."""
        return [
            Event(at=at, change=Change(change), source=source, reason=reason)
            for at, change, source, reason in self._all(sql.HISTORY, (who,))
        ]

    def consents(self, who: bytes) -> Sequence[Consent]:
        """See `Register.consents`."""
        return [
            Consent(at=at, how=how, wording=wording, network=network)
            for at, how, wording, network in self._all(sql.CONSENTS, (who,))
        ]

    def remove(self, who: bytes) -> bool:
        """See `Register.remove`."""
        with self._writing():
            self._db.execute("DELETE FROM confirmation WHERE reader = ?", (who,))
            return self._db.execute("DELETE FROM subscriber WHERE reader = ?", (who,)).rowcount > 0

    def forget(self, who: bytes, origin: Origin) -> bool:
        """See `Register.forget`."""
        values = {"reader": who, "stand_in": f"forgotten-{who.hex()}", "nobody": NOBODY}
        with explained(self.path):  # what is deleted is overwritten, not only given free
            self._db.execute("PRAGMA secure_delete = ON")
        with self._writing():
            self.lift(who, origin)
            known = sum(
                self._db.execute(f"DELETE FROM {table} WHERE reader = ?", (who,)).rowcount
                for table in ("subscriber", "event", "consent", "confirmation", "returned")
            )
            for statement in (sql.FORGET_ATTEMPTS, sql.FORGET_ADDRESSES, sql.FORGET_ENTRIES):
                known += self._db.execute(statement, values).rowcount
            self._stop(who, None, "forgotten", origin)
            self._tell(who, Change.FORGOTTEN, origin)
        with explained(self.path):
            self._db.execute("PRAGMA secure_delete = OFF")
            if not self._db.in_transaction:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return known > 0

    def merge(
        self,
        rows: Iterable[Incoming],
        origin: Origin,
        *,
        consent: Consent | None = None,
        overwrite: bool = False,
        dry_run: bool = False,
    ) -> Merged:
        """See `Register.merge`."""
        with explained(self.path):
            return arrivals.merge(
                self._db,
                rows,
                origin,
                identify=self._identify,
                consent=consent,
                overwrite=overwrite,
                dry_run=dry_run,
            )

    def ask(self, who: bytes, *, now: float) -> bool:
        """See `Register.ask`."""
        values = {"reader": who, "now": now, "most": CONFIRMATIONS, "pause": CONFIRMATION_PAUSE}
        with self._writing():
            return self._db.execute(sql.ASK, values).rowcount > 0

    def to_confirm(self, *, now: float, limit: int) -> Sequence[Confirmation]:
        """See `Register.to_confirm`."""
        return [
            Confirmation(member=_member(row), attempts=row[5], requested_at=row[6])
            for row in self._all(sql.TO_CONFIRM, {"now": now, "limit": limit})
        ]

    def asked(self, who: bytes, origin: Origin, *, again_at: float | None = None) -> None:
        """See `Register.asked`."""
        with self._writing():
            if again_at is not None:
                self._db.execute(sql.ASK_AGAIN, {"reader": who, "again": again_at})
                return
            self._db.execute(sql.ASKED, {"reader": who})
            self._tell(who, Change.ASKED, origin)

    def unreachable(self, who: bytes, origin: Origin) -> None:
        """See `Register.unreachable`."""
        with self._writing():
            self._db.execute(sql.ASKED, {"reader": who})
            self._tell(who, Change.UNREACHABLE, origin)

    def confirm(self, who: bytes, origin: Origin, *, consent: Consent) -> Member | None:
        """See `Register.confirm`."""
        with self._writing():
            member = self.find(who)
            if member is None:
                return None
            values = {"reader": who, "status": SubscriberStatus.ACTIVE.value, "at": origin.at}
            changed = self._db.execute(sql.SET_STATUS, values).rowcount > 0
            lifted = self.lift(who, origin)
            self._db.execute("DELETE FROM confirmation WHERE reader = ?", (who,))
            if changed or lifted:
                self._tell(who, Change.CONFIRMED, origin)
                self._agree(who, consent)
        active = replace(member.subscriber, status=SubscriberStatus.ACTIVE)
        return replace(member, subscriber=active)

    def spend(self, bucket: str, *, limit: int, seconds: float, now: float) -> bool:
        """See `Register.spend`."""
        values = {"bucket": bucket, "most": limit, "seconds": seconds, "now": now}
        with self._writing():
            return self._db.execute(sql.SPEND, values).rowcount > 0

    def tidy(self, *, pending_before: float, now: float) -> int:
        """See `Register.tidy`."""
        with self._writing():
            self._db.execute("DELETE FROM allowance WHERE until <= ?", (now,))
            stale = self._all(sql.STALE, {"before": pending_before})
            for (who,) in stale:
                self._db.execute("DELETE FROM subscriber WHERE reader = ?", (who,))
                origin = Origin(at=now, source="tidying", reason="never confirmed")
                self._tell(who, Change.REMOVED, origin)
        return len(stale)

    def close(self) -> None:
        """See `Register.close`."""
        self._db.close()

    def _writing(self) -> AbstractContextManager[None]:
        return nested(self._db, self.path)

    def _tell(self, who: bytes, change: Change, origin: Origin) -> None:
        values = {"reader": who, "at": origin.at, "change": change.value}
        self._db.execute(sql.TELL, {**values, "source": origin.source, "reason": origin.reason})

    def _agree(self, who: bytes, consent: Consent) -> None:
        values = {"reader": who, "at": consent.at, "how": consent.how}
        self._db.execute(
            sql.AGREE, {**values, "wording": consent.wording, "network": consent.network}
        )

    def _stop(self, who: bytes, address: str | None, reason: str, origin: Origin) -> bool:
        """Write a suppression unless there is one."""
        values = {"reader": who, "address": address, "reason": reason}
        if address:
            self._db.execute(sql.KNOW, values)
        told = {**values, "source": origin.source, "at": origin.at}
        return self._db.execute(sql.SUPPRESS, told).rowcount > 0

    def _address(self, who: bytes) -> str | None:
        member = self.find(who)
        return member.subscriber.address.key if member else None

    def _one(self, query: str, values: Any) -> Sequence[Any] | None:
        with explained(self.path):
            row: Sequence[Any] | None = self._db.execute(query, values).fetchone()
        return row

    def _all(self, query: str, values: Any) -> list[Sequence[Any]]:
        with explained(self.path):
            return self._db.execute(query, values).fetchall()


def _member(row: Sequence[Any]) -> Member:
    number, who, subscriber, status, updated_at = row[:5]
    person = replace(records.thaw(subscriber), status=SubscriberStatus(status))
    return Member(number=number, id=who, subscriber=person, updated_at=updated_at)


def _suppression(row: Sequence[Any]) -> Suppression:
    who, address, reason, source, at = row[:5]
    return Suppression(id=who, address=address, reason=reason, source=source, at=at)
