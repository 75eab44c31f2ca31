"""One send from a project: plan or resume, recover, run, account for everybody."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.delivery.ledger import Campaign, Claim, Counts, Ledger, Recovered
from newsletter.delivery.lock import run_lock
from newsletter.delivery.options import SendOptions, Tally
from newsletter.delivery.pace import POLITE, DomainPolicy
from newsletter.delivery.retry import HOUR, MINUTE, RetrySchedule
from newsletter.delivery.sender import Sender
from newsletter.delivery.sendlog import SendLog, append_remark
from newsletter.delivery.states import SENDABLE, State
from newsletter.delivery.targeting import Target
from newsletter.errors import EditionChanged, LedgerError, UsageError
from newsletter.mailing import Intake, Mailing

if TYPE_CHECKING:
    from newsletter.audience.models import Subscriber
    from newsletter.config import Publication, WarmUpSettings
    from newsletter.mail.message import Message
    from newsletter.project import Project
    from newsletter.segments import Segment
    from newsletter.transport.exchange import Transport
    from newsletter.transport.single import SingleJob

LOCK_NAME = "run.lock"
LOG_FOLDER = "log"


def options_for(publication: Publication) -> SendOptions:
    """What newsletter.yaml says about pace and patience."""
    settings = publication.send
    domains = dict(POLITE)
    for domain, limits in settings.domains.items():
        domains[domain.lower()] = DomainPolicy(
            connections=limits.connections,
            messages_per_connection=limits.messages_per_connection,
            rate=limits.rate,
        )
    return SendOptions(
        connections=settings.connections,
        messages_per_connection=settings.messages_per_connection,
        window=settings.window or 0.0,
        rate=settings.rate,
        domains=domains,
        retry=RetrySchedule(
            steps=tuple(minutes * MINUTE for minutes in settings.retry),
            then=settings.retry_then * MINUTE,
            give_up=settings.give_up * HOUR,
        ),
    )


def allowance(
    warm_up: WarmUpSettings | None, accepted: Mapping[str, int], *, now: float
) -> int | None:
    """How many messages a warming-up sender may still send today, or None for any number.

    Args:
        warm_up: the settings, if the sender is warming up.
        accepted: messages accepted per UTC day.
        now: seconds since the epoch.

    """
    if warm_up is None:
        return None
    today = datetime.fromtimestamp(now, UTC).date().isoformat()
    days_before = sum(1 for day, count in accepted.items() if count and day < today)
    cap = int(warm_up.start * warm_up.factor**days_before)
    return max(0, cap - accepted.get(today, 0))


Drive = Callable[[Sender], Awaitable[Tally]]
"""Runs a sender, with whatever signals and progress the caller wants around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendReport:
    """What a send ended with.

    Attributes:
        campaign: what was sent.
        counts: the ledger afterwards; the equation holds or `send` has raised.
        tally: what this run did; None when there was nothing left to do.
        fresh: whether this call planned the campaign.
        segment: whom this call was for, when not for everybody.
        added: how many it added to a campaign that was planned before.
        notes: what looks like a mistake in the segment.
        recovered: what a dead run had left behind.
        left: how many subscribers have left the list since the plan.
        worn_out: how many are not mailed any more, since their mailbox was full or disabled for too long.
        intake: what planning left out of the list.
        next_due: when the next deferred entry is due, seconds since the epoch.
        warmed_up: false when today's warm-up allowance is used up.
        names_in_doubt: addresses whose fate SMTP cannot tell.
        log: the per-send log.

    """

    campaign: Campaign
    counts: Counts
    tally: Tally | None
    fresh: bool
    recovered: Recovered
    left: int
    intake: Intake
    segment: Segment | None = None
    added: int = 0
    worn_out: int = 0
    notes: tuple[str, ...] = ()
    next_due: float | None = None
    warmed_up: bool = True
    names_in_doubt: tuple[str, ...] = field(default=())
    log: Path = field(default=Path())


def existing_ledger(project: Project) -> Ledger | None:
    """The ledger if there is one: looking must not make it."""
    return project.ledger() if project.database.exists() else None


def require_campaign(ledger: Ledger, issue: int) -> Campaign:
    """The campaign of an issue.

    Raises:
        UsageError: it was never sent.

    """
    campaign = ledger.campaign(issue)
    if campaign is None:
        raise UsageError(f"issue {issue} was never sent")
    return campaign


async def send(
    mailing: Mailing,
    *,
    transport: Transport,
    options: SendOptions,
    drive: Drive,
    segment: Segment | None = None,
    accept_changed: bool = False,
    resend_in_doubt: bool = False,
    clock: Callable[[], float] = time.time,
) -> SendReport:
    """Send an issue to everybody who is due, under the run lock.

    Args:
        mailing: the issue.
        transport: the way to the relay.
        options: pace and patience.
        drive: runs the sender.
        segment: plan only these, or add those of them who are not planned yet. Without one the first send is to
            everybody, and a later one to those who are planned.
        accept_changed: go on although the issue is not what was planned.
        resend_in_doubt: send again to those whose fate is unknown (RFC 5321 3.8 as a choice).
        clock: seconds since the epoch.

    Raises:
        RunLocked, EditionChanged, AudienceError, LedgerError, TemplateError, ComposeError.

    """
    project = mailing.project
    with run_lock(project.state_dir / LOCK_NAME), closing(project.ledger()) as ledger:
        plan = _plan_or_resume(
            ledger, mailing, segment=segment, accept_changed=accept_changed, now=clock()
        )
        campaign = plan.campaign
        run = ledger.begin_run(campaign, now=clock())
        plan = _clear_up(
            ledger,
            mailing,
            plan,
            run=run,
            resend_in_doubt=resend_in_doubt,
            give_up=options.retry.give_up,
            now=clock(),
        )
        waiting = sum(ledger.counts(campaign)[state] for state in SENDABLE)
        warm_up = project.publication.send.warm_up
        today = allowance(warm_up, ledger.accepted_by_day(), now=clock())
        limit = min((n for n in (options.limit, today) if n is not None), default=None)
        tally = None
        if waiting and limit != 0:
            sender = Sender(
                ledger=ledger,
                campaign=campaign,
                run=run,
                transport=transport,
                compose=_composer(mailing),
                log=SendLog(plan.log),
                options=replace(options, limit=limit),
                total=min(waiting, limit or waiting),
                clock=clock,
            )
            tally = await drive(sender)
        worn_out = _retire(project, ledger, campaign, now=clock()) if tally else 0
        return _account(ledger, replace(plan, tally=tally, worn_out=worn_out), today=today)


def _clear_up(
    ledger: Ledger,
    mailing: Mailing,
    plan: SendReport,
    *,
    run: int,
    resend_in_doubt: bool,
    give_up: float,
    now: float,
) -> SendReport:
    """Settle what dead runs have left behind, who has left the list, and what was tried for too long."""
    campaign = plan.campaign
    recovered = ledger.recover(campaign, run=run, now=now)
    if resend_in_doubt:
        why = "to be sent again, by --in-doubt resend"
        ledger.resolve(campaign, state=State.PENDING, addresses=(), now=now, why=why)
    left = _reconcile(ledger, mailing, plan, now=now)
    ledger.expire(campaign, first_before=now - give_up, now=now)
    return replace(plan, recovered=recovered, left=left)


def _retire(project: Project, ledger: Ledger, campaign: Campaign, *, now: float) -> int:
    """Stop writing to mailboxes that have refused too many issues by now."""
    from newsletter.feedback.history import retire

    with closing(project.returns()) as returns:
        return retire(ledger, returns, campaign, now=now)


def _account(ledger: Ledger, report: SendReport, *, today: int | None) -> SendReport:
    """Check the equation and say how everybody stands."""
    campaign = report.campaign
    counts = ledger.counts(campaign)
    if not counts.balanced:
        raise LedgerError(
            f"{counts.planned} entries were planned, but the states add up to"
            f" {sum(counts.states.values())}; the ledger is damaged, restore it from a backup"
        )
    answered = sum(report.tally.outcomes.values()) if report.tally else 0
    return replace(
        report,
        counts=counts,
        next_due=ledger.next_due(campaign),
        warmed_up=today is None or today > answered or counts.settled,
        names_in_doubt=tuple(
            entry.address for entry in ledger.entries(campaign, states=[State.IN_DOUBT])
        ),
    )


def _plan_or_resume(
    ledger: Ledger,
    mailing: Mailing,
    *,
    segment: Segment | None,
    accept_changed: bool,
    now: float,
) -> SendReport:
    """Freeze the recipients, or find them frozen, with the edition that they were planned with, and add the segment."""
    issue = mailing.source.issue.number
    target = Target(segment, ledger) if segment else None
    intake = Intake(mailing.project, target)
    why = f"segment {segment}" if segment else ""
    campaign = ledger.campaign(issue)
    fresh = campaign is None
    added = 0
    if campaign is None:
        campaign = ledger.plan(
            issue, digest=mailing.digest, subscribers=intake, now=now, chosen=target, why=why
        )
    else:
        if _goes_on(ledger, campaign, mailing, segment):
            campaign = _same_edition(
                ledger, campaign, mailing, accept_changed=accept_changed, now=now
            )
        if target is not None:
            added = ledger.extend(campaign, subscribers=intake, now=now, chosen=target, why=why)
            campaign = replace(campaign, planned=campaign.planned + added)
    log = mailing.project.state_dir / LOG_FOLDER / f"{issue:03d}.jsonl"
    if segment is not None and (fresh or added):
        event, count = ("planned", campaign.planned) if fresh else ("added", added)
        append_remark(log, at=now, event=event, segment=str(segment), count=count)
    return SendReport(
        campaign=campaign,
        counts=Counts(campaign.planned),
        tally=None,
        fresh=fresh,
        recovered=Recovered(0, 0),
        left=0,
        intake=intake,
        segment=segment,
        added=added,
        notes=tuple(target.notes()) if target else (),
        log=log,
    )


def _goes_on(ledger: Ledger, campaign: Campaign, mailing: Mailing, segment: Segment | None) -> bool:
    """Whether anybody will still get the issue. What has gone out to all may be edited, for the archive."""
    if not ledger.counts(campaign).settled:
        return True
    if segment is None or campaign.digest == mailing.digest:
        return False
    target = Target(segment, ledger)
    return any(
        target(who) and ledger.entry(campaign, who.address.key) is None
        for choice in mailing.project.choices()
        if (who := choice.recipient)
    )


def _same_edition(
    ledger: Ledger, campaign: Campaign, mailing: Mailing, *, accept_changed: bool, now: float
) -> Campaign:
    """The campaign, with the edition of today when that was accepted.

    Raises:
        EditionChanged: the issue is not what was planned, and nobody said that it may go out.

    """
    digest = mailing.digest
    if campaign.digest == digest:
        return campaign
    if not accept_changed:
        raise EditionChanged(
            f"issue {campaign.issue} is not what its send began with (the source, the theme or the settings"
            " have changed since). Undo the change, or say --accept-changed to send the new form to"
            " those who are left"
        )
    return ledger.accept_digest(campaign, digest=digest, now=now)


def _reconcile(ledger: Ledger, mailing: Mailing, plan: SendReport, *, now: float) -> int:
    """Take out who has left the list since the plan.

    After the recovery, and after doubts were resolved: what those give back must not slip through.
    """
    if plan.fresh or ledger.counts(plan.campaign).settled:
        return 0
    # Everybody who is active: those outside the segment of this call may have been planned before it.
    everybody = Intake(mailing.project) if plan.segment else plan.intake
    return ledger.reconcile(plan.campaign, active=everybody, now=now)


def _composer(mailing: Mailing) -> Callable[[Claim], Message]:
    def compose(claim: Claim) -> Message:
        return mailing.message(claim.subscriber)

    return compose


async def send_test(
    mailing: Mailing, subscribers: Sequence[Subscriber], *, transport: Transport
) -> list[SingleJob]:
    """Send marked messages outside the ledger.

    Returns:
        The jobs with what the relay answered to each.

    Raises:
        RelayError: no connection came about.

    """
    from newsletter.transport.single import send_each

    messages = [mailing.message(subscriber) for subscriber in subscribers]
    return await send_each(transport, messages)
