"""Whole runs against the scripted server: every answer ends in its state, whatever ends the run leaves no loose end."""

from __future__ import annotations

import asyncio
import hashlib
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from scripted import DROP, Act, Answer, Script, ScriptedServer, reply
from sender_stage import QUICK_RETRY, Ended, compose, play, reader, readers

from newsletter.audience.register import Origin
from newsletter.delivery import sender as module
from newsletter.delivery.ledger import Claim, Intent, Outcome
from newsletter.delivery.options import Tally
from newsletter.delivery.sender import Sender
from newsletter.delivery.states import State
from newsletter.errors import ComposeError, LedgerError, RelayError, RelayRefused
from newsletter.mail.message import Message
from newsletter.storage.sqlite.register import SqliteRegister


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BACK_OFF", 0.02)


def always(answer: Answer) -> Any:
    return lambda use, argument: answer


def for_reader(number: int, answer: Answer) -> Any:
    """This answer whenever that reader is meant."""
    return lambda use, argument: answer if f"r{number}@" in argument else None


# Every answer in its state


@pytest.mark.parametrize("connections", [1, 4])
@pytest.mark.parametrize("extensions", [("PIPELINING",), ()], ids=["pipelined", "stepwise"])
def test_everybody_gets_it(tmp_path: Path, connections: int, extensions: tuple[str, ...]) -> None:
    script = Script(extensions=extensions)
    ended = play(script, readers(60), tmp_path, connections=connections)
    assert ended.counts.settled
    assert ended.counts[State.ACCEPTED] == 60
    assert ended.tally.outcomes == {State.ACCEPTED: 60}
    assert ended.tally.stopped is None
    assert sorted(ended.server.recipients) == sorted(f"r{n}@example.net" for n in range(60))
    assert 1 <= ended.server.connections <= connections


def test_an_acceptance_is_kept_with_its_words(tmp_path: Path) -> None:
    ended = play(Script({".": ["250 2.0.0 queued as 4F3A"]}), readers(1), tmp_path)
    (entry,), (attempt,), (line,) = ended.entries, ended.attempts, ended.log
    assert entry.reply == "250 2.0.0 queued as 4F3A"
    assert (attempt.code, attempt.stage, attempt.run) == (250, "dot", 1)
    assert line["reply"] == "250 2.0.0 queued as 4F3A"
    assert line["address"] == "r0@example.net"
    assert entry.message_id == attempt.message_id == line["message_id"] != ""


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "."])
def test_refused_for_now(tmp_path: Path, command: str) -> None:
    before = time.time()
    ended = play(Script({command: ["451 4.3.0 later"]}), readers(3), tmp_path, connections=1)
    assert ended.states == {State.DEFERRED: 1, State.ACCEPTED: 2}
    (deferred,) = [entry for entry in ended.entries if entry.state is State.DEFERRED]
    assert deferred.attempts == 1
    assert deferred.next_attempt_at is not None
    assert before + 300 <= deferred.next_attempt_at <= time.time() + 330


@pytest.mark.parametrize("command", ["RCPT", "DATA", "."])
@pytest.mark.parametrize(
    ("text", "state", "suppressed"),
    [
        ("550 5.1.1 no such user", State.FAILED, "no such mailbox"),
        ("552 5.2.2 mailbox full", State.FAILED, None),
        ("550 5.7.1 blocked", State.DEFERRED, None),
        ("550 Connection frequency limited", State.DEFERRED, None),
    ],
)
def test_refused_for_good(
    tmp_path: Path, command: str, text: str, state: State, suppressed: str | None
) -> None:
    people = [*readers(2), *readers(3, "other.example")]
    ended = play(Script({command: [text]}), people, tmp_path, connections=1)
    assert ended.entries[0].state is state
    assert ended.entries[0].reply == text
    assert ended.suppressed["r0@example.net"] == suppressed
    assert ended.of(State.ACCEPTED)[-3:] == [f"r{n}@other.example" for n in range(3)]


def test_a_refusal_about_us_pauses_that_domain_only(tmp_path: Path) -> None:
    people = [*readers(5), *readers(5, "other.example")]
    busy = lambda use, argument: "450 4.7.1 rate limited" if "example.net" in argument else None  # noqa: E731
    ended = play(Script({"RCPT": busy}), people, tmp_path, connections=1)
    assert ended.counts[State.ACCEPTED] == 5
    assert all("other.example" in address for address in ended.of(State.ACCEPTED))
    asked = [line for line in ended.server.commands if "RCPT" in line and "example.net" in line]
    assert len(asked) <= 2, "one, and perhaps one more in the pipeline"
    assert ended.counts[State.PENDING] >= 3
    assert all(entry.attempts == 0 for entry in ended.entries if entry.state is State.PENDING)


def test_an_address_that_needs_smtputf8_fails_alone(tmp_path: Path) -> None:
    people = [reader("r0@example.net"), reader("用户@example.net"), reader("r2@example.net")]
    ended = play(Script(extensions=("PIPELINING",)), people, tmp_path)
    assert ended.of(State.FAILED) == ["用户@example.net"]
    assert ended.counts[State.ACCEPTED] == 2
    assert ended.suppressed["用户@example.net"] is None


@pytest.mark.parametrize("takes", [True, False])
def test_lost_after_the_dot(tmp_path: Path, takes: bool) -> None:
    script = Script({".": [Act(close=True, takes=takes)]})
    ended = play(script, readers(8), tmp_path)
    assert ended.states == {State.IN_DOUBT: 1, State.ACCEPTED: 7}
    assert len(ended.server.received) == 7 + takes
    again = play(Script(), readers(8), tmp_path)
    assert again.server.received == [], "nobody is resent by itself"
    assert again.states == ended.states


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_lost_before_the_body(tmp_path: Path, command: str) -> None:
    ended = play(Script({command: [None, DROP]}), readers(8), tmp_path, connections=1)
    assert ended.counts[State.IN_DOUBT] == 0
    assert ended.counts[State.ACCEPTED] + ended.counts[State.DEFERRED] == 8
    assert ended.counts[State.DEFERRED] == 1


def test_421_is_followed_by_a_new_connection(tmp_path: Path) -> None:
    script = Script({".": [None, None, reply("421 4.3.2 bye", close=True)]})
    ended = play(script, readers(9, "example.net"), tmp_path, connections=1, window=0.0)
    assert ended.server.connections >= 1
    assert ended.counts[State.DEFERRED] == 1
    assert ended.counts[State.ACCEPTED] + ended.counts[State.PENDING] == 8


def test_a_connection_carries_no_more_than_its_share(tmp_path: Path) -> None:
    ended = play(Script(), readers(25), tmp_path, connections=1, messages_per_connection=10)
    assert ended.counts[State.ACCEPTED] == 25
    per_connection = [0, 0, 0]
    for message in ended.server.received:
        per_connection[message.connection] += 1
    assert per_connection == [10, 10, 5]


def test_a_limited_run(tmp_path: Path) -> None:
    ended = play(Script(), readers(20), tmp_path, limit=7)
    assert ended.states == {State.ACCEPTED: 7, State.PENDING: 13}
    rest = play(Script(), readers(20), tmp_path)
    assert rest.counts.settled


def test_only_some_states(tmp_path: Path) -> None:
    play(Script({"RCPT": ["450 later"]}), readers(4), tmp_path, limit=2, connections=1)
    ended = play(Script(), readers(4), tmp_path, states=[State.PENDING])
    assert ended.states == {State.DEFERRED: 1, State.ACCEPTED: 3}


# Patience


def test_greylisting_is_overcome_in_one_run(tmp_path: Path) -> None:
    seen: set[str] = set()

    def greylist(use: int, argument: str) -> Answer:
        known = argument in seen
        seen.add(argument)
        return None if known else "450 4.2.0 greylisted"

    ended = play(Script({"RCPT": greylist}), readers(12), tmp_path, window=20.0, retry=QUICK_RETRY)
    assert ended.counts[State.ACCEPTED] == 12
    assert [entry.attempts for entry in ended.entries] == [2] * 12
    assert len(ended.attempts) == 24


@pytest.mark.parametrize("answer", [DROP, "421 4.3.2 starting up", "554 5.3.2 go away"])
def test_a_relay_that_comes_up_late(tmp_path: Path, answer: Answer) -> None:
    script = Script({"CONNECT": [answer] * 4})
    ended = play(script, readers(5), tmp_path, window=20.0)
    if answer == "554 5.3.2 go away":
        assert isinstance(ended.tally.stopped, RelayRefused)
        assert ended.states == {State.PENDING: 5}
    else:
        assert ended.counts[State.ACCEPTED] == 5
        assert {entry.attempts for entry in ended.entries} == {1}, "nobody is charged for it"


# What ends a run early


@pytest.mark.parametrize(
    ("plans", "exit_code"),
    [
        ({"CONNECT": always(DROP)}, 75),
        ({"CONNECT": always("421 4.3.2 busy")}, 75),
        ({"CONNECT": always("554 5.3.2 no service")}, 1),
        ({"EHLO": always("421 4.3.2 busy")}, 75),
    ],
)
def test_a_relay_that_will_not_have_us(
    tmp_path: Path, plans: dict[str, Any], exit_code: int
) -> None:
    ended = play(Script(plans), readers(5), tmp_path)
    assert ended.states == {State.PENDING: 5}
    assert isinstance(ended.tally.stopped, RelayError)
    assert ended.tally.stopped.exit_code == exit_code
    assert ended.attempts == []
    assert {entry.attempts for entry in ended.entries} == {0}


@pytest.mark.parametrize(
    "plans",
    [
        {"MAIL": always(DROP)},
        {"RCPT": always(DROP)},
        {"EHLO": always(reply("250 hello", close=True))},
    ],
    ids=["at MAIL", "at RCPT", "after EHLO"],
)
def test_connections_that_bear_no_fruit_are_not_tried_forever(
    tmp_path: Path, plans: dict[str, Any]
) -> None:
    ended = play(Script(plans), readers(300), tmp_path, connections=2)
    assert isinstance(ended.tally.stopped, RelayError)
    assert ended.server.connections < 20
    assert ended.counts[State.PENDING] > 250
    assert ended.counts[State.IN_DOUBT] == 0


@pytest.mark.parametrize(
    ("plans", "state"),
    [
        ({"MAIL": always("550 5.1.0 no")}, State.FAILED),
        ({"MAIL": always("550 5.7.1 not yours")}, State.DEFERRED),
        ({".": always("554 5.6.0 no")}, State.FAILED),
        ({"RCPT": lambda use, a: f"554 5.7.1 {a[3:]}: Relay access denied"}, State.DEFERRED),
    ],
    ids=["sender", "sender by policy", "content", "relaying"],
)
def test_three_identical_refusals_stop_the_run(
    tmp_path: Path, plans: dict[str, Any], state: State
) -> None:
    people = [reader(f"a@d{number}.example") for number in range(50)]
    ended = play(Script(plans), people, tmp_path, connections=2)
    assert isinstance(ended.tally.stopped, RelayRefused)
    assert 3 <= ended.counts[state] <= 3 + 4, "those under way get their answer"
    assert ended.counts[State.PENDING] >= 43
    assert ended.suppressed == dict.fromkeys(ended.suppressed)


def test_too_many_doubts_stop_the_run(tmp_path: Path) -> None:
    script = Script({".": always(Act(close=True, takes=True))})
    ended = play(script, readers(200), tmp_path, connections=2)
    assert isinstance(ended.tally.stopped, RelayError)
    assert 21 <= ended.counts[State.IN_DOUBT] <= 24
    assert len(ended.server.received) == ended.counts[State.IN_DOUBT]


def test_a_list_of_dead_addresses_stops_the_run(tmp_path: Path) -> None:
    dead = lambda use, argument: "550 5.1.1 unknown" if use % 5 == 0 else None  # noqa: E731
    ended = play(Script({"RCPT": dead}), readers(400), tmp_path, connections=2)
    assert isinstance(ended.tally.stopped, RelayRefused)
    assert 200 <= ended.counts[State.FAILED] + ended.counts[State.ACCEPTED] <= 206


@pytest.mark.parametrize("error", [ComposeError("no such field"), KeyError("city")])
@pytest.mark.parametrize("at", [0, 7])
def test_a_message_that_cannot_be_composed(tmp_path: Path, error: Exception, at: int) -> None:
    def broken(claim: Claim) -> Message:
        if claim.subscriber.address.local == f"r{at}":
            raise error
        return compose(claim)

    ended = play(Script(), readers(20), tmp_path, make=broken, connections=1)
    assert ended.tally.stopped is not None
    assert str(error.args[0]) in str(ended.tally.stopped)
    assert ended.counts[State.ACCEPTED] == at
    assert ended.counts[State.PENDING] == 20 - at


# Signals


def test_a_drained_run_finishes_what_is_under_way(tmp_path: Path) -> None:
    async def drive(sender: Sender, server: ScriptedServer) -> Tally:
        task = asyncio.create_task(sender.run())
        while len(server.received) < 10:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        sender.drain()
        return await task

    ended = play(Script(), readers(3000), tmp_path, drive=drive)
    assert ended.tally.interrupted
    assert ended.counts[State.IN_DOUBT] == 0
    assert ended.counts[State.ACCEPTED] == len(ended.server.received)
    assert ended.counts[State.PENDING] > 2000
    assert ended.server.uses["QUIT"] == 2


@pytest.mark.parametrize("connections", [1, 3])
def test_an_aborted_run_leaves_doubts_and_no_lies(tmp_path: Path, connections: int) -> None:
    async def drive(sender: Sender, server: ScriptedServer) -> Tally:
        task = asyncio.create_task(sender.run())
        while server.uses["."] < 10 + connections:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        sender.abort()
        return await task

    def dot(use: int, argument: str) -> Answer:
        return None if use < 10 else Act(hang=True, takes=True)

    ended = play(Script({".": dot}), readers(100), tmp_path, drive=drive, connections=connections)
    assert ended.counts[State.ACCEPTED] == 10
    assert ended.counts[State.IN_DOUBT] == connections
    assert ended.counts[State.PENDING] == 90 - connections


@pytest.mark.parametrize("moment", ["connecting", "sending"])
def test_a_cancelled_run_is_as_safe(tmp_path: Path, moment: str) -> None:
    async def drive(sender: Sender, server: ScriptedServer) -> Tally:
        task = asyncio.create_task(sender.run())
        wanted = "EHLO" if moment == "connecting" else "."
        while server.uses[wanted] < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return sender.tally

    hanging = "EHLO" if moment == "connecting" else "."
    script = Script({hanging: always(Act(hang=True, takes=True))})
    ended = play(script, readers(20), tmp_path, drive=drive)
    assert ended.counts[State.IN_DOUBT] == (0 if moment == "connecting" else 2)
    assert ended.counts[State.PENDING] == 20 - ended.counts[State.IN_DOUBT]


def test_draining_while_waiting_for_the_relay(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "MAX_BACK_OFF", 3600.0)

    async def drive(sender: Sender, server: ScriptedServer) -> Tally:
        task = asyncio.create_task(sender.run())
        while server.uses["CONNECT"] < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        sender.drain()
        return await task

    script = Script({"CONNECT": always(DROP)})
    ended = play(script, readers(3), tmp_path, drive=drive, window=7200.0)
    assert ended.states == {State.PENDING: 3}


# The ledger


class Meddled:
    """A ledger with something happening in it at the n-th commit of intents."""

    def __init__(self, ledger: Any, *, at: int, happens: Any) -> None:
        self._ledger = ledger
        self._left = at
        self._happens = happens
        self.granted: set[int] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def commit(
        self, *, run: int, intents: list[Intent], outcomes: list[Outcome], now: float
    ) -> set[int]:
        self._left -= bool(intents)
        if self._left < 0:
            self._happens(self._ledger, intents)
        granted: set[int] = self._ledger.commit(
            run=run, intents=intents, outcomes=outcomes, now=now
        )
        return granted


@pytest.mark.parametrize("at", [0, 1, 5])
def test_a_failing_ledger_stops_the_run(tmp_path: Path, at: int) -> None:
    def fails(ledger: Any, intents: Any) -> None:
        raise LedgerError("the disk is full; nothing more is sent")

    ended = play(
        Script(),
        readers(300),
        tmp_path,
        wrap=lambda ledger: Meddled(ledger, at=at, happens=fails),
        ledger_failed=True,
    )
    assert isinstance(ended.tally.stopped, LedgerError)
    assert "disk is full" in str(ended.tally.stopped)
    on_record = {*ended.of(State.ACCEPTED), *ended.of(State.IN_FLIGHT), *ended.of(State.IN_DOUBT)}
    assert set(ended.server.recipients) <= on_record, "nothing went out without its intent"
    again = play(Script(), readers(300), tmp_path)
    doubts = again.counts[State.IN_DOUBT]
    assert again.counts[State.ACCEPTED] + doubts == 300
    assert not {*ended.server.recipients} & {*again.server.recipients}, "nobody twice"


def test_who_unsubscribes_meanwhile_gets_nothing(tmp_path: Path) -> None:
    left: list[str] = []

    def suppress(ledger: Any, intents: list[Intent]) -> None:
        if not left:
            campaign = ledger.campaign(64)
            chosen = {intent.id for intent in intents}
            entry = next(one for one in ledger.entries(campaign) if one.id in chosen)
            left.append(entry.address)
            who = hashlib.sha256(entry.address.encode()).digest()[:10]
            with closing(SqliteRegister(ledger.path, identify=lambda _: who)) as register:
                register.leave(who, Origin(at=2.0, source="a test"), address=entry.address)

    ended = play(
        Script(),
        readers(40),
        tmp_path,
        wrap=lambda ledger: Meddled(ledger, at=3, happens=suppress),
    )
    assert ended.of(State.SUPPRESSED) == left
    assert ended.counts[State.ACCEPTED] == 39
    assert not {*left} & {*ended.server.recipients}
    assert len(ended.attempts) == 39, "a refused intent is no attempt"
    assert ended.tally.outcomes == {State.ACCEPTED: 39}
    assert ended.tally.stopped is None


def test_a_lease_that_runs_out_in_our_own_hands_sends_nobody_twice(tmp_path: Path) -> None:
    ended = play(Script(), readers(400), tmp_path, lease=0.0, connections=3)
    assert ended.counts[State.ACCEPTED] == 400


def test_a_run_without_work_does_nothing(tmp_path: Path) -> None:
    play(Script(), readers(3), tmp_path)
    ended: Ended = play(Script(), readers(3), tmp_path)
    assert ended.server.connections == 0
    assert ended.tally.outcomes == {}
