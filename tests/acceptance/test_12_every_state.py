"""Every state of an entry is shown, explained and, where a person must decide, settled from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing

import pytest
from story import Desk, Mail

from newsletter.delivery.ledger import Intent, Outcome
from newsletter.delivery.states import State
from newsletter.mailing import Intake
from newsletter.membership import open_membership
from newsletter.project import Project

MEANINGS = {
    State.PENDING: "waits for the next send",
    State.CLAIMED: "a run has it in hand",
    State.IN_FLIGHT: "its body is on the way",
    State.ACCEPTED: "the relay has taken responsibility",
    State.DEFERRED: "refused for now",
    State.FAILED: "refused for good",
    State.IN_DOUBT: "its fate is unknown",
    State.SUPPRESSED: "not to be mailed",
    State.EXPIRED: "tried for too long",
}
SETTLED = {
    State.ACCEPTED: ("dot", 250, "250 2.0.0 queued as 4A"),
    State.DEFERRED: ("rcpt", 451, "451 4.7.1 greylisted"),
    State.FAILED: ("rcpt", 550, "550 5.1.1 no such user"),
    State.IN_DOUBT: ("dot", None, "the connection was lost"),
}


@pytest.fixture
def states(desk: Desk) -> Iterator[dict[State, str]]:
    """A ledger that has an entry in each of the nine states; the address of the first one in each."""
    project = Project.open(desk.root, environ=desk.variables)
    people = list(Intake(project))
    now = 1_700_000_000.0
    with open_membership(project) as club:
        club.leave(club.identify(people[0]), source="a test", address=people[0].address.key)
    with closing(project.ledger()) as ledger:
        # The digest of no edition: these stories look and decide, and do not send.
        campaign = ledger.plan(64, digest="0" * 64, subscribers=people, now=now)
        run = ledger.begin_run(campaign, now=now)
        claims = ledger.claim(campaign, run=run, limit=7, now=now, lease=1e9)
        expiring = claims[6]
        ledger.commit(
            run=run,
            intents=[Intent(claim.id, f"<{claim.id}@x>") for claim in claims[1:]],
            outcomes=[],
            now=now,
        )
        kinds = [*SETTLED, State.DEFERRED]
        outcomes = [
            Outcome(
                id=claim.id,
                state=state,
                at=now if claim is expiring else now + 5000,
                stage=SETTLED[state][0],
                code=SETTLED[state][1],
                reply=SETTLED[state][2],
                message_id=f"<{claim.id}@x>",
                next_attempt_at=4e9 if state is State.DEFERRED else None,
            )
            for claim, state in zip(claims[2:], kinds, strict=True)
        ]
        ledger.commit(run=run, intents=[], outcomes=outcomes, now=now)
        ledger.expire(campaign, first_before=now + 1000, now=now + 6000)
        yield {state: next(ledger.entries(campaign, states=[state])).address for state in State}


def test_status_counts_every_state_and_the_equation(desk: Desk, states: dict[State, str]) -> None:
    done = desk.run("status", "64", "--json")
    assert done.code == 75
    told = json.loads(done.out)
    assert told["issue"] == 64
    assert list(told["states"]) == [state.value for state in State]
    assert all(told["states"].values())
    assert told["planned"] == sum(told["states"].values()) == 11
    shown = desk.run("status", "64")
    assert shown.code == 75
    assert "11  planned = the sum of all states" in shown.out
    for state in (State.IN_DOUBT, State.DEFERRED, State.FAILED):
        assert f"{state}: {states[state]}" in shown.out
    assert "next: newsletter resolve 64 --sent|--failed|--resend" in shown.out


@pytest.mark.parametrize("state", list(State))
def test_explain_says_what_each_means(desk: Desk, states: dict[State, str], state: State) -> None:
    done = desk.run("explain", "64", states[state])
    assert done.code == 0
    assert f"ledger: {state}, {MEANINGS[state]}" in done.out
    if state in SETTLED:
        assert SETTLED[state][2] in done.out
    if state is State.SUPPRESSED:
        assert "suppressed: unsubscribed" in done.out


def test_log_tells_attempts_by_state(desk: Desk, states: dict[State, str]) -> None:
    every = [json.loads(line) for line in desk.run("log", "64", "--json").out.splitlines()]
    assert len(every) == 5
    assert {"at", "address", "message_id", "stage", "reply", "state"} <= every[0].keys()
    failed = desk.run("log", "64", "--state", "failed")
    assert failed.out.count("\n") == 1
    assert states[State.FAILED] in failed.out
    assert "550 5.1.1 no such user" in failed.out


@pytest.mark.parametrize(
    ("word", "becomes", "after"),
    [
        ("--sent", State.ACCEPTED, "next: newsletter status 64"),
        ("--failed", State.FAILED, "next: newsletter status 64"),
        ("--resend", State.PENDING, "next: newsletter send 64"),
    ],
)
def test_resolve_settles_a_doubt(
    desk: Desk, states: dict[State, str], word: str, becomes: State, after: str
) -> None:
    address = states[State.IN_DOUBT]
    done = desk.run("resolve", "64", word, address)
    assert done.code == 75  # others still wait
    assert f"1 resolved as {word.removeprefix('--')}" in done.out
    assert after in done.out
    assert f"ledger: {becomes}" in desk.run("explain", "64", address).out
    counts = json.loads(desk.run("status", "64", "--json").out)
    assert counts["planned"] == sum(counts["states"].values())


def test_resolve_touches_nothing_that_is_not_in_doubt(desk: Desk, states: dict[State, str]) -> None:
    for address in (states[State.ACCEPTED], "stranger@example.com"):
        done = desk.run("resolve", "64", "--resend", states[State.IN_DOUBT], address)
        assert done.code == 2
        assert f"{address} is not in doubt" in done.err
    assert desk.run("resolve", "64").code == 2
    assert desk.run("resolve", "65", "--sent").code == 2
    assert json.loads(desk.run("status", "64", "--json").out)["states"]["in_doubt"] == 1


def test_what_a_dead_run_left_is_found_and_resent_by_choice(desk: Desk, mail: Mail) -> None:
    """A send whose process died after the intent: held by default, sent again only when told so."""
    assert desk.run("send", "64", "--yes", "--limit", "1", NEWSLETTER_RELAY=mail.url).code == 75
    project = Project.open(desk.root, environ=desk.variables)
    with closing(project.ledger()) as ledger:
        campaign = ledger.campaign(64)
        assert campaign is not None
        run = ledger.begin_run(campaign, now=1.0)
        claim = ledger.claim(campaign, run=run, limit=1, now=2e9, lease=1e9)[0]
        ledger.commit(run=run, intents=[Intent(claim.id, "<dead@x>")], outcomes=[], now=2.0)
        lost = claim.subscriber.address.envelope
    held = desk.run("send", "64", "--yes", NEWSLETTER_RELAY=mail.url)
    assert held.code == 75
    assert f"in doubt: {claim.subscriber.address}" in held.err
    assert lost not in mail.recipients()
    resent = desk.run("send", "64", "--yes", "--in-doubt", "resend", NEWSLETTER_RELAY=mail.url)
    assert resent.code == 0
    assert lost in mail.recipients()
    assert len(mail.recipients()) == 11
