"""Sending what is on the screen to somebody who wants to see it in a real mail program."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TypedDict

from starlette.concurrency import run_in_threadpool

from newsletter.audience.models import Subscriber
from newsletter.errors import NewsletterError, RelayError, UsageError
from newsletter.mail.address import parse_address
from newsletter.mailing import Mailing
from newsletter.preview.faults import Fault, faults_of
from newsletter.preview.studio import Studio
from newsletter.sending import send_test
from newsletter.transport.relay import find_relay
from newsletter.transport.smtp import SmtpTransport

MAX_BODY = 4096
PATIENCE = 60.0
"""Seconds after which a relay is given up on; somebody is waiting in front of the page."""


class Trial(TypedDict):
    """How a test send ended.

    `reply` is what the relay said, `problems` why it was not asked at all.
    """

    accepted: bool
    to: str
    reply: str
    problems: list[Fault]


async def send_trial(studio: Studio, number: int, *, to: str, reader: str) -> Trial:
    """Send issue `number`, as `reader` would get it, to the address `to`; marked, off the record.

    Never raises for anything a user can cause.
    """
    sight = await run_in_threadpool(studio.sight, number, reader)
    if sight.faults or sight.snapshot is None:
        return Trial(accepted=False, to=to, reply="", problems=sight.faults)
    try:
        somebody = _addressed(sight.snapshot.reader, to)
        mailing = Mailing(studio.project, sight.snapshot.source, test=True)
        await run_in_threadpool(mailing.composer, somebody)
        return await _send(mailing, somebody)
    except NewsletterError as error:
        problems = faults_of(error, root=studio.root)
        return Trial(accepted=False, to=to, reply="", problems=problems)


def _addressed(reader: Subscriber, to: str) -> Subscriber:
    """The reader with everything that is theirs but the address."""
    try:
        return replace(reader, address=parse_address(to))
    except ValueError as error:
        raise UsageError(f"{to!r}: {error}") from None


async def _send(mailing: Mailing, somebody: Subscriber) -> Trial:
    project = mailing.project
    relay = find_relay(project.publication, root=project.root, environ=project.environ)
    try:
        async with asyncio.timeout(PATIENCE):
            (job,) = await send_test(mailing, [somebody], transport=SmtpTransport(relay))
    except TimeoutError:
        raise RelayError(f"the relay has not answered for {PATIENCE:.0f} seconds") from None
    reply = str(job.event) if job.event is not None else "the connection was lost"
    return Trial(accepted=job.accepted, to=str(somebody.address), reply=reply.strip(), problems=[])
