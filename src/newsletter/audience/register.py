"""The register: subscribers, consents, suppressions and what happened to each, as a store must keep them.

A person is known by `Keyring.subscriber_id` of the address key: 10 octets that links and return paths carry, and all
that is left of somebody who is forgotten. Stores compute it with the `identify` they were given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from newsletter.audience.models import Subscriber, SubscriberStatus

DAY = 86400.0
CONFIRMATION_PAUSE = DAY  # one confirmation mail a day …
CONFIRMATIONS = 3  # … and three in all, until one of them is answered


class Change(StrEnum):
    """What can happen to a person."""

    ADDED = "added"  # by the operator
    IMPORTED = "imported"
    REQUESTED = "requested"  # somebody typed the address into the form
    ASKED = "asked to confirm"  # the relay has accepted the confirmation mail
    UNREACHABLE = "could not be asked to confirm"
    CONFIRMED = "confirmed"
    UPDATED = "updated"
    UNSUBSCRIBED = "unsubscribed"
    REMOVED = "removed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    SUPPRESSED = "suppressed"
    LIFTED = "suppression lifted"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a change comes from.

    Attributes:
        at: seconds since the epoch.
        source: what made it, such as `web form`, `one-click`, `import mailchimp.csv`, `bounce`, `operator`.
        reason: in words, for `explain`; never holds an address.

    """

    at: float
    source: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of a person's story; times are seconds since the epoch."""

    at: float
    change: Change
    source: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """That a person agreed, and how one could prove it.

    Attributes:
        at: seconds since the epoch.
        how: `double opt-in`, `import`, `operator`.
        wording: what they agreed to, as it stood there.
        network: where the request came from, cut to a network (203.0.113.0/24), or empty.

    """

    at: float
    how: str
    wording: str = ""
    network: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A subscriber with the register's own data.

    Attributes:
        number: rises in the order of joining.
        id: `Keyring.subscriber_id`.
        subscriber: who it is, with the status.
        updated_at: seconds since the epoch.

    """

    number: int
    id: bytes
    subscriber: Subscriber
    updated_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """Somebody who must not be mailed, whatever a list says.

    Attributes:
        id: `Keyring.subscriber_id`; None in databases of an early version.
        address: the address key; None when the person is forgotten, or was only seen as a token.
        reason: `unsubscribed`, `complaint`, `no such mailbox`, `forgotten`, …
        at: seconds since the epoch.

    """

    id: bytes | None
    address: str | None
    reason: str
    source: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One row of an import.

    Attributes:
        row: its row in the file.
        subscriber: as the file has it; the status too.
        suppress: why this address must not be mailed (bounced, complained), or None.

    """

    row: int
    subscriber: Subscriber
    suppress: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What an import did, or would do, in numbers of people.

    Attributes:
        added: new in the register, by status.
        updated: known, and something new was learned.
        unchanged: known, nothing new.
        left: active before, and the file says that they have unsubscribed or must not be mailed.
        kept_out: new here, but suppressed or forgotten; nothing was stored of them.
        kept_unsubscribed: the file says active, but they have left; they stay away.
        duplicates: rows that repeat an address of the file.

    """

    added: Mapping[SubscriberStatus, int] = field(default_factory=dict)
    updated: int = 0
    unchanged: int = 0
    left: int = 0
    kept_out: int = 0
    kept_unsubscribed: int = 0
    duplicates: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """A confirmation mail that waits to be sent."""

    member: Member
    attempts: int
    requested_at: float


class Register(Protocol):
    """What the web, the command line and the bounces ask of a store. Methods block.

    Each writing method is one durable transaction of its own, or a part of `together`.
    """

    def identify(self, key: str) -> bytes:
        """The id of an address key."""

    def together(self) -> AbstractContextManager[None]:
        """Many changes in one durable transaction; an error inside takes all of them back."""

    def find(self, who: bytes) -> Member | None:
        """The member with this id."""

    def members(
        self, *, statuses: Sequence[SubscriberStatus] = (), after: int = 0
    ) -> Iterator[Member]:
        """Members in the order of joining, of any status when none is named, in constant memory."""

    def counts(self) -> Mapping[SubscriberStatus, int]:
        """How many members there are of each status."""

    def changes(self, *, since: float) -> Mapping[Change, int]:
        """How often each change happened since this moment."""

    def save(
        self,
        subscriber: Subscriber,
        change: Change,
        origin: Origin,
        *,
        consent: Consent | None = None,
    ) -> Member:
        """Add this subscriber, or put it in place of what is known of the same address.

        Status and suppression do not influence each other here: see `leave` and `lift`.
        """

    def leave(self, who: bytes, origin: Origin, *, address: str | None = None) -> bool:
        """Unsubscribe: the member's status, if there is one, and a suppression `unsubscribed`.

        Args:
            who: the id.
            origin: where the wish comes from.
            address: the address key, where it is known.

        Returns:
            Whether it changed anything; doing it twice is harmless.

        """

    def suppress(
        self, who: bytes, *, reason: str, change: Change, origin: Origin, address: str | None = None
    ) -> bool:
        """Never mail this person again; returns whether that is new. The first reason stays."""

    def lift(self, who: bytes, origin: Origin) -> bool:
        """Take a suppression back; returns whether there was one."""

    def suppression(self, who: bytes) -> Suppression | None:
        """Why this person is not mailed, if so."""

    def suppressions(self) -> Iterator[Suppression]:
        """Every suppression, the oldest first."""

    def note(self, who: bytes, change: Change, origin: Origin) -> None:
        """Put something on record that changes nothing else."""

    def history(self, who: bytes) -> Sequence[Event]:
        """A person's story, the oldest first."""

    def consents(self, who: bytes) -> Sequence[Consent]:
        """What a person has agreed to, the oldest first."""

    def remove(self, who: bytes) -> bool:
        """Take a member out of the table; story, consents and suppression stay. For lists kept elsewhere."""

    def forget(self, who: bytes, origin: Origin) -> bool:
        """Erase everything about a person but the id in the suppressions, the ledger's rows too.

        Returns:
            Whether anything was known.

        """

    def merge(
        self,
        rows: Iterable[Incoming],
        origin: Origin,
        *,
        consent: Consent | None = None,
        overwrite: bool = False,
        dry_run: bool = False,
    ) -> Merged:
        """Take in an import, all of it or, when `rows` raises, nothing; in constant memory.

        Nobody who has left, or is suppressed or forgotten, becomes active by it. What is known stays and gaps are
        filled, tags are united; with `overwrite` the file's name, language and fields win.
        """

    def ask(self, who: bytes, *, now: float) -> bool:
        """Queue a confirmation mail to a member, unless the limits say no; returns whether it is queued now."""

    def to_confirm(self, *, now: float, limit: int) -> Sequence[Confirmation]:
        """Queued confirmation mails that are due."""

    def asked(self, who: bytes, origin: Origin, *, again_at: float | None = None) -> None:
        """A queued confirmation mail was accepted by the relay, or is to be tried again at `again_at`."""

    def unreachable(self, who: bytes, origin: Origin) -> None:
        """A queued confirmation mail was refused for good, or tried for too long; it is dropped."""

    def confirm(self, who: bytes, origin: Origin, *, consent: Consent) -> Member | None:
        """Make a pending or unsubscribed member active, lift its suppression, start its count of mails anew.

        Returns:
            The member; None when this person is unknown. Doing it twice is harmless.

        """

    def spend(self, bucket: str, *, limit: int, seconds: float, now: float) -> bool:
        """Use one of `limit` allowances that `bucket` has in each span of `seconds`; false when they are used up."""

    def tidy(self, *, pending_before: float, now: float) -> int:
        """Drop members who never confirmed and were last asked before this moment, and old allowances."""

    def close(self) -> None:
        """Let go of the store."""
