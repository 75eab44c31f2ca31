"""`newsletter subscribers`: what docs/subscribers.md shows can be typed, and what it does not show."""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.cli.progress import Reading

ROOT = Path(__file__).resolve().parent.parent.parent
EXPORTS = ROOT / "tests" / "audience" / "exports"
CONFIG = """\
name: Small Weekly
timezone: UTC
from: {name: Small Weekly, address: weekly@example.org}
audience: database
"""
HOLD = """\
import sys
from pathlib import Path
from newsletter.delivery.lock import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def weekly(tmp_path: Path) -> Path:
    root = tmp_path / "weekly"
    root.mkdir()
    (root / "newsletter.yaml").write_text(CONFIG)
    shutil.copy(EXPORTS / "mailchimp-subscribed.csv", root)
    return root


def steps() -> list[tuple[str, str]]:
    """Every command that the page shows with its output, in order."""
    page = (ROOT / "docs" / "subscribers.md").read_text("utf-8")
    blocks = re.findall(r"<!-- run -->\n```console\n(.*?)```", page, re.DOTALL)
    return [
        (command, output)
        for block in blocks
        for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    ]


def test_the_page_shows_what_the_commands_do(run: Run, weekly: Path) -> None:
    found = steps()
    assert len(found) == 9
    for command, expected in found:
        name, *words = shlex.split(command)
        assert name == "newsletter"
        result = run(*words, cwd=weekly, env={"NEWSLETTER_SECRET": "a secret of this test"})
        told = result.stdout + result.stderr
        pattern = re.escape(expected).replace("…", "(?:.|\\n)*?")
        assert re.fullmatch(pattern, told), f"{command}\n{told}"
    assert (weekly / "everybody.csv").stat().st_mode & 0o777 == 0o600
    with (weekly / "mailchimp-subscribed.rejects.csv").open() as file:
        (rejected,) = csv.DictReader(file)
    assert (rejected["row"], rejected["Email Address"]) == ("4", "nobody")


def test_before_anybody_is_there(run: Run, weekly: Path) -> None:
    before = sorted(weekly.iterdir())
    assert run("subscribers", "list", cwd=weekly).stdout.endswith("\n0 people\n")
    stats = json.loads(run("subscribers", "stats", "--json", cwd=weekly).stdout)
    assert (stats["people"], stats["suppressions"]) == (0, {})
    assert (
        run("subscribers", "import", "mailchimp-subscribed.csv", "--dry-run", cwd=weekly).returncode
        == 1
    )
    assert sorted(weekly.iterdir()) == before, "looking makes nothing"


def test_one_person(run: Run, weekly: Path) -> None:
    def subscribers(*words: str, stdin: str = "") -> tuple[int, str]:
        result = run("subscribers", *words, cwd=weekly, stdin=stdin)
        return result.returncode, result.stdout + result.stderr

    assert subscribers("add", "a@example.org", "--field", "city=Bonn")[0] == 0
    assert subscribers("add", "A@example.org") == (1, "A@example.org is on the list already\n")
    code, told = subscribers("add", "b@example.org", "--confirm")
    assert (code, "will be asked" in told) == (0, True)
    assert subscribers("add", "nobody")[0] == 2
    assert subscribers("add", "c@example.org", "--field", "a b=c")[0] == 2
    assert subscribers("remove", "a@example.org")[0] == 0
    code, told = subscribers("add", "a@example.org")
    assert (code, "unsubscribed, by operator" in told, "lift a@example.org" in told) == (
        1,
        True,
        True,
    )
    code, told = subscribers("lift", "a@example.org", "--reason", "a call", stdin="n\n")
    assert (code, "asked for no more mail" in told) == (1, True)
    assert subscribers("lift", "a@example.org", "--reason", "a call", stdin="y\n")[0] == 0
    code, told = subscribers("list", "--json")
    people = [json.loads(line) for line in told.splitlines()]
    assert [(one["address"], one["status"]) for one in people] == [
        ("a@example.org", "active"),
        ("b@example.org", "pending"),
    ]
    assert people[0]["fields"] == {"city": "Bonn"}


def test_forgetting_asks_and_waits_for_a_send(run: Run, weekly: Path) -> None:
    run("subscribers", "add", "a@example.org", cwd=weekly)
    forget = ("subscribers", "remove", "a@example.org", "--forget")
    asked = run(*forget, cwd=weekly, stdin="n\n")
    assert (asked.returncode, "cannot be taken back" in asked.stderr) == (1, True)
    lock = weekly / ".newsletter" / "run.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    assert run(*forget, "--yes", cwd=weekly).returncode == 75
    holder.communicate()
    done = run(*forget, "--yes", cwd=weekly)
    assert (done.returncode, done.stdout) == (0, "forgotten  a@example.org\n")
    back = run("subscribers", "lift", "a@example.org", "--reason", "x", cwd=weekly)
    assert (back.returncode, "only come back by themselves" in back.stderr) == (2, True)


def test_the_list_itself_is_no_place_for_an_export(run: Run, weekly: Path) -> None:
    (weekly / "newsletter.yaml").write_text(CONFIG.replace("database", "list.csv"))
    (weekly / "list.csv").write_text("email\nnobody\na@example.org\n")
    result = run("subscribers", "export", "--out", "./list.csv", cwd=weekly)
    assert (result.returncode, "the list itself" in result.stderr) == (2, True)
    out = run("subscribers", "export", cwd=weekly)
    assert out.stdout.splitlines()[1:] == ["a@example.org,,active,,,,"]
    assert "1 row of list.csv cannot be read" in out.stderr
    result = run("subscribers", "import", "list.csv", "--yes", "--overwrite", cwd=weekly)
    assert (result.returncode, "never changed by an import" in result.stderr) == (2, True)


def test_nobody_to_ask_is_no_yes(run: Run, weekly: Path) -> None:
    result = run("subscribers", "import", "mailchimp-subscribed.csv", cwd=weekly)
    assert (result.returncode, "nobody to answer" in result.stderr) == (1, True)
    assert not (weekly / ".newsletter").exists()
    odd = run("subscribers", "import", "newsletter.yaml", "--yes", cwd=weekly)
    assert (odd.returncode, "no column has addresses" in odd.stderr) == (1, True)


def test_progress_in_a_pipe_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.cli.progress.PLAIN_SECONDS", 0.0)
    with Reading("people.csv", 200) as reading:
        reading.show(1000, 50)
    assert capsys.readouterr().err == "people.csv: 1,000 rows (25 %)\n"


def test_progress_on_a_terminal_is_one_line(weekly: Path, environ: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    subprocess.run(
        [
            sys.executable,
            "-m",
            "newsletter",
            "subscribers",
            "import",
            "mailchimp-subscribed.csv",
            "--yes",
        ],
        cwd=weekly,
        env={**environ, "TERM": "xterm"},
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        check=False,
    )
    os.close(theirs)
    told = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "100%" in told
    assert "mailchimp-subscribed.csv" in told
