"""What cron runs: due issues only, once, however many cron jobs there are."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import catcher
from story import Desk, Finished, Mail, finish

Told = Callable[..., Finished]

READERS = 11


def test_only_what_is_ready_and_due_goes_out(desk: Desk, mail: Mail) -> None:
    source = (desk.root / "content/064.yaml").read_text("utf-8")
    later = source.replace("number: 64", "number: 66").replace(
        "date: 2022-11-07", "date: 2999-11-07"
    )
    desk.write("content/066.yaml", later)
    done = desk.run("send", "--due", NEWSLETTER_RELAY=mail.url)
    assert done.code == 0
    assert len(mail.recipients()) == READERS
    assert desk.run("status", "66").out.startswith("issue 66: nothing was ever sent")
    assert desk.run("status", "65").out.startswith("issue 65: nothing was ever sent")


def test_the_next_cron_job_has_nothing_to_do(desk: Desk, mail: Mail) -> None:
    assert desk.run("send", "--due", NEWSLETTER_RELAY=mail.url).code == 0
    again = desk.run("send", "--due", NEWSLETTER_RELAY=mail.url)
    assert again.code == 0
    assert again.out == "No issue is due.\n"
    assert len(mail.recipients()) == READERS


def test_what_has_gone_out_may_be_edited(desk: Desk, mail: Mail) -> None:
    assert desk.run("send", "--due", NEWSLETTER_RELAY=mail.url).code == 0
    source = (desk.root / "content/064.yaml").read_text("utf-8")
    desk.write("content/064.yaml", source.replace("本期导读", "导读"))
    again = desk.run("send", "64", "--yes", NEWSLETTER_RELAY=mail.url)
    assert again.code == 0
    assert "Nothing is left to send." in again.out
    assert len(mail.recipients()) == READERS


def test_a_changed_issue_is_not_sent_to_the_rest_in_silence(desk: Desk, mail: Mail) -> None:
    first = desk.run("send", "64", "--yes", "--limit", "4", NEWSLETTER_RELAY=mail.url)
    assert first.code == 75
    source = (desk.root / "content/064.yaml").read_text("utf-8")
    desk.write("content/064.yaml", source.replace("本期导读", "编者的话"))
    changed = desk.run("send", "64", "--yes", NEWSLETTER_RELAY=mail.url)
    assert changed.code == 1
    assert "--accept-changed" in changed.err
    assert len(mail.recipients()) == 4
    accepted = desk.run("send", "64", "--yes", "--accept-changed", NEWSLETTER_RELAY=mail.url)
    assert accepted.code == 0
    assert len(mail.recipients()) == READERS


def test_a_lost_ledger_does_not_mail_the_archive(desk: Desk, told: Told, mail: Mail) -> None:
    settings = (desk.root / "newsletter.yaml").read_text("utf-8")
    desk.write("newsletter.yaml", settings.replace("send:\n", "send:\n  due_within: 14\n"))
    done = told("send", "--due", NEWSLETTER_RELAY=mail.url)
    assert done.code == 0
    assert "never sent from here (send.due_within): 64" in done.out
    assert not mail.recipients()


def test_two_at_once_send_once(desk: Desk, caught: Path) -> None:
    with catcher.running(caught, seconds=0.2) as url:
        both = [desk.start("send", "--due", NEWSLETTER_RELAY=url) for _ in range(2)]
        codes = sorted(finish(process).code for process in both)
    assert codes in ([0, 75], [0, 0])
    names = [path.stem for path in caught.glob("*.eml")]
    assert len(names) == READERS
    assert not [name for name in names if name.endswith("-2")]


def test_one_that_comes_while_another_sends_leaves_it_alone(desk: Desk, caught: Path) -> None:
    with catcher.running(caught, seconds=0.5) as url:
        first = desk.start("send", "--due", NEWSLETTER_RELAY=url)
        while not list(caught.glob("*.eml")):
            assert first.poll() is None
            time.sleep(0.01)
        first.send_signal(signal.SIGSTOP)
        second = desk.run("send", "--due", NEWSLETTER_RELAY=url)
        first.send_signal(signal.SIGCONT)
        assert second.code == 75
        assert f"another send is running here (process {first.pid})" in second.err
        assert finish(first).code == 0
    assert len(list(caught.glob("*.eml"))) == READERS


def test_a_broken_issue_does_not_stop_the_others(desk: Desk, mail: Mail) -> None:
    desk.write("content/063.yaml", "number: 63\ntitel: 坏\n")
    done = desk.run("send", "--due", NEWSLETTER_RELAY=mail.url)
    assert done.code == 1
    assert "content/063.yaml" in done.err
    assert len(mail.recipients()) == READERS


def test_with_nothing_due_it_says_so(desk: Desk, told: Told, mail: Mail) -> None:
    desk.edit("content/064.yaml", "status: ready", "status: draft")
    done = told("send", "--due", NEWSLETTER_RELAY=mail.url)
    assert done.code == 0
    assert "No issue is due." in done.out


def test_somebody_who_leaves_between_two_runs_gets_nothing_more(desk: Desk, mail: Mail) -> None:
    first = desk.run("send", "64", "--yes", "--limit", "1", NEWSLETTER_RELAY=mail.url)
    assert first.code == 75
    assert len(mail.recipients()) == 1
    desk.edit("subscribers.example.csv", "Ada Lovelace,active", "Ada Lovelace,unsubscribed")
    assert desk.run("send", "64", "--yes", NEWSLETTER_RELAY=mail.url).code == 0
    assert len(mail.recipients()) == READERS - 1
    assert "ada@example.org" not in mail.recipients()
