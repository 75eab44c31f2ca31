"""Two senders on one ledger, a sender that sleeps through its lease, and senders that are told to stop."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from recording_sink import RunningSink, running_sink
from torture_stage import LEDGER, Stage, addresses, finish, write_publication

RECIPIENTS = 160  # more than one sender claims at a time
EVERYBODY = addresses(RECIPIENTS)
CONNECTIONS = 4
LEASE = 0.5
FLUSHED = 0.3  # seconds after which every answer that came is in the ledger
UNLOCKED = str(Path(__file__).with_name("unlocked.py"))


@pytest.fixture(params=["pipelined", "stepwise"])
def wire(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The sink's option for it."""
    return ("--no-pipelining",) if request.param == "stepwise" else ()


@pytest.fixture
def sink(wire: tuple[str, ...]) -> Iterator[RunningSink]:
    """It takes its time over each message, so that a send lasts for seconds."""
    with running_sink("--seconds=0.05", *wire) as running:
        yield running


@pytest.fixture
def publication(tmp_path: Path) -> Path:
    return write_publication(tmp_path, connections=CONNECTIONS, recipients=RECIPIENTS)


@pytest.fixture
def stage(publication: Path, sink: RunningSink) -> Iterator[Stage]:
    stage = Stage(publication, sink.url)
    yield stage
    stage.end()


@pytest.fixture
def unlocked(stage: Stage, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """The same place with a sender that knows no lock."""
    more = getattr(request, "param", ("--no-recovery",))
    unlocked = Stage(stage.root, stage.relay, (UNLOCKED, str(LEASE), *more))
    yield unlocked
    unlocked.end()


def wait_until(what: Callable[[], bool]) -> None:
    """Until `what` holds, for a minute."""
    until = time.monotonic() + 60
    while not what():
        assert time.monotonic() < until
        time.sleep(0.005)


def half_way(stage: Stage) -> bool:
    """Whether the log has a fifth of all outcomes."""
    path = stage.root / ".newsletter" / "log" / "001.jsonl"
    return path.exists() and path.read_bytes().count(b"\n") >= RECIPIENTS // 5


@contextmanager
def under_way(stage: Stage, sink: RunningSink) -> Iterator[None]:
    """The server stands still while it owes somebody the answer to a body."""
    while True:
        with sink.frozen():
            time.sleep(FLUSHED)
            if stage.standing().having("in_flight"):
                yield
                return
        assert stage.standing().having("pending", "claimed")


def everybody_once(stage: Stage, sink: RunningSink) -> None:
    """All are accepted, and the server has exactly one message for each."""
    end = stage.standing()
    assert (end.planned, end.count()) == (RECIPIENTS, {"accepted": RECIPIENTS})
    assert sorted(sink.take().received) == EVERYBODY


@pytest.mark.parametrize("wire", ["pipelined"], indirect=True)
def test_of_two_started_at_once_the_lock_lets_one_through(stage: Stage, sink: RunningSink) -> None:
    with sink.frozen():  # nobody can be through before the other has begun
        both = [stage.start("send", "1", "--yes") for _ in range(2)]
        wait_until(lambda: any(process.poll() is not None for process in both))
    (code, said), (other_code, other_said) = sorted(map(finish, both))
    assert (code, other_code) == (0, 75), (said, other_said)
    assert f"planned {RECIPIENTS} = {RECIPIENTS} accepted" in said
    assert "another send is running here (process " in other_said
    everybody_once(stage, sink)
    code, said = stage.run("send", "1", "--yes")
    assert code == 0
    assert "Nothing is left to send." in said
    assert not sink.take().received


@pytest.mark.parametrize(
    ("wire", "unlocked", "meanwhile"),
    [("pipelined", (), "in_doubt"), ("stepwise", ("--no-recovery",), "in_flight")],
    ids=["pipelined-recovery", "stepwise-leases-only"],
    indirect=["wire", "unlocked"],
)
def test_one_that_sleeps_through_its_lease_mails_nobody_twice(
    stage: Stage, sink: RunningSink, unlocked: Stage, meanwhile: str
) -> None:
    """Without the run lock: the second sender takes what the frozen one had claimed, and the fence keeps it.

    What the frozen one had in flight is never sent by the other. It tells the truth about it when it wakes.
    """
    first = unlocked.start()
    wait_until(lambda: half_way(stage))
    with under_way(stage, sink):
        freeze(first, stage)
    time.sleep(3 * LEASE)
    at_freeze = stage.standing()
    assert at_freeze.having("claimed")
    assert at_freeze.having("in_flight")
    second = outcomes(unlocked.start())
    between = stage.standing()
    untold = at_freeze.having("in_flight")
    assert between.having(meanwhile) == untold
    assert between.having("accepted") == set(EVERYBODY) - untold
    first.send_signal(signal.SIGCONT)
    woken = outcomes(first)
    assert second["accepted"] > 0
    assert woken["accepted"] + second["accepted"] == RECIPIENTS
    everybody_once(stage, sink)


def test_both_awake_without_the_lock_share_the_work(
    stage: Stage, sink: RunningSink, unlocked: Stage
) -> None:
    """Each takes what the other has not claimed yet, or claimed and left lying."""
    stage.run("send", "1", "--yes", "--limit", "1")
    both = [outcomes(process) for process in [unlocked.start() for _ in range(2)]]
    assert sum(each.get("accepted", 0) for each in both) == RECIPIENTS - 1
    everybody_once(stage, sink)


@pytest.mark.parametrize(
    ("wire", "name"), [("pipelined", "SIGINT"), ("stepwise", "SIGTERM")], indirect=["wire"]
)
def test_a_signal_lets_what_is_under_way_come_to_its_end(
    stage: Stage, sink: RunningSink, name: str
) -> None:
    process = stage.start("send", "1", "--yes")
    wait_until(lambda: half_way(stage))
    with sink.frozen():
        process.send_signal(signal.Signals[name])
        wait_for_words(process, "finishing what is under way")
    code, said = finish(process)
    assert code == 75
    assert "next: newsletter send 1" in said
    cut = stage.standing()
    assert set(cut.count()) == {"accepted", "pending"}
    assert f"planned {RECIPIENTS} = " in said
    assert stage.run("send", "1", "--yes")[0] == 0
    everybody_once(stage, sink)


@pytest.mark.parametrize(
    ("wire", "name"), [("pipelined", "SIGTERM"), ("stepwise", "SIGINT")], indirect=["wire"]
)
def test_a_second_signal_is_as_safe_as_a_kill(stage: Stage, sink: RunningSink, name: str) -> None:
    process = stage.start("send", "1", "--yes")
    wait_until(lambda: half_way(stage))
    with under_way(stage, sink):
        process.send_signal(signal.Signals[name])
        wait_for_words(process, "finishing what is under way")
        process.send_signal(signal.Signals[name])
        code, _ = finish(process)
    assert code == 75
    cut = stage.standing()
    assert set(cut.count()) == {"accepted", "in_doubt", "pending"}
    doubt = cut.having("in_doubt")
    assert len(doubt) <= 2 * CONNECTIONS
    before = sink.take().received
    assert cut.having("accepted") <= set(before) <= cut.having("accepted", "in_doubt")
    stage.settle()
    end = stage.standing()
    assert end.having("in_doubt") == doubt
    assert end.having("accepted") == set(EVERYBODY) - doubt
    assert sorted(before + sink.take().received) == sorted(end.having("accepted") | set(before))


def freeze(process: subprocess.Popen[str], stage: Stage) -> None:
    """SIGSTOP, at a moment when the process does not hold the database.

    A sender that is frozen inside a transaction keeps the other one from everything: it says so after 30 s.
    """
    with closing(sqlite3.connect(stage.root / LEDGER, timeout=0, isolation_level=None)) as db:
        while True:
            process.send_signal(signal.SIGSTOP)
            wait_until(lambda: stands_still(process.pid))
            try:
                db.execute("BEGIN IMMEDIATE")
                db.execute("ROLLBACK")
            except sqlite3.OperationalError:
                process.send_signal(signal.SIGCONT)
                time.sleep(0.003)
            else:
                return


def stands_still(pid: int) -> bool:
    """Whether every thread has stopped; a signal takes its time, above all behind a sync of the disk."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return all((task / "stat").read_text().rpartition(")")[2].split()[0] == "T" for task in tasks)


def wait_for_words(process: subprocess.Popen[str], words: str) -> None:
    """Read what a command says until it says this."""
    assert process.stderr is not None
    assert any(words in line for line in process.stderr)


def outcomes(process: subprocess.Popen[str]) -> dict[str, int]:
    """What an unlocked sender has achieved."""
    code, said = finish(process)
    assert code == 0, said
    told: dict[str, int] = json.loads(said)
    return told
