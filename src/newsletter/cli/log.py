"""`newsletter log 64`: one line per attempt, oldest first."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter.cli.arguments import issue_argument


@click.command()
@issue_argument()
@click.option("--state", metavar="STATE", help="Only attempts that ended in this state.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def command(number: int, state: str | None, as_json: bool) -> None:
    """Show every attempt at sending issue NUMBER."""
    from newsletter.delivery.sendlog import attempt_json, timestamp
    from newsletter.delivery.states import State
    from newsletter.errors import UsageError
    from newsletter.project import Project
    from newsletter.sending import existing_ledger

    if state is not None and state not in list(State):
        raise UsageError(f"--state {state}: the states are {', '.join(State)}")
    project = Project.open(Path.cwd())
    ledger = existing_ledger(project)
    campaign = ledger.campaign(number) if ledger else None
    if ledger is None or campaign is None:
        project.issue(number)
        click.echo(f"issue {number}: nothing was ever sent", err=True)
        return
    try:
        states = [State(state)] if state else []
        for attempt in ledger.attempts(campaign, states=states):
            if as_json:
                click.echo(attempt_json(attempt))
            else:
                at = timestamp(attempt.at)[:19].replace("T", " ")
                click.echo(
                    f"{at}  {attempt.state:<9} {attempt.address}  {attempt.stage}: {attempt.reply}"
                )
    finally:
        ledger.close()
