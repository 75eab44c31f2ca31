"""The promises of docs/architecture.md through a kill at any exact moment, and through a loss of power: a short sweep.

The long one, at every commit and every network write, is `make torture`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kill_sweep import PLACES, RECIPIENTS, Point, Totals, Way, run_killed, try_point
from recording_sink import RunningSink, running_sink
from torture_stage import Stage, addresses, write_publication

Killed = Callable[..., dict[str, Any]]

PIPELINED = Way(pipelining=True, connections=4)
STEPWISE = Way(pipelining=False, connections=1)
# While planning or at the first bodies before it, in the middle or towards the end after it. A stepwise message takes
# five writes.
SHORT = {
    (PIPELINED, "commit"): (3, 30),
    (PIPELINED, "write"): (7, 380),
    (STEPWISE, "commit"): (6, 150),
    (STEPWISE, "write"): (8, 333),
}
CARELESS = str(Path(__file__).with_name("careless.py"))


@pytest.fixture(scope="module")
def pipelined() -> Iterator[RunningSink]:
    with running_sink() as sink:
        yield sink


@pytest.fixture(scope="module")
def stepwise() -> Iterator[RunningSink]:
    with running_sink("--no-pipelining") as sink:
        yield sink


def test_killed_anywhere_nobody_is_forgotten_and_nobody_gets_it_twice(
    killed: Killed,
    pipelined: RunningSink,
    stepwise: RunningSink,
    record_property: Callable[[str, str], None],
) -> None:
    totals = Totals()
    for (way, where), numbers in SHORT.items():
        edges = [edge for place, edge in PLACES if place == where]
        for when, edge in zip(numbers, edges, strict=True):
            point = Point(where, edge, when)
            fate = try_point(pipelined if way.pipelining else stepwise, way, point)
            assert fate.hit, f"{way} {point}"
            totals.add(way, point, fate)
    record_property("totals", totals.table())
    assert not totals.failures


def test_killed_again_and_again_while_it_recovers(
    killed: Killed, tmp_path: Path, pipelined: RunningSink
) -> None:
    """Every restart dies as well, a little later than the one before, before and after its commits in turn."""
    stage = Stage(write_publication(tmp_path, connections=4, recipients=RECIPIENTS), pipelined.url)
    doubt: set[str] = set()
    for when in range(2, 24, 3):
        edge = "before" if when % 2 else "after"
        run_killed(stage, Point("commit", edge, when))
        doubt |= stage.standing().having("in_flight", "in_doubt")
    stage.settle()
    end, got = stage.standing(), pipelined.take()
    assert end.planned == len(end.states) == RECIPIENTS
    assert end.having("in_doubt") == doubt
    assert end.having("accepted") | doubt == set(addresses(RECIPIENTS))
    assert not got.twice
    assert end.having("accepted") <= set(got.received)


@pytest.mark.parametrize(
    ("fault", "point", "broken"),
    [
        ("body_before_intent", Point("write", "after", 200), "early"),
        ("no_sync", Point("write", "after", 200), "twice"),
        ("resend_what_is_in_flight", Point("write", "after", 200), "twice"),
    ],
)
def test_a_sender_that_breaks_a_promise_is_found_out(
    killed: Killed, pipelined: RunningSink, fault: str, point: Point, broken: str
) -> None:
    """The sweep itself is tested: a careless sender must not pass it."""
    fate = try_point(pipelined, PIPELINED, point, program=(CARELESS, fault))
    assert fate.hit
    assert getattr(fate, broken)
