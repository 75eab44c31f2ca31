"""Where the workers' entries come from: claimed in small batches, a little ahead of need."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from newsletter.delivery.ledger import Claim
from newsletter.errors import LedgerError

Claimer = Callable[[int], Awaitable[list[Claim]]]
"""Claims up to n due entries."""

DueClock = Callable[[], Awaitable[float | None]]
"""Seconds until the next entry is due, or None when nothing waits."""


class Supply:
    """Hands claimed entries to workers.

    Args:
        claim: asks the ledger for more.
        seconds_to_next: asked when nothing is due.
        batch: how many to claim at a time.
        limit: how many to hand out in all, or None.
        patience: how many seconds this run may wait for deferred entries, counted from now.

    """

    def __init__(
        self,
        *,
        claim: Claimer,
        seconds_to_next: DueClock,
        batch: int,
        limit: int | None,
        patience: float,
    ) -> None:
        self._claim = claim
        self._seconds_to_next = seconds_to_next
        self._batch = batch
        self._left = limit
        self._ready: deque[Claim] = deque()
        self._refill: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._end = asyncio.Event()
        self._until = asyncio.get_running_loop().time() + patience
        self._under_way = 0
        self._dry = False
        self.closed = False

    def now(self) -> Claim | None:
        """An entry, if one is at hand."""
        if self.closed or not self._ready:
            return None
        self._under_way += 1
        claim = self._ready.popleft()
        if len(self._ready) < self._batch // 2:
            self._start_refill()
        return claim

    async def next(self) -> Claim | None:
        """The next entry, waiting for one if need be; None when this run has nothing more to send."""
        while not self.closed:
            if claim := self.now():
                return claim
            if self._dry:
                return None
            self._changed.clear()
            self._start_refill()
            await self._changed.wait()
        return None

    async def available(self) -> bool:
        """Wait until there is something to send, without taking it; false when there will be nothing."""
        while not (self.closed or self._dry):
            if self._ready:
                return True
            self._changed.clear()
            self._start_refill()
            await self._changed.wait()
        return bool(self._ready) and not self.closed

    def settled(self) -> None:
        """A taken entry got its outcome; a deferral may make it due again later."""
        self._under_way -= 1
        if not self._under_way:
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
    def unsent(self) -> int:
        """Claimed entries that no worker has taken."""
        return len(self._ready)

    def _start_refill(self) -> None:
        if self._refill is None or self._refill.done():
            self._refill = asyncio.get_running_loop().create_task(self._fill())

    async def _fill(self) -> None:
        """Claim a batch; with nothing due, wait for what is deferred or declare the run dry."""
        try:
            wanted = self._batch if self._left is None else min(self._batch, self._left)
            claims = await self._claim(wanted) if wanted else []
            if claims:
                self._ready.extend(claims)
                if self._left is not None:
                    self._left -= len(claims)
            elif not self._ready:
                if self._under_way:
                    return  # the last of them to settle wakes the waiting workers
                await self._await_due(exhausted=not wanted)
        except LedgerError:
            self.close()  # the recorder has told the sender why
        self._changed.set()

    async def _await_due(self, *, exhausted: bool) -> None:
        seconds = None if exhausted else await self._seconds_to_next()
        loop = asyncio.get_running_loop()
        if seconds is None or loop.time() + seconds > self._until:
            self._dry = True
        elif seconds > 0:
            await asyncio.sleep(min(seconds, 1.0))
