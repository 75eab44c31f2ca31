"""`send` without its run lock and with a short lease: what is left when the lock is worth nothing (as on NFS).

    python unlocked.py LEASE                everything else as the command line does it
    python unlocked.py LEASE --no-recovery  and without looking for dead runs first: only leases and fences protect

Prints the run's outcomes as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from newsletter import sending
from newsletter.delivery.ledger import Campaign, Recovered
from newsletter.delivery.options import Tally
from newsletter.delivery.sender import Sender
from newsletter.mailing import Mailing
from newsletter.project import Project
from newsletter.storage.sqlite.ledger import SqliteLedger
from newsletter.transport.relay import find_relay
from newsletter.transport.smtp import SmtpTransport


async def drive(sender: Sender) -> Tally:
    """No signals and no progress."""
    return await sender.run()


def skip_recovery(self: SqliteLedger, campaign: Campaign, *, run: int, now: float) -> Recovered:
    """Nobody is dead."""
    return Recovered(0, 0)


def main() -> None:
    """See the top of this file."""
    sending.run_lock = nullcontext  # type: ignore
    if "--no-recovery" in sys.argv:
        SqliteLedger.recover = skip_recovery  # type: ignore[method-assign]
    project = Project.open(Path.cwd())
    relay = find_relay(project.publication, root=project.root, environ=os.environ)
    options = replace(sending.options_for(project.publication), lease=float(sys.argv[1]))
    mailing = Mailing(project, project.issue(1))
    report = asyncio.run(
        sending.send(mailing, transport=SmtpTransport(relay), options=options, drive=drive)
    )
    outcomes = report.tally.outcomes if report.tally else {}
    print(json.dumps({state.value: number for state, number in outcomes.items()}))


if __name__ == "__main__":
    main()
