"""The ledger protocol: what a store must do so that nobody is skipped, mailed twice or forgotten.

One row per (campaign, normalised address). Every change is one durable transaction: when a method returns, power may
fail. The stores are in `storage/`; one contract suite, tests/contracts/test_ledger.py, holds them all to this text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from newsletter.audience.models import Subscriber
from newsletter.delivery.states import FINAL, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One issue to one list.

    Attributes:
        id: the store's number for it.
        issue: the issue's number.
        digest: SHA-256 of the edition that was planned, hex.
        planned: how many entries there are; always the sum of all states.
        planned_at: seconds since the epoch.

    """

    id: int
    issue: int
    digest: str
    planned: int
    planned_at: float


@dataclass(frozen=True, slots=True)
class Claim:
    """An entry under lease: a promise of nothing, only that no other run takes it meanwhile."""

    id: int
    subscriber: Subscriber
    attempts: int
    first_attempt_at: float | None


@dataclass(frozen=True, slots=True)
class Intent:
    """“The body of this message is about to go out.” Durable before its first byte."""

    id: int
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a claimed or in-flight entry, and the attempt to be remembered.

    Attributes:
        id: the entry.
        state: the state it gets.
        at: seconds since the epoch.
        stage: where it was decided: connect, mail, rcpt, data, body, dot …
        reply: the server's words, or what happened instead of words.
        code: the reply's code, if there was a reply.
        charged: whether this counts as an attempt (a relay that is away costs a recipient nothing).
        next_attempt_at: for `deferred`, when to try again.
        message_id, seconds: for the record.
        suppress: reason to suppress the address, in the same transaction.

    """

    id: int
    state: State
    at: float
    stage: str = ""
    reply: str = ""
    code: int | None = None
    charged: bool = True
    next_attempt_at: float | None = None
    message_id: str = ""
    seconds: float = 0.0
    suppress: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry as reports show it. Times are seconds since the epoch."""

    id: int
    address: str
    name: str
    state: State
    attempts: int
    next_attempt_at: float | None
    message_id: str
    reply: str
    updated_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A row of the append-only history."""

    at: float
    address: str
    state: State
    stage: str
    code: int | None
    reply: str
    message_id: str
    seconds: float
    run: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many entries are in each state."""

    planned: int
    states: Mapping[State, int] = field(default_factory=dict)

    @property
    def balanced(self) -> bool:
        """The equation: planned = sum of all states."""
        return self.planned == sum(self.states.values())

    @property
    def settled(self) -> bool:
        """Whether every entry is in a final state."""
        return sum(self[state] for state in FINAL) == self.planned

    def __getitem__(self, state: State) -> int:
        return self.states.get(state, 0)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a new run found of a dead one."""

    in_doubt: int
    released: int


Chosen = Callable[[Subscriber], bool]
"""Whether a subscriber of the list is meant."""


class Ledger(Protocol):
    """What `delivery` asks of a store. Methods block; `recorder` keeps them off the event loop."""

    def campaign(self, issue: int) -> Campaign | None:
        """The campaign of an issue, if it was ever planned."""

    def campaigns(self) -> Sequence[Campaign]:
        """Every campaign, by issue."""

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
        """Freeze the recipients in one transaction. Duplicates by address collapse into the first.

        Suppressed addresses get an entry in state `suppressed`, so that the record says why they got nothing.

        Args:
            issue: its number.
            digest: of the edition.
            subscribers: the whole list.
            now: seconds since the epoch.
            chosen: who of the list is meant; without it everybody. Of duplicates the first decides.
            why: for the record, when not everybody is meant.

        """

    def extend(
        self,
        campaign: Campaign,
        *,
        subscribers: Iterable[Subscriber],
        now: float,
        chosen: Chosen | None = None,
        why: str,
    ) -> int:
        """Add who is not planned yet, as `plan` does, and record it; returns how many, so that `planned` grows."""

    def reconcile(self, campaign: Campaign, *, active: Iterable[Subscriber], now: float) -> int:
        """Suppress sendable entries whose address is not in `active` any more; returns how many."""

    def accept_digest(self, campaign: Campaign, *, digest: str, now: float) -> Campaign:
        """Go on with a changed edition; the change is recorded."""

    def begin_run(self, campaign: Campaign, *, now: float) -> int:
        """A new fence number, higher than any before. Call it under the run lock."""

    def recover(self, campaign: Campaign, *, run: int, now: float) -> Recovered:
        """Under the run lock: in-flight entries of dead runs become in_doubt, claimed ones pending."""

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
        """Take up to `limit` due entries, and claimed ones whose lease ran out, for `lease` seconds."""

    def commit(
        self, *, run: int, intents: Sequence[Intent], outcomes: Sequence[Outcome], now: float
    ) -> set[int]:
        """One durable transaction of intents, then outcomes; returns the ids whose intent was granted.

        An intent is granted only to an entry that this run still holds and whose address is not suppressed. An
        outcome counts only for an entry that this run holds.
        """

    def postpone(self, ids: Sequence[int], *, run: int, until: float, now: float) -> None:
        """Give back claimed entries, due again at `until`; no attempt is charged."""

    def accepted_by_day(self) -> Mapping[str, int]:
        """How many messages were accepted on each UTC day (`2026-11-23`) there ever was one."""

    def release(self, campaign: Campaign, *, run: int, now: float) -> int:
        """Give back what this run claimed and did not begin."""

    def expire(self, campaign: Campaign, *, first_before: float, now: float) -> int:
        """Give up on deferred entries first tried before this moment."""

    def next_due(self, campaign: Campaign, *, states: Sequence[State] = ()) -> float | None:
        """When the earliest sendable entry is due, if there is one; `states` as for `claim`."""

    def counts(self, campaign: Campaign) -> Counts:
        """How many entries are in each state."""

    def entries(self, campaign: Campaign, *, states: Sequence[State] = ()) -> Iterator[Entry]:
        """Entries in the order of the list."""

    def entry(self, campaign: Campaign, address: str) -> Entry | None:
        """The entry of an address key, if it was planned."""

    def reader(self, campaign: Campaign, subscriber_id: bytes) -> Subscriber | None:
        """The subscriber with this `Keyring.subscriber_id` as the plan froze them, if they were planned."""

    def attempts(
        self, campaign: Campaign, *, states: Sequence[State] = (), address: str | None = None
    ) -> Iterator[Attempt]:
        """The history, oldest first. `address` is an address key."""

    def resolve(
        self, campaign: Campaign, *, state: State, addresses: Sequence[str], now: float, why: str
    ) -> int:
        """Settle in_doubt entries by hand: accepted, failed or pending. No addresses means all of them."""

    def suppression(self, address: str) -> str | None:
        """Why an address key is suppressed, or None."""

    def close(self) -> None:
        """Let go of the store."""
