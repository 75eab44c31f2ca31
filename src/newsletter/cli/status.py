"""`newsletter status 64`: counts by state, the equation, and what to do next."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.arguments import issue_argument

if TYPE_CHECKING:
    from collections.abc import Mapping

    from newsletter.delivery.ledger import Counts, Entry
    from newsletter.delivery.states import State

SHOWN = 20


@click.command()
@issue_argument()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(number: int, as_json: bool) -> int:
    """Tell how the sending of issue NUMBER stands.

    Exit code 0 when everybody is settled or nothing was ever sent, 75 when somebody is not.
    """
    from newsletter.delivery.ledger import Counts
    from newsletter.delivery.states import State
    from newsletter.project import Project
    from newsletter.sending import existing_ledger

    project = Project.open(Path.cwd())
    ledger = existing_ledger(project)
    campaign = ledger.campaign(number) if ledger else None
    if ledger is None or campaign is None:
        project.issue(number)  # an unknown issue is worth an error, an unsent one is not
        if as_json:
            click.echo(_json(number, Counts(0)))
        else:
            click.echo(
                f"issue {number}: nothing was ever sent\nnext: newsletter send {number} --dry-run"
            )
        return 0
    try:
        counts = ledger.counts(campaign)
        if as_json:
            click.echo(_json(number, counts))
        else:
            loose = (State.IN_DOUBT, State.DEFERRED, State.FAILED)
            entries = {
                state: list(islice(ledger.entries(campaign, states=[state]), SHOWN))
                for state in loose
            }
            _tell(number, counts, entries)
    finally:
        ledger.close()
    return 0 if counts.settled else 75


def _json(number: int, counts: Counts) -> str:
    from newsletter.delivery.states import State

    states = {state.value: counts[state] for state in State}
    return json.dumps({"issue": number, "planned": counts.planned, "states": states})


def _tell(number: int, counts: Counts, entries: Mapping[State, list[Entry]]) -> None:
    from newsletter.delivery.sendlog import timestamp
    from newsletter.delivery.states import State

    click.echo(f"issue {number}")
    for state in State:
        if counts[state]:
            click.echo(f"  {counts[state]:>9}  {state}")
    sign = "=" if counts.balanced else "IS NOT"
    click.echo(f"  {counts.planned:>9}  planned {sign} the sum of all states")
    for state, listed in entries.items():
        for entry in listed:
            due = f", next try {timestamp(entry.next_attempt_at)}" if entry.next_attempt_at else ""
            click.echo(f"{state}: {entry.address}  {entry.reply}{due}")
        if counts[state] > len(listed):
            more = counts[state] - len(listed)
            click.echo(f"{state}: … and {more} more: newsletter log {number} --state {state}")
    click.echo(f"next: {_next(number, counts)}")


def _next(number: int, counts: Counts) -> str:
    from newsletter.delivery.states import State

    if counts[State.IN_DOUBT]:
        return f"newsletter resolve {number} --sent|--failed|--resend ADDRESS …"
    if not counts.settled:
        return f"newsletter send {number}"
    if counts[State.FAILED]:
        return f"newsletter log {number} --state failed"
    return "nothing, everybody is settled"
