"""A real Postfix with Debian's postgrey in front, before a server that refuses one in ten recipients.

Postfix asks that server about each recipient before it accepts it (`reject_unverified_recipient`), so that the
refusals come at RCPT and the ledger sees them.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from real_postfix import Postfix, running_postfix, running_postgrey
from recording_sink import Received, RunningSink, running_sink
from torture_stage import Stage, addresses, write_publication

GREYLISTED = 2  # seconds
# Minutes: a deferred recipient is due again after three seconds, and one run waits for it.
PATIENT = "  window: 120\n  retry: [0.05]\n  retry_then: 0.05\n"
# postgrey refuses everybody once, which for Postfix is a client that makes nothing but errors. One that greylists
# its own submitters would have to tolerate that; the last test has Postfix's own limits.
TOLERANT = "smtpd_soft_error_limit = 1000\nsmtpd_hard_error_limit = 1001"
QUEUED = re.compile(r"2\.0\.0 Ok: queued as (\w+)")

Relay = Callable[..., Any]


@pytest.fixture
def relay(requires: Callable[[str], Path]) -> Relay:
    """`with relay(more, refuse) as (postfix, sink)`: the chain of postgrey, Postfix and the server behind it."""
    postfix, postgrey = requires("postfix"), requires("postgrey")
    if os.geteuid() != 0:
        pytest.skip("Postfix changes users, which only root may do")

    @contextmanager
    def chain(more: str, *refuse: str) -> Iterator[tuple[Postfix, RunningSink]]:
        with (
            running_sink(*(f"--refuse={rule}" for rule in refuse)) as sink,
            running_postgrey(postgrey, delay=GREYLISTED) as policy,
            running_postfix(postfix, onward=sink.port, policy=policy, more=more) as running,
        ):
            yield running, sink

    return chain


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[[Postfix, int], Stage]]:
    stages = []

    def make(postfix: Postfix, recipients: int) -> Stage:
        root = write_publication(tmp_path, connections=4, recipients=recipients, settings=PATIENT)
        stages.append(Stage(root, postfix.url))
        return stages[-1]

    yield make
    for each in stages:
        each.end()


def attempts(stage: Stage) -> list[dict[str, Any]]:
    """The lines of the per-send log."""
    lines = (stage.root / ".newsletter/log/001.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def everything(sink: RunningSink, count: int) -> Received:
    """What the last server has got, when it is `count` messages, or after half a minute."""
    got = sink.take()
    until = time.monotonic() + 30
    while len(got.received) < count and time.monotonic() < until:
        time.sleep(0.2)
        more = sink.take()
        got.received += more.received
        got.refused += more.refused
    return got


def check_queue_ids(stage: Stage, postfix: Postfix) -> int:
    """Every accepted attempt names the queue id under which Postfix itself has logged it; returns how many."""
    told = {}
    for attempt in attempts(stage):
        if attempt["state"] == "accepted":
            found = QUEUED.search(attempt["reply"])
            assert found, attempt
            told[found[1]] = attempt["address"]
    assert told == postfix.handed_on()
    return len(told)


def test_a_thousand_are_settled_in_one_run(
    relay: Relay,
    stage: Callable[[Postfix, int], Stage],
    record_property: Callable[[str, str], None],
) -> None:
    """Two in a hundred do not exist, eight have a mailbox that is full or disabled, all are greylisted first."""
    refuse = (
        "[05]7@=550 5.1.1 no such user here",
        "[1-4]7@=552 5.2.2 the mailbox is full",
        "[6-9]7@=550 5.2.1 the mailbox is disabled",
    )
    everybody = addresses(1000)
    refused = {address for address in everybody if "7@" in address}
    dead = {address for address in refused if address[-14:-12] in ("07", "57")}
    with relay(TOLERANT, *refuse) as (postfix, sink):
        here = stage(postfix, len(everybody))
        code, said = here.run("send", "1", "--yes")
        got = everything(sink, 900)
        assert code == 0, said
        assert "planned 1000 = 900 accepted + 100 failed" in said
        standing = here.standing()
        assert standing.having("failed") == refused
        assert standing.having("accepted") == set(everybody) - refused
        assert sorted(got.received) == sorted(set(everybody) - refused)
        assert set(got.refused) == refused
        assert here.suppressed() == dead
        assert check_queue_ids(here, postfix) == 900
        answers = Counter((a["stage"], a["code"], a["state"]) for a in attempts(here))
    assert answers["rcpt", 450, "deferred"] >= 1000
    assert answers["rcpt", 550, "failed"] == 100
    assert answers["dot", 250, "accepted"] == 900
    shown = [f"{number:>5} {' '.join(map(str, key))}" for key, number in answers.most_common()]
    record_property("totals", "\n".join([*shown, "  900 queue ids found in Postfix's own log"]))


def test_a_list_with_one_dead_address_in_ten_stops_the_run_and_the_same_command_goes_on(
    relay: Relay, stage: Callable[[Postfix, int], Stage]
) -> None:
    everybody = addresses(500)
    dead = {address for address in everybody if "7@" in address}
    with relay(TOLERANT, "7@=550 5.1.1 no such user here") as (postfix, sink):
        here = stage(postfix, len(everybody))
        code, said = here.run("send", "1", "--yes")
        assert code == 1
        assert "addresses do not exist" in said
        assert here.standing().having("deferred")
        for _ in range(3):
            code, said = here.run("send", "1", "--yes")
            if code == 0:
                break
        got = everything(sink, 450)
        assert code == 0, said
        assert here.standing().having("failed") == here.suppressed() == dead
        assert sorted(got.received) == sorted(set(everybody) - dead)
        assert check_queue_ids(here, postfix) == 450


def test_a_session_that_postfix_ends_for_its_many_errors_costs_nobody_anything(
    relay: Relay, stage: Callable[[Postfix, int], Stage]
) -> None:
    """Postfix's own limit is 20 errors, and with PIPELINING each greylisted recipient makes two: RCPT and DATA."""
    everybody = addresses(60)
    with relay("smtpd_error_sleep_time = 0") as (postfix, sink):
        here = stage(postfix, len(everybody))
        code, said = here.run("send", "1", "--yes")
        got = everything(sink, 60)
        assert code == 0, said
        assert "too many errors" in postfix.log()
        assert here.standing().having("accepted") == set(everybody)
        assert sorted(got.received) == everybody
        assert check_queue_ids(here, postfix) == 60
