"""What became of an address on the web, and who can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

NO_HOST = "has no host: the name is not known"
"""The reason of a verdict on an address whose name nobody knows."""

NOT_NOW = "cannot be looked up now"
"""The reason of a verdict on an address when nobody answers who knows names."""


class Kind(StrEnum):
    """What became of an address."""

    FINE = "fine"
    MOVED = "moved"  # permanently, by HTTP 301 or 308 (RFC 9110 section 15.4)
    DEAD = "dead"
    PRIVATE = "private"  # inside a private network, so it was not asked
    UNSURE = "unsure"
    UNASKED = "unasked"  # for want of time, room or a network


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found at an address.

    Attributes:
        kind: in a word.
        reason: in a few more, to follow the address: `answers 404`.
        moved_to: the new address, when it has moved.
        media: media type of what is there, as `image/png`; empty when unknown.
        at: when it was asked; None when it was not.

    """

    kind: Kind
    reason: str = ""
    moved_to: str | None = None
    media: str = ""
    at: datetime | None = None


class Online(Protocol):
    """Somebody who can tell what became of addresses: the service that these checks need."""

    def verdicts(self, addresses: Sequence[str]) -> Mapping[str, Verdict]:
        """A verdict for each address."""


@dataclass(frozen=True, slots=True)
class Known:
    """Tells what it was told, without a network: for examples and tests.

    Attributes:
        known: verdicts by address; every other address is fine.

    """

    known: Mapping[str, Verdict] = field(default_factory=dict)

    def verdicts(self, addresses: Sequence[str]) -> Mapping[str, Verdict]:
        """A verdict for each address."""
        fine = Verdict(kind=Kind.FINE)
        return {address: self.known.get(address, fine) for address in addresses}
