"""Sends the mails that ask for a confirmation, and remembers what became of each.

They wait in the register, so that a request is never lost: whoever dies between sending and writing that down sends
the mail again, which is harmless. One process at a time does this for a publication.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from newsletter.audience.register import DAY, Confirmation, Origin
from newsletter.composing.confirmation import ConfirmationMail
from newsletter.delivery.lock import run_lock
from newsletter.delivery.retry import HOUR, MINUTE, RetrySchedule
from newsletter.delivery.states import State
from newsletter.delivery.verdicts import judge
from newsletter.errors import RelayError, RunLocked
from newsletter.mail.reply import Reply
from newsletter.membership import Membership
from newsletter.transport.exchange import Transport
from newsletter.transport.single import SingleJob, send_each
from newsletter.web.desk import Desk
from newsletter.web.journal import failed, log

LOCK_NAME = "outbox.lock"
POLL = 5.0  # seconds; what this process itself has queued wakes it at once
MOST = 20  # mails over one connection
PATIENCE = 300.0  # seconds for all of them
SCHEDULE = RetrySchedule(
    steps=(1 * MINUTE, 5 * MINUTE, 15 * MINUTE), then=HOUR, jitter=0.0, give_up=DAY
)
SOURCE = "confirmation mail"


class Outbox:
    """Sends what waits, whenever something waits.

    Args:
        desk: the publication and its register.
        mail: makes the mails.
        transport: the way to the relay.
        poll: seconds after which it looks without being woken.

    """

    def __init__(
        self, desk: Desk, mail: ConfirmationMail, transport: Transport, *, poll: float = POLL
    ) -> None:
        self._desk = desk
        self._mail = mail
        self._transport = transport
        self._poll = poll
        self._woken = asyncio.Event()
        self._ending = False
        self._tidied = 0.0
        self._answers: list[tuple[Confirmation, SingleJob | None]] = []

    def wake(self) -> None:
        """Look at once."""
        self._woken.set()

    def end(self) -> None:
        """Finish what is under way, then let `run` return."""
        self._ending = True
        self._woken.set()

    async def run(self) -> None:
        """Send until told to end; while another process does so already, wait for its end."""
        while not self._ending:
            try:
                with run_lock(self._desk.project.state_dir / LOCK_NAME):
                    await self._run()
            except RunLocked:
                await self._pause()

    async def _run(self) -> None:
        while True:
            try:
                await self._tidy()
                while await self._send_some():
                    pass
            except Exception as error:  # whatever it is, later mails must still go out
                failed("sending confirmation mails", error)
            if self._ending:
                return
            await self._pause()

    async def _pause(self) -> None:
        """Wait until it is woken, or time to look."""
        try:
            async with asyncio.timeout(self._poll):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._woken.clear()

    async def _send_some(self) -> bool:
        """Send what is due, at most `MOST`; whether there was anything."""
        await self._write_down()
        now = self._desk.clock()
        due = await self._desk.reader.ask(
            lambda membership: membership.register.to_confirm(now=now, limit=MOST)
        )
        if not due:
            return False
        self._answers = list(zip(due, await self._over_the_wire(due), strict=True))
        await self._write_down()
        return not self._ending

    async def _write_down(self) -> None:
        """Put the relay's answers on record; until that is done nothing more is sent, or it would be sent for ever."""
        if self._answers:
            now = self._desk.clock()
            await self._desk.writer.do(partial(_remember, answers=self._answers, now=now))
            self._answers = []

    async def _over_the_wire(self, due: Sequence[Confirmation]) -> Sequence[SingleJob | None]:
        messages = [self._mail.message(confirmation) for confirmation in due]
        try:
            async with asyncio.timeout(PATIENCE):
                return await send_each(self._transport, messages)
        except RelayError as error:
            failed("sending confirmation mails", error)
        except TimeoutError:
            log.error("sending confirmation mails failed: the relay does not answer")
        return [None] * len(due)

    async def _tidy(self) -> None:
        """Once a day, drop who never confirmed."""
        now = self._desk.clock()
        if now - self._tidied >= DAY:
            before = now - self._desk.publication.signup.forget * DAY
            await self._desk.writer.do(
                lambda membership: membership.register.tidy(pending_before=before, now=now)
            )
            self._tidied = now


def _remember(
    membership: Membership,
    *,
    answers: Sequence[tuple[Confirmation, SingleJob | None]],
    now: float,
) -> None:
    """Put on record what the relay has said to each."""
    for confirmation, job in answers:
        _settle(membership, confirmation, job, now=now)


def _settle(
    membership: Membership, confirmation: Confirmation, job: SingleJob | None, *, now: float
) -> None:
    register, who = membership.register, confirmation.member.id
    event = job.event if job else None
    state = State.DEFERRED
    if job and job.stage and event:
        state = judge(job.stage, event).state
    if state is State.ACCEPTED:
        register.asked(who, Origin(at=now, source=SOURCE))
    elif state is State.FAILED and isinstance(event, Reply):
        # Its words may repeat the address; its numbers do not.
        code = f"{event.code} {event.enhanced or ''}".strip()
        register.unreachable(who, Origin(at=now, source=SOURCE, reason=f"refused: {code}"))
    elif now - confirmation.requested_at >= SCHEDULE.give_up:
        register.unreachable(who, Origin(at=now, source=SOURCE, reason="tried for a day"))
    else:
        wait = SCHEDULE.wait(confirmation.attempts + 1, random=lambda: 0.0)
        register.asked(who, Origin(at=now, source=SOURCE), again_at=now + wait)
