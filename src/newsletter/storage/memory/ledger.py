"""The ledger in memory: the whole of `delivery.ledger.Ledger` and nothing on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from newsletter.audience.models import Subscriber, SubscriberStatus
from newsletter.audience.register import Suppression
from newsletter.delivery.ledger import (
    Attempt,
    Campaign,
    Chosen,
    Claim,
    Counts,
    Entry,
    Intent,
    Outcome,
    Recovered,
)
from newsletter.delivery.states import SENDABLE, State
from newsletter.errors import LedgerError
from newsletter.mail.address import Address
from newsletter.storage.memory.row import Row
from newsletter.storage.memory.suppressions import Suppressions

DIED = "the sender died before the server's answer was on record"
LEFT = "no longer active in the list"


class MemoryLedger:
    """A `Ledger` that lives as long as the object.

    Args:
        identify: as for `SqliteLedger`.

    """

    def __init__(
        self,
        *,
        identify: Callable[[str], bytes] | None = None,
    ) -> None:
        self._identify: Callable[[str], bytes | None] = identify or (lambda _key: None)
        self.suppressions = Suppressions()  # a register knows them too
        self._campaigns: dict[int, Campaign] = {}  # by issue
        self._runs: Counter[int] = Counter()  # the latest run of each campaign
        self._rows: dict[int, Row] = {}  # by id, in the order of the lists
        self._attempts: list[tuple[int, Attempt]] = []  # with the id of the entry
        self._days: Counter[str] = Counter()
        self.remarks: list[str] = []

    def campaign(self, issue: int) -> Campaign | None:
        """See `Ledger.campaign`."""
        return self._campaigns.get(issue)

    def campaigns(self) -> Sequence[Campaign]:
        """See `Ledger.campaigns`."""
        return [self._campaigns[issue] for issue in sorted(self._campaigns)]

    def plan(
        self,
        issue: int,
        *,
        digest: str,
        subscribers: Iterable[Subscriber],
        now: float,
        chosen: Chosen | None = None,
        why: str = "",
    ) -> Campaign:
        """See `Ledger.plan`."""
        first = _first_of_each(subscribers, chosen)
        if issue in self._campaigns:
            raise LedgerError(f"issue {issue} is planned already")
        number = len(self._campaigns) + 1
        self._add(number, first, now)
        campaign = Campaign(
            id=number, issue=issue, digest=digest, planned=len(first), planned_at=now
        )
        self._campaigns[issue] = campaign
        if why:
            self.remarks.append(f"{len(first)} planned: {why}")
        return campaign

    def extend(
        self,
        campaign: Campaign,
        *,
        subscribers: Iterable[Subscriber],
        now: float,
        chosen: Chosen | None = None,
        why: str,
    ) -> int:
        """See `Ledger.extend`."""
        first = _first_of_each(subscribers, chosen)
        for row in self._of(campaign):
            first.pop(row.subscriber.address.key, None)
        self._add(campaign.id, first, now)
        known = self._campaigns[campaign.issue]
        self._campaigns[campaign.issue] = replace(known, planned=known.planned + len(first))
        if first:
            self.remarks.append(f"{len(first)} added: {why}")
        return len(first)

    def _add(self, campaign: int, subscribers: Mapping[str, Subscriber], now: float) -> None:
        for key, subscriber in subscribers.items():
            reason = self.suppression(key)
            row = Row(
                id=len(self._rows) + 1,
                campaign=campaign,
                subscriber=replace(subscriber, status=SubscriberStatus.ACTIVE),
                state=State.PENDING if reason is None else State.SUPPRESSED,
                reply=reason or "",
                updated_at=now,
            )
            self._rows[row.id] = row

    def reconcile(self, campaign: Campaign, *, active: Iterable[Subscriber], now: float) -> int:
        """See `Ledger.reconcile`."""
        staying = {subscriber.address.key for subscriber in active}
        return self._change(
            campaign,
            lambda row: row.state in SENDABLE and row.subscriber.address.key not in staying,
            State.SUPPRESSED,
            reply=LEFT,
            now=now,
        )

    def accept_digest(self, campaign: Campaign, *, digest: str, now: float) -> Campaign:
        """See `Ledger.accept_digest`."""
        self.remarks.append(f"edition {campaign.digest} replaced by {digest}")
        changed = replace(self._campaigns[campaign.issue], digest=digest)
        self._campaigns[campaign.issue] = changed
        return changed

    def begin_run(self, campaign: Campaign, *, now: float) -> int:
        """See `Ledger.begin_run`."""
        self._runs[campaign.id] += 1
        return self._runs[campaign.id]

    def recover(self, campaign: Campaign, *, run: int, now: float) -> Recovered:
        """See `Ledger.recover`."""
        dead = [row for row in self._of(campaign) if row.run < run]
        doubtful = [row for row in dead if row.state is State.IN_FLIGHT]
        claimed = [row for row in dead if row.state is State.CLAIMED]
        for row in doubtful:
            row.state, row.reply, row.updated_at = State.IN_DOUBT, DIED, now
            self._note(row, run=run, stage="recovery", now=now)
        for row in claimed:
            row.give_back(now)
        return Recovered(len(doubtful), len(claimed))

    def claim(
        self,
        campaign: Campaign,
        *,
        run: int,
        limit: int,
        now: float,
        lease: float,
        states: Sequence[State] = (),
    ) -> list[Claim]:
        """See `Ledger.claim`."""
        wanted = SENDABLE.intersection(states or SENDABLE)
        due = [r for r in self._of(campaign) if r.state in wanted and r.next_attempt_at <= now]
        due.sort(key=lambda row: (row.next_attempt_at, row.id))
        if not due and not states:
            due = [
                row
                for row in self._of(campaign)
                if row.state is State.CLAIMED and row.lease_until <= now and row.run != run
            ]
        taken = sorted(due[:limit], key=lambda row: row.id)
        for row in taken:
            row.state, row.run, row.lease_until = State.CLAIMED, run, now + lease
            row.updated_at = now
        return [Claim(row.id, row.subscriber, row.attempts, row.first_attempt_at) for row in taken]

    def commit(
        self, *, run: int, intents: Sequence[Intent], outcomes: Sequence[Outcome], now: float
    ) -> set[int]:
        """See `Ledger.commit`."""
        if unknown := [outcome.id for outcome in outcomes if outcome.id not in self._rows]:
            raise LedgerError(f"there is no entry {unknown[0]}")
        granted = {intent.id for intent in intents if self._intend(intent, run=run, now=now)}
        for outcome in outcomes:
            self._settle(outcome, run=run)
        return granted

    def _intend(self, intent: Intent, *, run: int, now: float) -> bool:
        row = self._rows.get(intent.id)
        if row is None or row.state is not State.CLAIMED or row.run != run:
            return False
        row.updated_at = now
        if reason := self.suppression(row.subscriber.address.key):
            row.state, row.reply = State.SUPPRESSED, reason
            return False
        row.state, row.message_id = State.IN_FLIGHT, intent.message_id
        return True

    def _settle(self, outcome: Outcome, *, run: int) -> None:
        row = self._rows[outcome.id]
        open_states = {State.CLAIMED, State.IN_FLIGHT}
        if outcome.state is not State.IN_DOUBT:
            open_states.add(State.IN_DOUBT)  # somebody gave it up, and here is the late truth
        if row.run == run and row.state in open_states:
            row.state, row.reply, row.updated_at = outcome.state, outcome.reply, outcome.at
            row.next_attempt_at = outcome.next_attempt_at or 0.0
            if outcome.charged:
                row.attempts += 1
                row.first_attempt_at = row.first_attempt_at or outcome.at
        if outcome.stage:
            self._remember(outcome, run=run)
        if outcome.state is State.ACCEPTED:
            self._days[datetime.fromtimestamp(outcome.at, UTC).date().isoformat()] += 1
        if outcome.suppress is not None:
            key = row.subscriber.address.key
            self.suppressions.add(
                Suppression(
                    id=self._identify(key),
                    address=key,
                    reason=outcome.suppress,
                    source="send",
                    at=outcome.at,
                )
            )

    def postpone(self, ids: Sequence[int], *, run: int, until: float, now: float) -> None:
        """See `Ledger.postpone`."""
        for row in filter(None, map(self._rows.get, ids)):
            if row.state is State.CLAIMED and row.run == run:
                row.give_back(now)
                row.next_attempt_at = until

    def accepted_by_day(self) -> Mapping[str, int]:
        """See `Ledger.accepted_by_day`."""
        return dict(sorted(self._days.items()))

    def release(self, campaign: Campaign, *, run: int, now: float) -> int:
        """See `Ledger.release`."""
        held = [r for r in self._of(campaign) if r.state is State.CLAIMED and r.run == run]
        for row in held:
            row.give_back(now)
        return len(held)

    def expire(self, campaign: Campaign, *, first_before: float, now: float) -> int:
        """See `Ledger.expire`."""
        return self._change(
            campaign,
            lambda row: (
                row.state is State.DEFERRED
                and row.first_attempt_at is not None
                and row.first_attempt_at < first_before
            ),
            State.EXPIRED,
            now=now,
        )

    def next_due(self, campaign: Campaign, *, states: Sequence[State] = ()) -> float | None:
        """See `Ledger.next_due`."""
        wanted = SENDABLE.intersection(states or SENDABLE)
        waiting = [row.next_attempt_at for row in self._of(campaign) if row.state in wanted]
        return min(waiting, default=None)

    def counts(self, campaign: Campaign) -> Counts:
        """See `Ledger.counts`."""
        return Counts(campaign.planned, Counter(row.state for row in self._of(campaign)))

    def entries(self, campaign: Campaign, *, states: Sequence[State] = ()) -> Iterator[Entry]:
        """See `Ledger.entries`."""
        for row in self._of(campaign):
            if not states or row.state in states:
                yield row.entry()

    def entry(self, campaign: Campaign, address: str) -> Entry | None:
        """See `Ledger.entry`."""
        found = (row for row in self._of(campaign) if row.subscriber.address.key == address)
        row = next(found, None)
        return row.entry() if row else None

    def reader(self, campaign: Campaign, subscriber_id: bytes) -> Subscriber | None:
        """See `Ledger.reader`."""
        people = (row.subscriber for row in self._of(campaign))
        return next((p for p in people if self._identify(p.address.key) == subscriber_id), None)

    def attempts(
        self, campaign: Campaign, *, states: Sequence[State] = (), address: str | None = None
    ) -> Iterator[Attempt]:
        """See `Ledger.attempts`."""
        for entry, attempt in list(self._attempts):
            row = self._rows[entry]
            if row.campaign != campaign.id or (states and attempt.state not in states):
                continue
            if address is None or row.subscriber.address.key == address:
                yield attempt

    def resolve(
        self, campaign: Campaign, *, state: State, addresses: Sequence[str], now: float, why: str
    ) -> int:
        """See `Ledger.resolve`."""
        found = [
            row
            for row in self._of(campaign)
            if row.state is State.IN_DOUBT
            and (not addresses or row.subscriber.address.key in addresses)
        ]
        for row in found:
            row.state, row.reply, row.next_attempt_at, row.updated_at = state, why, 0.0, now
            self._note(row, run=self._runs[campaign.id], stage="resolve", now=now)
        self.remarks.append(f"{len(found)} in doubt resolved as {state.value}: {why}")
        return len(found)

    def suppression(self, address: str) -> str | None:
        """See `Ledger.suppression`."""
        found = self.suppressions.find(self._identify(address), address)
        return found.reason if found else None

    def forget(self, who: bytes) -> bool:
        """Erase who these entries were for, as `Register.forget` asks; whether there were any."""
        rows = [r for r in self._rows.values() if self._identify(r.subscriber.address.key) == who]
        for row in rows:
            row.subscriber = Subscriber(address=Address("forgotten", "invalid", "invalid"))
            row.reply = ""
            if row.state in SENDABLE:
                row.state = State.SUPPRESSED
            self._attempts = [
                (
                    entry,
                    replace(one, address="forgotten@invalid", reply="") if entry == row.id else one,
                )
                for entry, one in self._attempts
            ]
        return bool(rows)

    def close(self) -> None:
        """See `Ledger.close`."""

    def _of(self, campaign: Campaign) -> list[Row]:
        return [row for row in self._rows.values() if row.campaign == campaign.id]

    def _change(
        self,
        campaign: Campaign,
        chosen: Callable[[Row], bool],
        state: State,
        *,
        now: float,
        reply: str | None = None,
    ) -> int:
        """Put the chosen entries into a state; returns how many."""
        rows: Collection[Row] = [row for row in self._of(campaign) if chosen(row)]
        for row in rows:
            row.state, row.updated_at = state, now
            row.reply = row.reply if reply is None else reply
        return len(rows)

    def _note(self, row: Row, *, run: int, stage: str, now: float) -> None:
        """An attempt for a change of state outside a conversation."""
        told = Outcome(
            id=row.id,
            state=row.state,
            at=now,
            stage=stage,
            reply=row.reply,
            message_id=row.message_id,
        )
        self._remember(told, run=run)

    def _remember(self, outcome: Outcome, *, run: int) -> None:
        attempt = Attempt(
            at=outcome.at,
            address=str(self._rows[outcome.id].subscriber.address),
            state=outcome.state,
            stage=outcome.stage,
            code=outcome.code,
            reply=outcome.reply,
            message_id=outcome.message_id,
            seconds=round(outcome.seconds, 4),
            run=run,
        )
        self._attempts.append((outcome.id, attempt))


def _first_of_each(
    subscribers: Iterable[Subscriber], chosen: Chosen | None
) -> dict[str, Subscriber]:
    """By address key, who is chosen by the first row of an address; nothing is stored when the stream fails."""
    first: dict[str, Subscriber | None] = {}
    for subscriber in subscribers:
        wanted = chosen is None or chosen(subscriber)
        first.setdefault(subscriber.address.key, subscriber if wanted else None)
    return {key: subscriber for key, subscriber in first.items() if subscriber}
