"""The sending loop: claimed entries become messages, messages become outcomes, until nothing is left to do."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable

from newsletter.delivery.breakers import Breakers
from newsletter.delivery.jobs import EntryJob, JobFeed, LedgerSource
from newsletter.delivery.ledger import Campaign, Claim, Intent, Ledger, Outcome
from newsletter.delivery.options import SendOptions, Tally
from newsletter.delivery.pace import Pace
from newsletter.delivery.recorder import Recorder
from newsletter.delivery.sendlog import SendLog
from newsletter.delivery.states import State
from newsletter.delivery.supply import Supply
from newsletter.delivery.verdicts import Domain, Route, Verdict, judge
from newsletter.errors import NewsletterError
from newsletter.mail.message import Message
from newsletter.transport.exchange import ConnectFailed, Event, Job, Session, Stage, Transport

BATCH = 128
MAX_BACK_OFF = 60.0

Compose = Callable[[Claim], Message]


class Sender:
    """One run over one campaign. Make it, then `await run()` once.

    Args:
        ledger: where everything is recorded; used by the recorder's thread while the run lasts.
        campaign: what to send.
        run: the fence number from `Ledger.begin_run`.
        transport: the way to the relay.
        compose: makes an entry's message.
        log: the per-send log.
        options: pace and patience.
        clock: seconds since the epoch.

    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        campaign: Campaign,
        run: int,
        transport: Transport,
        compose: Compose,
        log: SendLog,
        options: SendOptions,
        total: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger = ledger
        self._campaign = campaign
        self._run = run
        self._transport = transport
        self._compose = compose
        self._log = log
        self._options = options
        self._clock = clock
        self._sessions: set[Session] = set()
        self._workers: list[asyncio.Task[None]] = []
        self._failures = 0
        self._breakers = Breakers()
        self.total = total
        self.tally = Tally()

    async def run(self) -> Tally:
        """Send until nothing more can be done now.

        Whatever ends the run, every entry it touched is in a state of the ledger when this returns.
        """
        self._recorder = Recorder(
            self._ledger,
            run=self._run,
            log=self._log,
            clock=self._clock,
            failed=self._ledger_failed,
            company=self._options.connections,
        )
        self._recorder.start()
        options = self._options
        self._supply = Supply(
            LedgerSource(
                self._ledger, self._recorder, self._campaign, self._run, options, self._clock
            ),
            pace=Pace(connections=options.connections, rate=options.rate, domains=options.domains),
            batch=max(BATCH, 8 * options.connections),
            limit=options.limit,
            patience=options.window,
        )
        try:
            self._workers = [
                asyncio.create_task(self._work()) for _ in range(self._options.connections)
            ]
            results = await asyncio.gather(*self._workers, return_exceptions=True)
            for result in results:
                if isinstance(result, Exception):
                    self._stop_for(result)
        finally:
            self._supply.close()
            with contextlib.suppress(NewsletterError):
                await self._recorder.call(self._release)
            await self._recorder.close()
        return self.tally

    def drain(self) -> None:
        """Start nothing new; let what is under way come to its end."""
        self.tally.interrupted = True
        self._supply.close()

    def abort(self) -> None:
        """Cut every connection now. What was under way is settled as lost, which is as safe as a kill."""
        self.drain()
        for session in list(self._sessions):
            session.abort()
        for worker in self._workers:
            worker.cancel()

    # Work.

    async def _work(self) -> None:
        """One connection after the other, as long as there is something to send."""
        while await self._supply.available():
            session = await self._connect()
            if session is None:
                return
            self._sessions.add(session)
            feed = JobFeed(self, self._supply)
            try:
                await session.run(feed, limit=self._options.messages_per_connection)
            finally:
                self._sessions.discard(session)
            if feed.fruitless and not await self._endure(feed.fruitless):
                return

    async def _connect(self) -> Session | None:
        """An open connection, or None when the run is over or the relay is away."""
        while not self._supply.finished:
            try:
                return await self._transport.connect()
            except ConnectFailed as failure:
                if not await self._endure(failure):
                    return None
        return None

    async def _endure(self, failure: ConnectFailed) -> bool:
        """Wait before the next connection; false when the relay has refused us, or is away for too long."""
        if self._supply.finished:
            return False
        self._failures += 1
        if judge(failure.stage, failure.event).route is Route.STOP:
            self._stop_for(self._breakers.refused(failure))
            return False
        patient = self.tally.seconds < self._options.window
        alone = not self._sessions  # otherwise the relay just wants fewer of us
        if alone and self._failures >= self._options.connect_tries and not patient:
            self._stop_for(self._breakers.away(failure))
            return False
        await self._pause(min(2.0 ** (self._failures - 1) * 0.5, MAX_BACK_OFF))
        return True

    async def _pause(self, seconds: float) -> None:
        """Sleep, but not through the end of the run."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._supply.ended(), seconds)

    def start_job(self, claim: Claim, feed: JobFeed) -> Job | None:
        """Compose an entry's message and ask for its intent; None when it cannot be composed."""
        try:
            message = self._compose(claim)
        except Exception as error:  # a template may raise anything, and whoever waits must be woken
            self._supply.settled(claim, accepted=False, refused=False)
            self._stop_for(error)  # its claim is released with the others
            return None
        granted = self._recorder.intend(Intent(claim.id, message.message_id))
        return EntryJob(self, feed, claim, message, granted)

    def settle(self, job: EntryJob, stage: Stage, event: Event) -> Verdict:
        """Record what became of a job."""
        verdict = judge(stage, event)
        if job.disowned:  # suppressed or no longer ours: the ledger has its state
            self._supply.settled(job.claim, accepted=False, refused=False)
            return verdict
        now = self._clock()
        claim = job.claim
        due = None
        if verdict.state is State.DEFERRED:
            wait = self._options.retry.wait(claim.attempts + 1, random=random.random)
            due = now + wait
        outcome = Outcome(
            id=claim.id,
            state=verdict.state,
            at=now,
            stage=stage.value,
            reply=str(event),
            code=getattr(event, "code", None),
            charged=verdict.charged,
            next_attempt_at=due,
            message_id=job.message.message_id,
            seconds=time.monotonic() - job.started,
            suppress=verdict.reason.value if verdict.suppress else None,
        )
        self._recorder.record(outcome, str(claim.subscriber.address))
        self.tally.outcomes[verdict.state] += 1
        self._supply.settled(
            claim,
            accepted=verdict.state is State.ACCEPTED,
            refused=verdict.domain is Domain.PAUSE,
        )
        if verdict.state is State.ACCEPTED:
            self._failures = 0
        if stopped := self._breakers.notice(verdict, event):
            self._stop_for(stopped)
        return verdict

    def hurry(self) -> None:
        """A connection waits for its intent."""
        self._recorder.hurry()

    def _stop_for(self, error: BaseException) -> None:
        """End the run early; the first reason counts."""
        if self.tally.stopped is None:
            known = isinstance(error, NewsletterError)
            self.tally.stopped = error if known else NewsletterError(repr(error))  # type: ignore[assignment]
        self._supply.close()

    def _ledger_failed(self, error: BaseException) -> None:
        self._stop_for(error)
        for session in list(self._sessions if self._recorder.broken else ()):
            session.abort()

    def _release(self) -> int:
        return self._ledger.release(self._campaign, run=self._run, now=self._clock())
