"""SMTP on the wire, from MAIL to the reply after the dot, pipelined where the server allows it (RFC 2920).

The group [body and dot, MAIL, RCPT, DATA] goes out in one write: the envelope of the next message rides behind the
body of this one, so that a message costs one round trip. Replies are paired strictly in order. Without PIPELINING the
same code waits for each reply before the next command.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.mail.message import Message
from newsletter.mail.reply import Reply, ReplyError, ReplyParser
from newsletter.transport.exchange import Event, Feed, Job, Loss, Stage

# RFC 5321 section 4.5.3.2, seconds
TIMEOUTS: Mapping[Stage, float] = {
    Stage.MAIL: 300.0,
    Stage.RCPT: 300.0,
    Stage.DATA: 120.0,
    Stage.BODY: 180.0,
    Stage.DOT: 600.0,
}
QUIT_TIMEOUT = 5.0
DOT = b".\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """What the server offered. `size` is its limit in octets, 0 for none."""

    pipelining: bool = False
    eight_bit: bool = False
    smtputf8: bool = False
    announces_size: bool = False
    size: int = 0

    def refusal(self, message: Message) -> Reply | None:
        """The reply this server would give to a message that it has said it cannot take."""
        if message.envelope.smtputf8 and not self.smtputf8:
            return Reply(553, "5.6.7 the relay does not offer SMTPUTF8, which this address needs")
        if self.size and len(message.data) > self.size:
            return Reply(552, f"5.3.4 the relay takes at most {self.size} octets")
        return None

    def envelope(self, message: Message) -> tuple[bytes, bytes, bytes]:
        """MAIL, RCPT and DATA as lines."""
        envelope = message.envelope
        mail = f"MAIL FROM:<{envelope.reverse_path}>"
        if self.announces_size:
            mail += f" SIZE={len(message.data)}"
        if envelope.smtputf8:
            mail += " BODY=8BITMIME SMTPUTF8" if self.eight_bit else " SMTPUTF8"
        recipient = f"RCPT TO:<{envelope.forward_path}>\r\n"
        return mail.encode() + b"\r\n", recipient.encode(), b"DATA\r\n"


class ConnectionGone(Exception):
    """The connection ended while the reply to `stage` was awaited; `str()` says how."""

    def __init__(self, stage: Stage, what: str) -> None:
        super().__init__(what)
        self.stage = stage


class WireSession(asyncio.Protocol):
    """One connection after EHLO, as an asyncio protocol on the transport that aiosmtplib opened.

    Args:
        extensions: what the server offered.
        keep: an object that must live as long as the connection.
        timeouts: seconds per stage.

    """

    def __init__(
        self,
        extensions: Extensions,
        *,
        keep: object = None,
        timeouts: Mapping[Stage, float] = TIMEOUTS,
    ) -> None:
        self.extensions = extensions
        self._keep = keep
        self._timeouts = timeouts
        self._parser = ReplyParser()
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[Reply | None] | None = None  # None: the connection is gone
        self._deadline = math.inf
        self._alarm: asyncio.TimerHandle | None = None
        self._gone: str | None = None
        self._paused = False
        self._flushed = True  # no byte of the latest body is left in this process
        self._held = b""  # waits until the body before it has left
        self._transport: asyncio.Transport | None = None

    # The asyncio side: callbacks of the transport.

    def attach(self, transport: asyncio.Transport) -> None:
        """Take over an open transport."""
        self._transport = transport
        # Tell us whenever even one byte stays behind in our own process: it makes a loss certain.
        transport.set_write_buffer_limits(high=1, low=0)
        self._watch(min(1.0, *self._timeouts.values()))
        if transport.is_closing():
            self._lose("the connection was lost")

    def pause_writing(self) -> None:
        """Some bytes did not fit into the kernel's buffer."""
        self._paused = True

    def resume_writing(self) -> None:
        """Everything written so far has left this process."""
        self._paused = False
        self._flushed = True
        if self._held:
            held, self._held = self._held, b""
            self._write(held)

    def data_received(self, data: bytes) -> None:
        """Replies, whole or in pieces."""
        try:
            for reply in self._parser.feed(data):
                if self._waiter is not None and not self._waiter.done():
                    self._waiter.set_result(reply)
                else:
                    self._replies.append(reply)
        except ReplyError as error:
            self._lose(str(error))

    def eof_received(self) -> bool:
        """The server closed its side."""
        self._lose("the server closed the connection")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, for whatever reason."""
        self._lose(f"the connection was lost: {exc}" if exc else "the connection was lost")

    def abort(self) -> None:
        """Cut the connection now."""
        self._lose("the connection was cut from our side")

    def _lose(self, what: str) -> None:
        if self._gone is not None:
            return
        self._gone = what
        if self._alarm:
            self._alarm.cancel()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        if self._transport is not None:
            self._transport.abort()

    def _watch(self, interval: float) -> None:
        """One slow clock per connection instead of a timer per reply."""
        loop = asyncio.get_running_loop()
        if loop.time() > self._deadline:
            self._lose("the server did not answer in time")
        else:
            self._alarm = loop.call_later(interval, self._watch, interval)

    # The conversation.

    async def run(self, feed: Feed, *, limit: int) -> None:
        """See `exchange.Session.run`."""
        following: Job | None = (
            None  # its envelope is on the wire behind the body of the one before
        )
        taken = 0
        try:
            while self._gone is None:
                job, following = following, None
                if job is None:
                    job = await feed.next() if taken < limit else None
                    if job is None:
                        break
                    taken += 1
                    if not self._open(job):
                        continue
                if await self._envelope(job):
                    following = self._companion(feed) if taken < limit else None
                    taken += following is not None
                    self._body(job, following)
                    await self._verdict(job)
        finally:
            if following is not None:
                following.settle(Stage.CONNECT, Loss(self._gone or "the session was stopped"))
            await self._quit()

    def _open(self, job: Job) -> bool:
        """Send a job's envelope, unless the connection is gone or the server has said that it cannot take it."""
        if self._replies and self._gone is None:
            self._lose(f"the server said without being asked: {self._replies.popleft()}")
        if self._gone is not None:
            job.settle(Stage.CONNECT, Loss(self._gone))
            return False
        if refusal := self.extensions.refusal(job.message):
            job.settle(Stage.MAIL, refusal)
            return False
        if self.extensions.pipelining:
            self._write(b"".join(self.extensions.envelope(job.message)))
        return True

    def _companion(self, feed: Feed) -> Job | None:
        """A job whose envelope can ride behind the body that is about to go out."""
        while self.extensions.pipelining and (job := feed.ready()):
            refusal = self.extensions.refusal(job.message)
            if refusal is None:
                return job
            job.settle(Stage.MAIL, refusal)
        return None

    async def _envelope(self, job: Job) -> bool:
        """Read the answers to MAIL, RCPT and DATA; true when the body may follow, else the job is settled."""
        try:
            failure = await (self._grouped() if self.extensions.pipelining else self._stepwise(job))
            if failure is None:
                failure = await self._hindrance(job)
        except ConnectionGone as gone:
            failure = gone.stage, Loss(str(gone))
        except BaseException:
            self._lose("the session was stopped")
            job.settle(Stage.CONNECT, Loss("the session was stopped"))
            raise
        if failure is not None:
            job.settle(*failure)
        return failure is None

    async def _hindrance(self, job: Job) -> tuple[Stage, Event] | None:
        """What keeps the body back after the 354, or None. There is no way back then but to leave."""
        if not await job.granted():
            self._lose("a body was not granted")
            return Stage.DATA, Loss("the ledger did not grant the body")
        if self._replies:  # such as a 421 because the wait was too long
            reply = self._replies.popleft()
            self._lose(f"the server did not wait for the body: {reply}")
            definite = reply.transient or reply.permanent
            return Stage.DATA, reply if definite else Loss(f"answered out of turn: {reply}")
        return None if self._gone is None else (Stage.DATA, Loss(self._gone))

    async def _grouped(self) -> tuple[Stage, Event] | None:
        """The three answers to an envelope sent as one group; the first refusal, or None."""
        refusal: tuple[Stage, Reply] | None = None
        try:
            for stage in (Stage.MAIL, Stage.RCPT, Stage.DATA):
                reply = await self._read(stage)
                if refusal is None and not _agrees(stage, reply):
                    refusal = stage, reply
                elif refusal is not None and stage is Stage.RCPT and reply.positive:
                    # Taken for MAIL's answer: one more about the message before this.
                    self._lose("the server gave one answer too many")
                    return Stage.MAIL, Loss("the server gave one answer too many")
        except ConnectionGone:
            if refusal is None:
                raise
            return refusal  # the server said why before it left
        if refusal is None:
            return None
        if reply.intermediate:  # RFC 2920 section 3.1: a lone dot, refused for want of recipients
            self._write(DOT)
            with contextlib.suppress(ConnectionGone):
                await self._read(Stage.DOT)
        return await self._refused(*refusal)

    async def _stepwise(self, job: Job) -> tuple[Stage, Event] | None:
        """MAIL, RCPT and DATA one by one; the first refusal, or None."""
        lines = zip(
            (Stage.MAIL, Stage.RCPT, Stage.DATA), self.extensions.envelope(job.message), strict=True
        )
        for stage, line in lines:
            self._write(line)
            reply = await self._read(stage)
            if not _agrees(stage, reply):
                return await self._refused(stage, reply)
        return None

    async def _refused(self, stage: Stage, reply: Reply) -> tuple[Stage, Event]:
        """Make the connection fit for the next envelope, or let it go when the server is leaving."""
        if reply.code == 421:
            self._lose(f"the server is leaving: {reply}")
        elif reply.positive or reply.intermediate:
            self._lose(f"the server answered out of turn: {reply}")
        elif self._gone is None:
            self._write(b"RSET\r\n")
            with contextlib.suppress(ConnectionGone):
                if not (await self._read(Stage.MAIL)).positive:
                    self._lose("the server refused RSET")
        return stage, reply

    def _body(self, job: Job, following: Job | None) -> None:
        """Write the body and its dot, and behind it the next envelope."""
        envelope = b"".join(self.extensions.envelope(following.message)) if following else b""
        self._write(job.message.data)
        self._flushed = not self._paused
        if self._flushed:
            self._write(DOT + envelope)
        else:
            self._write(DOT)
            self._held = envelope

    async def _verdict(self, job: Job) -> None:
        """Wait for the one answer that counts, and settle the job with it."""
        try:
            reply = await self._read(Stage.DOT)
        except ConnectionGone as gone:
            stage = Stage.DOT if self._flushed else Stage.BODY
            job.settle(stage, Loss(str(gone), certain=not self._flushed))
            return
        except BaseException:
            self._lose("the session was stopped")  # before anything more of the body leaves
            job.settle(Stage.DOT, Loss("the session was stopped", certain=not self._flushed))
            raise
        if reply.intermediate or (reply.positive and not self._flushed):
            job.settle(Stage.DOT, Loss(f"the server answered out of turn: {reply}", certain=False))
            self._lose("the server answered out of turn")
            return
        if not self._flushed:  # a refusal half-way: what follows could not be paired any more
            self._lose("the server answered before the end of the body")
        if reply.code == 421:
            self._lose(f"the server is leaving: {reply}")
        job.settle(Stage.DOT, reply)

    async def _read(self, stage: Stage) -> Reply:
        """The next reply in order, or ConnectionGone."""
        if self._replies:
            return self._replies.popleft()
        if self._gone is not None:
            raise ConnectionGone(stage, self._gone)
        loop = asyncio.get_running_loop()
        self._deadline = loop.time() + self._timeouts[stage]
        self._waiter = loop.create_future()
        try:
            reply = await self._waiter
        finally:
            self._waiter = None
            self._deadline = math.inf
        if reply is None:
            raise ConnectionGone(stage, self._gone or "the connection was lost")
        return reply

    def _write(self, data: bytes) -> None:
        if self._gone is None and self._transport is not None:
            self._transport.write(data)

    async def _quit(self) -> None:
        """Say goodbye; what the server answers does not matter any more."""
        if self._gone is None:
            self._write(b"QUIT\r\n")
            with contextlib.suppress(ConnectionGone, asyncio.TimeoutError):
                await asyncio.wait_for(self._read(Stage.MAIL), QUIT_TIMEOUT)
        self._lose("the session is over")


def _agrees(stage: Stage, reply: Reply) -> bool:
    """Whether a reply to MAIL, RCPT or DATA lets the conversation go on."""
    return reply.intermediate if stage is Stage.DATA else reply.positive
