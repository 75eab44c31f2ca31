"""The ledger protocol, sentence by sentence, for every store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ledger_watch import NOW, Stage, people, person

from newsletter.audience.models import Subscriber
from newsletter.delivery.ledger import Counts, Intent, Outcome
from newsletter.delivery.states import FINAL, FOLLOWERS, SENDABLE, State
from newsletter.errors import AudienceError, LedgerError

HOUR = 3600.0
Suppress = Callable[[str, str], None]

# Planning: “Freeze the recipients in one transaction.”


def test_a_new_ledger_is_empty(ledger: Any) -> None:
    assert ledger.campaign(64) is None
    assert list(ledger.campaigns()) == []
    assert ledger.accepted_by_day() == {}


def test_a_plan_is_one_entry_per_subscriber_in_the_order_of_the_list(ledger: Any) -> None:
    stage = Stage(ledger, [person("c"), person("a"), person("b")])
    assert stage.campaign.planned == 3
    assert (stage.campaign.issue, stage.campaign.digest) == (64, "d1")
    assert stage.campaign.planned_at == NOW
    entries = list(ledger.entries(stage.campaign))
    assert [entry.address for entry in entries] == [f"{who}@example.org" for who in "cab"]
    assert {entry.state for entry in entries} == {State.PENDING}
    assert ledger.campaign(64) == stage.campaign


def test_duplicates_by_address_collapse_into_the_first(ledger: Any) -> None:
    same = [
        person("Anna@Example.ORG", name="first"),
        person("b"),
        person("anna@example.org", name="second"),
        person("ANNA@example.org", name="third"),
        person("x@bücher.example", name="first"),
        person("x@xn--bcher-kva.example", name="second"),
    ]
    stage = Stage(ledger, same)
    assert stage.campaign.planned == 3
    names = [entry.name for entry in ledger.entries(stage.campaign)]
    assert names == ["first", "", "first"]


def test_suppressed_addresses_are_on_record(ledger: Any, suppress: Suppress) -> None:
    suppress("b@example.org", "no such mailbox")
    stage = Stage(ledger, [person("a"), person("B"), person("c")])
    assert stage.states() == [State.PENDING, State.SUPPRESSED, State.PENDING]
    assert stage.entry("b").reply == "no such mailbox"
    assert stage.campaign.planned == 3
    assert [claim.subscriber.address.local for claim in stage.claim()] == ["a", "c"]


def test_a_list_that_breaks_off_plans_nothing(ledger: Any) -> None:
    def broken() -> Iterator[Subscriber]:
        yield person("a")
        raise AudienceError("the disk was pulled out")

    with pytest.raises(AudienceError, match="pulled out"):
        ledger.plan(64, digest="d1", subscribers=broken(), now=NOW)
    assert ledger.campaign(64) is None
    stage = Stage(ledger, [person("a"), person("b")])
    assert stage.campaign.planned == 2


def test_an_issue_is_planned_once(ledger: Any) -> None:
    stage = Stage(ledger, [person("a")])
    with pytest.raises(LedgerError):
        ledger.plan(64, digest="d2", subscribers=[person("b")], now=NOW)
    assert ledger.campaign(64) == stage.campaign
    assert stage.states() == [State.PENDING]


def test_campaigns_do_not_know_each_other(ledger: Any) -> None:
    second = Stage(ledger, [person("a"), person("b")], issue=65)
    first = Stage(ledger, [person("a")], issue=64)
    first.send(State.ACCEPTED)
    assert second.states() == [State.PENDING, State.PENDING]
    assert [campaign.issue for campaign in ledger.campaigns()] == [64, 65]
    second.claim(1)
    ledger.recover(first.campaign, run=first.next_run(), now=NOW)
    ledger.release(first.campaign, run=second.run, now=NOW)
    ledger.expire(first.campaign, first_before=NOW + HOUR, now=NOW)
    ledger.reconcile(first.campaign, active=[], now=NOW)
    assert second.states() == [State.CLAIMED, State.PENDING]


def test_a_subscriber_is_frozen_whole(ledger: Any) -> None:
    whole = person(
        "用户@bücher.example",
        name="王 “小” 明\t<b>",
        tags=frozenset({"cv", "nlp"}),
        language="zh-Hant",
        fields={"city": "北京", "odd key": 'a"b\\c', "empty": ""},
    )
    stage = Stage(ledger, [whole, person("plain")])
    claims = stage.claim()
    assert [claim.subscriber for claim in claims] == [whole, person("plain")]
    assert claims[0].subscriber.address.needs_smtputf8


# Segments: “who of the list is meant”, and “Add who is not planned yet.”


def in_segment(*names: str) -> Any:
    return lambda subscriber: subscriber.name in names


def test_only_the_chosen_are_planned_and_of_duplicates_the_first_decides(ledger: Any) -> None:
    rows = [
        person("a", name="no"),
        person("b", name="yes"),
        person("A", name="yes"),  # somebody who is not meant, once more
        person("B", name="no"),
        person("c", name="yes"),
    ]
    campaign = ledger.plan(
        64, digest="d1", subscribers=rows, now=NOW, chosen=in_segment("yes"), why="segment x"
    )
    assert campaign.planned == 2
    assert [entry.address[0] for entry in ledger.entries(campaign)] == ["b", "c"]
    assert ledger.entry(campaign, "a@example.org") is None
    again = {"subscribers": rows, "now": NOW, "why": "segment y"}
    assert ledger.extend(campaign, chosen=in_segment("yes"), **again) == 0
    assert ledger.extend(campaign, chosen=in_segment("no"), **again) == 1
    assert ledger.campaign(64).planned == 3


def test_nobody_is_chosen(ledger: Any) -> None:
    campaign = ledger.plan(
        64, digest="d1", subscribers=people(3), now=NOW, chosen=lambda _: False, why="segment x"
    )
    assert (campaign.planned, list(ledger.entries(campaign))) == (0, [])


def test_a_campaign_grows_by_whoever_is_missing(ledger: Any, suppress: Suppress) -> None:
    other = Stage(ledger, [person("z"), person("b")], issue=63)
    stage = Stage(ledger, [person("b"), person("a")])
    stage.send(State.ACCEPTED)
    suppress("d@example.org", "complaint")
    whole = [person(who) for who in "abCcde"]
    before = ledger.campaign(63)
    assert ledger.extend(stage.campaign, subscribers=whole, now=NOW + 5, why="segment all") == 3
    assert ledger.campaign(63) == before
    assert other.states() == [State.PENDING] * 2
    stage.campaign = ledger.campaign(64)
    assert stage.campaign.planned == 5
    assert stage.campaign.planned_at == NOW
    entries = list(ledger.entries(stage.campaign))
    assert [entry.address[0] for entry in entries] == ["b", "a", "C", "d", "e"]
    two, one = [State.ACCEPTED] * 2, [State.PENDING]
    assert [entry.state for entry in entries] == [*two, *one, State.SUPPRESSED, *one]
    assert stage.entry("d").reply == "complaint"
    assert [entry.updated_at for entry in entries] == [NOW] * 2 + [NOW + 5] * 3
    assert [claim.subscriber for claim in stage.claim()] == [person("C"), person("e")]


def test_a_list_that_breaks_off_adds_nothing(ledger: Any) -> None:
    def broken() -> Iterator[Subscriber]:
        yield person("b")
        raise AudienceError("the disk was pulled out")

    stage = Stage(ledger, [person("a")])
    with pytest.raises(AudienceError, match="pulled out"):
        ledger.extend(stage.campaign, subscribers=broken(), now=NOW, why="segment all")
    assert ledger.campaign(64) == stage.campaign
    assert ledger.extend(stage.campaign, subscribers=[person("b")], now=NOW, why="segment all") == 1


def test_a_choice_may_ask_the_ledger(ledger: Any) -> None:
    """`not got 63` is asked while the list streams in."""
    before = Stage(ledger, [person("a"), person("b")], issue=63)
    before.send(State.ACCEPTED, limit=1)

    def missed(subscriber: Subscriber) -> bool:
        entry = ledger.entry(before.campaign, subscriber.address.key)
        return entry is None or entry.state is not State.ACCEPTED

    rows = [person(who) for who in "abc"]
    campaign = ledger.plan(64, digest="d", subscribers=rows, now=NOW, chosen=missed, why="x")
    assert [entry.address[0] for entry in ledger.entries(campaign)] == ["b", "c"]


def test_a_changed_edition_is_recorded(ledger: Any) -> None:
    stage = Stage(ledger, [person("a")])
    changed = ledger.accept_digest(stage.campaign, digest="d2", now=NOW)
    assert changed.digest == "d2"
    assert ledger.campaign(64) == changed
    assert (changed.id, changed.planned) == (stage.campaign.id, stage.campaign.planned)


# Runs: “A new fence number, higher than any before.”


def test_every_run_has_a_higher_number(ledger: Any) -> None:
    stage = Stage(ledger, [person("a")])
    runs = [stage.run, stage.next_run(), stage.next_run()]
    assert runs == sorted(set(runs))


# Claims: “Take up to `limit` due entries, and claimed ones whose lease ran out.”


def test_claims_come_in_order_and_no_more_than_wanted(ledger: Any) -> None:
    stage = Stage(ledger, people(5))
    first, rest = stage.claim(2), stage.claim(9)
    assert [claim.subscriber for claim in first + rest] == people(5)
    assert [len(first), len(rest)] == [2, 3]
    assert stage.claim() == []
    assert set(stage.states()) == {State.CLAIMED}


def test_a_claim_tells_what_was_tried(ledger: Any) -> None:
    stage = Stage(ledger, people(1))
    (claim,) = stage.claim()
    assert (claim.attempts, claim.first_attempt_at) == (0, None)
    stage.settle([claim], State.DEFERRED, at=NOW + 1, next_attempt_at=NOW + 60)
    (claim,) = stage.claim(now=NOW + 60)
    assert (claim.attempts, claim.first_attempt_at) == (1, NOW + 1)
    stage.settle([claim], State.DEFERRED, at=NOW + 2, next_attempt_at=NOW + 70)
    (claim,) = stage.claim(now=NOW + 70)
    assert (claim.attempts, claim.first_attempt_at) == (2, NOW + 1)


def test_only_what_is_due_is_claimed_the_longest_waiting_first(ledger: Any) -> None:
    stage = Stage(ledger, people(3))
    claims = stage.claim()
    for claim, due in zip(claims, (300.0, 100.0, 200.0), strict=True):
        stage.settle([claim], State.DEFERRED, next_attempt_at=NOW + due)
    assert stage.claim(now=NOW + 99) == []
    assert [c.id for c in stage.claim(1, now=NOW + 250)] == [claims[1].id]
    assert [c.id for c in stage.claim(now=NOW + 250)] == [claims[2].id]
    assert [c.id for c in stage.claim(now=NOW + 300)] == [claims[0].id]


def test_claims_can_be_limited_to_a_state(ledger: Any) -> None:
    stage = Stage(ledger, people(3))
    stage.settle(stage.claim(1), State.DEFERRED, next_attempt_at=NOW)
    assert len(stage.claim(9, states=[State.DEFERRED])) == 1
    assert len(stage.claim(9, states=[State.PENDING])) == 2
    stage.ledger.release(stage.campaign, run=stage.run, now=NOW)
    assert len(stage.claim(9, states=[State.PENDING, State.DEFERRED])) == 3


def test_a_lease_holds_until_it_runs_out(ledger: Any) -> None:
    stage = Stage(ledger, people(2))
    held = stage.claim(lease=100.0)
    stage.next_run()
    assert stage.claim(now=NOW + 99) == []
    assert stage.claim(now=NOW + 100) == held
    assert stage.intend(held, run=stage.run - 1) == set(), "the old run holds nothing any more"
    assert stage.intend(held) == {claim.id for claim in held}


def test_what_is_in_flight_has_no_lease(ledger: Any) -> None:
    stage = Stage(ledger, people(1))
    stage.intend(stage.claim(lease=1.0))
    stage.next_run()
    assert stage.claim(now=NOW + HOUR) == []


def test_a_run_does_not_take_its_own_leases_again(ledger: Any) -> None:
    """It has them at hand still: a second copy would have its intent refused while the first is under way."""
    stage = Stage(ledger, people(2))
    held = stage.claim(lease=1.0)
    assert stage.claim(now=NOW + HOUR) == []
    assert stage.intend(held) == {claim.id for claim in held}


def test_a_choice_of_states_takes_no_leases(ledger: Any) -> None:
    stage = Stage(ledger, people(1))
    stage.claim(lease=1.0)
    stage.next_run()
    assert stage.claim(now=NOW + HOUR, states=[State.PENDING]) == []


# Intents: “granted only to an entry that this run still holds and whose address is not suppressed.”


def test_an_intent_is_granted_to_the_holder(ledger: Any) -> None:
    stage = Stage(ledger, people(2))
    claims = stage.claim(1)
    assert stage.intend(claims) == {claims[0].id}
    assert stage.states() == [State.IN_FLIGHT, State.PENDING]
    assert stage.entry("reader00000").message_id == f"<{claims[0].id}@example.org>"


def test_an_intent_is_granted_once(ledger: Any) -> None:
    stage = Stage(ledger, people(1))
    claims = stage.claim()
    assert stage.intend(claims)
    assert stage.intend(claims) == set()
    assert stage.states() == [State.IN_FLIGHT]


def test_no_intent_for_what_was_never_claimed(ledger: Any) -> None:
    stage = Stage(ledger, people(1))
    (entry,) = ledger.entries(stage.campaign)
    granted = ledger.commit(
        run=stage.run, intents=[Intent(entry.id, "<x>"), Intent(999, "<y>")], outcomes=[], now=NOW
    )
    assert granted == set()
    assert stage.states() == [State.PENDING]


@pytest.mark.parametrize("state", sorted(FINAL | {State.IN_DOUBT, State.DEFERRED}))
def test_no_intent_for_what_has_its_outcome(ledger: Any, state: State) -> None:
    stage = Stage(ledger, people(1))
    if state is State.EXPIRED:
        claims = stage.send(State.DEFERRED)
        ledger.expire(stage.campaign, first_before=NOW + 1, now=NOW)
    elif state is State.SUPPRESSED:
        claims = stage.send(State.DEFERRED)
        ledger.reconcile(stage.campaign, active=[], now=NOW)
    else:
        claims = stage.send(state)
    assert stage.states() == [state]
    assert stage.intend(claims) == set()
    assert stage.states() == [state]


def test_the_fence_keeps_an_older_run_out(ledger: Any) -> None:
    stage = Stage(ledger, people(1))
    old = stage.claim()
    stage.next_run()
    ledger.recover(stage.campaign, run=stage.run, now=NOW)
    new = stage.claim()
    assert stage.intend(old, run=stage.run - 1) == set()
    assert stage.states() == [State.CLAIMED]
    assert stage.intend(new) == {new[0].id}


def test_suppression_is_checked_again_at_the_intent(ledger: Any, suppress: Suppress) -> None:
    stage = Stage(ledger, people(3))
    claims = stage.claim()
    suppress("reader00001@example.org", "complaint")
    assert stage.intend(claims) == {claims[0].id, claims[2].id}
    assert stage.states() == [State.IN_FLIGHT, State.SUPPRESSED, State.IN_FLIGHT]
    assert stage.entry("reader00001").reply == "complaint"
    assert stage.entry("reader00001").message_id == ""


def test_a_refused_intent_of_another_run_suppresses_nothing(
    ledger: Any, suppress: Suppress
) -> None:
    stage = Stage(ledger, people(1))
    claims = stage.claim()
    suppress("reader00000@example.org", "complaint")
    assert stage.intend(claims, run=stage.run + 7) == set()
    assert stage.states() == [State.CLAIMED]


# Outcomes: “counts only for an entry that this run holds.”


@pytest.mark.parametrize("state", sorted(FOLLOWERS[State.IN_FLIGHT]))
def test_what_is_in_flight_gets_its_outcome(ledger: Any, state: State) -> None:
    stage = Stage(ledger, people(2))
    stage.send(state, 1, reply="so it is", code=250, at=NOW + 5)
    assert stage.states() == [state, State.PENDING]
    entry = stage.entry("reader00000")
    assert (entry.reply, entry.updated_at, entry.attempts) == ("so it is", NOW + 5, 1)


@pytest.mark.parametrize("state", [State.PENDING, State.DEFERRED, State.FAILED])
def test_what_is_only_claimed_gets_its_outcome(ledger: Any, state: State) -> None:
    """The envelope was refused before the intent was durable."""
    stage = Stage(ledger, people(1))
    stage.settle(stage.claim(), state)
    assert stage.states() == [state]


def test_intent_and_outcome_may_share_a_commit(ledger: Any) -> None:
    stage = Stage(ledger, people(1))
    (claim,) = stage.claim()
    told = Outcome(id=claim.id, state=State.FAILED, at=NOW, stage="rcpt", reply="550 no")
    intents = [Intent(claim.id, "<1@example.org>")]
    assert ledger.commit(run=stage.run, intents=intents, outcomes=[told], now=NOW) == {claim.id}
    assert stage.states() == [State.FAILED]
    assert stage.entry("reader00000").message_id == "<1@example.org>"


@pytest.mark.parametrize("state", [State.ACCEPTED, State.DEFERRED, State.FAILED, State.PENDING])
def test_an_outcome_of_another_run_changes_nothing_but_is_remembered(
    ledger: Any, state: State
) -> None:
    stage = Stage(ledger, people(1))
    old = stage.claim()
    stage.next_run()
    ledger.recover(stage.campaign, run=stage.run, now=NOW)
    stage.intend(stage.claim())
    stage.settle(old, state, run=stage.run - 1, reply="250 but late")
    assert stage.states() == [State.IN_FLIGHT]
    assert [attempt.reply for attempt in ledger.attempts(stage.campaign)] == ["250 but late"]


@pytest.mark.parametrize("state", sorted(FINAL - {State.SUPPRESSED, State.EXPIRED}))
def test_a_final_state_stays(ledger: Any, state: State) -> None:
    stage = Stage(ledger, people(1))
    claims = stage.send(state)
    for other in State:
        stage.settle(claims, other, reply="too late")
    assert stage.states() == [state]
    assert stage.entry("reader00000").reply == f"it is {state}"
    assert stage.entry("reader00000").attempts == 1


@pytest.mark.parametrize("state", [State.PENDING, State.DEFERRED])
def test_what_was_given_back_is_nobodys(ledger: Any, state: State) -> None:
    stage = Stage(ledger, people(1))
    claims = stage.send(state)
    stage.settle(claims, State.ACCEPTED)
    assert stage.states() == [state]


@pytest.mark.parametrize("state", [State.ACCEPTED, State.FAILED, State.DEFERRED, State.PENDING])
def test_the_late_truth_about_a_doubt_counts(ledger: Any, state: State) -> None:
    """A sender that was frozen, declared dead, and woke up with the server's answer in its hands."""
    stage = Stage(ledger, people(1))
    claims = stage.claim()
    stage.intend(claims)
    slow = stage.run
    ledger.recover(stage.campaign, run=stage.next_run(), now=NOW)
    assert stage.states() == [State.IN_DOUBT]
    stage.settle(claims, state, run=slow, reply="the truth")
    assert stage.states() == [state]
    assert stage.entry("reader00000").reply == "the truth"


def test_a_late_doubt_adds_nothing_to_a_doubt(ledger: Any) -> None:
    stage = Stage(ledger, people(1))
    claims = stage.send(State.IN_DOUBT, reply="lost")
    stage.settle(claims, State.IN_DOUBT, reply="lost again")
    assert stage.entry("reader00000").reply == "lost"
    assert stage.entry("reader00000").attempts == 1


def test_the_late_truth_does_not_undo_a_persons_word(ledger: Any) -> None:
    stage = Stage(ledger, people(1))
    claims = stage.send(State.IN_DOUBT)
    ledger.resolve(stage.campaign, state=State.PENDING, addresses=(), now=NOW, why="resend")
    stage.settle(claims, State.ACCEPTED)
    assert stage.states() == [State.PENDING]


def test_a_deferral_keeps_its_time(ledger: Any) -> None:
    stage = Stage(ledger, people(1))
    stage.send(State.DEFERRED, next_attempt_at=NOW + 300)
    assert stage.entry("reader00000").next_attempt_at == NOW + 300
    stage.settle(stage.claim(now=NOW + 300), State.FAILED)
    assert stage.entry("reader00000").next_attempt_at is None


def test_what_is_not_charged_costs_no_attempt(ledger: Any) -> None:
    stage = Stage(ledger, people(1))
    stage.send(State.PENDING, charged=False)
    (claim,) = stage.claim()
    assert (claim.attempts, claim.first_attempt_at) == (0, None)


def test_an_outcome_may_suppress_the_address_in_the_same_transaction(ledger: Any) -> None:
    stage = Stage(ledger, [person("a"), person("b")])
    other = Stage(ledger, [person("A"), person("b")], issue=65)
    waiting = other.claim()
    stage.send(State.FAILED, 1, suppress="no such mailbox")
    assert ledger.suppression("a@example.org") == "no such mailbox"
    assert ledger.suppression("b@example.org") is None
    assert other.intend(waiting) == {waiting[1].id}


def test_the_first_reason_for_a_suppression_stays(ledger: Any, suppress: Suppress) -> None:
    suppress("a@example.org", "complaint")
    suppress("a@example.org", "no such mailbox")
    assert ledger.suppression("a@example.org") == "complaint"


def test_an_outcome_for_nobody_breaks_the_whole_commit(ledger: Any) -> None:
    stage = Stage(ledger, people(1))
    (claim,) = stage.claim()
    stray = Outcome(id=claim.id + 50, state=State.FAILED, at=NOW, stage="rcpt", reply="550")
    intents = [Intent(claim.id, "<1@example.org>")]
    with pytest.raises(LedgerError):
        ledger.commit(run=stage.run, intents=intents, outcomes=[stray], now=NOW)
    assert stage.states() == [State.CLAIMED]
    assert list(ledger.attempts(stage.campaign)) == []


def test_an_empty_commit_is_nothing(ledger: Any) -> None:
    stage = Stage(ledger, people(1))
    assert ledger.commit(run=stage.run, intents=[], outcomes=[], now=NOW) == set()


@pytest.mark.parametrize("count", [1, 50, 400])
def test_many_intents_and_outcomes_in_one_commit(ledger: Any, count: int) -> None:
    stage = Stage(ledger, people(count))
    stage.send(State.ACCEPTED, count)
    assert stage.counts.settled
    assert len(list(ledger.attempts(stage.campaign))) == count


@pytest.mark.parametrize("text", ["", "引号 ' \" \\ 与\n换行", "\u2028 \x1b[31m", "x" * 5000])
def test_replies_are_kept_word_for_word(ledger: Any, text: str) -> None:
    stage = Stage(ledger, people(1))
    stage.send(State.ACCEPTED, reply=text, message_id=text)
    assert stage.entry("reader00000").reply == text
    (attempt,) = ledger.attempts(stage.campaign)
    assert (attempt.reply, attempt.message_id) == (text, text)


# Recovery, giving back, waiting, giving up


def test_a_dead_run_leaves_doubts_and_claims(ledger: Any) -> None:
    stage = Stage(ledger, people(4))
    first = stage.claim(1)
    stage.settle(first, State.DEFERRED, next_attempt_at=NOW)
    stage.claim(2)  # the deferred one is due, and the next one
    stage.intend(stage.claim(1))
    stage.next_run()
    found = ledger.recover(stage.campaign, run=stage.run, now=NOW + 9)
    assert (found.in_doubt, found.released) == (1, 2)
    states = stage.states()
    assert sorted(states) == sorted([State.DEFERRED, State.PENDING, State.IN_DOUBT, State.PENDING])
    doubtful = stage.ledger.entries(stage.campaign, states=[State.IN_DOUBT])
    assert "died" in next(iter(doubtful)).reply
    note = list(ledger.attempts(stage.campaign))[-1]
    assert (note.stage, note.state, note.run, note.at) == (
        "recovery",
        State.IN_DOUBT,
        stage.run,
        NOW + 9,
    )
    assert note.message_id


def test_recovery_leaves_the_present_run_alone(ledger: Any) -> None:
    stage = Stage(ledger, people(3))
    stage.intend(stage.claim(1))
    stage.claim(1)
    found = ledger.recover(stage.campaign, run=stage.run, now=NOW)
    assert (found.in_doubt, found.released) == (0, 0)
    assert stage.states() == [State.IN_FLIGHT, State.CLAIMED, State.PENDING]


def test_recovery_is_done_once(ledger: Any) -> None:
    stage = Stage(ledger, people(2))
    stage.intend(stage.claim(1))
    ledger.recover(stage.campaign, run=stage.next_run(), now=NOW)
    found = ledger.recover(stage.campaign, run=stage.next_run(), now=NOW)
    assert (found.in_doubt, found.released) == (0, 0)


def test_release_gives_back_only_what_this_run_claimed(ledger: Any) -> None:
    stage = Stage(ledger, people(4))
    stage.claim(1)
    stage.next_run()
    stage.intend(stage.claim(1))
    stage.claim(1)
    assert ledger.release(stage.campaign, run=stage.run, now=NOW) == 1
    assert stage.states() == [State.CLAIMED, State.IN_FLIGHT, State.PENDING, State.PENDING]


def test_a_released_deferral_is_deferred_still(ledger: Any) -> None:
    stage = Stage(ledger, people(1))
    stage.send(State.DEFERRED, next_attempt_at=NOW + 60)
    stage.claim(now=NOW + 60)
    ledger.release(stage.campaign, run=stage.run, now=NOW + 61)
    assert stage.states() == [State.DEFERRED]
    assert stage.entry("reader00000").next_attempt_at == NOW + 60


def test_postponing_gives_back_without_a_charge(ledger: Any) -> None:
    stage = Stage(ledger, people(3))
    stage.settle(stage.claim(1), State.DEFERRED, next_attempt_at=NOW)
    held = stage.claim()
    in_flight, *others = held
    stage.intend([in_flight])
    stray = [999_999]
    ids = [claim.id for claim in held]
    ledger.postpone(ids, run=stage.run + 5, until=NOW + 1, now=NOW)
    assert sorted(stage.states()) == [State.CLAIMED, State.CLAIMED, State.IN_FLIGHT]
    ledger.postpone([*ids, *stray], run=stage.run, until=NOW + 90, now=NOW)
    assert stage.claim(now=NOW + 89) == []
    again = stage.claim(now=NOW + 90)
    assert [claim.id for claim in again] == [claim.id for claim in others]
    assert [claim.attempts for claim in again] == [claim.attempts for claim in others]


def test_expiry_is_for_what_was_first_tried_too_long_ago(ledger: Any) -> None:
    stage = Stage(ledger, people(4))
    stage.send(State.DEFERRED, 1, at=NOW - 50, next_attempt_at=NOW + 60, reply="450 busy")
    stage.send(State.DEFERRED, 1, at=NOW - 10, next_attempt_at=NOW + 60)
    stage.send(State.ACCEPTED, 1, at=NOW - 50)
    assert ledger.expire(stage.campaign, first_before=NOW - 20, now=NOW) == 1
    assert stage.states() == [State.EXPIRED, State.DEFERRED, State.ACCEPTED, State.PENDING]
    assert stage.entry("reader00000").reply == "450 busy", "why it never went"
    assert ledger.expire(stage.campaign, first_before=NOW - 20, now=NOW) == 0


def test_when_the_next_is_due(ledger: Any) -> None:
    stage = Stage(ledger, people(2))
    due = ledger.next_due(stage.campaign)
    assert due is not None
    assert due <= NOW
    first, second = stage.claim()
    assert ledger.next_due(stage.campaign) is None
    stage.settle([first], State.DEFERRED, next_attempt_at=NOW + 90)
    stage.settle([second], State.DEFERRED, next_attempt_at=NOW + 60)
    assert ledger.next_due(stage.campaign) == NOW + 60
    stage.settle(stage.claim(now=NOW + 60), State.ACCEPTED)
    assert ledger.next_due(stage.campaign) == NOW + 90
    assert ledger.next_due(stage.campaign, states=[State.PENDING]) is None
    assert ledger.next_due(stage.campaign, states=[State.DEFERRED]) == NOW + 90


# The list changes: “Suppress sendable entries whose address is not in `active` any more.”


def test_who_has_left_the_list_gets_nothing_more(ledger: Any) -> None:
    names = ["pending", "deferred", "claimed", "flying", "doubtful", "accepted", "stays"]
    stage = Stage(ledger, [person(name) for name in names])
    by_name = {claim.subscriber.address.local: claim for claim in stage.claim()}
    stage.settle([by_name["pending"], by_name["stays"]], State.PENDING, charged=False)
    stage.settle([by_name["deferred"]], State.DEFERRED, next_attempt_at=NOW + 60)
    in_flight = [by_name[name] for name in ("flying", "doubtful", "accepted")]
    stage.intend(in_flight)
    stage.settle([by_name["doubtful"]], State.IN_DOUBT)
    stage.settle([by_name["accepted"]], State.ACCEPTED)
    gone = ledger.reconcile(stage.campaign, active=[person("STAYS"), person("new")], now=NOW)
    assert gone == 2
    assert dict(zip(names, stage.states(), strict=True)) == {
        "pending": State.SUPPRESSED,
        "deferred": State.SUPPRESSED,
        "claimed": State.CLAIMED,
        "flying": State.IN_FLIGHT,
        "doubtful": State.IN_DOUBT,
        "accepted": State.ACCEPTED,
        "stays": State.PENDING,
    }
    assert "no longer" in stage.entry("pending").reply
    assert ledger.suppression("pending@example.org") is None, "it is about this campaign only"


def test_coming_back_to_the_list_revives_nothing(ledger: Any) -> None:
    stage = Stage(ledger, people(2))
    ledger.reconcile(stage.campaign, active=people(1), now=NOW)
    assert ledger.reconcile(stage.campaign, active=people(2), now=NOW) == 0
    assert stage.states() == [State.PENDING, State.SUPPRESSED]


def test_a_list_that_breaks_off_suppresses_nobody(ledger: Any) -> None:
    stage = Stage(ledger, people(3))

    def broken() -> Iterator[Subscriber]:
        yield from people(1)
        raise AudienceError("gone")

    with pytest.raises(AudienceError):
        ledger.reconcile(stage.campaign, active=broken(), now=NOW)
    assert set(stage.states()) == {State.PENDING}


# A person's word: “Settle in_doubt entries by hand: accepted, failed or pending.”


@pytest.mark.parametrize("state", [State.ACCEPTED, State.FAILED, State.PENDING])
def test_doubts_are_resolved(ledger: Any, state: State) -> None:
    stage = Stage(ledger, people(4))
    stage.send(State.IN_DOUBT, 2, message_id="<m>")
    stage.send(State.DEFERRED, 1, next_attempt_at=NOW + 60)
    count = ledger.resolve(
        stage.campaign, state=state, addresses=(), now=NOW + 5, why="Postfix's log says so"
    )
    assert count == 2
    assert stage.states() == [state, state, State.DEFERRED, State.PENDING]
    notes = [one for one in ledger.attempts(stage.campaign) if one.stage == "resolve"]
    assert [note.reply for note in notes] == ["Postfix's log says so"] * 2
    assert {note.state for note in notes} == {state}
    if state is State.PENDING:
        assert len(stage.claim(now=NOW + 5)) == 3


def test_doubts_are_resolved_by_address(ledger: Any) -> None:
    stage = Stage(ledger, [person("a"), person("b"), person("c")])
    stage.send(State.IN_DOUBT, 2)
    wanted = ["b@example.org", "c@example.org", "nobody@example.org"]
    assert (
        ledger.resolve(
            stage.campaign, state=State.ACCEPTED, addresses=wanted, now=NOW, why="asked her"
        )
        == 1
    )
    assert stage.states() == [State.IN_DOUBT, State.ACCEPTED, State.PENDING]


def test_no_doubt_no_change(ledger: Any) -> None:
    stage = Stage(ledger, people(2))
    stage.send(State.ACCEPTED, 1)
    resolved = ledger.resolve(
        stage.campaign, state=State.FAILED, addresses=(), now=NOW, why="for no reason"
    )
    assert resolved == 0
    assert stage.states() == [State.ACCEPTED, State.PENDING]


# Reports


def test_the_equation_and_what_is_settled(ledger: Any) -> None:
    stage = Stage(ledger, people(3))
    stage.send(State.ACCEPTED, 1)
    stage.send(State.FAILED, 1)
    counts = stage.counts
    assert counts.balanced
    assert not counts.settled
    assert (counts[State.ACCEPTED], counts[State.FAILED], counts[State.PENDING]) == (1, 1, 1)
    assert counts[State.EXPIRED] == 0
    stage.send(State.ACCEPTED, 1)
    assert stage.counts.settled


def test_counts_that_do_not_add_up_say_so() -> None:
    assert not Counts(3, {State.ACCEPTED: 2}).balanced
    assert not Counts(3, {State.ACCEPTED: 2, State.IN_DOUBT: 1}).settled
    assert Counts(0).balanced
    assert Counts(0).settled


def test_long_lists_come_in_pages(ledger: Any) -> None:
    stage = Stage(ledger.ledger, people(2500))  # not watched: that would take a while
    stage.send(State.ACCEPTED, 1200)
    everybody = list(ledger.ledger.entries(stage.campaign))
    assert [entry.address for entry in everybody] == [str(one.address) for one in people(2500)]
    pending = list(ledger.ledger.entries(stage.campaign, states=[State.PENDING]))
    assert len(pending) == 1300
    assert len(list(ledger.ledger.attempts(stage.campaign))) == 1200


def test_a_report_can_be_read_while_the_ledger_is_written(ledger: Any) -> None:
    stage = Stage(ledger.ledger, people(1500))
    seen = 0
    for entry in ledger.ledger.entries(stage.campaign, states=[State.PENDING]):
        if seen == 10:
            stage.send(State.ACCEPTED, 5)
        assert entry.state is State.PENDING
        seen += 1
    assert seen >= 1490


def test_entries_by_state(ledger: Any) -> None:
    stage = Stage(ledger, people(3))
    stage.send(State.FAILED, 1)
    wanted = [State.FAILED, State.ACCEPTED]
    assert [e.state for e in ledger.entries(stage.campaign, states=wanted)] == [State.FAILED]
    assert list(ledger.entries(stage.campaign, states=[State.EXPIRED])) == []


def test_an_entry_by_address(ledger: Any) -> None:
    stage = Stage(ledger, [person("用户@bücher.example", name="王"), person("b")])
    found = ledger.entry(stage.campaign, "用户@xn--bcher-kva.example")
    assert found is not None
    assert (found.name, found.address) == ("王", "用户@bücher.example")
    assert ledger.entry(stage.campaign, "nobody@example.org") is None


def test_the_history_is_append_only_and_oldest_first(ledger: Any) -> None:
    stage = Stage(ledger, [person("a"), person("b")])
    stage.send(State.DEFERRED, reply="450 later", code=450, seconds=0.12344, next_attempt_at=NOW)
    stage.send(State.ACCEPTED, reply="250 queued", code=250, message_id="<m@example.org>")
    history = list(ledger.attempts(stage.campaign))
    assert [(one.address, one.reply) for one in history] == [
        ("a@example.org", "450 later"),
        ("b@example.org", "450 later"),
        ("a@example.org", "250 queued"),
        ("b@example.org", "250 queued"),
    ]
    assert (history[0].code, history[0].stage, history[0].run) == (450, "dot", stage.run)
    assert history[0].seconds == 0.1234
    assert history[2].message_id == "<m@example.org>"
    accepted = list(ledger.attempts(stage.campaign, states=[State.ACCEPTED]))
    assert [one.address for one in accepted] == ["a@example.org", "b@example.org"]
    hers = list(ledger.attempts(stage.campaign, address="b@example.org"))
    assert [one.reply for one in hers] == ["450 later", "250 queued"]
    assert list(ledger.attempts(stage.campaign, address="nobody@example.org")) == []


def test_accepted_messages_are_counted_by_day(ledger: Any) -> None:
    stage = Stage(ledger, people(5))
    stage.send(State.ACCEPTED, 2, at=NOW)
    stage.send(State.ACCEPTED, 1, at=NOW + 86_400)
    stage.send(State.FAILED, 1, at=NOW)
    other = Stage(ledger, people(1), issue=65)
    other.send(State.ACCEPTED, at=NOW)
    assert ledger.accepted_by_day() == {"2023-11-14": 3, "2023-11-15": 1}


# The picture itself


def test_every_state_has_its_arrows() -> None:
    assert set(FOLLOWERS) == set(State)
    assert all(not FOLLOWERS[state] for state in FINAL)
    assert all(State.CLAIMED in FOLLOWERS[state] for state in SENDABLE)
    reachable = {State.PENDING}
    while more := {new for old in reachable for new in FOLLOWERS[old]} - reachable:
        reachable |= more
    assert reachable == set(State)
