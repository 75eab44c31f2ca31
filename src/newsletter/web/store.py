"""Two ways to the membership: one thread that writes, so that many changes share a commit, and one that reads."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from newsletter.membership import Membership

T = TypeVar("T")
Opened = Callable[[], AbstractContextManager[Membership]]
"""Opens the membership on a connection of its own."""

MOST = 256  # operations that share one commit


@dataclass(slots=True)
class _Job:
    """An operation, who waits for it, and how it ended."""

    operation: Callable[[Membership], Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None

    def run(self, membership: Membership) -> None:
        """Run it in a part of the transaction that it alone can spoil."""
        try:
            with membership.register.together():
                self.result = self.operation(membership)
        except Exception as error:  # it is for whoever waits
            self.error = error

    def answer(self) -> None:
        """Tell whoever still waits."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Writer:
    """One thread with a membership of its own. Whatever has come in while it was busy shares one commit.

    An operation's result is only given out when the commit has returned; if that fails, everybody in it gets the
    error, and what they wanted is undone.

    Args:
        opened: opens its membership.

    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Open the membership and begin.

        Raises:
            NewsletterError: it cannot be opened.

        """
        self._loop = asyncio.get_running_loop()
        ready: asyncio.Future[Any] = self._loop.create_future()
        self._thread = threading.Thread(target=self._work, args=(ready,), name="writer")
        self._thread.start()
        await ready

    async def stop(self) -> None:
        """Finish what was asked for, then end."""
        if self._thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    async def do(self, operation: Callable[[Membership], T]) -> T:
        """Run `operation` in the writing thread; its result is durable when this returns.

        Raises:
            NewsletterError: the database cannot take it now, or what the operation itself raises.

        """
        job = _Job(operation, asyncio.get_running_loop().create_future())
        self._jobs.put(job)
        return cast("T", await job.future)

    def _work(self, ready: asyncio.Future[Any]) -> None:
        opening = _Job(lambda _: None, ready)
        with ExitStack() as stack:
            try:
                membership = stack.enter_context(self._opened())
            except Exception as error:
                opening.error = error
                self._tell([opening])
                return
            self._tell([opening])
            while batch := self._next():
                self._commit(membership, batch)
                self._tell(batch)

    def _next(self) -> list[_Job]:
        """Everything that waits, at least one; nothing when it is time to end."""
        first = self._jobs.get()
        if first is None:
            return []
        batch = [first]
        while len(batch) < MOST:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._jobs.put(None)  # after this batch
                break
            batch.append(job)
        return batch

    def _commit(self, membership: Membership, batch: list[_Job]) -> None:
        try:
            with membership.register.together():
                for job in batch:
                    job.run(membership)
        except Exception as error:  # nothing of it is stored, so nobody may hear otherwise
            for job in batch:
                job.error = job.error or error

    def _tell(self, batch: list[_Job]) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(_answer_all, batch)
        except RuntimeError:  # the loop was closed over our head: nobody waits any more
            return


def _answer_all(batch: list[_Job]) -> None:
    for job in batch:
        job.answer()


class Reader:
    """One thread with a membership of its own, for looking only: a slow commit is in no page's way.

    Args:
        opened: opens its membership.

    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reader")
        self._stack = ExitStack()
        self._membership: Membership | None = None

    async def ask(self, question: Callable[[Membership], T]) -> T:
        """What `question` finds; it must change nothing.

        Raises:
            NewsletterError: the database cannot be read.

        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: question(self._open()))

    async def stop(self) -> None:
        """Close the membership."""
        await asyncio.get_running_loop().run_in_executor(self._pool, self._stack.close)
        self._pool.shutdown()

    def _open(self) -> Membership:
        if self._membership is None:
            self._membership = self._stack.enter_context(self._opened())
        return self._membership
