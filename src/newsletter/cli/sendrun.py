"""A real send as the command line shows it: question, progress, signals, closing summary."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.guarding import refuse_errors
from newsletter.cli.progress import make_progress
from newsletter.delivery.options import Tally
from newsletter.delivery.sender import Sender
from newsletter.delivery.states import SENDABLE, State
from newsletter.delivery.targeting import Target
from newsletter.errors import Declined, UsageError
from newsletter.mailing import Mailing
from newsletter.project import Project
from newsletter.sending import SendReport, existing_ledger, options_for, send

if TYPE_CHECKING:
    from newsletter.delivery.ledger import Ledger
    from newsletter.segments import Segment

TERMINAL_WINDOW = 30 * 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the options of `send` ask for."""

    limit: int | None
    states: tuple[State, ...]
    ask: bool
    resend_in_doubt: bool
    accept_changed: bool
    force: bool = False
    segment: Segment | None = None


def parse_states(text: str) -> tuple[State, ...]:
    """`pending,deferred` as states.

    Raises:
        UsageError: a state that cannot be sent.

    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in SENDABLE]
    if unknown:
        raise UsageError(f"--only {unknown[0]}: only pending and deferred entries can be sent")
    return tuple(State(name) for name in names)


def send_issue(mailing: Mailing, wishes: Wishes) -> int:
    """Send, tell what happened, and return the exit code."""
    from newsletter.transport.relay import find_relay
    from newsletter.transport.smtp import SmtpTransport

    project = mailing.project
    number = mailing.source.issue.number
    relay = find_relay(project.publication, root=project.root, environ=project.environ)
    if wishes.segment is not None or not is_settled(project, number):
        _ = mailing.digest  # what cannot be composed is refused before anything is asked
    refuse_errors(mailing, force=wishes.force)
    if wishes.ask:
        _ask(mailing, wishes)
    terminal = sys.stderr.isatty()
    options = options_for(project.publication)
    window = (
        TERMINAL_WINDOW if terminal and project.publication.send.window is None else options.window
    )
    options = replace(options, window=window, limit=wishes.limit, states=wishes.states)
    sys.setswitchinterval(0.0005)  # the recorder's thread must not wait 5 ms for each turn

    async def drive(sender: Sender) -> Tally:
        return await _drive(sender, number)

    report = asyncio.run(
        send(
            mailing,
            transport=SmtpTransport(relay),
            options=options,
            drive=drive,
            segment=wishes.segment,
            accept_changed=wishes.accept_changed,
            resend_in_doubt=wishes.resend_in_doubt,
        )
    )
    if not wishes.ask:
        tell_notes(report.notes)  # whoever was asked has seen them already
    return summarise(report, root=project.root)


def tell_notes(notes: Iterable[str]) -> None:
    """Say on stderr what looks like a mistake in a segment."""
    for note in notes:
        click.echo(f"note: {note}", err=True)


def is_settled(project: Project, number: int) -> bool:
    """Whether an issue was sent and everybody is settled, which the ledger knows without the issue."""
    ledger = existing_ledger(project)
    if ledger is None:
        return False
    with closing(ledger):
        campaign = ledger.campaign(number)
        return campaign is not None and ledger.counts(campaign).settled


def _ask(mailing: Mailing, wishes: Wishes) -> None:
    """Have the number of recipients typed: what cannot be taken back needs a word more."""
    count = recipients_left(mailing, wishes.segment)
    if wishes.limit is not None:
        count = min(count, wishes.limit)
    if not count:
        return
    number = mailing.source.issue.number
    if not sys.stdin.isatty():
        raise UsageError(
            f"nobody is at the terminal to confirm sending issue {number} to {count} recipients; say --yes"
        )
    click.echo(f"Issue {number}: {mailing.composer().edition.subject}")
    answer = click.prompt(
        f"Type the number of recipients, {count}, to send", default="", show_default=False
    )
    if answer.strip() != str(count):
        raise Declined("that is not the number; nothing was sent")


def recipients_left(mailing: Mailing, segment: Segment | None) -> int:
    """How many a send would reach now; says on stderr what looks like a mistake in the segment."""
    ledger = existing_ledger(mailing.project)
    if ledger is None:
        return _missing(mailing, segment, None)
    with closing(ledger):
        campaign = ledger.campaign(mailing.source.issue.number)
        if campaign is None:
            return _missing(mailing, segment, ledger)
        counts = ledger.counts(campaign)
        waiting = sum(counts[state] for state in (*SENDABLE, State.CLAIMED))
        return waiting + (_missing(mailing, segment, ledger) if segment else 0)


def _missing(mailing: Mailing, segment: Segment | None, ledger: Ledger | None) -> int:
    """How many a send would plan, those aside who must not be mailed."""
    campaign = ledger.campaign(mailing.source.issue.number) if ledger else None
    target = Target(segment, ledger) if segment else None

    def is_new(key: str) -> bool:
        if ledger is None:
            return True
        planned = campaign is not None and ledger.entry(campaign, key) is not None
        return not planned and ledger.suppression(key) is None

    count = sum(
        1
        for choice in mailing.project.choices()
        if (who := choice.recipient) and (target is None or target(who)) and is_new(who.address.key)
    )
    tell_notes(target.notes() if target else ())
    return count


async def _drive(sender: Sender, number: int) -> Tally:
    """Run a sender under signals and with progress."""
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(sender.run())

    def interrupt() -> None:
        if sender.tally.interrupted:
            sender.abort()
            return
        sender.drain()
        click.echo("\nfinishing what is under way; interrupt once more to cut it short", err=True)

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, interrupt)
    try:
        with make_progress(number, sender.total) as progress:
            while not task.done():
                await asyncio.wait({task}, timeout=progress.interval)
                progress.show(sender.tally)
        return await task
    finally:
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)


def summarise(report: SendReport, *, root: Path) -> int:
    """Print the closing summary and return the exit code."""
    counts = report.counts
    number = report.campaign.issue
    _tell_beginning(report)
    shown = " + ".join(f"{counts[state]} {state}" for state in State if counts[state])
    click.echo(f"issue {number}: planned {counts.planned} = {shown or '0'}")
    if report.tally is not None:
        _tell_run(report.tally)
    elif counts.settled:
        click.echo("Nothing is left to send.")
    for address in report.names_in_doubt:
        click.echo(f"in doubt: {address}", err=True)
    for problem in report.intake.problems:
        click.echo(f"left out: {problem}", err=True)
    if report.log.exists():
        click.echo(f"log: {_short(report.log, root)}")
    if not report.warmed_up:
        click.echo("today's warm-up allowance is used up; the rest may go tomorrow (UTC)")
    stopped = report.tally.stopped if report.tally else None
    if stopped is not None:
        click.secho("error: ", fg="red", nl=False, err=True)
        click.echo(str(stopped), err=True)
    click.echo(f"next: {_next_command(report)}")
    if stopped is not None:
        return stopped.exit_code
    if not counts.settled:
        return 75
    return 1 if report.intake.problems else 0


def _tell_beginning(report: SendReport) -> None:
    if report.segment is not None and not report.fresh:
        click.echo(f"added by the segment: {report.added or 'nobody new'}")
    if report.fresh:
        left_out = report.intake.left_out
        told = [
            f"{count} {reason.replace('_', ' ')}"
            for reason, count in sorted(left_out.items())
            if count
        ]
        if duplicates := report.intake.wanted - report.campaign.planned:
            told.append(f"{duplicates} duplicate")
        if told:
            click.echo(f"left out of the list: {', '.join(told)}")
    if report.recovered.in_doubt or report.recovered.released:
        click.echo(
            f"a run before this one was cut off: {report.recovered.in_doubt} in doubt,"
            f" {report.recovered.released} given back"
        )
    if report.left:
        click.echo(f"{report.left} have left the list since the send was planned")
    if report.worn_out:
        click.echo(
            f"{report.worn_out} not mailed any more: their mailbox was full or disabled for issues in a row"
        )


def _tell_run(tally: Tally) -> None:
    done = sum(tally.outcomes.values())
    seconds = max(tally.seconds, 1e-6)
    rate = (
        f", {tally.outcomes[State.ACCEPTED] / seconds:.0f} accepted a second" if done >= 100 else ""
    )
    click.echo(f"this run: {done} answered in {seconds:.1f} s{rate}")


def _next_command(report: SendReport) -> str:
    number = report.campaign.issue
    counts = report.counts
    if counts[State.IN_DOUBT]:
        return f"newsletter status {number}"
    if counts[State.DEFERRED] or counts[State.PENDING]:
        due = f" (deferred ones are due {_when(report)})" if counts[State.DEFERRED] else ""
        return f"newsletter send {number}{due}"
    if counts[State.FAILED]:
        return f"newsletter log {number} --state failed"
    return f"newsletter status {number}"


def _when(report: SendReport) -> str:
    if report.next_due is None:
        return "later"
    minutes = max(0.0, report.next_due - time.time()) / 60
    return f"in {minutes:.0f} min" if minutes >= 1 else "now"


def _short(path: Path, root: Path) -> str:
    try:
        return str(path.relative_to(root))
    except ValueError:
        return str(path)
