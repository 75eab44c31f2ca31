"""Keeps the ledger off the event loop: one thread, one transaction for everything that waits (group commit)."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from newsletter.delivery.ledger import Intent, Ledger, Outcome
from newsletter.delivery.sendlog import SendLog
from newsletter.errors import LedgerError

FLUSH_ROWS = 50  # outcomes never wait for more than this many …
FLUSH_SECONDS = 0.1  # … or longer than this,
JOIN_ROWS = 16  # and join a commit of intents when there are this many …
JOIN_SECONDS = 0.02  # … or one has waited this long
GATHER_SECONDS = 0.001  # how long an intent that nobody waits for yet may wait for company

T = TypeVar("T")


class Recorder:
    """The one writer of a run.

    Intents of several connections share a commit. One that rides ahead of its message may wait a moment for company;
    once a connection waits for it (`hurry`), it is committed at once. Outcomes may wait for 50 rows or 100 ms, since
    losing one makes a doubt and never a duplicate. When a commit fails, every waiting intent fails with it, `failed`
    is called once, and nothing is granted any more.

    Args:
        ledger: used by the recorder's thread only, from `start` to `close`.
        run: the fence number.
        log: where each outcome also becomes a line.
        clock: seconds since the epoch.
        company: how many intents are worth a commit of their own.
        failed: called in the event loop, once, with the error that ended recording; and with a log's.

    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        run: int,
        log: SendLog,
        clock: Callable[[], float],
        failed: Callable[[BaseException], None],
        company: int = 1,
    ) -> None:
        self._ledger = ledger
        self._run = run
        self._log = log
        self._clock = clock
        self._failed = failed
        self._company = company
        self._urgent = False
        self._oldest_intent = 0.0
        self._loop = asyncio.get_running_loop()
        self._wake = threading.Condition()
        self._intents: list[tuple[Intent, asyncio.Future[bool]]] = []
        self._outcomes: list[tuple[Outcome, str]] = []
        self._oldest_outcome = 0.0
        self._calls: deque[tuple[Callable[[], Any], asyncio.Future[Any]]] = deque()
        self._closing = False
        self._error: BaseException | None = None
        self._log_broken = False
        self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)

    @property
    def broken(self) -> bool:
        """Whether nothing can be put on record any more."""
        return self._error is not None

    def start(self) -> None:
        """Begin to record."""
        self._thread.start()

    def intend(self, intent: Intent) -> asyncio.Future[bool]:
        """Ask for the right to send a body; the future is true once that is durable."""
        future: asyncio.Future[bool] = self._loop.create_future()
        with self._wake:
            if self._error is None:
                if not self._intents:
                    self._oldest_intent = time.monotonic()
                self._intents.append((intent, future))
                if len(self._intents) in (1, self._company):
                    self._wake.notify()
                return future
        future.set_result(False)
        return future

    def hurry(self) -> None:
        """Somebody waits for an intent: commit now."""
        with self._wake:
            self._urgent = True
            self._wake.notify()

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
                while (wait := self._seconds_to_commit()) > 0:
                    self._wake.wait(None if math.isinf(wait) else wait)
                intents, self._intents = self._intents, []
                self._urgent = False
                outcomes = self._joining_outcomes()
                calls, self._calls = self._calls, deque()
                closing = self._closing
            self._commit(intents, outcomes)
            for function, future in calls:
                self._answer(function, future)
            if closing and not (self._intents or self._outcomes or self._calls):
                return

    def _seconds_to_commit(self) -> float:
        """How long the thread may sleep; 0 when there is something to do, infinite when there is nothing."""
        if self._calls or self._closing or self._urgent:
            return 0.0
        now = time.monotonic()
        wait = math.inf
        if self._intents:
            if len(self._intents) >= self._company:
                return 0.0
            wait = self._oldest_intent + GATHER_SECONDS - now
        if self._outcomes:
            if len(self._outcomes) >= FLUSH_ROWS:
                return 0.0
            wait = min(wait, self._oldest_outcome + FLUSH_SECONDS - now)
        return max(wait, 0.0)

    def _joining_outcomes(self) -> list[tuple[Outcome, str]]:
        """The outcomes that go into the next commit: none while they are few and young."""
        few = len(self._outcomes) < JOIN_ROWS
        young = time.monotonic() - self._oldest_outcome < JOIN_SECONDS
        if few and young and not (self._calls or self._closing):
            return []
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def _commit(
        self,
        intents: list[tuple[Intent, asyncio.Future[bool]]],
        outcomes: list[tuple[Outcome, str]],
    ) -> None:
        granted: set[int] = set()
        if self._error is None and (intents or outcomes):
            try:
                granted = self._ledger.commit(
                    run=self._run,
                    intents=[intent for intent, _ in intents],
                    outcomes=[outcome for outcome, _ in outcomes],
                    now=self._clock(),
                )
            except Exception as error:
                self._fail(error)
            else:
                self._tell(outcomes)
        if intents:  # also those that came while a commit before theirs failed
            answers = [(future, intent.id in granted) for intent, future in intents]
            self._loop.call_soon_threadsafe(_answer_all, answers)

    def _tell(self, outcomes: list[tuple[Outcome, str]]) -> None:
        """Log what is in the ledger. A log that cannot be written ends the run, but takes back no grant."""
        if self._log_broken:
            return
        try:
            self._log.write(outcomes)
        except OSError as error:
            self._log_broken = True
            words = f"{self._log.path}: the log cannot be written: {error.strerror or error}"
            self._loop.call_soon_threadsafe(self._failed, LedgerError(words))

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
