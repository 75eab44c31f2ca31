"""How a run behaves, and what it has achieved."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from newsletter.delivery.pace import POLITE, DomainPolicy
from newsletter.delivery.retry import RetrySchedule
from newsletter.delivery.states import State
from newsletter.errors import NewsletterError


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOptions:
    """How a run behaves. Times in seconds.

    Attributes:
        connections: open at the same time.
        messages_per_connection: then a new one.
        window: how long a run may wait for deferred entries and for a relay that is away.
        lease: how long a claim holds without news.
        limit: how many entries this run may take, or None.
        states: only entries in these states, or any sendable one.
        connect_tries: failures in a row, with nothing achieved between, before the relay counts as away.
        retry: when deferred entries are due again.
        rate: messages a second over the whole relay, or None.
        domains: limits per recipient domain.

    """

    connections: int = 4
    messages_per_connection: int = 500
    window: float = 0.0
    lease: float = 900.0
    limit: int | None = None
    states: Sequence[State] = ()
    connect_tries: int = 3
    retry: RetrySchedule = field(default_factory=RetrySchedule)
    rate: float | None = None
    domains: Mapping[str, DomainPolicy] = field(default_factory=lambda: POLITE)


@dataclass(slots=True)
class Tally:
    """What a run has achieved so far. `stopped` says why it ended early, if it did."""

    outcomes: Counter[State] = field(default_factory=Counter)
    stopped: NewsletterError | None = None
    interrupted: bool = False
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """How long the run has been going."""
        return time.monotonic() - self.started
