"""`newsletter explain 64 ADDRESS`: what happened, or would happen, to one subscriber, and why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.arguments import issue_argument

if TYPE_CHECKING:
    from newsletter.content.models import Issue
    from newsletter.delivery.ledger import Entry, Ledger
    from newsletter.project import Project


@click.command()
@issue_argument()
@click.argument("address")
def command(number: int, address: str) -> None:
    """Tell what happened to ADDRESS with issue NUMBER, or what would happen, and why."""
    from newsletter.errors import UsageError
    from newsletter.mail.address import parse_address
    from newsletter.project import Project
    from newsletter.sending import existing_ledger

    try:
        key = parse_address(address).key
    except ValueError as error:
        raise UsageError(f"{address!r}: {error}") from None
    project = Project.open(Path.cwd())
    issue = project.issue(number).issue
    click.echo(f"{address}, issue {number}")
    would = True
    for line, receives in _list_lines(project, issue, key):
        would = would and receives
        click.echo(f"  list: {line}")
    ledger = existing_ledger(project)
    if ledger is None:
        click.echo(f"  would {'' if would else 'not '}get it at the next send")
        return
    with closing(ledger):
        reason = ledger.suppression(key)
        if reason:
            click.echo(f"  suppressed: {reason}")
        if not _tell_history(ledger, number, key):
            would = would and reason is None
            click.echo(f"  would {'' if would else 'not '}get it at the next send")


def _list_lines(project: Project, issue: Issue, key: str) -> Iterator[tuple[str, bool]]:
    """What the list says of an address: one line per row, and whether that row receives."""
    found = False
    for choice in project.choices():
        subscriber = choice.row.subscriber
        if subscriber is None or subscriber.address.key != key:
            continue
        found = True
        place = f"{project.publication.audience}:{choice.row.row}"
        if choice.recipient:
            hidden = issue.hidden_from(tags=subscriber.tags, language=subscriber.language)
            less = f", without {len(hidden)} items that are for others" if hidden else ""
            yield f"{place}: active{less}", True
        else:
            duplicate = choice.left_out == "duplicate"
            yield f"{place}: left out, {choice.explanation}", duplicate
    if not found:
        yield f"not in {project.publication.audience}", False


def _tell_history(ledger: Ledger, number: int, key: str) -> bool:
    """Print what the ledger knows; false when the issue was never planned."""
    campaign = ledger.campaign(number)
    if campaign is None:
        return False
    entry = ledger.entry(campaign, key)
    if entry is None:
        click.echo(
            "  ledger: not part of this send, whose recipients are frozen; the next issue comes"
        )
        return True
    _tell_entry(entry)
    from newsletter.delivery.sendlog import timestamp

    for attempt in ledger.attempts(campaign, address=key):
        click.echo(f"  {timestamp(attempt.at)}  {attempt.state}  {attempt.stage}: {attempt.reply}")
    return True


def _tell_entry(entry: Entry) -> None:
    from newsletter.delivery.sendlog import timestamp

    meaning = {
        "pending": "waits for the next send",
        "claimed": "a run has it in hand",
        "in_flight": "its body is on the way",
        "accepted": "the relay has taken responsibility for it",
        "deferred": "refused for now, to be tried again",
        "failed": "refused for good",
        "in_doubt": "its fate is unknown: not sent again unless you say so (newsletter resolve)",
        "suppressed": "not to be mailed",
        "expired": "tried for too long and given up",
    }[entry.state.value]
    click.echo(f"  ledger: {entry.state}, {meaning}")
    if entry.message_id:
        click.echo(f"  Message-ID: {entry.message_id}")
    if entry.reply:
        click.echo(f"  last answer: {entry.reply}")
    if entry.next_attempt_at:
        click.echo(f"  next try: {timestamp(entry.next_attempt_at)}")
