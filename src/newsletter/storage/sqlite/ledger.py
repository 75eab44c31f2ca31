"""The ledger on SQLite: the default store, good for a million recipients on one machine."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from newsletter.audience.models import Subscriber
from newsletter.delivery.ledger import (
    Attempt,
    Campaign,
    Chosen,
    Claim,
    Counts,
    Entry,
    Intent,
    Outcome,
    Recovered,
)
from newsletter.delivery.states import State
from newsletter.storage.sqlite import ledger_sql as sql
from newsletter.storage.sqlite import records
from newsletter.storage.sqlite.database import (
    CACHE_KIB,
    explained,
    open_database,
    prove_identity,
    transaction,
)

PLAN_CACHE_KIB = 2048  # sorting takes as much again, and what is written in order needs little
_CAMPAIGN = "SELECT id, issue, digest, planned, planned_at FROM campaign"


class SqliteLedger:
    """`delivery.ledger.Ledger` in the database file at `path`. One thread at a time may call it.

    Args:
        path: the database, made when it is not there.
        identify: the id of an address key, `Keyring.subscriber_id`; without it entries are known by address
            alone, and neither an unsubscribe link nor a return path finds them.

    Raises:
        LedgerError: from any method, when the database cannot be used.

    """

    def __init__(self, path: Path, *, identify: Callable[[str], bytes] | None = None) -> None:
        self.path = path
        self._keyed = identify
        self._identify: Callable[[str], bytes | None] = identify or (lambda _key: None)
        self._db = open_database(path)

    def campaign(self, issue: int) -> Campaign | None:
        """See `Ledger.campaign`."""
        with explained(self.path):
            row = self._db.execute(f"{_CAMPAIGN} WHERE issue = ?", (issue,)).fetchone()
        return _campaign(row) if row else None

    def campaigns(self) -> Sequence[Campaign]:
        """See `Ledger.campaigns`."""
        with explained(self.path):
            return [_campaign(row) for row in self._db.execute(f"{_CAMPAIGN} ORDER BY issue")]

    def plan(
        self,
        issue: int,
        *,
        digest: str,
        subscribers: Iterable[Subscriber],
        now: float,
        chosen: Chosen | None = None,
        why: str = "",
    ) -> Campaign:
        """See `Ledger.plan`."""
        with explained(self.path), self._incoming(subscribers, chosen), transaction(self._db):
            (number,) = self._db.execute(sql.PLAN_CAMPAIGN, (issue, digest, now)).fetchone()
            planned = self._add(number, now)
            campaign = Campaign(
                id=number, issue=issue, digest=digest, planned=planned, planned_at=now
            )
            if why:
                self._remark(campaign, f"{planned} planned: {why}", now)
        return campaign

    def extend(
        self,
        campaign: Campaign,
        *,
        subscribers: Iterable[Subscriber],
        now: float,
        chosen: Chosen | None = None,
        why: str,
    ) -> int:
        """See `Ledger.extend`."""
        with explained(self.path), self._incoming(subscribers, chosen), transaction(self._db):
            added = self._add(campaign.id, now)
            if added:
                self._remark(campaign, f"{added} added: {why}", now)
        return added

    def _add(self, campaign: int, now: float) -> int:
        """Make entries of what is incoming, chosen and not planned yet."""
        (base,) = self._db.execute("SELECT coalesce(max(id), 0) FROM entry").fetchone()
        values = {"campaign": campaign, "base": base, "now": now}
        self._db.execute(sql.PLAN_ADDRESSES, values)
        added = self._db.execute(sql.PLAN_ENTRIES, values).rowcount
        self._db.execute(sql.PLAN_READERS, values)
        query = "UPDATE campaign SET planned = planned + ? WHERE id = ?"
        self._db.execute(query, (added, campaign))
        return added

    def reconcile(self, campaign: Campaign, *, active: Iterable[Subscriber], now: float) -> int:
        """See `Ledger.reconcile`."""
        with explained(self.path), self._incoming(active):
            self._db.execute("CREATE INDEX temp.incoming_address ON incoming (address)")
            with transaction(self._db):
                values = {"campaign": campaign.id, "now": now}
                return self._db.execute(sql.RECONCILE, values).rowcount

    def accept_digest(self, campaign: Campaign, *, digest: str, now: float) -> Campaign:
        """See `Ledger.accept_digest`."""
        with explained(self.path), transaction(self._db):
            self._db.execute("UPDATE campaign SET digest = ? WHERE id = ?", (digest, campaign.id))
            self._remark(campaign, f"edition {campaign.digest} replaced by {digest}", now)
        return Campaign(
            id=campaign.id,
            issue=campaign.issue,
            digest=digest,
            planned=campaign.planned,
            planned_at=campaign.planned_at,
        )

    def begin_run(self, campaign: Campaign, *, now: float) -> int:
        """See `Ledger.begin_run`."""
        with explained(self.path), transaction(self._db):
            query = "UPDATE campaign SET run = run + 1 WHERE id = ? RETURNING run"
            (run,) = self._db.execute(query, (campaign.id,)).fetchone()
        return int(run)

    def recover(self, campaign: Campaign, *, run: int, now: float) -> Recovered:
        """See `Ledger.recover`."""
        values = {"campaign": campaign.id, "run": run, "now": now}
        with explained(self.path), transaction(self._db):
            doubtful = self._db.execute(sql.RECOVER_IN_FLIGHT, values).fetchall()
            released = self._db.execute(sql.RECOVER_CLAIMED, values).rowcount
            reply = "the sender died before the server's answer was on record"
            self._recount(doubtful, State.IN_DOUBT, run=run, stage="recovery", reply=reply, now=now)
        return Recovered(len(doubtful), released)

    def claim(
        self,
        campaign: Campaign,
        *,
        run: int,
        limit: int,
        now: float,
        lease: float,
        states: Sequence[State] = (),
    ) -> list[Claim]:
        """See `Ledger.claim`."""
        values = {
            "campaign": campaign.id,
            "run": run,
            "limit": limit,
            "now": now,
            "until": now + lease,
            "states": _state_list(states),
        }
        with explained(self.path), transaction(self._db):
            rows = self._db.execute(sql.CLAIM, values).fetchall()
            if not rows and not states:
                rows = self._db.execute(sql.CLAIM_LEASED, values).fetchall()
        return [Claim(row[0], records.thaw(row[1]), row[2], row[3]) for row in sorted(rows)]

    def commit(
        self, *, run: int, intents: Sequence[Intent], outcomes: Sequence[Outcome], now: float
    ) -> set[int]:
        """See `Ledger.commit`."""
        granted: set[int] = set()
        with explained(self.path), transaction(self._db):
            if intents:
                values = {"run": run, "now": now, "intents": records.intents_json(intents)}
                granted = {intent.id for intent in intents}
                if self._db.execute(sql.INTEND, values).rowcount < len(granted):
                    # Rare: once more from the start, asking which. Rows that come back one by one let go of
                    # Python's lock one by one, so they are not asked for when all is well.
                    self._db.execute("ROLLBACK")
                    self._db.execute("BEGIN IMMEDIATE")
                    rows = self._db.execute(sql.INTEND_TELLING, values).fetchall()
                    granted = {row[0] for row in rows}
                    self._db.execute(sql.SUPPRESS_REFUSED, values)
            if outcomes:
                told = {"run": run, "outcomes": records.outcomes_json(outcomes)}
                self._db.execute(sql.SETTLE, told)
                self._db.execute(sql.REMEMBER, told)
                self._db.execute(sql.COUNT_DAY, told)
                if any(outcome.suppress for outcome in outcomes):
                    self._db.execute(sql.SUPPRESS_TOLD, told)
                    self._db.execute(sql.TELL_SUPPRESSED, told)
        return granted

    def postpone(self, ids: Sequence[int], *, run: int, until: float, now: float) -> None:
        """See `Ledger.postpone`."""
        values = {"ids": json.dumps(list(ids)), "run": run, "until": until, "now": now}
        with explained(self.path), transaction(self._db):
            self._db.execute(sql.POSTPONE, values)

    def accepted_by_day(self) -> Mapping[str, int]:
        """See `Ledger.accepted_by_day`."""
        with explained(self.path):
            return dict(self._db.execute("SELECT day, accepted FROM daily ORDER BY day").fetchall())

    def release(self, campaign: Campaign, *, run: int, now: float) -> int:
        """See `Ledger.release`."""
        with explained(self.path), transaction(self._db):
            values = {"campaign": campaign.id, "run": run, "now": now}
            return self._db.execute(sql.RELEASE, values).rowcount

    def expire(self, campaign: Campaign, *, first_before: float, now: float) -> int:
        """See `Ledger.expire`."""
        with explained(self.path), transaction(self._db):
            values = {"campaign": campaign.id, "before": first_before, "now": now}
            return self._db.execute(sql.EXPIRE, values).rowcount

    def next_due(self, campaign: Campaign, *, states: Sequence[State] = ()) -> float | None:
        """See `Ledger.next_due`."""
        values = {"campaign": campaign.id, "states": _state_list(states)}
        with explained(self.path):
            (due,) = self._db.execute(sql.NEXT_DUE, values).fetchone()
        return None if due is None else float(due)

    def counts(self, campaign: Campaign) -> Counts:
        """See `Ledger.counts`."""
        with explained(self.path):
            rows = self._db.execute(sql.COUNTS, (campaign.id,)).fetchall()
        return Counts(campaign.planned, {State(state): count for state, count in rows})

    def entries(self, campaign: Campaign, *, states: Sequence[State] = ()) -> Iterator[Entry]:
        """See `Ledger.entries`."""
        values = {"campaign": campaign.id, "states": _state_list(states), "after": 0}
        while True:  # pages, so that no read transaction stays open while the caller takes its time
            with explained(self.path):
                rows = self._db.execute(sql.SELECT_ENTRIES, values).fetchall()
            if not rows:
                return
            values["after"] = rows[-1][0]
            yield from map(records.entry, rows)

    def entry(self, campaign: Campaign, address: str) -> Entry | None:
        """See `Ledger.entry`."""
        with explained(self.path):
            row = self._db.execute(sql.SELECT_ENTRY, (campaign.id, address)).fetchone()
        return records.entry(row) if row else None

    def reader(self, campaign: Campaign, subscriber_id: bytes) -> Subscriber | None:
        """See `Ledger.reader`."""
        with explained(self.path):
            row = self._db.execute(sql.SELECT_READER, (campaign.id, subscriber_id)).fetchone()
        return records.thaw(row[0]) if row else None

    def attempts(
        self, campaign: Campaign, *, states: Sequence[State] = (), address: str | None = None
    ) -> Iterator[Attempt]:
        """See `Ledger.attempts`."""
        values: dict[str, Any] = {
            "campaign": campaign.id,
            "states": _state_list(states),
            "address": address,
            "after": 0,
        }
        while True:
            with explained(self.path):
                rows = self._db.execute(sql.SELECT_ATTEMPTS, values).fetchall()
            if not rows:
                return
            values["after"] = rows[-1][-1]
            yield from (records.attempt(row[:-1]) for row in rows)

    def resolve(
        self, campaign: Campaign, *, state: State, addresses: Sequence[str], now: float, why: str
    ) -> int:
        """See `Ledger.resolve`."""
        values = {
            "campaign": campaign.id,
            "state": state.value,
            "addresses": json.dumps(list(addresses)),
            "now": now,
            "why": why,
        }
        with explained(self.path), transaction(self._db):
            rows = self._db.execute(sql.RESOLVE, values).fetchall()
            (run,) = self._db.execute(
                "SELECT run FROM campaign WHERE id = ?", (campaign.id,)
            ).fetchone()
            self._recount(rows, state, run=run, stage="resolve", reply=why, now=now)
            self._remark(campaign, f"{len(rows)} in doubt resolved as {state.value}: {why}", now)
        return len(rows)

    def suppression(self, address: str) -> str | None:
        """See `Ledger.suppression`."""
        values = {"reader": self._identify(address), "address": address}
        with explained(self.path):
            row = self._db.execute(sql.SUPPRESSED, values).fetchone()
        return str(row[0]) if row else None

    def close(self) -> None:
        """See `Ledger.close`."""
        self._db.close()

    def _incoming(
        self, subscribers: Iterable[Subscriber], chosen: Chosen | None = None
    ) -> _Incoming:
        return _Incoming(self._db, subscribers, chosen, self._keyed, self.path)

    def _recount(
        self,
        rows: Sequence[tuple[int, str]],
        state: State,
        *,
        run: int,
        stage: str,
        reply: str,
        now: float,
    ) -> None:
        """Write an attempt row for entries whose state changed outside a conversation."""
        outcomes = [
            Outcome(id=row[0], state=state, at=now, stage=stage, reply=reply, message_id=row[1])
            for row in rows
        ]
        if outcomes:
            told = {"run": run, "outcomes": records.outcomes_json(outcomes)}
            self._db.execute(sql.REMEMBER, told)

    def _remark(self, campaign: Campaign, what: str, now: float) -> None:
        query = "INSERT INTO remark (campaign, at, what) VALUES (?, ?, ?)"
        self._db.execute(query, (campaign.id, now, what))


class _Incoming:
    """The temp table `incoming`, filled from a stream outside the writing transaction, dropped afterwards."""

    def __init__(
        self,
        db: sqlite3.Connection,
        subscribers: Iterable[Subscriber],
        chosen: Chosen | None,
        keyed: Callable[[str], bytes] | None,
        path: Path,
    ) -> None:
        self._db = db
        self._subscribers = subscribers
        self._chosen = chosen
        self._keyed = keyed
        self._path = path

    def __enter__(self) -> None:
        if self._keyed:
            prove_identity(self._db, self._path, self._keyed)
        self._db.execute("DROP TABLE IF EXISTS temp.incoming")
        self._db.execute(sql.INCOMING)
        self._db.execute("BEGIN")
        try:
            self._db.executemany("INSERT INTO incoming VALUES (?, ?, ?, ?, ?)", self._rows())
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        self._db.execute(f"PRAGMA cache_size = -{PLAN_CACHE_KIB}")

    def __exit__(self, *_: object) -> None:
        self._db.execute("DROP TABLE IF EXISTS temp.incoming")
        self._db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")

    def _rows(self) -> Iterator[tuple[int, str, str, bytes | None, bool]]:
        """Of those who are not chosen only the address, since it may come again."""
        identify: Callable[[str], bytes | None] = self._keyed or (lambda _key: None)
        for number, one in enumerate(self._subscribers, 1):
            key = one.address.key
            if self._chosen is None or self._chosen(one):
                yield number, key, records.freeze(one), identify(key), True
            else:
                yield number, key, "", None, False


def _campaign(row: Sequence[Any]) -> Campaign:
    return Campaign(id=row[0], issue=row[1], digest=row[2], planned=row[3], planned_at=row[4])


def _state_list(states: Sequence[State]) -> str:
    """`,pending,deferred,` for instr(), or nothing for all."""
    return f",{','.join(states)}," if states else ""
