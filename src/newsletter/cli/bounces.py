"""`newsletter bounces`: act on what came back, and show what is on record."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from newsletter.feedback.returns import Record
    from newsletter.feedback.sources import Source
    from newsletter.project import Project
    from newsletter.returning import Settled, Summary

SHOWN = 20
TEMPORARY = 75  # EX_TEMPFAIL: an MTA keeps the mail and tries again
ENVELOPE_VARIABLES = (
    "ORIGINAL_RECIPIENT",
    "RECIPIENT",
)  # local(8) of Postfix; the second, Exim too


@click.group()
def command() -> None:
    """Act on what came back: bounces, complaints, unsubscribe requests by mail."""


@command.command()
@click.argument("places", nargs=-1, required=True, metavar="PLACE...")
@click.option("--dry-run", is_flag=True, help="Tell what would follow; change nothing.")
@click.option("--keep", is_flag=True, help="Leave the mails as they are, not marked as seen.")
@click.option(
    "--envelope-to",
    metavar="ADDRESS",
    help="With -: whom the mail was sent to.  [default: $ORIGINAL_RECIPIENT or $RECIPIENT]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def process(
    places: tuple[str, ...], dry_run: bool, keep: bool, envelope_to: str | None, as_json: bool
) -> int:
    """Read the mails in each PLACE and act on them, once, however often they are read.

    A PLACE is a Maildir, an mbox, a mail in a file, a folder of .eml files, imaps://USER@HOST/FOLDER, or - for one
    mail on standard input, as an MTA pipes it. The password for IMAP is in NEWSLETTER_IMAP_PASSWORD, or in the file
    that bounces.password_file names.

    Exit code 0 when everything was read, 1 when some mails could not be, 75 when to try again later; with - that is
    for every failure, so that the MTA keeps the mail.
    """
    from newsletter.errors import LedgerError, MailboxError
    from newsletter.returning import Summary

    if "-" in places and len(places) > 1:
        raise click.UsageError("standard input stands alone")
    summary = Summary()
    failure: Exception | None = None
    try:
        _process(places, summary, dry_run=dry_run, keep=keep, envelope_to=envelope_to)
    except (LedgerError, MailboxError) as error:
        failure = error
    except Exception as error:  # a mail that is piped must not be lost to whatever went wrong
        if places != ("-",):
            raise
        failure = error
    if as_json:
        click.echo(json.dumps(_summary_json(summary, dry_run=dry_run), ensure_ascii=False))
    else:
        _tell(summary, dry_run=dry_run)
    if failure is not None:
        click.secho("error: ", fg="red", nl=False, err=True)
        click.echo(str(failure) or repr(failure), err=True)
        return TEMPORARY
    return 1 if summary.unread and places != ("-",) else 0


def _process(
    places: Sequence[str], summary: Summary, *, dry_run: bool, keep: bool, envelope_to: str | None
) -> None:
    from newsletter.project import Project
    from newsletter.returning import open_returning, process

    project = Project.open(Path.cwd())
    sources = [
        _source(project, place, keep=keep or dry_run, envelope_to=envelope_to) for place in places
    ]
    with open_returning(project) as returning:
        for source in sources:
            process(returning, source, summary, keep=keep, dry_run=dry_run)


def _source(project: Project, place: str, *, keep: bool, envelope_to: str | None) -> Source:
    from newsletter.feedback.sources import piped_source
    from newsletter.returning import find_source

    if place != "-":
        return find_source(project, place, keep=keep)
    told = (os.environ.get(name) for name in ENVELOPE_VARIABLES)
    return piped_source(sys.stdin.buffer, envelope_to=envelope_to or next(filter(None, told), None))


def _tell(summary: Summary, *, dry_run: bool) -> None:
    known = f", {summary.known} of them known already" if summary.known else ""
    click.echo(f"{_count(summary.mails, 'mail')} read{known}")
    for verdict, count in summary.verdicts.most_common():
        click.echo(f"  {count:>9}  {verdict}")
    would = "would not be mailed any more" if dry_run else "not mailed any more"
    left = [(one.address or "somebody", _issue(one.record), one.reason) for one in summary.left]
    _table((would, "issue", "why"), left)
    asking = [(one.address or "somebody", one.record.report.diagnostic) for one in summary.asking]
    _table(("asks to be taken off", "subject"), asking)
    if asking:
        click.echo("next: newsletter subscribers remove ADDRESS, where you believe them")
    unproven = [(one.address or "somebody", _said(one.record)) for one in summary.unproven]
    _table(("no proof, nothing changed", "says"), unproven)
    warnings = [(*one, str(count)) for one, count in summary.warnings.most_common()]
    _table(("warning", "reports", "words"), [(what, count, said) for what, said, count in warnings])
    for name, why in summary.unread:
        click.echo(f"not read: {name}: {why}", err=True)
    if dry_run and summary.mails:
        click.echo("nothing was changed: --dry-run")


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The first rows, if there are any."""
    from newsletter.cli.table import print_table

    if rows:
        click.echo()
        print_table(header, rows[:SHOWN])
    if len(rows) > SHOWN:
        click.echo(f"… and {len(rows) - SHOWN} more: newsletter bounces list")


def _issue(record: Record) -> str:
    return "-" if record.issue is None else str(record.issue)


def _said(record: Record) -> str:
    report = record.report
    return f"{report.verdict}: {report.diagnostic}" if report.diagnostic else report.verdict.value


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _summary_json(summary: Summary, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "mails": summary.mails,
        "known": summary.known,
        "unread": [{"name": name, "why": why} for name, why in summary.unread],
        "verdicts": dict(summary.verdicts),
        "actions": dict(summary.actions),
        "left": [
            {"address": one.address, "reason": one.reason, "issue": one.record.issue}
            for one in summary.left
        ],
        "warnings": [
            {"verdict": verdict, "words": words, "count": count}
            for (verdict, words), count in summary.warnings.most_common()
        ],
        "asking": [_person_json(one) for one in summary.asking],
        "unproven": [_person_json(one) for one in summary.unproven],
    }


def _person_json(one: Settled) -> dict[str, Any]:
    report = one.record.report
    return {
        "address": one.address,
        "verdict": report.verdict.value,
        "diagnostic": report.diagnostic,
    }


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def list_returns(as_json: bool) -> None:
    """Show every report on record, the oldest first."""
    from contextlib import closing

    from newsletter.project import Project

    project = Project.open(Path.cwd())
    if not project.database.exists():
        click.echo("nothing has come back yet", err=True)
        return
    with closing(project.returns()) as returns:
        found = False
        for _, record in returns.records():
            found = True
            click.echo(_record_json(record) if as_json else _record_line(record))
    if not found:
        click.echo("nothing has come back yet", err=True)


def _record_line(record: Record) -> str:
    from newsletter.delivery.sendlog import timestamp

    at = timestamp(record.at)[:16].replace("T", " ")
    who = record.report.recipient or "-"
    return f"{at}  {_issue(record):>4}  {record.action:<15}  {who}  {_said(record)}"


def _record_json(record: Record) -> str:
    from newsletter.delivery.sendlog import timestamp

    report = record.report
    shown = {
        "at": timestamp(record.at),
        "source": record.source,
        "issue": record.issue,
        "address": report.recipient,
        "kind": report.kind.value,
        "verdict": report.verdict.value,
        "permanent": report.permanent,
        "status": report.status,
        "diagnostic": report.diagnostic,
        "reporting_mta": report.reporting_mta,
        "message_id": report.message_id,
        "evidence": report.evidence.value if report.evidence else None,
        "proven": record.proven,
        "action": record.action.value,
    }
    return json.dumps(shown, ensure_ascii=False)
