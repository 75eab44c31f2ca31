"""`newsletter send`: dry run, test send, real send, and what cron runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.arguments import issue_argument, segment_option

if TYPE_CHECKING:
    from datetime import datetime

    from newsletter.cli.sendrun import Wishes
    from newsletter.content.reader import IssueSource
    from newsletter.mailing import Mailing
    from newsletter.project import Project
    from newsletter.segments import Segment

EXIT_SETTLED = 0
EXIT_FINDINGS = 1


@click.command()
@issue_argument(required=False)
@click.option("--due", is_flag=True, help="Send every `ready` issue whose date has come.")
@click.option("--dry-run", is_flag=True, help="Build every message, send nothing, change nothing.")
@click.option(
    "--out",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="With --dry-run: keep the messages here as .eml.",
)
@click.option(
    "--to", "addresses", metavar="ADDRESS", multiple=True, help="Test send, marked, off the record."
)
@segment_option(
    help="Plan only these subscribers, such as `tag = cv and not got 63`; `all` adds everybody else."
)
@click.option("--limit", type=click.IntRange(min=1), help="Send to this many, then stop.")
@click.option(
    "--only",
    "states",
    metavar="STATE,…",
    default="",
    help="Only entries that are pending or deferred.",
)
@click.option("--yes", is_flag=True, help="Do not ask for the number of recipients.")
@click.option(
    "--in-doubt",
    type=click.Choice(["hold", "resend"]),
    default="hold",
    show_default=True,
    help="What to do about messages whose fate is unknown.",
)
@click.option("--accept-changed", is_flag=True, help="Go on although the issue has changed.")
@click.option(
    "--force", is_flag=True, help="Send although the checks find errors; the log says so."
)
def command(
    number: int | None,
    due: bool,
    dry_run: bool,
    folder: Path | None,
    addresses: tuple[str, ...],
    segment: Segment | None,
    limit: int | None,
    states: str,
    yes: bool,
    in_doubt: str,
    accept_changed: bool,
    force: bool,
) -> int:
    """Send issue NUMBER to everybody on the list who has not had it.

    The first send freezes the recipients: everybody, or with --segment those of whom the expression
    is true. Later sends go on with them; with another --segment they add whoever it is true of.
    docs/segments.md explains the expressions. --due is for whole issues and takes none.

    Sending twice is harmless: what is settled is not sent again. Exit code 0 when everybody is
    settled, 75 when somebody is still deferred or in doubt, 1 when something was refused: an issue in
    which `newsletter check` finds errors, for one.
    """
    from newsletter.cli import sendrun
    from newsletter.project import Project

    _check_usage(
        number, due=due, dry_run=dry_run, folder=folder, addresses=addresses, segment=segment
    )
    project = Project.open(Path.cwd())
    wishes = sendrun.Wishes(
        limit=limit,
        states=sendrun.parse_states(states),
        ask=not (yes or due),
        resend_in_doubt=in_doubt == "resend",
        accept_changed=accept_changed,
        force=force,
        segment=segment,
    )
    if due:
        return _send_due(project, wishes)
    assert number is not None
    source = project.issue(number)
    if dry_run:
        from newsletter.cli.dryrun import dry_run as build

        return build(_mailing(project, source), folder, segment)
    if addresses:
        return _test_send(project, source, addresses)
    _refuse_draft(source)
    return sendrun.send_issue(_mailing(project, source), wishes)


def _check_usage(
    number: int | None,
    *,
    due: bool,
    dry_run: bool,
    folder: Path | None,
    addresses: tuple[str, ...],
    segment: Segment | None,
) -> None:
    if (number is None) == (not due):
        raise click.UsageError("say which issue, or --due")
    if due and (dry_run or addresses):
        raise click.UsageError("--due goes with neither --dry-run nor --to")
    if segment is not None and due:
        raise click.UsageError("--due sends whole issues; with --segment say which issue")
    if segment is not None and addresses:
        raise click.UsageError("--to and --segment exclude each other")
    if folder is not None and not dry_run:
        raise click.UsageError("--out goes with --dry-run")
    if dry_run and addresses:
        raise click.UsageError("--dry-run and --to exclude each other")


def _mailing(project: Project, source: IssueSource, *, test: bool = False) -> Mailing:
    from newsletter.mailing import Mailing

    return Mailing(project, source, test=test)


def _refuse_draft(source: IssueSource) -> None:
    from newsletter.content.models import Status
    from newsletter.errors import Problem, SourceError

    if source.issue.status is Status.DRAFT:
        problem = Problem(
            message=f"issue {source.issue.number} is a draft, and drafts are not sent",
            place=source.place(("status",)),
            hint="say `status: ready`, or use --dry-run or --to",
        )
        raise SourceError(problems=[problem])


def _test_send(project: Project, source: IssueSource, addresses: tuple[str, ...]) -> int:
    from newsletter.cli.guarding import tell_findings
    from newsletter.errors import UsageError
    from newsletter.mail.address import parse_address
    from newsletter.mailing import stand_in
    from newsletter.sending import send_test
    from newsletter.transport.relay import find_relay
    from newsletter.transport.smtp import SmtpTransport

    subscribers = []
    for text in addresses:
        try:
            address = parse_address(text)
        except ValueError as error:
            raise UsageError(f"{text!r}: {error}") from None
        known = project.subscriber(text)
        subscribers.append(known or stand_in(project, address=address, name=""))
    relay = find_relay(project.publication, root=project.root, environ=project.environ)
    mailing = _mailing(project, source, test=True)
    tell_findings(_mailing(project, source))
    jobs = asyncio.run(send_test(mailing, subscribers, transport=SmtpTransport(relay)))
    for job in jobs:
        word = "accepted" if job.accepted else "refused"
        answer = job.event if job.event is not None else "the connection was lost"
        click.echo(f"{word}  {job.message.envelope.forward_path}  {answer}", err=not job.accepted)
    click.echo("A test send: marked [测试], nothing on record.")
    return EXIT_SETTLED if all(job.accepted for job in jobs) else EXIT_FINDINGS


def _send_due(project: Project, wishes: Wishes) -> int:
    """Every issue that is ready and whose date has come; one that is broken does not stop the others."""
    from datetime import UTC, datetime

    from newsletter.cli import sendrun
    from newsletter.errors import NewsletterError, RunLocked

    codes = [EXIT_SETTLED]
    now = datetime.now(UTC)
    sent = 0
    old: list[int] = []
    for file in project.issues():
        try:
            source = project.read(file.path)
            if not _is_due(source, now) or sendrun.is_settled(project, file.number):
                continue
            if _is_too_old(project, source, now):
                old.append(file.number)
                continue
            sent += 1
            codes.append(sendrun.send_issue(_mailing(project, source), wishes))
        except RunLocked:
            raise
        except NewsletterError as error:
            click.echo(f"issue {file.number}: {error}", err=True)
            codes.append(error.exit_code)
    if old:
        numbers = ", ".join(map(str, old))
        click.echo(f"left alone, too old and never sent from here (send.due_within): {numbers}")
    if not sent:
        click.echo("No issue is due.")
    return EXIT_FINDINGS if EXIT_FINDINGS in codes else max(codes)


def _is_due(source: IssueSource, now: datetime) -> bool:
    from newsletter.content.models import Status

    issue = source.issue
    return issue.status is Status.READY and issue.date is not None and issue.date <= now


def _is_too_old(project: Project, source: IssueSource, now: datetime) -> bool:
    """Whether this folder should rather have sent it long ago: a lost ledger must not mail the archive."""
    from contextlib import closing
    from datetime import timedelta

    from newsletter.sending import existing_ledger

    days = project.publication.send.due_within
    date = source.issue.date
    if days is None or date is None or date >= now - timedelta(days=days):
        return False
    ledger = existing_ledger(project)
    if ledger is None:
        return True
    with closing(ledger):
        return ledger.campaign(source.issue.number) is None
