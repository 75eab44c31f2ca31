"""Between the sending loop and its neighbours: entries as jobs for a session, the ledger as a source of entries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from newsletter.delivery.ledger import Campaign, Claim, Ledger
from newsletter.delivery.options import SendOptions
from newsletter.delivery.recorder import Recorder
from newsletter.delivery.supply import Supply
from newsletter.delivery.verdicts import Route, Verdict
from newsletter.mail.message import Message
from newsletter.mail.reply import Reply
from newsletter.transport.exchange import ConnectFailed, Event, Job, Loss, Stage


class Keeper(Protocol):
    """Who makes jobs and hears what became of them: the sender."""

    def start_job(self, claim: Claim, feed: JobFeed) -> Job | None:
        """An entry's job, or None when it cannot be composed."""

    def settle(self, job: EntryJob, stage: Stage, event: Event) -> Verdict:
        """Record what became of a job."""

    def hurry(self) -> None:
        """A connection waits for its intent."""


class LedgerSource:
    """The ledger as the supply sees it; see `supply.Source`."""

    def __init__(
        self,
        ledger: Ledger,
        recorder: Recorder,
        campaign: Campaign,
        run: int,
        options: SendOptions,
        clock: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._recorder = recorder
        self._campaign = campaign
        self._run = run
        self._options = options
        self._clock = clock

    def claim(self, limit: int) -> Awaitable[list[Claim]]:
        """See `Source.claim`."""
        return self._recorder.call(
            lambda: self._ledger.claim(
                self._campaign,
                run=self._run,
                limit=limit,
                now=self._clock(),
                lease=self._options.lease,
                states=self._options.states,
            )
        )

    async def seconds_to_next(self) -> float | None:
        """See `Source.seconds_to_next`."""
        states = self._options.states
        due = await self._recorder.call(
            lambda: self._ledger.next_due(self._campaign, states=states)
        )
        return None if due is None else max(due - self._clock(), 0.0)

    def postpone(self, claims: Sequence[Claim], seconds: float) -> Awaitable[None]:
        """See `Source.postpone`."""
        ids = [claim.id for claim in claims]
        now = self._clock()
        return self._recorder.call(
            lambda: self._ledger.postpone(ids, run=self._run, until=now + seconds, now=now)
        )


class EntryJob:
    """An entry on its way; see `transport.exchange.Job`."""

    __slots__ = ("_feed", "_granted", "_keeper", "claim", "message", "started")

    def __init__(
        self,
        keeper: Keeper,
        feed: JobFeed,
        claim: Claim,
        message: Message,
        granted: asyncio.Future[bool],
    ) -> None:
        self._keeper = keeper
        self._feed = feed
        self._granted = granted
        self.claim = claim
        self.message = message
        self.started = time.monotonic()

    def granted(self) -> Awaitable[bool]:
        """See `Job.granted`; whoever asks is waiting."""
        if not self._granted.done():
            self._keeper.hurry()
        return self._granted

    @property
    def disowned(self) -> bool:
        """Whether the ledger has refused the intent."""
        granted = self._granted
        return granted.done() and not granted.cancelled() and not granted.result()

    def settle(self, stage: Stage, event: Event) -> None:
        """See `Job.settle`."""
        verdict = self._keeper.settle(self, stage, event)
        if not self.disowned:
            self._feed.note(stage, event)
        if verdict.route is not Route.GO_ON:
            self._feed.rotate = True


class JobFeed:
    """A session's view of the supply."""

    __slots__ = ("_answered", "_carried", "_keeper", "_supply", "fruitless", "rotate")

    def __init__(self, keeper: Keeper, supply: Supply) -> None:
        self._keeper = keeper
        self._supply = supply
        self._carried: dict[str, int] = {}
        self._answered = False
        self.fruitless: ConnectFailed | None = ConnectFailed(
            Stage.CONNECT, Loss("the connection was lost before it was used")
        )
        self.rotate = False

    def note(self, stage: Stage, event: Event) -> None:
        """A connection that never brought a message as far as its body, or to a refusal, is as good as none."""
        if isinstance(event, Reply) or stage in (Stage.BODY, Stage.DOT):
            self._answered = True
        barren = isinstance(event, Loss) and not self._answered
        self.fruitless = ConnectFailed(Stage.CONNECT, event) if barren else None

    async def next(self) -> Job | None:
        """See `Feed.next`."""
        self.fruitless = None
        while not self.rotate:
            claim = await self._supply.next(self._carried)
            if claim is None:
                return None
            if job := self._keeper.start_job(claim, self):
                return job
        return None

    def ready(self) -> Job | None:
        """See `Feed.ready`."""
        if self.rotate:
            return None
        claim = self._supply.now(self._carried)
        return self._keeper.start_job(claim, self) if claim else None
