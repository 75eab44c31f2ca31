"""The returns on SQLite, in the same database file as the ledger and the register."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from newsletter.audience.verp import Returned
from newsletter.feedback.report import Evidence, Kind, Report, Verdict
from newsletter.feedback.returns import Action, Record
from newsletter.mail.address import Address
from newsletter.storage.sqlite import records
from newsletter.storage.sqlite.database import explained, nested
from newsletter.storage.sqlite.register import SqliteRegister

START = 20  # characters of a Message-ID: the issue and 64 bits
BATCH = 100_000  # attempts that are indexed in one transaction

_RECORDED = "SELECT at, source, report, reader, issue, proven, action, id FROM returned"

_RECORD = """
INSERT INTO returned (at, reader, issue, proven, action, source, report)
VALUES (:at, :reader, :issue, :proven, :action, :source, :report)
"""

# An attempt in doubt may have been a message that came back.
_INDEX = """
INSERT OR IGNORE INTO message (start, entry)
SELECT substr(entry.message_id, 1, :start) AS start, entry.id
FROM attempt JOIN entry ON entry.id = attempt.entry
WHERE attempt.id > :after AND attempt.id <= :after + :batch AND attempt.state IN ('accepted', 'in_doubt')
ORDER BY start
"""

SENT = """
SELECT campaign.issue, entry.reader, entry.subscriber
FROM message JOIN entry ON entry.id = message.entry JOIN campaign ON campaign.id = entry.campaign
WHERE message.start = substr(:message_id, 1, :start) AND entry.message_id = :message_id
  AND entry.state IN ('accepted', 'in_doubt')
"""


class SqliteReturns:
    """`feedback.returns.Returns` in the database of a register, in the same transactions.

    Args:
        register: is closed with it.

    Raises:
        LedgerError: from any method, when the database cannot be used.

    """

    def __init__(self, register: SqliteRegister) -> None:
        self.register = register
        self.path = register.path
        self._db = register.connection

    def first_time(self, digest: bytes, *, now: float) -> bool:
        """See `Returns.first_time`."""
        with nested(self._db, self.path):
            query = "INSERT OR IGNORE INTO seen (digest, at) VALUES (?, ?)"
            return self._db.execute(query, (digest, now)).rowcount > 0

    def record(self, record: Record) -> None:
        """See `Returns.record`."""
        values = {
            "at": record.at,
            "reader": record.who,
            "issue": record.issue,
            "proven": record.proven,
            "action": record.action.value,
            "source": record.source,
            "report": _freeze(record.report),
        }
        with nested(self._db, self.path):
            self._db.execute(_RECORD, values)

    def records(self, *, after: int = 0) -> Iterator[tuple[int, Record]]:
        """See `Returns.records`."""
        query = f"{_RECORDED} WHERE id > ? ORDER BY id LIMIT 1000"
        while rows := self._all(query, (after,)):
            after = rows[-1][-1]
            yield from ((row[-1], _record(row)) for row in rows)

    def about(self, who: bytes) -> Sequence[Record]:
        """See `Returns.about`."""
        query = f"{_RECORDED} WHERE reader = ? AND proven ORDER BY id"
        return [_record(row) for row in self._all(query, (who,))]

    def sent(self, message_id: str) -> Returned | None:
        """See `Returns.sent`."""
        self._index()
        rows = self._all(SENT, {"message_id": message_id, "start": START})
        if not rows:
            return None
        issue, who, subscriber = rows[0]
        if who is None:  # planned by an early version
            address: Address = records.thaw(subscriber).address
            who = self.register.identify(address.key)
        return Returned(issue, who)

    def close(self) -> None:
        """See `Returns.close`."""
        self.register.close()

    def _index(self) -> None:
        """Take up the attempts since the last time."""
        while True:
            with nested(self._db, self.path):
                (upto,) = self._db.execute("SELECT attempt FROM message_upto").fetchone()
                (last,) = self._db.execute("SELECT coalesce(max(id), 0) FROM attempt").fetchone()
                if upto >= last:
                    return
                self._db.execute(_INDEX, {"after": upto, "batch": BATCH, "start": START})
                reached = min(upto + BATCH, last)
                self._db.execute("UPDATE message_upto SET attempt = ?", (reached,))

    def _all(self, query: str, values: Any) -> list[Sequence[Any]]:
        with explained(self.path):
            return self._db.execute(query, values).fetchall()


def _freeze(report: Report) -> str:
    """What is kept of a report; its tokens are in the other columns."""
    kept = {
        "kind": report.kind.value,
        "verdict": report.verdict.value,
        "evidence": report.evidence.value if report.evidence else None,
        "permanent": report.permanent,
        "forwarded": report.forwarded,
        "recipient": report.recipient,
        "message_id": report.message_id,
        "status": report.status,
        "diagnostic": report.diagnostic,
        "reporting_mta": report.reporting_mta,
    }
    text = {name: value for name, value in kept.items() if value}
    return json.dumps(text, ensure_ascii=False, separators=(",", ":"))


def _record(row: Sequence[Any]) -> Record:
    at, source, report, who, issue, proven, action = row[:7]
    kept = json.loads(report)
    for name, kind in (("kind", Kind), ("verdict", Verdict), ("evidence", Evidence)):
        if name in kept:
            kept[name] = kind(kept[name])
    return Record(
        at=at,
        source=source,
        report=Report(**kept),
        who=who,
        issue=issue,
        proven=bool(proven),
        action=Action(action),
    )
