"""A small publication with everything that acts on returns, and the mails that its relay would send back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.audience.models import Subscriber
from newsletter.audience.tokens import Purpose
from newsletter.audience.verp import encode
from newsletter.delivery.ledger import Intent, Outcome
from newsletter.delivery.states import State
from newsletter.feedback.rules import DAY
from newsletter.mail.address import parse_address
from newsletter.project import Project
from newsletter.returning import Returning, Summary, find_source, open_returning, process

NOW = 1_800_000_000.0
SECRET = {"NEWSLETTER_SECRET": "a secret of the tests of what comes back"}
CONFIG = """\
name: Small Weekly
timezone: UTC
from: {name: Small Weekly, address: weekly@example.org}
bounce_address: bounces@example.org
"""
PEOPLE = ("anna", "ben", "cleo")
UNKNOWN = ("5.1.1", "550 5.1.1 no such user here")
FULL = ("5.2.2", "552 5.2.2 the mailbox is full")
RATE = ("5.7.1", "550 5.7.1 RP:ORQ Ip frequency limited")


@dataclass
class Desk:
    project: Project
    returning: Returning
    now: list[float]
    sent: int = field(default=0)

    @property
    def register(self):  # type: ignore[no-untyped-def]
        return self.returning.membership.register

    def who(self, name: str) -> bytes:
        return self.project.keyring.subscriber_id(f"{name}@example.org")

    def why(self, name: str) -> str | None:
        """Why somebody is not mailed."""
        stop = self.register.suppression(self.who(name))
        return stop.reason if stop else None

    def send(self, issue: int, *, failing: dict[str, str] | None = None) -> None:
        """Everybody gets the issue now, but for those whom the relay refuses with these words."""
        ledger = self.returning.membership.ledger
        people = [Subscriber(address=parse_address(f"{name}@example.org")) for name in PEOPLE]
        campaign = ledger.plan(issue, digest="d", subscribers=people, now=self.now[0])
        run = ledger.begin_run(campaign, now=self.now[0])
        claims = ledger.claim(campaign, run=run, limit=9, now=self.now[0], lease=900)
        words = {claim.id: (failing or {}).get(claim.subscriber.address.local) for claim in claims}
        intents = [
            Intent(claim.id, self.message_id(issue, claim.subscriber.address.local))
            for claim in claims
        ]
        ledger.commit(run=run, intents=intents, outcomes=[], now=self.now[0])
        outcomes = [
            Outcome(
                id=claim.id,
                state=State.FAILED if words[claim.id] else State.ACCEPTED,
                at=self.now[0],
                stage="dot",
                reply=words[claim.id] or "250 2.0.0 Ok",
            )
            for claim in claims
        ]
        ledger.commit(run=run, intents=[], outcomes=outcomes, now=self.now[0])

    def later(self, days: float) -> None:
        self.now[0] += days * DAY

    def message_id(self, issue: int, name: str) -> str:
        return f"<{issue}.{name}@example.org>"

    def return_path(self, issue: int, name: str) -> str:
        return encode(
            "bounces@example.org",
            issue=issue,
            subscriber_id=self.who(name),
            keyring=self.project.keyring,
        )

    def token(self, name: str) -> str:
        return self.project.keyring.token(Purpose.UNSUBSCRIBE, self.who(name))

    def bounce(
        self,
        name: str,
        said: tuple[str, str],
        *,
        issue: int = 64,
        to: str | None = None,
        message_id: str | None = None,
    ) -> bytes:
        """What Postfix sends back; `to` instead of the genuine return path."""
        self.sent += 1
        to = to or self.return_path(issue, name)
        returned = f"Message-ID: {message_id}\n" if message_id else ""
        return f"""\
Return-Path: <>
Delivered-To: {to}
From: MAILER-DAEMON@relay.example.net (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {to}
Message-Id: <{self.sent}.{issue}@relay.example.net>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

<{name}@example.org>: host mx.example.org said: {said[1]} (in reply to RCPT TO command)

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example.net

Final-Recipient: rfc822; {name}@example.org
Action: failed
Status: {said[0]}
Remote-MTA: dns; mx.example.org
Diagnostic-Code: smtp; {said[1]}

--b
Content-Type: text/rfc822-headers

From: weekly@example.org
Subject: an issue
To: <{name}@example.org>
{returned}
--b--
""".encode()

    def read(self, data: bytes) -> list[str] | None:
        """Take a mail: what followed from each of its reports."""
        settled = self.returning.read(data, source="a test")
        return None if settled is None else [one.record.action.value for one in settled]

    def process(self, place: Path | str, *, keep: bool = False, dry_run: bool = False) -> Summary:
        summary = Summary()
        source = find_source(self.project, str(place), keep=keep or dry_run)
        process(self.returning, source, summary, keep=keep, dry_run=dry_run)
        return summary


@contextmanager
def open_desk(root: Path, *, config: str = CONFIG, **environ: str) -> Iterator[Desk]:
    """The desk of a publication whose three subscribers have got issue 64."""
    (root / "newsletter.yaml").write_text(config)
    rows = "".join(f"{name}@example.org\n" for name in PEOPLE)
    (root / "subscribers.csv").write_text(f"email\n{rows}")
    project = Project.open(root, environ={**SECRET, **environ})
    now = [NOW]
    with open_returning(project, clock=lambda: now[0]) as returning:
        desk = Desk(project, returning, now)
        if desk.returning.membership.ledger.campaign(64) is None:
            desk.send(64)
        yield desk


def maildir(root: Path, mails: dict[str, bytes]) -> Path:
    """A Maildir with these new mails."""
    folder = root / "Maildir"
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, data in mails.items():
        (folder / "new" / name).write_bytes(data)
    return folder
