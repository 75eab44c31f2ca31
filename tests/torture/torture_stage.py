"""The stage of the torture tests: a small publication, the real command line in it, and a sceptical judge."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

LEDGER = Path(".newsletter") / "newsletter.db"
SECRET = "a secret that only the torture tests know"
NEWSLETTER = ("-m", "newsletter")
UNFLUSHED = 50  # outcomes that may be lost with a process: delivery/recorder.py, FLUSH_ROWS

CONFIG = """\
name: Torture Weekly
language: en
timezone: UTC
from: {{name: Torture Weekly, address: weekly@example.org}}
public_url: https://weekly.example.org
subject: "{{name}} {{number}}: {{title}}"
send:
  connections: {connections}
"""
ISSUE = """\
number: 1
title: Nobody twice, nobody forgotten
date: 2026-01-05T09:00:00Z
status: ready
sections:
  - items:
      - kind: text
        body: This issue goes to people who pull plugs.
"""
HTML = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ subject }}</title></head>
<body><p>Dear {{ subscriber.name }},</p>
{% for section in sections %}{% for item in section.items %}{{ block(item) }}{% endfor %}{% endfor %}
<p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p></body></html>
"""
TEXT = """\
Dear {{ subscriber.name }},
{% for section in sections %}{% for item in section.items %}
{{ block(item) }}
{% endfor %}{% endfor %}
Unsubscribe:
{{ unsubscribe_url }}
"""


def addresses(count: int) -> list[str]:
    """The readers' addresses; the numbers begin with 0."""
    return [f"reader{number:04}@example.org" for number in range(count)]


def write_publication(root: Path, *, connections: int, recipients: int, settings: str = "") -> Path:
    """A publication with one tiny issue; `settings` are further lines of `send:`."""
    rows = [f"{address},Reader {n}" for n, address in enumerate(addresses(recipients))]
    files = {
        "newsletter.yaml": CONFIG.format(connections=connections) + settings,
        "content/001.yaml": ISSUE,
        "templates/issue.html.j2": HTML,
        "templates/issue.txt.j2": TEXT,
        "subscribers.csv": "\n".join(["email,name", *rows, ""]),
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@dataclass(frozen=True, slots=True)
class Standing:
    """The ledger, read by this test's own SQL from a copy of its files."""

    planned: int = 0
    states: dict[str, str] = field(default_factory=dict)  # by address

    def having(self, *names: str) -> set[str]:
        """The addresses in these states."""
        return {address for address, state in self.states.items() if state in names}

    def count(self) -> dict[str, int]:
        """How many are in each state."""
        return {name: len(self.having(name)) for name in sorted(set(self.states.values()))}


@dataclass(frozen=True, slots=True)
class Stage:
    """A publication and the relay that it sends to.

    Attributes:
        root: the folder.
        relay: as a URL.
        program: what Python runs.
        started: every process that was begun here.

    """

    root: Path
    relay: str
    program: tuple[str, ...] = NEWSLETTER
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What a crontab gives, and the relay."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        return {**kept, "NEWSLETTER_RELAY": self.relay, "NEWSLETTER_SECRET": SECRET}

    def start(self, *words: str, under: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        """Begin `newsletter WORDS`, as the last words of the command `under` if there is one."""
        process = subprocess.Popen(
            [*under, sys.executable, *self.program, *words],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def end(self) -> None:
        """Let nothing live on, not even what is frozen."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def run(self, *words: str, under: tuple[str, ...] = ()) -> tuple[int, str]:
        """The exit code of `newsletter WORDS`, and what it said, which is never a traceback."""
        return finish(self.start(*words, under=under))

    def settle(self, *, runs: int = 5) -> int:
        """Send again until nothing is left to send; returns how often."""
        for number in range(1, runs + 1):
            code, said = self.run("send", "1", "--yes")
            assert code in (0, 75), said
            if not self.standing().having("pending", "deferred", "claimed", "in_flight"):
                return number
        raise AssertionError(f"not settled after {runs} runs: {self.standing().count()}")

    def standing(self) -> Standing:
        """Where everybody stands. Looking changes nothing, not even what SQLite would recover."""
        with tempfile.TemporaryDirectory() as folder:
            for suffix in ("", "-wal"):
                source = self.root / f"{LEDGER}{suffix}"
                if source.exists():
                    shutil.copy2(source, Path(folder) / f"copy.db{suffix}")
            with closing(sqlite3.connect(Path(folder) / "copy.db")) as db:
                if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'entry'").fetchone():
                    return Standing()
                planned = db.execute("SELECT planned FROM campaign").fetchone()
                rows = db.execute("SELECT address, state FROM entry").fetchall()
        return Standing(planned[0] if planned else 0, dict(rows))

    def suppressed(self) -> set[str]:
        """Who is never to be mailed again. Not while a sender runs."""
        with closing(sqlite3.connect(self.root / LEDGER)) as db:
            return {row[0] for row in db.execute("SELECT address FROM suppression")}

    def cut_power(self, synced: int | None) -> None:
        """Take from the write-ahead log what storage had not promised to keep."""
        if synced is not None:
            os.truncate(self.root / f"{LEDGER}-wal", synced)


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the end of a command; its exit code and everything it said."""
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in out + err, out + err
    return process.returncode, out + err
