"""Where the workers' entries come from: claimed in small batches, a little ahead of need, handed out at a pace."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Sequence
from typing import Protocol

from newsletter.delivery.ledger import Claim
from newsletter.delivery.pace import Pace
from newsletter.errors import LedgerError

LONGEST_LANE = 64  # entries of a slow domain at hand, so that they do not fill the batch
SHORTEST_WAIT = 0.05  # seconds before the ledger is asked again, whatever it says …
LONGEST_WAIT = 1.0  # … since somebody else may change it


class Source(Protocol):
    """The ledger as the supply sees it, off the event loop."""

    def claim(self, limit: int) -> Awaitable[list[Claim]]:
        """Up to `limit` due entries."""

    def seconds_to_next(self) -> Awaitable[float | None]:
        """Until the next entry is due, or None when nothing waits."""

    def postpone(self, claims: Sequence[Claim], seconds: float) -> Awaitable[object]:
        """Give entries back, due again after `seconds`."""


class Supply:
    """Hands claimed entries to connections.

    Args:
        source: the ledger.
        pace: decides which may go when.
        batch: how many to claim at a time.
        limit: how many to hand out in all, or None.
        patience: how many seconds this run may wait for deferred entries, counted from now.

    """

    def __init__(
        self, source: Source, *, pace: Pace, batch: int, limit: int | None, patience: float
    ) -> None:
        self._source = source
        self._pace = pace
        self._batch = batch
        self._left = limit
        self._loop = asyncio.get_running_loop()
        self._refill: asyncio.Task[None] | None = None
        self._postponing: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._end = asyncio.Event()
        self._until = self._loop.time() + patience
        self._under_way = 0
        self._settled = 0
        self._dry = False
        self.closed = False

    def now(self, carried: dict[str, int]) -> Claim | None:
        """An entry that may go now on a connection that has `carried` so much, or None."""
        return None if self.closed else self._pick(carried)[0]

    async def next(self, carried: dict[str, int]) -> Claim | None:
        """The next entry, waiting for one if need be; None when this connection has nothing more to send."""
        while not self.finished:
            claim, wait = self._pick(carried)
            if claim is not None or wait < 0:
                return claim
            await self._wait(wait)
        return None

    async def available(self) -> bool:
        """Wait until there is something at hand, without taking it; false when there will be nothing."""
        while not (self.finished or self._pace.held):
            await self._wait(math.inf)
        return not self.finished

    def settled(self, claim: Claim, *, accepted: bool, refused: bool) -> None:
        """A taken entry got its outcome; `refused` when its domain wants less of us."""
        self._under_way -= 1
        self._settled += 1
        now = self._loop.time()
        domain = claim.subscriber.address.domain
        withdrawn = self._pace.settled(domain, accepted=accepted, refused=refused, now=now)
        if withdrawn:
            self._postpone(withdrawn, self._pace.lane(domain, now=now).paused_until - now)
        self._changed.set()

    def close(self) -> None:
        """Hand out nothing more."""
        self.closed = True
        self._end.set()
        self._changed.set()

    async def ended(self) -> None:
        """Wait until `close` is called."""
        await self._end.wait()

    @property
    def finished(self) -> bool:
        """Whether nothing more will be handed out."""
        return self.closed or self._dry

    def _pick(self, carried: dict[str, int]) -> tuple[Claim | None, float]:
        picked = self._pace.pick(carried, now=self._loop.time())
        if self._pace.held < self._batch // 2:
            self._start_refill()
        if isinstance(picked, float):
            return None, picked
        self._under_way += 1
        return picked, 0.0

    async def _wait(self, seconds: float) -> None:
        """Until something changes, but not longer than `seconds`."""
        self._changed.clear()
        if not self._pace.held:
            self._start_refill()
        if math.isinf(seconds):
            await self._changed.wait()
            return
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)

    def _start_refill(self) -> None:
        if self._refill is None or self._refill.done():
            self._refill = self._loop.create_task(self._fill())

    async def _fill(self) -> None:
        """Claim a batch; with nothing due, wait for what is deferred or declare the run dry."""
        try:
            wanted = self._batch if self._left is None else min(self._batch, self._left)
            settled_before = self._settled
            claims = await self._source.claim(wanted) if wanted else []
            if claims:
                self._admit(claims)
            elif not self._pace.held:
                if self._under_way:
                    return  # the last of them to settle wakes the waiting workers
                if self._settled == settled_before:  # else one may have come back behind the claim
                    await self._await_due(exhausted=not wanted)
        except LedgerError:
            self.close()  # the recorder has told the sender why
        self._changed.set()

    def _admit(self, claims: list[Claim]) -> None:
        """Put claims into their lanes, and back into the ledger where a lane is shut or too long."""
        now = self._loop.time()
        if self._left is not None:
            self._left -= len(claims)
        for claim in claims:
            self._pace.add(claim, now=now)
        for domain in {claim.subscriber.address.domain for claim in claims}:
            lane = self._pace.lane(domain, now=now)
            if lane.paused_until > now:
                self._postpone(self._pace.withdraw(lane), lane.paused_until - now)
            elif lane.policy.rate and len(lane.queue) > LONGEST_LANE:
                seconds = LONGEST_LANE / (lane.policy.rate / 60.0 * lane.share)
                # Our own pace is no reason to end the run: patience is for what others make us wait.
                self._until = max(self._until, now + seconds + LONGEST_WAIT)
                self._postpone(self._pace.withdraw(lane, keep=LONGEST_LANE), seconds)

    def _postpone(self, claims: list[Claim], seconds: float) -> None:
        if claims:
            if self._left is not None:
                self._left += len(claims)
            task = self._loop.create_task(self._give_back(claims, seconds))
            self._postponing.add(task)
            task.add_done_callback(self._postponing.discard)

    async def _give_back(self, claims: list[Claim], seconds: float) -> None:
        with contextlib.suppress(LedgerError):
            await self._source.postpone(claims, seconds)
        self._changed.set()

    async def _await_due(self, *, exhausted: bool) -> None:
        if self._postponing:
            return
        seconds = None if exhausted else await self._source.seconds_to_next()
        if seconds is None or self._loop.time() + seconds > self._until:
            self._dry = True
        else:
            await asyncio.sleep(min(max(seconds, SHORTEST_WAIT), LONGEST_WAIT))
