"""A whole run on a stage: a real ledger, the real transport, and a mail server that plays a script."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripted import Script, ScriptedServer

from newsletter.audience.models import Subscriber
from newsletter.delivery.ledger import Attempt, Claim, Counts, Entry, Ledger
from newsletter.delivery.options import SendOptions, Tally
from newsletter.delivery.retry import RetrySchedule
from newsletter.delivery.sender import Sender
from newsletter.delivery.sendlog import SendLog
from newsletter.delivery.states import State
from newsletter.mail.address import Address, parse_address
from newsletter.mail.message import Envelope, Message
from newsletter.storage.sqlite.ledger import SqliteLedger
from newsletter.transport.relay import Relay, Security
from newsletter.transport.smtp import SmtpTransport

QUICK_RETRY = RetrySchedule(steps=(0.05,), then=0.05, jitter=0.0)
Drive = Callable[[Sender, ScriptedServer], Awaitable[Tally]]


def readers(count: int, domain: str = "example.net") -> list[Subscriber]:
    """r0, r1, … of one domain."""
    return [Subscriber(address=Address(f"r{number}", domain, domain)) for number in range(count)]


def reader(address: str) -> Subscriber:
    """One subscriber."""
    return Subscriber(address=parse_address(address))


def compose(claim: Claim) -> Message:
    """A small message that names its recipient."""
    address = claim.subscriber.address
    message_id = f"<{claim.id}@example.org>"
    data = f"Message-ID: {message_id}\r\nTo: {address.local}\r\n\r\nHello\r\n".encode()
    envelope = Envelope("weekly@example.org", address.envelope, address.needs_smtputf8)
    return Message(envelope, message_id, data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run ended."""

    tally: Tally
    counts: Counts
    entries: list[Entry]
    attempts: list[Attempt]
    log: list[dict[str, Any]]
    server: ScriptedServer
    received_ever: list[str]
    suppressed: dict[str, str | None]

    @property
    def states(self) -> Counter[State]:
        return Counter(entry.state for entry in self.entries)

    def of(self, state: State) -> list[str]:
        """The addresses in a state."""
        return [entry.address for entry in self.entries if entry.state is state]

    def check(self, *, ledger_failed: bool = False) -> None:
        """What holds after every run, whatever happened."""
        assert self.counts.balanced
        received = Counter(self.received_ever)
        assert set(received.values()) <= {1}, f"received twice: {received}"
        accepted, doubtful = set(self.of(State.ACCEPTED)), set(self.of(State.IN_DOUBT))
        if ledger_failed:
            doubtful |= set(self.of(State.IN_FLIGHT))
        else:
            assert not self.counts[State.CLAIMED]
            assert not self.counts[State.IN_FLIGHT]
            assert len(self.log) == len([one for one in self.attempts if one.stage != "recovery"])
        assert accepted <= set(received), "accepted means that the server has it"
        assert set(received) <= accepted | doubtful, "the server has nothing that we deny"


def play(
    script: Script,
    subscribers: Sequence[Subscriber],
    folder: Path,
    *,
    drive: Drive | None = None,
    wrap: Callable[[Ledger], Any] = lambda ledger: ledger,
    make: Callable[[Claim], Message] = compose,
    ledger_failed: bool = False,
    **options: Any,
) -> Ended:
    """One run of a new campaign, or of the one that is in `folder` already."""
    script.greets = True
    wishes = SendOptions(**{"connections": 2, "connect_tries": 2, **options})

    async def run() -> Ended:
        with closing(SqliteLedger(folder / "newsletter.db")) as ledger:
            async with asyncio.timeout(30), ScriptedServer(script) as server:
                tally = await _send(ledger, server)
            campaign = ledger.campaign(64)
            assert campaign is not None
            log = folder / "064.jsonl"
            lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
            return Ended(
                tally=tally,
                counts=ledger.counts(campaign),
                entries=list(ledger.entries(campaign)),
                attempts=list(ledger.attempts(campaign)),
                log=[json.loads(line) for line in lines],
                server=server,
                received_ever=_remember(folder / "received.txt", server.recipients),
                suppressed={
                    str(one.address): ledger.suppression(one.address.key) for one in subscribers
                },
            )

    async def _send(ledger: SqliteLedger, server: ScriptedServer) -> Tally:
        campaign = ledger.campaign(64) or ledger.plan(
            64, digest="d", subscribers=subscribers, now=1.0
        )
        number = ledger.begin_run(campaign, now=1.0)
        ledger.recover(campaign, run=number, now=1.0)
        relay = Relay(host="localhost", port=server.port, security=Security.NONE)
        sender = Sender(
            ledger=wrap(ledger),
            campaign=campaign,
            run=number,
            transport=SmtpTransport(relay, local_name="sender.example.org"),
            compose=make,
            log=SendLog(folder / "064.jsonl"),
            options=wishes,
            total=len(subscribers),
        )
        return await (drive(sender, server) if drive else sender.run())

    ended = asyncio.run(run())
    ended.check(ledger_failed=ledger_failed)
    return ended


def _remember(path: Path, recipients: list[str]) -> list[str]:
    """What the servers of all runs in this folder have received."""
    before = path.read_text(encoding="utf-8").split() if path.exists() else []
    path.write_text("\n".join([*before, *recipients]), encoding="utf-8")
    return [*before, *recipients]
