"""What there is to see of an issue at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field

from newsletter.audience.models import Subscriber
from newsletter.content.models import Issue
from newsletter.content.reader import IssueSource
from newsletter.mailing import Mailing
from newsletter.preview.anatomy import Anatomy
from newsletter.preview.faults import Fault, Finding
from newsletter.rendering.edition import Edition


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One reader's message of one issue, as it was at one moment.

    Attributes:
        id: names the bytes; the same bytes have the same id.
        mailing: what the message was made by.
        findings: what was noted while it was made.
        sample: the reader is invented, since there is no list.
        site_url: where hosted images would be.

    """

    id: str
    mailing: Mailing
    edition: Edition
    reader: Subscriber
    sample: bool
    site_url: str | None
    anatomy: Anatomy
    findings: tuple[Finding, ...] = ()

    @property
    def source(self) -> IssueSource:
        """The issue with its file."""
        return self.mailing.source

    @property
    def issue(self) -> Issue:
        """The issue as its author wrote it."""
        return self.source.issue


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What there is to see: a snapshot, or mistakes with the last good snapshot behind them."""

    snapshot: Snapshot | None = None
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueEntry:
    """One line of the index; `issue` is None for a source with mistakes."""

    number: int
    path: str
    issue: Issue | None
