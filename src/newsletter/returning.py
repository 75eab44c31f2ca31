"""What follows from what comes back: each mail, or call of a webhook, read, judged and acted upon, once.

The mailbox, the MTA's pipe and the webhooks all end in `Returning.take`. What it does to one mail is one transaction:
a mail that was cut off in the middle is read again, one that was done is known and changes nothing.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from newsletter.audience.register import Change, Origin
from newsletter.config import read_secret
from newsletter.feedback.fingerprint import fingerprint
from newsletter.feedback.history import came_back_at, history
from newsletter.feedback.read import read_reports
from newsletter.feedback.report import Evidence, Kind, Report
from newsletter.feedback.returns import Action, Record, Returns, anonymous
from newsletter.feedback.rules import Decision, decide
from newsletter.feedback.sources import Letter, Source, Unread, open_source
from newsletter.mail.address import parse_address
from newsletter.membership import Membership

if TYPE_CHECKING:
    from newsletter.project import Project

FORGOTTEN = "forgotten"
_ADDRESS = re.compile(r"<?[^\s<>]+@[^\s<>]+>?")  # the same words about many people are one warning


class _TakenBack(Exception):
    """A dry run ends so that its transaction is rolled back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """One report and what followed.

    Attributes:
        record: as it is kept.
        reason: why somebody is not mailed any more.
        address: whom it is about, as far as anybody knows.
        changed: whether they were still mailed before.

    """

    record: Record
    reason: str = ""
    address: str | None = None
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Whose:
    """Whom a report is about, and how sure that is."""

    who: bytes | None = None
    issue: int | None = None
    proven: bool = False


class Returning:
    """Acts on what comes back to one publication.

    Args:
        membership: who comes and goes.
        returns: the record, on the same store as the membership's register.

    """

    def __init__(self, membership: Membership, returns: Returns) -> None:
        self.membership = membership
        self.returns = returns
        self._keyring = membership.project.keyring

    def read(
        self, data: bytes, *, source: str, envelope_to: str | None = None, dry_run: bool = False
    ) -> list[Settled] | None:
        """Take one mail.

        Args:
            data: its octets.
            source: where it came from, for the record.
            envelope_to: whom it was sent to, where the mail itself may not say.
            dry_run: tell what would follow, and change nothing.

        Returns:
            What followed from each of its reports; None when the mail was taken before.

        """
        reports = read_reports(data, keyring=self._keyring, envelope_to=envelope_to)
        return self.take(reports, fingerprint(data, reports), source=source, dry_run=dry_run)

    def take(
        self, reports: Sequence[Report], digest: bytes, *, source: str, dry_run: bool = False
    ) -> list[Settled] | None:
        """Take the reports of one mail or call, once for each `digest`; see `read`."""
        found = [(report, self._whose(report)) for report in reports]
        settled: list[Settled] | None = None
        try:
            with self.membership.register.together():
                now = self.membership.now()
                if self.returns.first_time(digest, now=now):
                    settled = [self._settle(one, whose, source, now) for one, whose in found]
                if dry_run:
                    raise _TakenBack
        except _TakenBack:
            pass
        return settled

    def _whose(self, report: Report) -> Whose:
        """Whom a report is about. Only keyed tokens and Message-IDs prove it, or a provider's signature."""
        if report.evidence is Evidence.VERP and report.returned:
            return Whose(report.returned.subscriber_id, report.returned.issue, True)
        sent = self.returns.sent(report.message_id) if report.message_id else None
        if report.evidence is Evidence.TOKEN and report.subscriber_id:
            same = sent is not None and sent.subscriber_id == report.subscriber_id
            return Whose(report.subscriber_id, sent.issue if sent and same else None, True)
        if sent and report.evidence in (Evidence.MESSAGE_ID, Evidence.SIGNATURE):
            return Whose(sent.subscriber_id, sent.issue, True)
        claimed = self._claimed(report.recipient)
        signed = report.evidence is Evidence.SIGNATURE
        return Whose(claimed, None, signed and claimed is not None and self._known(claimed))

    def _claimed(self, recipient: str | None) -> bytes | None:
        """The id of an address that a report names."""
        try:
            return self.membership.register.identify(parse_address(recipient or "").key)
        except ValueError:
            return None

    def _known(self, who: bytes) -> bool:
        """Whether this person is, or was, on the list: a provider's account may send for others too."""
        return self.membership.person(who) is not None

    def _settle(self, report: Report, whose: Whose, source: str, now: float) -> Settled:
        record = Record(
            at=now,
            source=source,
            report=report,
            who=whose.who,
            issue=whose.issue,
            proven=whose.proven,
        )
        if whose.who is not None and self._forgotten(whose.who):
            action = Action.RECORDED if whose.proven else Action.UNPROVEN
            record = anonymous(replace(record, action=action))
            self.returns.record(record)
            return Settled(record=record)
        if whose.proven and whose.issue is None and report.kind is Kind.BOUNCE and whose.who:
            record = replace(record, issue=self._newest_issue(whose.who))
        decision = self._decide(record, now)
        record = replace(record, action=decision.action)
        self.returns.record(record)
        address, changed = self._apply(record, decision, now)
        return Settled(record=record, reason=decision.reason, address=address, changed=changed)

    def _decide(self, record: Record, now: float) -> Decision:
        if not (record.proven and record.who and record.report.kind is Kind.BOUNCE):
            return decide(record.report, proven=record.proven, now=now)
        ledger, register = self.membership.ledger, self.membership.register
        since = came_back_at(register.history(record.who))
        campaign = ledger.campaign(record.issue) if record.issue is not None else None
        records = [*self.returns.about(record.who), record]
        return decide(
            record.report,
            proven=True,
            history=history(record.who, ledger=ledger, records=records, since=since),
            stale=campaign is not None and campaign.planned_at < since,
            now=now,
        )

    def _apply(self, record: Record, decision: Decision, now: float) -> tuple[str | None, bool]:
        """Do what was decided; the address of the person, and whether it changed anything."""
        report, who = record.report, record.who
        if who is None or not record.proven:
            return report.recipient, False
        person = self.membership.person(who)
        address = str(person.address) if person else report.recipient
        told = _reason(record)
        if decision.action is Action.UNSUBSCRIBED:
            return address, self.membership.leave(who, source=_origin(record), reason=told)
        if decision.action is not Action.SUPPRESSED:
            return address, False
        complained = report.kind is Kind.COMPLAINT
        changed = self.membership.register.suppress(
            who,
            reason=decision.reason,
            change=Change.COMPLAINED if complained else Change.BOUNCED,
            origin=Origin(at=now, source=_origin(record), reason=told),
            address=person.address.key if person else None,
        )
        return address, changed

    def _forgotten(self, who: bytes) -> bool:
        stop = self.membership.register.suppression(who)
        return stop is not None and stop.reason == FORGOTTEN

    def _newest_issue(self, who: bytes) -> int | None:
        """The latest issue that went to this person: what a report without one is most likely about."""
        ledger = self.membership.ledger
        for campaign in sorted(ledger.campaigns(), key=lambda one: -one.planned_at):
            if ledger.reader(campaign, who):
                return campaign.issue
        return None


def _origin(record: Record) -> str:
    """Where a change comes from, for the person's story."""
    what = {Kind.COMPLAINT: "complaint", Kind.UNSUBSCRIBE: "mail"}.get(record.report.kind, "bounce")
    return what if record.issue is None else f"{what}, issue {record.issue}"


def _reason(record: Record) -> str:
    """Why, in words that hold no address: the server's own are in the record."""
    report = record.report
    status = f" ({report.status})" if report.status else ""
    return f"{report.verdict}{status}, from {record.source}"


@dataclass(slots=True)
class Summary:
    """What came of a mailbox.

    Attributes:
        mails: how many were read.
        known: how many of them were taken before.
        unread: those that could not be read, and why.
        verdicts: how often each verdict was given.
        actions: how often each thing followed.
        left: who is not mailed any more.
        warnings: what servers say about the sender, and how often: verdict and words.
        asking: who asks to be taken off, without proof.
        unproven: reports that prove nothing.

    """

    mails: int = 0
    known: int = 0
    unread: list[Unread] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    left: list[Settled] = field(default_factory=list)
    warnings: Counter[tuple[str, str]] = field(default_factory=Counter)
    asking: list[Settled] = field(default_factory=list)
    unproven: list[Settled] = field(default_factory=list)

    def add(self, settled: Settled) -> None:
        """Count one report."""
        report, action = settled.record.report, settled.record.action
        self.verdicts[report.verdict.value] += 1
        self.actions[action.value] += 1
        if settled.changed:
            self.left.append(settled)
        if action is Action.WARNED:
            self.warnings[report.verdict.value, _ADDRESS.sub("<…>", report.diagnostic)] += 1
        elif action is Action.ASKED:
            self.asking.append(settled)
        elif action is Action.UNPROVEN:
            self.unproven.append(settled)


def process(
    returning: Returning,
    source: Source,
    summary: Summary,
    *,
    keep: bool = False,
    dry_run: bool = False,
) -> None:
    """Take every mail of a source, and mark each as done when it is on record.

    Args:
        returning: acts on them.
        source: the mails.
        summary: gets what came of them.
        keep: leave the mails as they are.
        dry_run: change nothing.

    Raises:
        LedgerError, MailboxError: the mails up to here are done, the others wait for the next time.

    """
    with closing(source.letters) as letters:
        for letter in letters:
            if isinstance(letter, Unread):
                summary.unread.append(letter)
                continue
            _take(returning, letter, source.label, summary, dry_run=dry_run)
            if not keep and not dry_run:
                letter.settle()


def _take(
    returning: Returning, letter: Letter, label: str, summary: Summary, *, dry_run: bool
) -> None:
    summary.mails += 1
    settled = returning.read(
        letter.data, source=label, envelope_to=letter.envelope_to, dry_run=dry_run
    )
    if settled is None:
        summary.known += 1
        return
    for one in settled:
        summary.add(one)


def find_source(project: Project, place: str, *, keep: bool = False) -> Source:
    """The mails in a place, with the publication's own password where one is needed; see `open_source`.

    Raises:
        UsageError, ConfigError: there is nothing of the kind.

    """
    settings = project.publication.bounces

    def password() -> str:
        return read_secret(
            "NEWSLETTER_IMAP_PASSWORD",
            settings.password_file,
            root=project.root,
            environ=project.environ,
            missing="there is no password for the IMAP server;"
            " set NEWSLETTER_IMAP_PASSWORD or bounces.password_file",
        )

    return open_source(place, password=password, move_to=settings.move_to, keep=keep)


@contextmanager
def open_returning(
    project: Project, *, clock: Callable[[], float] = time.time
) -> Iterator[Returning]:
    """What acts on returns, on the publication's own database; one thread at a time may use it.

    Raises:
        LedgerError, ConfigError: the database or the key cannot be used.

    """
    with closing(project.returns()) as returns, closing(project.ledger()) as ledger:
        membership = Membership(project, returns.register, ledger, clock=clock)
        yield Returning(membership, returns)
