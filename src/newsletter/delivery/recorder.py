"""Keeps the ledger off the event loop: one thread, one transaction for everything that waits (group commit)."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from newsletter.delivery.ledger import Intent, Ledger, Outcome
from newsletter.delivery.sendlog import SendLog
from newsletter.errors import LedgerError

FLUSH_ROWS = 50
FLUSH_SECONDS = 0.1

T = TypeVar("T")


class Recorder:
    """The one writer of a run.

    Intents are committed at once, together with whatever else waits; outcomes may wait for 50 rows or 100 ms, since
    losing one makes a doubt and never a duplicate. When a commit fails, every waiting intent fails with it, `failed`
    is called once, and nothing is granted any more.

    Args:
        ledger: used by the recorder's thread only, from `start` to `close`.
        run: the fence number.
        log: where each outcome also becomes a line.
        clock: seconds since the epoch.
        failed: called in the event loop with the error that ended recording.

    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        run: int,
        log: SendLog,
        clock: Callable[[], float],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._ledger = ledger
        self._run = run
        self._log = log
        self._clock = clock
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._wake = threading.Condition()
        self._intents: list[tuple[Intent, asyncio.Future[bool]]] = []
        self._outcomes: list[tuple[Outcome, str]] = []
        self._oldest_outcome = 0.0
        self._calls: deque[tuple[Callable[[], Any], asyncio.Future[Any]]] = deque()
        self._closing = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)

    def start(self) -> None:
        """Begin to record."""
        self._thread.start()

    def intend(self, intent: Intent) -> asyncio.Future[bool]:
        """Ask for the right to send a body; the future is true once that is durable."""
        future: asyncio.Future[bool] = self._loop.create_future()
        with self._wake:
            if self._error is None:
                self._intents.append((intent, future))
                self._wake.notify()
                return future
        future.set_result(False)
        return future

    def record(self, outcome: Outcome, address: str) -> None:
        """Put an outcome on record soon. `address` is for the log."""
        with self._wake:
            if not self._outcomes:
                self._oldest_outcome = time.monotonic()
                self._wake.notify()
            self._outcomes.append((outcome, address))
            if len(self._outcomes) >= FLUSH_ROWS:
                self._wake.notify()

    async def call(self, function: Callable[[], T]) -> T:
        """Run a ledger method in the recorder's thread, after what waits is committed.

        Raises:
            LedgerError: the ledger failed, now or before.

        """
        future: asyncio.Future[T] = self._loop.create_future()
        with self._wake:
            if self._error is not None:
                raise LedgerError(str(self._error))
            self._calls.append((function, future))
            self._wake.notify()
        return await future

    async def close(self) -> None:
        """Commit what waits and end the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.to_thread(self._thread.join)
        self._log.close()

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._due():
                    self._wake.wait(FLUSH_SECONDS / 2 if self._outcomes else None)
                intents, self._intents = self._intents, []
                outcomes, self._outcomes = self._outcomes, []
                calls, self._calls = self._calls, deque()
                closing = self._closing
            if self._error is None:
                self._commit(intents, outcomes)
            for function, future in calls:
                self._answer(function, future)
            if closing and not (self._intents or self._outcomes or self._calls):
                return

    def _due(self) -> bool:
        if self._intents or self._calls or self._closing:
            return True
        if len(self._outcomes) >= FLUSH_ROWS:
            return True
        waited = time.monotonic() - self._oldest_outcome
        return bool(self._outcomes) and waited >= FLUSH_SECONDS

    def _commit(
        self,
        intents: list[tuple[Intent, asyncio.Future[bool]]],
        outcomes: list[tuple[Outcome, str]],
    ) -> None:
        if not (intents or outcomes):
            return
        try:
            granted = self._ledger.commit(
                run=self._run,
                intents=[intent for intent, _ in intents],
                outcomes=[outcome for outcome, _ in outcomes],
                now=self._clock(),
            )
            self._log.write(outcomes)
        except Exception as error:
            self._fail(error)
            granted = set()
        if intents:
            answers = [(future, intent.id in granted) for intent, future in intents]
            self._loop.call_soon_threadsafe(_answer_all, answers)

    def _answer(self, function: Callable[[], T], future: asyncio.Future[T]) -> None:
        if self._error is not None:
            self._loop.call_soon_threadsafe(_raise_in, future, LedgerError(str(self._error)))
            return
        try:
            result = function()
        except Exception as error:
            self._fail(error)
            self._loop.call_soon_threadsafe(_raise_in, future, error)
        else:
            self._loop.call_soon_threadsafe(_result_in, future, result)

    def _fail(self, error: BaseException) -> None:
        self._error = error
        self._loop.call_soon_threadsafe(self._failed, error)


def _answer_all(answers: list[tuple[asyncio.Future[bool], bool]]) -> None:
    for future, granted in answers:
        if not future.done():
            future.set_result(granted)


def _result_in(future: asyncio.Future[T], result: T) -> None:
    if not future.done():
        future.set_result(result)


def _raise_in(future: asyncio.Future[T], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
