"""A send of the small publication to a server that plays a script, in this process."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any

from scripted import Script, ScriptedServer

from newsletter.delivery.options import SendOptions, Tally
from newsletter.delivery.sender import Sender
from newsletter.delivery.states import State
from newsletter.mailing import Mailing
from newsletter.project import Project
from newsletter.sending import SendReport, require_campaign, send
from newsletter.transport.relay import Relay, Security
from newsletter.transport.smtp import SmtpTransport

SECRET = {"NEWSLETTER_SECRET": "a secret of the sending tests"}


def mailing_of(root: Path, *, issue: int = 1, **more: Any) -> Mailing:
    """An issue of the publication in `root`."""
    project = Project.open(root, environ=SECRET)
    return Mailing(project, project.issue(issue), **more)


async def just_run(sender: Sender) -> Tally:
    """Without signals and progress."""
    return await sender.run()


class Clock:
    """Seconds that move when told."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def run(
    root: Path,
    script: Script | None = None,
    *,
    clock: Clock | None = None,
    options: dict[str, Any] | None = None,
    issue: int = 1,
    **wishes: Any,
) -> tuple[SendReport, ScriptedServer]:
    """Send an issue to a server that plays `script`."""
    script = script or Script()
    script.greets = True
    server = ScriptedServer(script)

    async def conversation() -> SendReport:
        async with asyncio.timeout(40), server:
            relay = Relay(host="localhost", port=server.port, security=Security.NONE)
            return await send(
                mailing_of(root, issue=issue),
                transport=SmtpTransport(relay),
                options=SendOptions(**{"connections": 2, "connect_tries": 1, **(options or {})}),
                drive=wishes.pop("drive", just_run),
                clock=clock or Clock(),
                **wishes,
            )

    return asyncio.run(conversation()), server


def states_of(root: Path) -> list[State]:
    """Of issue 1, in the order of the list."""
    with closing(Project.open(root, environ=SECRET).ledger()) as ledger:
        return [entry.state for entry in ledger.entries(require_campaign(ledger, 1))]
