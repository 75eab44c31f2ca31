"""`newsletter bounces` as a process: what an MTA and cron see of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from desk import RATE, SECRET, UNKNOWN, Desk, maildir


def run(
    root: Path, *words: str, mail: bytes = b"", command: str = "bounces", **environ: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "newsletter", "-C", str(root), command, *words],
        input=mail,
        capture_output=True,
        env={**os.environ, **SECRET, "COLUMNS": "80", **environ},
        check=False,
    )


def test_an_mta_hands_over_a_mail_that_does_not_say_whom_it_was_for(desk: Desk) -> None:
    root, path = desk.project.root, desk.return_path(64, "anna")
    mail = desk.bounce("anna", UNKNOWN, to="undisclosed")
    done = run(root, "process", "-", mail=mail, ORIGINAL_RECIPIENT=path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"anna@example.org     64     no such mailbox" in done.stdout
    assert desk.why("anna") == "no such mailbox"
    told = run(root, "process", "-", "--json", "--envelope-to", path, mail=mail)
    assert json.loads(told.stdout)["known"] == 1


def test_whatever_goes_wrong_the_mta_keeps_the_mail(desk: Desk, tmp_path: Path) -> None:
    root = desk.project.root
    database = desk.project.database
    assert run(root, "process", "-").returncode == 0, "nothing to keep"
    away = database.rename(database.with_suffix(".away"))
    database.mkdir()
    refused = run(root, "process", "-", mail=desk.bounce("anna", UNKNOWN))
    assert refused.returncode == 75
    assert refused.stderr.startswith(b"error: ")
    assert b"Traceback" not in refused.stderr
    database.rmdir()
    away.rename(database)
    (root / "newsletter.yaml").rename(root / "elsewhere.yaml")
    assert run(root, "process", "-", mail=b"x").returncode == 75
    assert run(root, "process", str(tmp_path)).returncode == 2


def test_a_mailbox_in_words_and_in_json(desk: Desk, tmp_path: Path) -> None:
    folder = maildir(
        tmp_path,
        {
            "1": desk.bounce("anna", UNKNOWN),
            "2": desk.bounce("ben", RATE),
            "3": desk.bounce("cleo", UNKNOWN, to="weekly@example.org"),
            "4": b"From: cleo@example.org\nSubject: unsubscribe \x1b[31mme\n\n",
        },
    )
    wrong = tmp_path / "letters"
    (wrong / "a.eml").mkdir(parents=True)
    told = run(desk.project.root, "process", str(folder), str(wrong), "--dry-run", "--json")
    assert told.returncode == 1
    assert json.loads(told.stdout) == {
        "dry_run": True,
        "mails": 4,
        "known": 0,
        "unread": [{"name": str(wrong / "a.eml"), "why": "Is a directory"}],
        "verdicts": {"no such mailbox": 2, "rate": 1, "not a bounce": 1},
        "actions": {"suppressed": 1, "operator warned": 1, "no proof": 1, "for you to decide": 1},
        "left": [{"address": "anna@example.org", "reason": "no such mailbox", "issue": 64}],
        "warnings": [{"verdict": "rate", "words": RATE[1], "count": 1}],
        "asking": [
            {
                "address": "cleo@example.org",
                "verdict": "not a bounce",
                "diagnostic": "unsubscribe [31mme",
            }
        ],
        "unproven": [
            {
                "address": "cleo@example.org",
                "verdict": "no such mailbox",
                "diagnostic": UNKNOWN[1],
            }
        ],
    }
    done = run(desk.project.root, "process", str(folder))
    assert done.returncode == 0
    shown = done.stdout.decode()
    assert shown.startswith("4 mails read\n")
    assert "next: newsletter subscribers remove ADDRESS" in shown
    assert "\x1b" not in shown


def test_the_record_is_listed(desk: Desk) -> None:
    assert run(desk.project.root, "list").stderr == b"nothing has come back yet\n"
    desk.read(desk.bounce("anna", UNKNOWN))
    (line,) = run(desk.project.root, "list").stdout.decode().splitlines()
    assert "64  suppressed       anna@example.org  no such mailbox: 550 5.1.1" in line
    record = json.loads(run(desk.project.root, "list", "--json").stdout)
    assert record["evidence"] == "verp"
    assert (record["status"], record["proven"], record["issue"]) == ("5.1.1", True, 64)
    story = run(desk.project.root, "anna@example.org", command="explain").stdout.decode()
    assert "came back, issue 64: no such mailbox, suppressed: 550 5.1.1" in story
    assert "bounced: bounce, issue 64 (no such mailbox (5.1.1), from a test)" in story


@pytest.mark.parametrize("words", [("process",), ("process", "-", "Maildir")])
def test_words_that_make_no_sense(desk: Desk, words: tuple[str, ...]) -> None:
    assert run(desk.project.root, *words).returncode == 2
