"""What every store of returns must do: the contract of `feedback.returns.Returns`, for memory and SQLite alike."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from ledger_watch import NOW, Stage, identify, people, person

from newsletter.audience.register import Origin
from newsletter.audience.verp import Returned
from newsletter.delivery.ledger import Ledger
from newsletter.delivery.states import State
from newsletter.feedback.report import Evidence, Kind, Report, Verdict
from newsletter.feedback.returns import Action, Record, Returns, anonymous
from newsletter.storage.memory.ledger import MemoryLedger
from newsletter.storage.memory.register import MemoryRegister
from newsletter.storage.memory.returns import MemoryReturns
from newsletter.storage.sqlite.ledger import SqliteLedger
from newsletter.storage.sqlite.register import SqliteRegister
from newsletter.storage.sqlite.returns import SENT, START, SqliteReturns

ORIGIN = Origin(at=NOW, source="a test")
REPORT = Report(
    kind=Kind.BOUNCE,
    verdict=Verdict.MAILBOX_FULL,
    permanent=True,
    recipient="anna@example.org",
    message_id="<64.abc@example.org>",
    status="5.2.2",
    diagnostic="552 5.2.2 邮箱已满",
    reporting_mta="mx.example.org",
    evidence=Evidence.VERP,
)


ANNA, BEN = identify("anna@example.org"), identify("ben@example.org")
RECORD = Record(
    at=NOW,
    source="maildir",
    report=REPORT,
    who=ANNA,
    issue=64,
    proven=True,
    action=Action.COUNTED,
)


@dataclass
class Store:
    returns: Returns
    ledger: Ledger


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        ledger = MemoryLedger(identify=identify)
        yield Store(MemoryReturns(MemoryRegister(identify=identify, ledger=ledger), ledger), ledger)
        return
    path = tmp_path / "newsletter.db"
    with (
        closing(SqliteLedger(path, identify=identify)) as stored,
        closing(SqliteReturns(SqliteRegister(path, identify=identify))) as returns,
    ):
        yield Store(returns, stored)


@pytest.fixture
def returns(store: Store) -> Returns:
    return store.returns


def test_a_mail_is_new_once(returns: Returns) -> None:
    assert returns.first_time(b"one", now=NOW)
    assert returns.first_time(b"two", now=NOW)
    assert not returns.first_time(b"one", now=NOW + 1)


def test_a_report_is_kept_whole_but_for_its_tokens(returns: Returns) -> None:
    told = replace(REPORT, returned=Returned(64, ANNA), subscriber_id=ANNA, forwarded=True)
    returns.record(replace(RECORD, report=told))
    ((number, kept),) = returns.records()
    assert kept == replace(RECORD, report=replace(REPORT, forwarded=True))
    assert list(returns.records(after=number)) == []


def test_little_can_be_known(returns: Returns) -> None:
    least = Record(
        at=NOW, source="ses", report=Report(kind=Kind.UNRELATED, verdict=Verdict.NOT_A_BOUNCE)
    )
    returns.record(least)
    assert [record for _, record in returns.records()] == [least]


def test_only_what_is_proven_is_about_somebody(returns: Returns) -> None:
    claimed = replace(RECORD, proven=False, action=Action.UNPROVEN)
    second = replace(RECORD, at=NOW + 1, issue=65)
    for record in (RECORD, claimed, replace(RECORD, who=BEN), second):
        returns.record(record)
    assert list(returns.about(ANNA)) == [RECORD, second]
    assert len(list(returns.records())) == 4


def test_many_records_come_in_order(returns: Returns) -> None:
    with returns.register.together():
        for number in range(2100):
            returns.record(replace(RECORD, issue=number))
    assert [record.issue for _, record in returns.records()] == list(range(2100))


def test_a_transaction_takes_back_mails_and_records(returns: Returns) -> None:
    def fail() -> None:
        with returns.register.together():
            assert returns.first_time(b"one", now=NOW)
            returns.record(RECORD)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert returns.first_time(b"one", now=NOW)
    assert list(returns.records()) == []


def test_who_is_forgotten_has_no_records(returns: Returns) -> None:
    returns.record(RECORD)
    returns.record(replace(RECORD, proven=False))
    returns.record(replace(RECORD, who=BEN))
    assert returns.register.forget(ANNA, ORIGIN)
    assert [record.who for _, record in returns.records()] == [BEN]


def test_an_anonymous_record_holds_no_words_of_others() -> None:
    kept = anonymous(RECORD).report
    assert (kept.recipient, kept.message_id, kept.diagnostic, kept.reporting_mta) == (
        None,
        None,
        "",
        None,
    )
    assert (kept.verdict, kept.status) == (Verdict.MAILBOX_FULL, "5.2.2")


def test_a_message_id_names_what_a_server_may_have_taken(store: Store) -> None:
    stage = Stage(store.ledger, people(3))
    (taken,) = stage.send(State.ACCEPTED, limit=1)
    assert store.returns.sent(f"<{taken.id}@example.org>") == Returned(
        64, identify(taken.subscriber.address.key)
    )
    (doubtful,) = stage.send(State.IN_DOUBT, limit=1)
    (refused,) = stage.send(State.FAILED, limit=1)
    assert store.returns.sent(f"<{doubtful.id}@example.org>") is not None
    assert store.returns.sent(f"<{refused.id}@example.org>") is None
    assert store.returns.sent("<1@example.net>") is None


def test_message_ids_that_begin_alike_are_told_apart(store: Store) -> None:
    stage = Stage(store.ledger, [person("a"), person("b")], issue=7)
    first, second = stage.send(State.ACCEPTED)
    for claim, name in ((first, "a"), (second, "b")):
        found = store.returns.sent(f"<{claim.id}@example.org>")
        assert found == Returned(7, identify(f"{name}@example.org"))


def test_a_message_id_is_found_by_index(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    with (
        closing(SqliteLedger(path, identify=identify)) as ledger,
        closing(SqliteReturns(SqliteRegister(path, identify=identify))) as returns,
    ):
        Stage(ledger, people(5)).send(State.ACCEPTED)
        assert returns.sent("<3@example.org>")
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM message").fetchone() == (5,)
        wanted = {"message_id": "<3@example.org>", "start": START}
        plan = db.execute(f"EXPLAIN QUERY PLAN {SENT}", wanted)
        assert not [row for row in plan if "SCAN" in row[3]]
