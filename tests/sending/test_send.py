"""One send from a project: plan or resume, recover, run, account for everybody."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from scripted import Act, Script, ScriptedServer
from sending_stage import SECRET, Clock, mailing_of, run, states_of
from small_publication import CONFIG, ISSUE, write_list, write_publication

from newsletter.delivery import sender as sender_module
from newsletter.delivery.ledger import Intent
from newsletter.delivery.lock import run_lock
from newsletter.delivery.states import State
from newsletter.errors import AudienceError, EditionChanged, LedgerError, RunLocked, UsageError
from newsletter.project import Project
from newsletter.sending import (
    LOCK_NAME,
    existing_ledger,
    require_campaign,
    send_test,
)
from newsletter.transport.relay import Relay, Security
from newsletter.transport.smtp import SmtpTransport

HOUR = 3600.0


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "MAX_BACK_OFF", 0.02)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_publication(tmp_path / "weekly", 10)


# Sending, and sending again


def test_a_first_send(root: Path) -> None:
    report, server = run(root)
    assert report.fresh
    assert report.counts.settled
    assert report.counts[State.ACCEPTED] == report.campaign.planned == 10
    assert report.tally is not None
    assert report.names_in_doubt == ()
    assert report.next_due is None
    assert report.log == root / ".newsletter" / "log" / "001.jsonl"
    assert len(report.log.read_text(encoding="utf-8").splitlines()) == 10
    assert len(server.received) == 10


def test_sending_twice_is_harmless(root: Path) -> None:
    run(root)
    report, server = run(root)
    assert not report.fresh
    assert report.tally is None
    assert report.counts.settled
    assert server.connections == 0


def test_the_bytes_are_those_of_the_mailing(root: Path) -> None:
    _, server = run(root)
    mailing = mailing_of(root)
    wanted = {
        choice.recipient.address.envelope: mailing.message(choice.recipient).data
        for choice in mailing.project.choices()
        if choice.recipient
    }
    assert {one.recipient: one.data for one in server.received} == wanted


def test_a_stopped_send_goes_on_where_it_stopped(root: Path) -> None:
    first, one = run(root, options={"limit": 4})
    assert first.counts[State.ACCEPTED] == 4
    assert not first.counts.settled
    second, other = run(root)
    assert second.counts.settled
    assert sorted(one.recipients + other.recipients) == sorted(
        f"reader{number}@example.net" for number in range(10)
    )


def test_deferred_entries_wait_for_their_time(root: Path) -> None:
    clock = Clock()
    report, _ = run(root, Script({"RCPT": ["450 4.2.0 later"]}), clock=clock)
    assert report.counts[State.DEFERRED] == 1
    assert report.next_due is not None
    assert clock.now + 300 <= report.next_due <= clock.now + 330
    clock.now += 60
    early, server = run(root, clock=clock)
    assert early.counts[State.DEFERRED] == 1
    assert server.received == []
    clock.now += 300
    late, _ = run(root, clock=clock)
    assert late.counts.settled


def test_after_two_days_they_expire(root: Path) -> None:
    clock = Clock()
    run(root, Script({"RCPT": ["450 4.2.0 later"]}), clock=clock)
    clock.now += 47 * HOUR
    run(root, Script({"RCPT": lambda use, argument: "450 4.2.0 later"}), clock=clock)
    clock.now += 2 * HOUR
    report, server = run(root, clock=clock)
    assert report.counts[State.EXPIRED] == 1
    assert report.counts.settled
    assert server.connections == 0


def test_a_mailbox_that_is_full_for_issues_in_a_row_is_left_alone(root: Path) -> None:
    clock = Clock()

    def full(use: int, argument: str) -> str | None:
        return "552 5.2.2 the mailbox is full" if "reader3@" in argument else None

    told = []
    for issue in (1, 2, 3, 4):
        source = ISSUE.replace("number: 1", f"number: {issue}")
        (root / f"content/{issue:03d}.yaml").write_text(source)
        report, server = run(root, Script({"RCPT": full}), clock=clock, issue=issue)
        told.append((report.worn_out, report.counts[State.FAILED], len(server.received)))
        clock.now += 7 * 24 * HOUR
    assert told == [(0, 1, 9), (0, 1, 9), (1, 1, 9), (0, 0, 9)]
    with closing(Project.open(root, environ=SECRET).ledger()) as ledger:
        assert ledger.suppression("reader3@example.net") == "mailbox full, 3 issues in a row"
        assert ledger.suppression("reader4@example.net") is None


def test_a_clock_that_jumps_backwards_loses_nobody(root: Path) -> None:
    clock = Clock()
    run(root, Script({"RCPT": ["450 4.2.0 later"]}), clock=clock)
    clock.now -= 10_000_000
    report, _ = run(root, clock=clock)
    assert report.counts.balanced
    assert report.counts[State.DEFERRED] == 1
    clock.now += 10_000_400
    assert run(root, clock=clock)[0].counts.settled


# The edition


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("content/001.yaml", "Hello.", "Good bye."),
        ("content/001.yaml", "A short one", "Another title"),
        ("templates/issue.txt.j2", "Dear", "Hi"),
        ("newsletter.yaml", "Small Weekly", "Large Weekly"),
        ("newsletter.yaml", "weekly.example.org", "elsewhere.example.org"),
    ],
)
def test_a_changed_edition_is_not_sent_to_the_rest(
    root: Path, file: str, old: str, new: str
) -> None:
    run(root, options={"limit": 4})
    path = root / file
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(EditionChanged, match="--accept-changed") as caught:
        run(root)
    assert caught.value.exit_code == 1
    assert states_of(root).count(State.PENDING) == 6
    report, server = run(root, accept_changed=True)
    assert report.counts.settled
    assert len(server.received) == 6
    assert run(root)[0].tally is None, "and from then on it is the edition"


def test_what_has_gone_out_may_be_edited(root: Path) -> None:
    run(root)
    (root / "content/001.yaml").write_text(ISSUE.replace("Hello", "Hello again"), encoding="utf-8")
    report, server = run(root)
    assert report.counts.settled
    assert server.connections == 0


# The list


def test_who_left_the_list_gets_nothing_and_who_came_waits_for_the_next_issue(root: Path) -> None:
    run(root, options={"limit": 4})
    write_list(root, [f"reader{number}@example.net" for number in (0, 1, 2, 3, 4, 5, 99)])
    report, server = run(root)
    assert report.left == 4
    assert report.counts[State.SUPPRESSED] == 4
    assert report.campaign.planned == 10
    assert sorted(server.recipients) == ["reader4@example.net", "reader5@example.net"]


@pytest.mark.parametrize("how", ["claimed", "in doubt"])
def test_who_left_while_a_run_lay_dead_gets_nothing_either(root: Path, how: str) -> None:
    """What the recovery gives back, or a resend, must not slip past the list."""
    _die(root, bodies=0 if how == "claimed" else 10)
    write_list(root, [f"reader{number}@example.net" for number in range(3)])
    report, server = run(root, resend_in_doubt=True)
    assert report.left == 7
    assert sorted(server.recipients) == [f"reader{number}@example.net" for number in range(3)]


def _die(root: Path, *, bodies: int) -> None:
    """Leave what a killed sender leaves: ten claims, and intents for some of them."""
    mailing = mailing_of(root)
    people = [choice.recipient for choice in mailing.project.choices() if choice.recipient]
    with closing(mailing.project.ledger()) as ledger:
        campaign = ledger.plan(1, digest=mailing.digest, subscribers=people, now=1.0)
        number = ledger.begin_run(campaign, now=1.0)
        claims = ledger.claim(campaign, run=number, limit=10, now=1.0, lease=900.0)
        intents = [Intent(claim.id, f"<{claim.id}>") for claim in claims[:bodies]]
        ledger.commit(run=number, intents=intents, outcomes=[], now=1.0)


def test_an_empty_list_sends_to_nobody_and_plans_nothing(root: Path) -> None:
    write_list(root, [])
    with pytest.raises(AudienceError, match="nobody"):
        run(root)
    with closing(Project.open(root, environ=SECRET).ledger()) as ledger:
        assert ledger.campaign(1) is None
    write_list(root, ["reader0@example.net"])
    assert run(root)[0].counts.settled


def test_bad_rows_and_duplicates_are_told(root: Path) -> None:
    rows = (
        "email,name,status\na@example.net,A,active\nnonsense,B,active\nA@example.net,again,active\n"
    )
    rows += "c@example.net,C,unsubscribed\n"
    (root / "subscribers.csv").write_text(rows, encoding="utf-8")
    report, server = run(root)
    assert server.recipients == ["a@example.net"]
    assert report.intake.left_out == {"bad_row": 1, "unsubscribed": 1}
    assert report.intake.active == 2
    assert len(report.intake.problems) == 1
    assert "subscribers.csv:3" in str(report.intake.problems[0])


# After a crash


def test_a_dead_run_leaves_doubts_by_name(root: Path) -> None:
    _die(root, bodies=3)
    report, server = run(root)
    assert (report.recovered.in_doubt, report.recovered.released) == (3, 7)
    assert report.names_in_doubt == tuple(f"reader{number}@example.net" for number in range(3))
    assert report.counts[State.ACCEPTED] == 7
    assert not report.counts.settled
    assert not {*server.recipients} & {*report.names_in_doubt}
    again, server = run(root)
    assert again.tally is None
    assert server.connections == 0, "hold is the default"


def test_doubts_are_sent_again_by_choice(root: Path) -> None:
    _die(root, bodies=3)
    report, server = run(root, resend_in_doubt=True)
    assert report.counts.settled
    assert len(server.received) == 10
    with closing(Project.open(root, environ=SECRET).ledger()) as ledger:
        history = list(ledger.attempts(require_campaign(ledger, 1), address="reader0@example.net"))
    assert [attempt.stage for attempt in history] == ["recovery", "resolve", "dot"]


def test_a_run_that_loses_its_relay_is_accounted_for(root: Path) -> None:
    gone = Act(close=True)
    script = Script({".": [None, None, gone], "CONNECT": [None, *[gone] * 9]})
    report, server = run(root, script, options={"connections": 1})
    assert report.counts.balanced
    assert report.tally is not None
    assert report.tally.stopped is not None
    assert len(report.names_in_doubt) == 1
    assert report.counts[State.ACCEPTED] == len(server.received) == 2
    assert report.counts[State.PENDING] == 7


# Locks and ledgers


def test_two_sends_at_once(root: Path) -> None:
    with run_lock(root / ".newsletter" / LOCK_NAME), pytest.raises(RunLocked) as caught:
        run(root)
    assert caught.value.exit_code == 75
    assert not (root / ".newsletter" / "newsletter.db").exists()


def test_a_broken_ledger_sends_nothing(root: Path) -> None:
    (root / ".newsletter").mkdir(mode=0o700)
    (root / ".newsletter" / "newsletter.db").write_bytes(b"this is no database" * 100)
    server = ScriptedServer(Script(greets=True))
    with pytest.raises(LedgerError, match="not a ledger"):
        run(root)
    assert server.connections == 0


def test_looking_makes_no_ledger(root: Path) -> None:
    project = Project.open(root, environ=SECRET)
    assert existing_ledger(project) is None
    assert not (root / ".newsletter").exists()
    run(root)
    ledger = existing_ledger(project)
    assert ledger is not None
    with closing(ledger), pytest.raises(UsageError, match="issue 2 was never sent"):
        require_campaign(ledger, 2)


def test_an_equation_that_does_not_hold_is_an_error(root: Path) -> None:
    run(root)
    with closing(Project.open(root, environ=SECRET).ledger()) as ledger:
        ledger._db.execute("DELETE FROM attempt")  # type: ignore[attr-defined]
        ledger._db.execute("DELETE FROM entry WHERE id = 1")  # type: ignore[attr-defined]
    with pytest.raises(LedgerError, match=r"10 entries were planned.* 9"):
        run(root)


# Warming up


def test_a_sender_that_warms_up(root: Path) -> None:
    (root / "newsletter.yaml").write_text(
        CONFIG + "send:\n  warm_up: {start: 3, factor: 2}\n", encoding="utf-8"
    )
    clock = Clock()
    sent = []
    for _ in range(4):
        report, server = run(root, clock=clock)
        sent.append(len(server.received))
        again, idle = run(root, clock=clock)
        assert idle.received == [] or report.counts.settled
        assert again.counts[State.ACCEPTED] == report.counts[State.ACCEPTED]
        clock.now += 24 * HOUR
    assert sent == [3, 6, 1, 0]


# Test sends


def test_a_test_send_leaves_no_trace(root: Path) -> None:
    mailing = mailing_of(root, test=True)
    people: Sequence[Any] = [c.recipient for c in mailing.project.choices() if c.recipient][:2]

    async def conversation() -> ScriptedServer:
        async with ScriptedServer(Script({"RCPT": [None, "550 5.1.1 no"]}, greets=True)) as server:
            relay = Relay(host="localhost", port=server.port, security=Security.NONE)
            jobs = await send_test(mailing, people, transport=SmtpTransport(relay))
            assert [job.accepted for job in jobs] == [True, False]
            return server

    server = asyncio.run(conversation())
    assert b"Subject: =?utf-8?b?W+a1i+ivlV0g" in server.received[0].data
    assert existing_ledger(mailing.project) is None
