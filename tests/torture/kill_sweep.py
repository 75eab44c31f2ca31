"""One kill at one exact point, what came of it, and the table of many.

The short sweep is test_kill_sweep.py, the long one long_sweep.py.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from recording_sink import Received, RunningSink
from torture_stage import NEWSLETTER, UNFLUSHED, Stage, addresses, write_publication

EXACT_KILL = str(Path(__file__).with_name("exact_kill.py"))
RECIPIENTS = 200


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """Where to kill: the `when`-th durable commit or network write (`where`), `before` or `after` it (`edge`).

    With `power`, what storage had not promised to keep is gone as well.
    """

    where: str
    edge: str
    when: int

    @property
    def power(self) -> bool:
        """A commit that was not made must not have been relied upon, nor one that a body did not wait for."""
        return (self.where, self.edge) in (("commit", "before"), ("write", "after"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How the sender is set up."""

    pipelining: bool
    connections: int

    def __str__(self) -> str:
        return f"{'pipelined' if self.pipelining else 'stepwise'}, {self.connections} conn."


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of one kill.

    Attributes:
        hit: whether the point was reached.
        missing: neither accepted nor in doubt at the end, or accepted without a message at the server.
        twice: got more than one message.
        in_doubt: at the end.
        unbegun: of them, of whose body the server had nothing yet.
        unflushed: of them, whom the server had answered.
        early: bodies begun before their intent was on storage.
        wrong: whatever else is not as promised, in words.

    """

    hit: bool
    missing: frozenset[str] = frozenset()
    twice: frozenset[str] = frozenset()
    in_doubt: int = 0
    unbegun: int = 0
    unflushed: int = 0
    early: frozenset[str] = frozenset()
    wrong: str = ""

    @property
    def sound(self) -> bool:
        """Whether every promise was kept."""
        return not (self.missing or self.twice or self.early or self.wrong)


def run_killed(stage: Stage, point: Point) -> dict[str, int]:
    """Send until the point is reached; the report of exact_kill.py."""
    report = stage.root / "report.json"
    under = (sys.executable, "-I", "-S", EXACT_KILL, str(report))
    code, said = stage.run(
        "send", "1", "--yes", under=(*under, point.where, str(point.when), point.edge, "--")
    )
    assert code == 0, said
    told: dict[str, int] = json.loads(report.read_text("ascii"))
    if told["killed"] and point.power:
        stage.cut_power(told["synced"])
    return told


def try_point(
    sink: RunningSink, way: Way, point: Point, *, program: tuple[str, ...] = NEWSLETTER
) -> Fate:
    """A new publication, one kill, as many restarts as it takes, and the judgement.

    `program` is what Python runs: the command line, or a careless form of it.
    """
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    try:
        stage = Stage(folder, sink.url, program)
        write_publication(folder, connections=way.connections, recipients=RECIPIENTS)
        told = run_killed(stage, point)
        at_death, standing = sink.take(), stage.standing()
        if not told["killed"]:
            complete = told["status"] == 0 and len(standing.having("accepted")) == RECIPIENTS
            assert complete, f"{way} {point}: {told}, {standing.count()}"
            assert told["log_writes"], "the writes to the log were not seen"
            return Fate(hit=False)
        in_flight, known = standing.having("in_flight"), standing.having("in_flight", "accepted")
        stage.settle()
        return judge(stage, way, at_death, sink.take(), in_flight=in_flight, known=known)
    finally:
        shutil.rmtree(folder)


def judge(
    stage: Stage,
    way: Way,
    at_death: Received,
    later: Received,
    *,
    in_flight: set[str],
    known: set[str],
) -> Fate:
    """Hold what the server received against the promises of docs/architecture.md.

    Args:
        stage: the publication, settled.
        way: how it was sent.
        at_death: what the server had when the sender was dead.
        later: what it got from the restarts.
        in_flight: whose intent was in the ledger of the dead sender, without an outcome.
        known: those and the accepted ones.

    """
    everybody = set(addresses(RECIPIENTS))
    got = Received(received=at_death.received + later.received)
    end = stage.standing()
    accepted, in_doubt = end.having("accepted"), end.having("in_doubt")
    wrong = []
    if end.planned != RECIPIENTS or len(end.states) != RECIPIENTS:
        wrong.append(f"the equation: {end.planned} planned, {end.count()}")
    if in_doubt != in_flight:
        wrong.append(f"in doubt, but not in flight at the kill: {sorted(in_doubt ^ in_flight)}")
    # Under way: one whose answer is awaited, and one whose envelope rides behind it.
    if len(in_doubt - set(at_death.answered)) > 2 * way.connections:
        wrong.append(f"{len(in_doubt)} in doubt, of whom {len(at_death.answered)} were answered")
    if len(in_doubt) > 2 * way.connections + UNFLUSHED:
        wrong.append(f"{len(in_doubt)} in doubt")
    return Fate(
        hit=True,
        missing=frozenset(everybody - accepted - in_doubt) | (accepted - set(got.received)),
        twice=frozenset(got.twice),
        in_doubt=len(in_doubt),
        unbegun=len(in_doubt - set(at_death.begun)),
        unflushed=len(in_doubt & set(at_death.answered)),
        early=frozenset(set(at_death.begun) - known),
        wrong="; ".join(wrong),
    )


@dataclass(slots=True)
class Totals:
    """The table: one row for each way, place and edge."""

    fates: dict[tuple[str, str, str], list[Fate]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def add(self, way: Way, point: Point, fate: Fate) -> None:
        """Count one kill."""
        self.fates.setdefault((str(way), point.where, point.edge), []).append(fate)
        if not fate.sound:
            self.failures.append(f"{way}, {point}: {fate}")

    def table(self) -> str:
        """All rows, and the sum."""
        head = "killed at                            hits missing twice early doubt max unbegun unflushed"
        rows = [(", ".join(key), fates) for key, fates in sorted(self.fates.items())]
        rows.append(("all", [fate for _, fates in rows for fate in fates]))
        return "\n".join([head, *(self._row(name, fates) for name, fates in rows)])

    @staticmethod
    def _row(name: str, fates: list[Fate]) -> str:
        hits = [fate for fate in fates if fate.hit]
        sums = [
            len(hits),
            *(
                sum(len(getattr(fate, what)) for fate in hits)
                for what in ("missing", "twice", "early")
            ),
            sum(fate.in_doubt for fate in hits),
            *(
                max((getattr(fate, what) for fate in hits), default=0)
                for what in ("in_doubt", "unbegun", "unflushed")
            ),
        ]
        widths = (5, 8, 6, 6, 6, 4, 8, 10)
        return f"{name:<36}" + "".join(f"{n:>{w}}" for n, w in zip(sums, widths, strict=True))


PLACES = (("commit", "before"), ("commit", "after"), ("write", "before"), ("write", "after"))
