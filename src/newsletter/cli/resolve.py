"""`newsletter resolve 64`: settle by hand what SMTP could not tell."""

from __future__ import annotations

import time
from pathlib import Path

import click

from newsletter.cli.arguments import issue_argument


@click.command()
@issue_argument()
@click.option("--sent", "verdict", flag_value="sent", help="They got it.")
@click.option(
    "--failed", "verdict", flag_value="failed", help="They did not get it, and shall not."
)
@click.option("--resend", "verdict", flag_value="resend", help="They get it at the next send.")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
def command(number: int, verdict: str | None, addresses: tuple[str, ...]) -> int:
    """Settle entries of issue NUMBER that are in doubt; all of them, or these ADDRESSes.

    Look for their Message-IDs in the relay's log first: `newsletter log NUMBER --state in_doubt`.
    """
    from contextlib import closing

    from newsletter.delivery.lock import run_lock
    from newsletter.delivery.states import State
    from newsletter.errors import UsageError
    from newsletter.project import Project
    from newsletter.sending import LOCK_NAME, require_campaign

    if verdict is None:
        raise click.UsageError("say --sent, --failed or --resend")
    states = {"sent": State.ACCEPTED, "failed": State.FAILED, "resend": State.PENDING}
    project = Project.open(Path.cwd())
    project.issue(number)
    keys = [_key(address) for address in addresses]
    with run_lock(project.state_dir / LOCK_NAME), closing(project.ledger()) as ledger:
        campaign = require_campaign(ledger, number)
        for address, key in zip(addresses, keys, strict=True):
            entry = ledger.entry(campaign, key)
            if entry is None or entry.state is not State.IN_DOUBT:
                state = entry.state if entry else "not part of this send"
                raise UsageError(f"{address} is not in doubt: {state}; nothing was changed")
        resolved = ledger.resolve(
            campaign,
            state=states[verdict],
            addresses=keys,
            now=time.time(),
            why=f"resolved by hand as {verdict}",
        )
        counts = ledger.counts(campaign)
    click.echo(f"issue {number}: {resolved} resolved as {verdict}")
    if verdict == "resend" and resolved:
        click.echo(f"next: newsletter send {number}")
    else:
        click.echo(f"next: newsletter status {number}")
    return 0 if counts.settled else 75


def _key(text: str) -> str:
    from newsletter.errors import UsageError
    from newsletter.mail.address import parse_address

    try:
        return parse_address(text).key
    except ValueError as error:
        raise UsageError(f"{text!r}: {error}") from None
