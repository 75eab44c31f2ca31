"""Relays that are missing, down, or refuse us: one line, nothing lost, and the same command goes on."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import catcher
import pytest
from story import Desk, Finished, Mail, finish

Told = Callable[..., Finished]


def states(desk: Desk) -> dict[str, int]:
    """How many entries stand in each state that anybody stands in."""
    told = json.loads(desk.run("status", "64", "--json").out)
    assert sum(told["states"].values()) == told["planned"]
    return {state: count for state, count in told["states"].items() if count}


def wait_for_a_message(folder: Path, process: subprocess.Popen[str]) -> None:
    """Until the first message has been caught, or the sender is done."""
    while process.poll() is None and not list(folder.glob("*.eml")):
        time.sleep(0.01)


def test_no_relay_says_how_to_configure_one(desk: Desk) -> None:
    done = desk.run("send", "64", "--yes")
    assert done.code == 2
    assert "NEWSLETTER_RELAY" in done.err
    assert "smtp+starttls://" in done.err
    assert not (desk.root / ".newsletter/newsletter.db").exists()


@pytest.mark.parametrize(
    "url", ["example.org", "http://example.org", "smtp://", "smtp://a:99999", "smtp://h:25/path"]
)
def test_a_relay_that_is_no_relay(told: Told, url: str) -> None:
    done = told("send", "64", "--yes", NEWSLETTER_RELAY=url)
    assert done.code == 2
    assert "smtp" in done.err


def test_a_password_in_the_url_is_refused_and_not_repeated(told: Told) -> None:
    done = told("send", "64", "--yes", NEWSLETTER_RELAY="smtps://me:geheim@example.org")
    assert done.code == 2
    assert "NEWSLETTER_RELAY_PASSWORD" in done.err
    assert "geheim" not in done.said


def test_a_relay_that_is_down_loses_nothing_and_the_same_command_goes_on(
    desk: Desk, nowhere: str, caught: Path
) -> None:
    down = desk.run("send", "64", "--yes", NEWSLETTER_RELAY=nowhere)
    assert down.code == 75
    assert len([line for line in down.err.splitlines() if line.startswith("error: ")]) == 1
    assert states(desk) == {"pending": 11}
    assert "newsletter send 64" in down.out
    with catcher.running(caught) as url:
        up = desk.run("send", "64", "--yes", NEWSLETTER_RELAY=url)
    assert up.code == 0
    assert states(desk) == {"accepted": 11}
    assert len(list(caught.glob("*.eml"))) == 11


def test_a_relay_without_tls_is_refused(desk: Desk, mail: Mail) -> None:
    url = mail.url.replace("smtp://", "smtp+starttls://")
    done = desk.run("send", "64", "--yes", NEWSLETTER_RELAY=url)
    assert done.code == 1
    assert "error: " in done.err
    assert "tls" in done.err.lower()
    assert mail.recipients() == []
    assert states(desk) == {"pending": 11}
    assert desk.run("send", "64", "--yes", NEWSLETTER_RELAY=mail.url).code == 0
    assert len(mail.recipients()) == 11


def test_a_refused_login_is_one_line_and_the_right_password_goes_on(
    desk: Desk, caught: Path
) -> None:
    with catcher.running(caught, password="right") as url:
        desk.variables["NEWSLETTER_RELAY"] = url.replace("smtp://", "smtp://weekly@")
        wrong = desk.run("send", "64", "--yes", NEWSLETTER_RELAY_PASSWORD="wrong-word")
        assert wrong.code == 1
        assert len([line for line in wrong.err.splitlines() if line.startswith("error: ")]) == 1
        assert "wrong-word" not in wrong.said
        assert states(desk) == {"pending": 11}
        assert desk.run("send", "64", "--yes", NEWSLETTER_RELAY_PASSWORD="right").code == 0
    assert states(desk) == {"accepted": 11}


def test_a_relay_that_dies_in_the_middle_costs_nobody_a_message_or_gives_two(
    desk: Desk, caught: Path
) -> None:
    with catcher.running(caught, seconds=0.5) as url:
        process = desk.start("send", "64", "--yes", NEWSLETTER_RELAY=url)
        wait_for_a_message(caught, process)
    cut = finish(process)
    assert cut.code == 75
    assert "error: " in cut.err
    with catcher.running(caught) as url:
        again = desk.run("send", "64", "--yes", NEWSLETTER_RELAY=url)
    after = states(desk)
    assert set(after) <= {"accepted", "deferred", "in_doubt"}
    assert again.code == (75 if len(after) > 1 else 0)
    names = [path.stem for path in caught.glob("*.eml")]
    assert not [name for name in names if name.endswith("-2")]
    assert after["accepted"] <= len(names) <= after["accepted"] + after.get("in_doubt", 0)


def test_sending_needs_somebody_to_say_yes(desk: Desk, mail: Mail) -> None:
    done = desk.run("send", "64", NEWSLETTER_RELAY=mail.url)
    assert done.code == 2
    assert "--yes" in done.err
    assert mail.recipients() == []


def test_a_test_send_is_marked_and_leaves_no_record(desk: Desk, mail: Mail) -> None:
    done = desk.run("send", "64", "--to", "editor@example.org", NEWSLETTER_RELAY=mail.url)
    assert done.code == 0
    assert mail.recipients() == ["editor@example.org"]
    assert not (desk.root / ".newsletter/newsletter.db").exists()
    assert states(desk) == {}


def test_a_test_send_to_a_relay_that_is_down(told: Told, nowhere: str) -> None:
    done = told("send", "64", "--to", "editor@example.org", NEWSLETTER_RELAY=nowhere)
    assert done.code == 75
    assert "error: " in done.err
