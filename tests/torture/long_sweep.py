"""The long sweep, `make torture`: every commit and every network write, or as many as the time allows.

Takes a number of seconds as its only argument.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from kill_sweep import PLACES, RECIPIENTS, Fate, Point, Totals, Way, try_point
from recording_sink import running_sink

SECONDS = 600.0
WAYS = tuple(Way(pipelining=p, connections=c) for p in (True, False) for c in (1, 4))
COARSEST = 64


class LongSweep:
    """Every k for every way, place and edge, until a run ends without being hit, or the time is over.

    The places take turns, and each goes through its numbers in strides that become finer (every 64th, every 32nd,
    … every one), so that a sweep which is cut short has looked everywhere evenly.
    """

    def __init__(self, *, seconds: float) -> None:
        self.totals = Totals()
        self.tried = 0
        self._until = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._ends: dict[tuple[Way, str, str], int] = {}
        self._points = self._all()
        self.complete = True

    def run(self, *, workers: int) -> None:
        """Sweep with several senders side by side, each with servers of its own."""
        with ThreadPoolExecutor(workers) as pool:
            for future in [pool.submit(self._work) for _ in range(workers)]:
                future.result()

    def _all(self) -> Iterator[tuple[Way, Point]]:
        for stride in (64, 32, 16, 8, 4, 2, 1):
            lanes = {
                (way, *place): self._lane(way, place, stride) for way in WAYS for place in PLACES
            }
            while lanes:
                for key, lane in list(lanes.items()):
                    point = next(lane, None)
                    if point is None:
                        del lanes[key]
                    else:
                        yield key[0], point

    def _lane(self, way: Way, place: tuple[str, str], stride: int) -> Iterator[Point]:
        for when in count(stride, stride):
            if when >= self._ends.get((way, *place), when + 1):
                return
            if stride == COARSEST or when % (2 * stride):
                yield Point(*place, when)

    def _next(self) -> tuple[Way, Point] | None:
        with self._lock:
            found = next(self._points, None)
            if found and time.monotonic() > self._until:
                self.complete = False
                return None
            return found

    def _work(self) -> None:
        with running_sink() as pipelined, running_sink("--no-pipelining") as stepwise:
            while found := self._next():
                way, point = found
                sink = pipelined if way.pipelining else stepwise
                try:
                    fate = try_point(sink, way, point)
                except (
                    AssertionError
                ) as error:  # one point more that failed, not the end of the sweep
                    fate = Fate(hit=True, wrong=str(error))
                    sink.take()
                with self._lock:
                    self.tried += 1
                    self.totals.add(way, point, fate)
                    if not fate.hit:
                        key = (way, point.where, point.edge)
                        self._ends[key] = min(point.when, self._ends.get(key, point.when))


def main() -> int:
    """Sweep, print the totals; 1 if a promise was broken."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    started = time.monotonic()
    sweep = LongSweep(seconds=seconds)
    sweep.run(workers=2)
    print(sweep.totals.table())
    how = "every k" if sweep.complete else "evenly spread, as many as the time allowed"
    print(f"{sweep.tried} sends of {RECIPIENTS} in {time.monotonic() - started:.0f} s: {how}")
    for failure in sweep.totals.failures:
        print(failure)
    return 1 if sweep.totals.failures else 0


if __name__ == "__main__":
    sys.exit(main())
