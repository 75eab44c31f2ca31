"""Choosing recipients: a row of the list is a recipient, or left out for a reason one can tell."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from newsletter.audience.csvfile import ListRow
from newsletter.audience.models import Subscriber, SubscriberStatus


class Reason(StrEnum):
    """Why a row is not a recipient."""

    BAD_ROW = "bad_row"
    PENDING = "pending"
    UNSUBSCRIBED = "unsubscribed"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What became of one row of the list.

    Attributes:
        row: the row itself, with its number.
        left_out: None for a recipient.
        first_row: for a duplicate, the number of the row that was chosen instead.

    """

    row: ListRow
    left_out: Reason | None = None
    first_row: int | None = None

    @property
    def recipient(self) -> Subscriber | None:
        """The subscriber who gets the issue, or None when the row is left out."""
        return self.row.subscriber if self.left_out is None else None

    @property
    def explanation(self) -> str:
        """One sentence for people, such as `the same address as row 3`; empty for a recipient."""
        match self.left_out:
            case Reason.BAD_ROW:
                return self.row.problem.message if self.row.problem else "not a subscriber"
            case Reason.PENDING:
                return "has not confirmed the subscription yet"
            case Reason.UNSUBSCRIBED:
                return "has unsubscribed"
            case Reason.DUPLICATE:
                return f"the same address as row {self.first_row}"
        return ""


def select(
    rows: Iterable[ListRow], *, unsubscribed: Container[int] = frozenset()
) -> Iterator[Choice]:
    """One choice per row, in order; of several active rows for one address the first is taken.

    A hash per recipient is remembered, not the address: about 100 MB for a million.

    Args:
        rows: the list.
        unsubscribed: what `unsubscribed_keys` found: who has unsubscribed in one row must not get
            mail because of another.

    """
    chosen: dict[int, int] = {}
    for row in rows:
        reason = standing(row, unsubscribed=unsubscribed)
        if row.subscriber is None or reason is not None:
            yield Choice(row=row, left_out=reason)
        elif (first := chosen.setdefault(_key(row.subscriber), row.row)) != row.row:
            yield Choice(row=row, left_out=Reason.DUPLICATE, first_row=first)
        else:
            yield Choice(row=row)


def standing(row: ListRow, *, unsubscribed: Container[int]) -> Reason | None:
    """Why a row by itself is no recipient, or None; duplicates are another matter."""
    subscriber = row.subscriber
    if subscriber is None:
        return Reason.BAD_ROW
    if subscriber.status is SubscriberStatus.PENDING:
        return Reason.PENDING
    if subscriber.status is SubscriberStatus.UNSUBSCRIBED or _key(subscriber) in unsubscribed:
        return Reason.UNSUBSCRIBED
    return None


def unsubscribed_keys(rows: Iterable[ListRow]) -> frozenset[int]:
    """The hashed addresses that are unsubscribed in at least one row; good in this process only."""
    return frozenset(
        _key(row.subscriber)
        for row in rows
        if row.subscriber and row.subscriber.status is SubscriberStatus.UNSUBSCRIBED
    )


def _key(subscriber: Subscriber) -> int:
    # hash() is a keyed 64-bit SipHash: of lists of a million, one in ten million has a collision.
    return hash(subscriber.address.key)
