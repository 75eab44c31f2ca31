"""The run lock, which the operating system holds, and the per-send log that people read and ship."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.delivery.ledger import Attempt, Outcome
from newsletter.delivery.lock import run_lock
from newsletter.delivery.sendlog import SendLog, attempt_json, timestamp
from newsletter.delivery.states import State
from newsletter.errors import RunLocked

HOLD = """
import sys
from pathlib import Path
from newsletter.delivery.lock import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(path: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock until its input ends."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", HOLD, str(path)]
    holder = subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "state" / "run.lock"
    with hold(path) as holder:
        with pytest.raises(RunLocked, match=str(holder.pid)) as caught, run_lock(path):
            pytest.fail("two runs at once")
        assert caught.value.exit_code == 75
        assert holder.stdin is not None
        holder.stdin.close()
        holder.wait(20)
    with run_lock(path):
        assert path.read_text(encoding="ascii") == f"{os.getpid()}\n"


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    with hold(path) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait(20)
    with run_lock(path):
        pass


def test_a_run_that_breaks_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    with pytest.raises(KeyError), run_lock(path):
        raise KeyError
    with run_lock(path):
        pass


def test_the_lock_is_not_inherited(tmp_path: Path) -> None:
    """A program that a hook starts must not keep the next run out."""
    path = tmp_path / "run.lock"
    with run_lock(path):
        sleeper = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        with run_lock(path):
            pass
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_log_is_made_at_its_first_line(tmp_path: Path) -> None:
    log = SendLog(tmp_path / "log" / "064.jsonl")
    log.write([])
    log.close()
    assert not log.path.exists()
    told = Outcome(id=1, state=State.ACCEPTED, at=0.5, stage="dot", reply="250 ok", code=250)
    log.write([(told, "a@example.org"), (told, "b@example.org")])
    lines = log.path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["address"] for line in lines] == ["a@example.org", "b@example.org"]
    log.close()
    log.close()


def test_times_are_in_utc() -> None:
    assert timestamp(1_700_000_000.1234) == "2023-11-14T22:13:20.123+00:00"


def test_an_attempt_has_the_fields_of_a_log_line_and_its_run(tmp_path: Path) -> None:
    log = SendLog(tmp_path / "064.jsonl")
    log.write(
        [(Outcome(id=1, state=State.FAILED, at=0.5, stage="rcpt", reply="550 不"), "a@b.example")]
    )
    log.close()
    line = json.loads(log.path.read_text(encoding="utf-8"))
    attempt = Attempt(
        at=0.5,
        address="a@b.example",
        state=State.FAILED,
        stage="rcpt",
        code=None,
        reply="550 不",
        message_id="",
        seconds=0.0,
        run=3,
    )
    assert json.loads(attempt_json(attempt)) == {**line, "run": 3}
