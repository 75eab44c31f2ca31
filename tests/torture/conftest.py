"""What the torture tests need from this machine."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from exact_kill import NUMBERS
from kill_sweep import EXACT_KILL

Killed = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    """`killed("commit", 3, "before", program)`: the report of a Python program that was killed there.

    Skipped, by name, where no process may trace another one.
    """
    report = tmp_path_factory.mktemp("killed") / "report.json"

    def run(where: str, when: int, edge: str, *program: str) -> dict[str, Any]:
        report.unlink(missing_ok=True)
        command = [sys.executable, "-I", "-S", EXACT_KILL, str(report), where, str(when), edge]
        done = subprocess.run(
            [*command, "--", sys.executable, *program], capture_output=True, text=True, check=False
        )
        if not report.exists():
            raise OSError(done.stderr.strip().rpartition("\n")[2])
        told: dict[str, Any] = json.loads(report.read_text("ascii"))
        return told

    if platform.machine() not in NUMBERS:
        pytest.skip(f"exact_kill.py does not know the system calls of {platform.machine()}")
    try:
        run("commit", 1, "never", "-c", "")
    except OSError as error:
        pytest.skip(f"ptrace(2) and seccomp(2) are not permitted here: {error}")
    return run


@pytest.fixture
def threaded(tmp_path: Path) -> Path:
    """A program whose two threads write to `x-wal` and sync it after each of eight letters: abc, ABCDE."""
    path = tmp_path / "threaded.py"
    path.write_text(
        """\
import os, sys, threading
log = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
place = 0
def write(letters):
    global place
    for letter in letters:
        os.pwrite(log, letter.encode() * 10, place)
        place += 10
        os.fdatasync(log)
write("abc")
thread = threading.Thread(target=write, args=("ABCDE",))
thread.start()
thread.join()
os.pwrite(log, b"!", place)
"""
    )
    return path
