"""The returns: every report on record, with what followed from it, as a store must keep them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from newsletter.audience.register import Register
from newsletter.audience.verp import Returned
from newsletter.feedback.report import Report


class Action(StrEnum):
    """What followed from a report."""

    SUPPRESSED = "suppressed"
    UNSUBSCRIBED = "unsubscribed"
    COUNTED = "counted"  # several such, over some time, are enough to suppress
    WARNED = "operator warned"  # it speaks of the sender
    RECORDED = "on record"
    ASKED = "for you to decide"  # somebody wants out, and nothing proves who
    UNPROVEN = "no proof"  # anybody can have written it
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A report on record.

    Attributes:
        at: when it was read, seconds since the epoch.
        source: where it came from: `maildir`, `standard input`, `ses` …
        report: what it says; without tokens, whose content is in `who` and `issue`.
        who: the id of the person that it is about, or, where it is not proven, that it claims to be about.
        issue: the issue that came back, if known.
        proven: whether `who` is beyond doubt.
        action: what followed.

    """

    at: float
    source: str
    report: Report
    who: bytes | None = None
    issue: int | None = None
    proven: bool = False
    action: Action = Action.NOTHING


def anonymous(record: Record) -> Record:
    """The record without the words of others, for somebody who is forgotten."""
    report = replace(
        record.report, recipient=None, message_id=None, diagnostic="", reporting_mta=None
    )
    return replace(record, report=report)


class Returns(Protocol):
    """What reading the mailbox asks of a store. Methods block.

    Writing methods are part of a transaction that is open on `register.together()`, or each one of its own.
    """

    @property
    def register(self) -> Register:
        """The register of the same store. `Register.forget` erases a person's records too."""

    def first_time(self, digest: bytes, *, now: float) -> bool:
        """Remember a mail by its digest; false when it is known, so that nothing counts twice."""

    def record(self, record: Record) -> None:
        """Put a report on record."""

    def records(self, *, after: int = 0) -> Iterator[tuple[int, Record]]:
        """Everything on record, the oldest first, with rising numbers; in constant memory."""

    def about(self, who: bytes) -> Sequence[Record]:
        """What is proven about one person, the oldest first."""

    def sent(self, message_id: str) -> Returned | None:
        """The issue and the person that the ledger has this Message-ID for, if a server may have taken the message.

        Quick in a ledger of millions, but for the first time after a send: better outside of a transaction.
        """

    def close(self) -> None:
        """Let go of the store and its register."""
