"""A ledger under watch: after every call the equation holds, and every state change is an arrow of the picture."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from newsletter.audience.models import Subscriber
from newsletter.audience.register import Change, Origin, Register
from newsletter.delivery.ledger import Campaign, Claim, Counts, Entry, Intent, Ledger, Outcome
from newsletter.delivery.states import FOLLOWERS, State
from newsletter.mail.address import Address, parse_address
from newsletter.storage.memory.ledger import MemoryLedger
from newsletter.storage.memory.register import MemoryRegister
from newsletter.storage.sqlite.register import SqliteRegister

NOW = 1_700_000_000.0


def person(who: str, **more: Any) -> Subscriber:
    """A subscriber on example.org, or wherever `who` says."""
    address = parse_address(who if "@" in who else f"{who}@example.org")
    return Subscriber(address=address, **more)


def people(count: int) -> list[Subscriber]:
    """As many subscribers as wanted, cheaply."""
    return [
        Subscriber(address=Address(f"reader{number:05d}", "example.org", "example.org"))
        for number in range(count)
    ]


def identify(key: str) -> bytes:
    """An id of ten octets, as a keyring would make it."""
    return hashlib.sha256(key.encode()).digest()[:10]


def register_on(ledger: Any) -> Register:
    """A register that shares the store, and so the suppressions, of a ledger."""
    if isinstance(ledger, MemoryLedger):
        return MemoryRegister(identify=identify, ledger=ledger)
    return SqliteRegister(ledger.path, identify=identify)


def stop(register: Register, address: str, reason: str) -> None:
    """Suppress an address."""
    origin = Origin(at=NOW, source="a test")
    register.suppress(
        identify(address),
        reason=reason,
        change=Change.SUPPRESSED,
        origin=origin,
        address=address,
    )


class Watched:
    """Passes every call on to a ledger and looks at every campaign afterwards."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._states: dict[int, State] = {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.ledger, name)

        def call(*words: Any, **more: Any) -> Any:
            try:
                return method(*words, **more)
            finally:
                if name != "close":
                    self._look(name)

        return call

    def _look(self, name: str) -> None:
        for campaign in self.ledger.campaigns():
            counts = self.ledger.counts(campaign)
            assert counts.balanced, counts
            entries = list(self.ledger.entries(campaign))
            assert len(entries) == campaign.planned
            for entry in entries:
                self._compare(entry, name)

    def _compare(self, entry: Entry, name: str) -> None:
        before = self._states.get(entry.id)
        self._states[entry.id] = entry.state
        if before is None:
            assert name in ("plan", "extend")
            assert entry.state in (State.PENDING, State.SUPPRESSED)
        elif before is not entry.state:
            allowed = FOLLOWERS[before]
            if name == "commit" and before is State.CLAIMED:
                allowed |= FOLLOWERS[State.IN_FLIGHT]  # intent and outcome in one transaction
            assert entry.state in allowed, f"{name}: {entry.address} {before} → {entry.state}"


class Stage:
    """A campaign in a ledger, with short words for what a sender does."""

    def __init__(self, ledger: Any, subscribers: Iterable[Subscriber], *, issue: int = 64) -> None:
        self.ledger: Ledger = ledger
        self.campaign: Campaign = ledger.plan(issue, digest="d1", subscribers=subscribers, now=NOW)
        self.run = self.next_run()

    def next_run(self) -> int:
        self.run = self.ledger.begin_run(self.campaign, now=NOW)
        return self.run

    def claim(self, limit: int = 100, *, now: float = NOW, **more: Any) -> list[Claim]:
        """Claim under the latest run for 900 seconds."""
        wishes = {"run": self.run, "lease": 900.0, **more}
        return self.ledger.claim(self.campaign, limit=limit, now=now, **wishes)

    def intend(self, claims: Sequence[Claim], *, run: int | None = None) -> set[int]:
        """Ask for the bodies of these claims."""
        intents = [Intent(claim.id, f"<{claim.id}@example.org>") for claim in claims]
        run = self.run if run is None else run
        return self.ledger.commit(run=run, intents=intents, outcomes=[], now=NOW)

    def settle(
        self, claims: Sequence[Claim], state: State, *, run: int | None = None, **more: Any
    ) -> None:
        """Tell an outcome for these claims."""
        told = {"at": NOW, "stage": "dot", "reply": f"it is {state}", **more}
        outcomes = [Outcome(id=claim.id, state=state, **told) for claim in claims]
        run = self.run if run is None else run
        self.ledger.commit(run=run, intents=[], outcomes=outcomes, now=NOW)

    def send(self, state: State, limit: int = 100, **more: Any) -> list[Claim]:
        """Claim, intend and settle."""
        claims = self.claim(limit)
        assert self.intend(claims) == {claim.id for claim in claims}
        self.settle(claims, state, **more)
        return claims

    def states(self) -> list[State]:
        """In the order of the list."""
        return [entry.state for entry in self.ledger.entries(self.campaign)]

    def entry(self, name: str) -> Entry:
        found = self.ledger.entry(self.campaign, f"{name}@example.org")
        assert found is not None
        return found

    @property
    def counts(self) -> Counts:
        return self.ledger.counts(self.campaign)
