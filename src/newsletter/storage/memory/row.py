"""An entry of the ledger in memory."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.audience.models import Subscriber
from newsletter.delivery.ledger import Entry
from newsletter.delivery.states import State


@dataclass(slots=True, kw_only=True)
class Row:
    """One entry."""

    id: int
    campaign: int
    subscriber: Subscriber
    state: State
    reply: str
    updated_at: float
    attempts: int = 0
    first_attempt_at: float | None = None
    next_attempt_at: float = 0.0
    lease_until: float = 0.0
    run: int = 0
    message_id: str = ""

    def give_back(self, now: float) -> None:
        """From claimed to what it was before."""
        self.state = State.DEFERRED if self.attempts else State.PENDING
        self.updated_at = now

    def entry(self) -> Entry:
        """As reports show it."""
        return Entry(
            id=self.id,
            address=str(self.subscriber.address),
            name=self.subscriber.name,
            state=self.state,
            attempts=self.attempts,
            next_attempt_at=self.next_attempt_at or None,
            message_id=self.message_id,
            reply=self.reply,
            updated_at=self.updated_at,
        )
