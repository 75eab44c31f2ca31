"""`newsletter explain`: the whole story of one address."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from newsletter.audience.models import Subscriber
from newsletter.mail.address import parse_address
from newsletter.membership import open_membership
from newsletter.project import Project

SECRET = {"NEWSLETTER_SECRET": "a secret of the tests of explain"}
CONFIG = """\
name: Small Weekly
timezone: UTC
from: {name: Small Weekly, address: weekly@example.org}
audience: database
"""
ANNA = Subscriber(address=parse_address("Anna@example.org"), name="Anna")
NOW = 1_800_000_000.0


def explain(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "newsletter", "explain", *words],
        cwd=root,
        env={"PATH": os.environ["PATH"], **SECRET},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_whole_story(tmp_path: Path) -> None:
    (tmp_path / "newsletter.yaml").write_text(CONFIG)
    nobody = explain(tmp_path, "anna@example.org")
    assert "not in database" in nobody.stdout
    assert not (tmp_path / ".newsletter").exists(), "looking makes nothing"
    project = Project.open(tmp_path, environ=SECRET)
    with open_membership(project, clock=lambda: NOW) as club:
        club.request(ANNA, source="web form")
        who = club.identify(ANNA)
        club.confirm(who, source="link", network="203.0.113.0/24")
        reader = replace(ANNA, name="Anna")
        club.ledger.plan(63, digest="d", subscribers=[reader], now=NOW)
        club.leave(who, source="one-click")
        club.ledger.plan(64, digest="d", subscribers=[reader], now=NOW)
        club.ledger.plan(65, digest="d", subscribers=[], now=NOW)
    done = explain(tmp_path, "ANNA@example.org")
    assert done.stderr == ""
    at = "2027-01-15T08:00:00.000+00:00"
    assert done.stdout.splitlines() == [
        "ANNA@example.org",
        "  list: database:1: left out, has unsubscribed",
        f"  {at}  requested: web form",
        f"  {at}  confirmed: link",
        f"  {at}  unsubscribed: one-click",
        f"  {at}  agreed by double opt-in from 203.0.113.0/24: “I want to receive Small Weekly by mail.”",
        f"  suppressed: unsubscribed, by one-click, {at}",
        f"  issue 63: pending, {at}",
        f"  issue 64: left out, unsubscribed by one-click, {at}",
        f"  issue 65: left out, unsubscribed by one-click, {at}",
    ]


def test_wrong_words(tmp_path: Path) -> None:
    (tmp_path / "newsletter.yaml").write_text(CONFIG)
    for words, complaint in (
        (("x", "a@example.org"), "'x' is not the number of an issue"),
        (("64", "65", "a@example.org"), "give one address"),
        (("64",), "'64':"),
    ):
        done = explain(tmp_path, *words)
        assert done.returncode == 2
        assert complaint in done.stderr
        assert "Traceback" not in done.stderr
