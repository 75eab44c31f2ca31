"""What every register must do: the contract of `audience.register.Register`, for memory and SQLite alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ledger_watch import NOW, identify, people, person, register_on

from newsletter.audience.models import Subscriber, SubscriberStatus
from newsletter.audience.register import (
    CONFIRMATIONS,
    DAY,
    Change,
    Consent,
    Incoming,
    Merged,
    Origin,
    Register,
)
from newsletter.delivery.ledger import Intent, Ledger, Outcome
from newsletter.delivery.states import State
from newsletter.storage.memory.ledger import MemoryLedger
from newsletter.storage.sqlite.ledger import SqliteLedger

ACTIVE, PENDING, GONE = (
    SubscriberStatus.ACTIVE,
    SubscriberStatus.PENDING,
    SubscriberStatus.UNSUBSCRIBED,
)
ORIGIN = Origin(at=NOW, source="a test", reason="because")
AGREED = Consent(at=NOW, how="double opt-in", wording="I want it", network="203.0.113.0/24")


@dataclass
class Store:
    register: Register
    ledger: Ledger


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Ledger = (
        MemoryLedger(identify=identify)
        if request.param == "memory"
        else SqliteLedger(tmp_path / "newsletter.db", identify=identify)
    )
    with closing(made) as ledger, closing(register_on(ledger)) as kept:
        yield Store(kept, ledger)


@pytest.fixture
def register(store: Store) -> Register:
    return store.register


def who(name: str) -> bytes:
    return identify(f"{name}@example.org")


def arrive(local: str, /, *, suppress: str | None = None, row: int = 2, **more: Any) -> Incoming:
    return Incoming(row=row, subscriber=person(local, **more), suppress=suppress)


def status(register: Register, name: str) -> SubscriberStatus | None:
    member = register.find(who(name))
    return member.subscriber.status if member else None


def story(register: Register, name: str) -> list[Change]:
    return [event.change for event in register.history(who(name))]


def test_a_new_register_is_empty(register: Register) -> None:
    assert register.find(who("a")) is None
    assert list(register.members()) == []
    assert dict(register.counts()) == {}
    assert list(register.suppressions()) == []
    assert register.history(who("a")) == register.consents(who("a")) == []


def test_a_subscriber_is_kept_whole(register: Register) -> None:
    subscriber = person(
        "Zoë@例え.jp",
        name="李华",
        status=PENDING,
        tags=frozenset({"cv", "nlp"}),
        language="zh-CN",
        fields={"city": "北京"},
        joined=date(2026, 1, 31),
    )
    saved = register.save(subscriber, Change.ADDED, ORIGIN, consent=AGREED)
    assert saved.id == identify(subscriber.address.key)
    assert register.find(saved.id) == saved
    assert saved.subscriber == subscriber
    assert list(register.consents(saved.id)) == [AGREED]
    (event,) = register.history(saved.id)
    told = (event.at, event.change, event.source, event.reason)
    assert told == (NOW, Change.ADDED, "a test", "because")


def test_saving_again_replaces_and_keeps_the_place(register: Register) -> None:
    first = register.save(person("a"), Change.ADDED, ORIGIN)
    register.save(person("b"), Change.ADDED, ORIGIN)
    register.save(person("A", name="Anna"), Change.UPDATED, replace(ORIGIN, at=NOW + 1))
    found = register.find(who("a"))
    assert found
    assert (found.number, found.subscriber.name) == (first.number, "Anna")
    assert [member.subscriber.address.local for member in register.members()] == ["A", "b"]


def test_members_come_in_order_by_status_and_in_pages(register: Register) -> None:
    with register.together():
        for number, one in enumerate(people(2100)):
            register.save(
                replace(one, status=PENDING if number % 3 else ACTIVE), Change.ADDED, ORIGIN
            )
    everybody = [member.subscriber.address.local for member in register.members()]
    assert everybody == sorted(everybody)
    assert len(everybody) == 2100
    pending = list(register.members(statuses=[PENDING]))
    assert len(pending) == 1400
    assert next(register.members(after=pending[0].number)).number > pending[0].number
    assert dict(register.counts()) == {ACTIVE: 700, PENDING: 1400}


def test_leaving_is_on_record_and_harmless_twice(register: Register) -> None:
    register.save(person("a"), Change.ADDED, ORIGIN)
    assert register.leave(who("a"), ORIGIN)
    assert not register.leave(who("a"), ORIGIN)
    assert status(register, "a") is GONE
    stop = register.suppression(who("a"))
    assert stop
    assert (stop.reason, stop.address) == ("unsubscribed", "a@example.org")
    assert story(register, "a") == [Change.ADDED, Change.UNSUBSCRIBED]


def test_somebody_who_is_in_no_table_can_leave(register: Register) -> None:
    assert register.leave(who("a"), ORIGIN)
    stop = register.suppression(who("a"))
    assert stop
    assert stop.address is None
    assert register.find(who("a")) is None


def test_the_first_reason_of_a_suppression_stays_and_both_are_told(register: Register) -> None:
    for reason, change in (("complaint", Change.COMPLAINED), ("no such mailbox", Change.BOUNCED)):
        new = register.suppress(who("a"), reason=reason, change=change, origin=ORIGIN)
        assert new is (change is Change.COMPLAINED)
    stop = register.suppression(who("a"))
    assert stop
    assert stop.reason == "complaint"
    assert story(register, "a") == [Change.COMPLAINED, Change.BOUNCED]


def test_a_suppression_can_be_lifted(register: Register) -> None:
    register.suppress(who("a"), reason="full", change=Change.BOUNCED, origin=ORIGIN)
    assert register.lift(who("a"), ORIGIN)
    assert not register.lift(who("a"), ORIGIN)
    assert register.suppression(who("a")) is None
    assert story(register, "a") == [Change.BOUNCED, Change.LIFTED]


def test_suppressions_in_order(register: Register) -> None:
    for name in "cab":
        register.suppress(who(name), reason=name, change=Change.BOUNCED, origin=ORIGIN)
    assert [stop.reason for stop in register.suppressions()] == ["c", "a", "b"]


def test_what_happened_is_counted(register: Register) -> None:
    register.save(person("a"), Change.ADDED, replace(ORIGIN, at=NOW - 10))
    register.save(person("b"), Change.ADDED, ORIGIN)
    register.leave(who("b"), ORIGIN)
    assert register.changes(since=NOW) == {Change.ADDED: 1, Change.UNSUBSCRIBED: 1}
    assert register.changes(since=NOW - 60)[Change.ADDED] == 2


def test_together_is_all_or_nothing(register: Register) -> None:
    register.save(person("a"), Change.ADDED, ORIGIN)

    def fail() -> None:
        with register.together():
            register.leave(who("a"), ORIGIN)
            register.save(person("b"), Change.ADDED, ORIGIN)
            assert register.spend("net", limit=1, seconds=9, now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert status(register, "a") is ACTIVE
    assert register.suppression(who("a")) is None
    assert register.find(who("b")) is None
    assert register.spend("net", limit=1, seconds=9, now=NOW)


def test_a_part_of_together_can_fail_alone(register: Register) -> None:
    def fail() -> None:
        with register.together():
            register.save(person("b"), Change.ADDED, ORIGIN)
            raise ZeroDivisionError

    with register.together():
        register.save(person("a"), Change.ADDED, ORIGIN)
        with pytest.raises(ZeroDivisionError):
            fail()
        register.save(person("c"), Change.ADDED, ORIGIN)
    assert [one.subscriber.address.local for one in register.members()] == ["a", "c"]


# ---- confirming ----------------------------------------------------------------------------------------------


def test_who_confirms_is_active(register: Register) -> None:
    register.save(person("a", status=PENDING), Change.REQUESTED, ORIGIN)
    assert register.ask(who("a"), now=NOW)
    (mail,) = register.to_confirm(now=NOW, limit=9)
    assert mail.member.id == who("a")
    register.asked(who("a"), ORIGIN)
    assert register.to_confirm(now=NOW + DAY, limit=9) == []
    member = register.confirm(who("a"), ORIGIN, consent=AGREED)
    assert member
    assert member.subscriber.status is ACTIVE
    assert register.confirm(who("a"), ORIGIN, consent=AGREED), "twice is harmless"
    assert story(register, "a") == [Change.REQUESTED, Change.ASKED, Change.CONFIRMED]
    assert list(register.consents(who("a"))) == [AGREED]
    assert register.confirm(who("b"), ORIGIN, consent=AGREED) is None


def test_confirming_lifts_what_kept_somebody_away(register: Register) -> None:
    register.save(person("a"), Change.ADDED, ORIGIN)
    register.leave(who("a"), ORIGIN)
    register.confirm(who("a"), ORIGIN, consent=AGREED)
    assert status(register, "a") is ACTIVE
    assert register.suppression(who("a")) is None


def test_confirmation_mail_once_a_day_and_three_times_in_all(register: Register) -> None:
    register.save(person("a", status=PENDING), Change.REQUESTED, ORIGIN)
    assert register.ask(who("a"), now=NOW)
    assert not register.ask(who("a"), now=NOW + DAY - 1)
    moments = [NOW + DAY * day for day in range(1, 9)]
    asked = [register.ask(who("a"), now=moment) for moment in moments]
    assert asked == [True] * (CONFIRMATIONS - 1) + [False] * 6
    register.confirm(who("a"), ORIGIN, consent=AGREED)
    assert register.ask(who("a"), now=NOW + 9 * DAY), "an answer begins anew"


def test_a_confirmation_mail_can_wait_and_can_fail(register: Register) -> None:
    for name in "ab":
        register.save(person(name, status=PENDING), Change.REQUESTED, ORIGIN)
        register.ask(who(name), now=NOW)
    assert len(register.to_confirm(now=NOW, limit=1)) == 1
    register.asked(who("a"), ORIGIN, again_at=NOW + 60)
    register.unreachable(who("b"), ORIGIN)
    assert register.to_confirm(now=NOW + 59, limit=9) == []
    (mail,) = register.to_confirm(now=NOW + 60, limit=9)
    assert (mail.member.id, mail.attempts, mail.requested_at) == (who("a"), 1, NOW)
    assert story(register, "b") == [Change.REQUESTED, Change.UNREACHABLE]


def test_no_confirmation_mail_to_who_has_left_meanwhile(register: Register) -> None:
    register.save(person("a", status=PENDING), Change.REQUESTED, ORIGIN)
    register.ask(who("a"), now=NOW)
    register.leave(who("a"), ORIGIN)
    assert register.to_confirm(now=NOW, limit=9) == []


def test_allowances_are_spent_and_come_back(register: Register) -> None:
    spent = [register.spend("net", limit=2, seconds=60, now=NOW + second) for second in range(4)]
    assert spent == [True, True, False, False]
    assert register.spend("other", limit=2, seconds=60, now=NOW)
    assert not register.spend("net", limit=2, seconds=60, now=NOW + 59)
    assert register.spend("net", limit=2, seconds=60, now=NOW + 60)


def test_who_never_confirms_is_dropped_but_not_the_limits(register: Register) -> None:
    for name in "ab":
        register.save(person(name, status=PENDING), Change.REQUESTED, ORIGIN)
    register.save(person("c"), Change.ADDED, ORIGIN)
    register.ask(who("a"), now=NOW)
    register.ask(who("b"), now=NOW + 5 * DAY)
    assert register.tidy(pending_before=NOW + DAY, now=NOW + 9 * DAY) == 1
    assert [status(register, name) for name in "abc"] == [None, PENDING, ACTIVE]
    assert story(register, "a")[-1] is Change.REMOVED
    assert not register.ask(who("a"), now=NOW + DAY / 2)


# ---- importing -----------------------------------------------------------------------------------------------


def test_an_import_adds_in_the_order_of_the_file(register: Register) -> None:
    rows = [arrive("b"), arrive("a", status=PENDING), arrive("c", status=GONE), arrive("B")]
    rows.append(arrive("d", suppress="bounced"))
    merged = register.merge(rows, ORIGIN, consent=AGREED)
    assert merged == Merged(added={ACTIVE: 2, PENDING: 1, GONE: 1}, duplicates=1)
    assert [one.subscriber.address.local for one in register.members()] == ["b", "a", "c", "d"]
    assert {s.address: s.reason for s in register.suppressions()} == {
        "c@example.org": "unsubscribed",
        "d@example.org": "bounced",
    }
    assert list(register.consents(who("b"))) == [AGREED]
    assert list(register.consents(who("c"))) == list(register.consents(who("d"))) == []
    assert story(register, "b") == [Change.IMPORTED]


def test_an_import_never_brings_anybody_back(register: Register) -> None:
    register.save(person("left"), Change.ADDED, ORIGIN)
    register.leave(who("left"), ORIGIN)
    register.save(person("bounced"), Change.ADDED, ORIGIN)
    register.suppress(who("bounced"), reason="dead", change=Change.BOUNCED, origin=ORIGIN)
    register.save(person("forgotten"), Change.ADDED, ORIGIN)
    register.forget(who("forgotten"), ORIGIN)
    names = ("left", "bounced", "forgotten")
    for overwrite in (False, True):
        rows = [arrive(name, name="New") for name in names]
        merged = register.merge(rows, ORIGIN, overwrite=overwrite)
        assert merged == Merged(kept_unsubscribed=2, kept_out=1)
    assert [status(register, name) for name in names] == [GONE, ACTIVE, None]
    assert all(register.suppression(who(name)) for name in names)
    assert register.find(who("left")).subscriber.name == ""  # type: ignore[union-attr]


def test_an_import_takes_over_that_somebody_left(register: Register) -> None:
    for name in "abc":
        register.save(person(name), Change.ADDED, ORIGIN)
    rows = [arrive("a", status=GONE), arrive("b", suppress="complaint"), arrive("c")]
    rows.append(arrive("C", status=GONE, row=9))
    assert register.merge(rows, ORIGIN) == Merged(left=3, duplicates=1)
    assert [status(register, name) for name in "abc"] == [GONE, ACTIVE, GONE]
    reasons = [stop.reason for stop in register.suppressions()]
    assert sorted(reasons) == ["complaint", "unsubscribed", "unsubscribed"]
    assert story(register, "b") == [Change.ADDED, Change.SUPPRESSED]
    assert register.merge(rows[:2], ORIGIN) == Merged(unchanged=2)


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_import_fills_gaps_or_overwrites(register: Register, overwrite: bool) -> None:
    old = person("A", name="Old", tags=frozenset({"x"}), fields={"city": "Bonn", "zip": ""})
    register.save(old, Change.ADDED, ORIGIN)
    new = arrive(
        "a",
        name="New",
        tags=frozenset({"y"}),
        language="de",
        fields={"city": "Köln", "zip": "50667"},
        joined=date(2026, 1, 1),
    )
    assert register.merge([new], ORIGIN, overwrite=overwrite) == Merged(updated=1)
    found = register.find(who("a"))
    assert found
    kept = found.subscriber
    assert (kept.name, kept.fields["city"]) == (("New", "Köln") if overwrite else ("Old", "Bonn"))
    assert (kept.address.local, kept.tags, kept.language) == ("A", {"x", "y"}, "de")
    assert (kept.fields["zip"], kept.joined) == ("50667", date(2026, 1, 1))
    assert register.merge([new], ORIGIN, overwrite=overwrite) == Merged(unchanged=1)


def test_a_pending_subscriber_becomes_active_by_import_and_not_the_other_way(
    register: Register,
) -> None:
    register.save(person("a", status=PENDING), Change.ADDED, ORIGIN)
    register.save(person("b"), Change.ADDED, ORIGIN)
    merged = register.merge([arrive("a"), arrive("b", status=PENDING)], ORIGIN)
    assert merged == Merged(updated=1, unchanged=1)
    assert [status(register, name) for name in "ab"] == [ACTIVE, ACTIVE]


def test_a_dry_run_tells_the_same_and_stores_nothing(register: Register) -> None:
    register.save(person("a"), Change.ADDED, ORIGIN)
    rows = [arrive("a", status=GONE), arrive("b")]
    merged = register.merge(rows, ORIGIN, dry_run=True)
    assert merged == Merged(added={ACTIVE: 1}, left=1)
    assert status(register, "a") is ACTIVE
    assert register.find(who("b")) is None
    assert register.merge(rows, ORIGIN) == merged


def test_an_import_that_breaks_off_stores_nothing(register: Register) -> None:
    def broken() -> Iterator[Incoming]:
        yield arrive("a")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        register.merge(broken(), ORIGIN)
    assert register.find(who("a")) is None
    assert register.merge([arrive("a")], ORIGIN).added == {ACTIVE: 1}


# ---- forgetting, and the ledger ------------------------------------------------------------------------------


def test_who_is_forgotten_is_an_id_and_nothing_else(store: Store) -> None:
    register, ledger = store.register, store.ledger
    register.save(person("a", name="Anna"), Change.ADDED, ORIGIN, consent=AGREED)
    campaign = ledger.plan(64, digest="d", subscribers=[person("a"), person("b")], now=NOW)
    run = ledger.begin_run(campaign, now=NOW)
    claim, _ = ledger.claim(campaign, run=run, limit=9, now=NOW, lease=60)
    gone = Outcome(id=claim.id, state=State.FAILED, at=NOW, stage="rcpt", reply="no a@example.org")
    ledger.commit(run=run, intents=[], outcomes=[gone], now=NOW)
    assert register.forget(who("a"), ORIGIN)
    assert not register.forget(who("nobody"), ORIGIN)
    assert register.find(who("a")) is None
    assert list(register.consents(who("a"))) == []
    assert story(register, "a") == [Change.FORGOTTEN]
    stop = register.suppression(who("a"))
    assert stop
    assert (stop.reason, stop.address) == ("forgotten", None)
    assert ledger.entry(campaign, "a@example.org") is None
    entries = list(ledger.entries(campaign))
    assert [entry.address for entry in entries] == ["forgotten@invalid", "b@example.org"]
    assert all("a@example" not in str(one) for one in [*ledger.attempts(campaign), *entries])
    assert ledger.counts(campaign).balanced
    again = ledger.plan(65, digest="d", subscribers=[person("a")], now=NOW)
    assert ledger.counts(again)[State.SUPPRESSED] == 1


def leave_by_token(store: Store) -> None:
    store.register.leave(who("a"), ORIGIN)


def leave_by_address(store: Store) -> None:
    store.register.suppress(
        who("a"),
        reason="unsubscribed",
        change=Change.BOUNCED,
        origin=ORIGIN,
        address="a@example.org",
    )


@pytest.mark.parametrize("leave", [leave_by_token, leave_by_address])
def test_suppressions_stop_a_plan_and_an_intent(
    store: Store, leave: Callable[[Store], None]
) -> None:
    ledger = store.ledger
    running = ledger.plan(64, digest="d", subscribers=[person("a"), person("b")], now=NOW)
    run = ledger.begin_run(running, now=NOW)
    claims = ledger.claim(running, run=run, limit=9, now=NOW, lease=60)
    leave(store)
    intents = [Intent(claim.id, f"<{claim.id}@x>") for claim in claims]
    granted = ledger.commit(run=run, intents=intents, outcomes=[], now=NOW)
    assert granted == {claims[1].id}
    entry = ledger.entry(running, "a@example.org")
    assert entry
    assert (entry.state, entry.reply) == (State.SUPPRESSED, "unsubscribed")
    planned = ledger.plan(65, digest="d", subscribers=[person("A"), person("b")], now=NOW)
    assert ledger.counts(planned).states == {State.SUPPRESSED: 1, State.PENDING: 1}
    assert ledger.suppression("a@example.org") == "unsubscribed"


def test_a_dead_address_of_a_send_is_in_the_register(store: Store) -> None:
    ledger = store.ledger
    campaign = ledger.plan(64, digest="d", subscribers=[person("a")], now=NOW)
    run = ledger.begin_run(campaign, now=NOW)
    (claim,) = ledger.claim(campaign, run=run, limit=9, now=NOW, lease=60)
    dead = Outcome(
        id=claim.id, state=State.FAILED, at=NOW, stage="rcpt", suppress="no such mailbox"
    )
    ledger.commit(run=run, intents=[], outcomes=[dead], now=NOW)
    stop = store.register.suppression(who("a"))
    assert stop
    assert (stop.reason, stop.address, stop.source) == ("no such mailbox", "a@example.org", "send")


def test_a_token_finds_who_was_planned(store: Store) -> None:
    reader: Subscriber = person("a", name="Anna", language="de")
    campaign = store.ledger.plan(64, digest="d", subscribers=[person("b"), reader], now=NOW)
    assert store.ledger.reader(campaign, who("a")) == reader
    assert store.ledger.reader(campaign, who("c")) is None
