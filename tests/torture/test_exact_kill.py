"""The tool that kills is exact: the k-th call of all threads together, before or after it takes effect."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LETTERS = "abcABCDE"

Killed = Callable[..., dict[str, Any]]


def written(path: Path) -> str:
    """One letter for each ten."""
    return path.read_text()[::10]


@pytest.mark.parametrize("when", [1, 3, 4, 6, 8])
@pytest.mark.parametrize("edge", ["before", "after"])
def test_the_kth_commit_of_all_threads_together(
    killed: Killed, threaded: Path, tmp_path: Path, when: int, edge: str
) -> None:
    log = tmp_path / "x-wal"
    told = killed("commit", when, edge, str(threaded), str(log))
    assert told["killed"]
    assert told["status"] == -9
    assert told["commits"] == when
    assert written(log) == LETTERS[:when]
    # What was not synced yet is what a power loss may take.
    assert told["synced"] == ((when - 1) * 10 if edge == "before" else None)


def test_a_run_that_has_fewer_ends_by_itself(
    killed: Killed, threaded: Path, tmp_path: Path
) -> None:
    log = tmp_path / "x-wal"
    told = killed("commit", 9, "before", str(threaded), str(log))
    assert (told["killed"], told["status"], told["commits"]) == (False, 0, 8)
    assert written(log) == LETTERS + "!"
    assert told["log_writes"] == 9
    assert told["synced"] == 80


def test_strace_counts_the_same(
    killed: Killed, threaded: Path, tmp_path: Path, requires: Callable[[str], Path]
) -> None:
    log, trace = tmp_path / "x-wal", tmp_path / "trace"
    told = killed("commit", 1, "never", str(threaded), str(log))
    watch: list[str | Path] = [
        requires("strace"),
        "-f",
        "-o",
        trace,
        "-e",
        "trace=fdatasync,fsync,pwrite64",
    ]
    subprocess.run([*watch, sys.executable, threaded, log], check=True)
    lines = trace.read_text().splitlines()
    assert sum("sync(" in line for line in lines) == told["commits"]
    assert sum("pwrite64(" in line for line in lines) == told["log_writes"]


@pytest.mark.parametrize(("edge", "arrived"), [("before", b"one"), ("after", b"onetwo")])
def test_the_kth_network_write(killed: Killed, tmp_path: Path, edge: str, arrived: bytes) -> None:
    """A socket pair, as asyncio uses it to wake itself, is no network."""
    program = (
        "import socket, sys\n"
        "peer = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
        "left, right = socket.socketpair()\n"
        "for word in (b'one', b'two', b'three'):\n"
        "    left.send(b'wake')\n"
        "    peer.send(word)\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        told = killed("write", 2, edge, "-c", program, str(server.getsockname()[1]))
        connection, _ = server.accept()
        with connection, connection.makefile("rb") as stream:
            assert stream.read() == arrived
    assert told["killed"]
    assert told["writes"] == 2


def test_the_exit_code_of_a_command_that_fails_is_told(killed: Killed) -> None:
    assert killed("commit", 1, "before", "-c", "raise SystemExit(3)")["status"] == 3
