"""`newsletter explain [64] ADDRESS`: what happened, or would happen, to one subscriber, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from newsletter.audience.register import Event, Register, Suppression
    from newsletter.content.models import Issue
    from newsletter.delivery.ledger import Entry, Ledger
    from newsletter.feedback.returns import Returns
    from newsletter.project import Project

_MEANING = {
    "pending": "waits for the next send",
    "claimed": "a run has it in hand",
    "in_flight": "its body is on the way",
    "accepted": "the relay has taken responsibility for it",
    "deferred": "refused for now, to be tried again",
    "failed": "refused for good",
    "in_doubt": "its fate is unknown: not sent again unless you say so (newsletter resolve)",
    "suppressed": "not to be mailed",
    "expired": "tried for too long and given up",
}


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="[NUMBER] ADDRESS")
def command(words: tuple[str, ...]) -> None:
    """Tell the whole story of ADDRESS; with NUMBER, of that issue too, or what would happen with it, and why."""
    from newsletter.errors import UsageError
    from newsletter.mail.address import parse_address
    from newsletter.project import Project

    if len(words) > 2:
        raise click.UsageError("give one address, and before it the number of an issue if you like")
    *before, address = words
    number = before[0] if before else None
    if number is not None and not (number.isascii() and number.isdigit() and len(number) < 7):
        raise click.BadParameter(f"{number!r} is not the number of an issue, such as 64")
    try:
        key = parse_address(address).key
    except ValueError as error:
        raise UsageError(f"{address!r}: {error}") from None
    project = Project.open(Path.cwd())
    issue = project.issue(int(number)).issue if number else None
    click.echo(f"{address}, issue {issue.number}" if issue else address)
    would = True
    for line, receives in _list_lines(project, issue, key):
        would = would and receives
        click.echo(f"  list: {line}")
    if not project.database.exists():
        _tell_outlook(issue, would)
        return
    with closing(project.register()) as register, closing(project.ledger()) as ledger:
        stop = _tell_story(register, key)
        _tell_returns(project.returns(register), register.identify(key))
        reason = stop.reason if stop else ledger.suppression(key)
        if reason:
            click.echo(f"  suppressed: {reason}{_origin(stop)}")
        if issue is None:
            _tell_issues(ledger, key, register.history(register.identify(key)))
        elif not _tell_history(ledger, issue.number, key):
            _tell_outlook(issue, would and reason is None)


def _tell_outlook(issue: Issue | None, would: bool) -> None:
    what = "it" if issue else "mail"
    click.echo(f"  would {'' if would else 'not '}get {what} at the next send")


def _list_lines(project: Project, issue: Issue | None, key: str) -> Iterator[tuple[str, bool]]:
    """What the list says of an address: one line per row, and whether that row receives."""
    found = False
    for choice in project.choices():
        subscriber = choice.row.subscriber
        if subscriber is None or subscriber.address.key != key:
            continue
        found = True
        place = f"{project.publication.audience}:{choice.row.row}"
        if choice.recipient:
            hidden = issue.hidden_from(subscriber) if issue else ()
            less = f", without {len(hidden)} items that are for others" if hidden else ""
            yield f"{place}: active{less}", True
        else:
            duplicate = choice.left_out == "duplicate"
            yield f"{place}: left out, {choice.explanation}", duplicate
    if not found:
        yield f"not in {project.publication.audience}", False


def _tell_story(register: Register, key: str) -> Suppression | None:
    """Print every event and every consent; the suppression that is in force."""
    from newsletter.delivery.sendlog import timestamp

    who = register.identify(key)
    for event in register.history(who):
        because = f" ({event.reason})" if event.reason else ""
        click.echo(f"  {timestamp(event.at)}  {event.change}: {event.source}{because}")
    for consent in register.consents(who):
        network = f" from {consent.network}" if consent.network else ""
        wording = f": “{consent.wording}”" if consent.wording else ""
        click.echo(f"  {timestamp(consent.at)}  agreed by {consent.how}{network}{wording}")
    return register.suppression(who)


def _tell_returns(returns: Returns, who: bytes) -> None:
    """Print every report that is proven to be about this person."""
    from newsletter.delivery.sendlog import timestamp

    for record in returns.about(who):
        issue = f", issue {record.issue}" if record.issue is not None else ""
        report = record.report
        words = f": {report.diagnostic}" if report.diagnostic else ""
        click.echo(
            f"  {timestamp(record.at)}  came back{issue}: {report.verdict}, {record.action}{words}"
        )


def _origin(stop: Suppression | None) -> str:
    from newsletter.delivery.sendlog import timestamp

    return f", by {stop.source}, {timestamp(stop.at)}" if stop else ""


def _tell_issues(ledger: Ledger, key: str, story: Sequence[Event]) -> None:
    """Print one line for each issue that was ever planned."""
    from newsletter.audience.story import last_word
    from newsletter.delivery.sendlog import timestamp

    for campaign in ledger.campaigns():
        entry = ledger.entry(campaign, key)
        if entry is None or entry.state == "suppressed":
            then = entry.updated_at if entry else campaign.planned_at
            word = last_word(story, before=then)
            why = f", {word.change} by {word.source}, {timestamp(word.at)}" if word else ""
            missing = "left out" if word or entry else "not part of that send"
            reply = f": {entry.reply}" if entry and not word else ""
            click.echo(f"  issue {campaign.issue}: {missing}{why}{reply}")
            continue
        answer = f": {entry.reply}" if entry.reply else ""
        at = timestamp(entry.updated_at)
        click.echo(f"  issue {campaign.issue}: {entry.state}, {at}{answer}")


def _tell_history(ledger: Ledger, number: int, key: str) -> bool:
    """Print what the ledger knows; false when the issue was never planned."""
    campaign = ledger.campaign(number)
    if campaign is None:
        return False
    entry = ledger.entry(campaign, key)
    if entry is None:
        click.echo(
            "  ledger: not part of this send, whose recipients are frozen"
            f" (newsletter send {number} --segment adds some)"
        )
        return True
    _tell_entry(entry)
    from newsletter.delivery.sendlog import timestamp

    for attempt in ledger.attempts(campaign, address=key):
        click.echo(f"  {timestamp(attempt.at)}  {attempt.state}  {attempt.stage}: {attempt.reply}")
    return True


def _tell_entry(entry: Entry) -> None:
    from newsletter.delivery.sendlog import timestamp

    click.echo(f"  ledger: {entry.state}, {_MEANING[entry.state.value]}")
    if entry.message_id:
        click.echo(f"  Message-ID: {entry.message_id}")
    if entry.reply:
        click.echo(f"  last answer: {entry.reply}")
    if entry.next_attempt_at:
        click.echo(f"  next try: {timestamp(entry.next_attempt_at)}")
