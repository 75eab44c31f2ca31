"""The states of a ledger entry, and which may follow which."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where one recipient of a campaign stands.

    `accepted`, `failed`, `suppressed` and `expired` are final. `in_doubt` waits for a person: the body went out, the
    answer did not come back, and SMTP cannot tell what became of it (RFC 1047).
    """

    PENDING = "pending"
    CLAIMED = "claimed"
    IN_FLIGHT = "in_flight"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"


FINAL = frozenset({State.ACCEPTED, State.FAILED, State.SUPPRESSED, State.EXPIRED})
"""Nothing more happens to these by itself."""

SENDABLE = frozenset({State.PENDING, State.DEFERRED})
"""A run may claim these when their time has come."""

FOLLOWERS: dict[State, frozenset[State]] = {
    State.PENDING: frozenset({State.CLAIMED, State.SUPPRESSED, State.EXPIRED}),
    State.CLAIMED: frozenset(
        {State.IN_FLIGHT, State.PENDING, State.DEFERRED, State.FAILED, State.SUPPRESSED}
    ),
    State.IN_FLIGHT: frozenset(
        {State.ACCEPTED, State.DEFERRED, State.FAILED, State.IN_DOUBT, State.PENDING}
    ),
    State.DEFERRED: frozenset({State.CLAIMED, State.SUPPRESSED, State.EXPIRED}),
    # A person's word; or late truth, from a sender that was only slow, which may be a deferral too.
    State.IN_DOUBT: frozenset({State.ACCEPTED, State.FAILED, State.PENDING, State.DEFERRED}),
    State.ACCEPTED: frozenset(),
    State.FAILED: frozenset(),
    State.SUPPRESSED: frozenset(),
    State.EXPIRED: frozenset(),
}
"""The arrows of docs/architecture.md; the contract suite holds every store to them."""
