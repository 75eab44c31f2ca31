"""An import in sets: staged in a temp table, judged in one statement, written in a few. Memory stays what it is."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from newsletter.audience.models import SubscriberStatus
from newsletter.audience.register import Consent, Incoming, Merged, Origin
from newsletter.storage.sqlite import records
from newsletter.storage.sqlite import register_sql as sql
from newsletter.storage.sqlite.database import transaction


def merge(
    db: sqlite3.Connection,
    rows: Iterable[Incoming],
    origin: Origin,
    *,
    identify: Callable[[str], bytes],
    consent: Consent | None,
    overwrite: bool,
    dry_run: bool,
) -> Merged:
    """See `Register.merge`."""
    values: dict[str, Any] = {"at": origin.at, "source": origin.source, "overwrite": int(overwrite)}
    db.create_function("merge_subscriber", 3, records.merge, deterministic=True)
    try:
        _stage(db, rows, identify)
        with transaction(db):
            db.execute(sql.GATHER, values)
            merged = _count(db)
            if not dry_run:
                for statement in (
                    sql.ADD_ARRIVED,
                    sql.UPDATE_ARRIVED,
                    sql.SUPPRESS_ARRIVED,
                    sql.TELL_ARRIVED,
                ):
                    db.execute(statement, values)
                if consent:
                    agreed = {"how": consent.how, "wording": consent.wording}
                    told = {**values, **agreed, "network": consent.network}
                    db.execute(sql.AGREE_ARRIVED, told)
        return merged
    finally:
        db.execute("DROP TABLE IF EXISTS temp.gathered")
        db.execute("DROP TABLE IF EXISTS temp.arriving")


def _stage(
    db: sqlite3.Connection, rows: Iterable[Incoming], identify: Callable[[str], bytes]
) -> None:
    """Fill `arriving` from the stream, outside the writing transaction."""
    db.execute(sql.ARRIVING)
    staged = (
        (
            number,
            identify(one.subscriber.address.key),
            one.subscriber.address.key,
            records.freeze(one.subscriber),
            one.subscriber.status.value,
            one.suppress,
        )
        for number, one in enumerate(rows, 1)
    )
    db.execute("BEGIN")
    try:
        db.executemany("INSERT INTO arriving VALUES (?, ?, ?, ?, ?, ?)", staged)
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _count(db: sqlite3.Connection) -> Merged:
    added: Counter[SubscriberStatus] = Counter()
    fates: Counter[str] = Counter()
    duplicates = 0
    for fate, status, people, repeated in db.execute(sql.FATES):
        duplicates += repeated
        if fate == "added":
            added[SubscriberStatus(status)] += people
        else:
            fates[fate] += people
    return Merged(added=added, duplicates=duplicates, **fates)
