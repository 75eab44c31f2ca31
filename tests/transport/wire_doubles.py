"""Jobs, feeds and messages for conversations without a ledger, and a way to hold one over loopback."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from scripted import ScriptedServer

from newsletter.mail.message import Envelope, Message
from newsletter.mail.reply import Reply
from newsletter.transport.exchange import Event, Job, Loss, Stage
from newsletter.transport.wire import Extensions, WireSession

PIPELINED = Extensions(pipelining=True, eight_bit=True, smtputf8=True, announces_size=True)
STEPWISE = Extensions()
PATIENT: Mapping[Stage, float] = dict.fromkeys(Stage, 20.0)


def hasty(*stages: Stage) -> Mapping[Stage, float]:
    """Timeouts for a server that never answers at these stages; at the others a busy machine has its time."""
    return {**PATIENT, **dict.fromkeys(stages, 0.2)}


T = TypeVar("T")


def run(conversation: Coroutine[Any, Any, T]) -> T:
    """Run a test's coroutine; one that hangs fails instead of blocking the suite."""

    async def bounded() -> T:
        async with asyncio.timeout(30):
            return await conversation

    return asyncio.run(bounded())


def make_message(
    number: int, *, size: int = 200, to: str | None = None, utf8: bool = False
) -> Message:
    """A message that names its number, of about `size` octets."""
    head = f"Message-ID: <{number}@example.org>\r\nSubject: {number}\r\n\r\n".encode()
    lines = max(1, (size - len(head)) // 78)
    envelope = Envelope("weekly@example.org", to or f"r{number}@example.net", utf8)
    return Message(envelope, f"<{number}@example.org>", head + (b"x" * 76 + b"\r\n") * lines)


class WatchedJob:
    """A job that remembers what it was told, and fails the test when it is told twice."""

    def __init__(self, message: Message, *, granted: bool | asyncio.Future[bool] = True) -> None:
        self.message = message
        self._granted = granted
        self.asked = False
        self.told: tuple[Stage, Event] | None = None

    async def granted(self) -> bool:
        self.asked = True
        return self._granted if isinstance(self._granted, bool) else await self._granted

    def settle(self, stage: Stage, event: Event) -> None:
        assert self.told is None, f"told {self.told}, then {stage} {event}"
        self.told = stage, event

    @property
    def accepted(self) -> bool:
        return self.told is not None and self.told[0] is Stage.DOT and self.said(2)

    @property
    def in_doubt(self) -> bool:
        return self.told is not None and isinstance(self.told[1], Loss) and not self.told[1].certain

    def said(self, kind: int) -> bool:
        """Whether the answer was a reply of this first digit."""
        event = self.told[1] if self.told else None
        return isinstance(event, Reply) and event.code // 100 == kind


class Line:
    """Jobs one after the other, all at hand."""

    def __init__(self, jobs: Iterable[WatchedJob]) -> None:
        self._waiting = list(jobs)[::-1]
        self.taken = 0

    def ready(self) -> Job | None:
        if not self._waiting:
            return None
        self.taken += 1
        return self._waiting.pop()

    async def next(self) -> Job | None:
        return self.ready()


async def open_session(
    port: int,
    extensions: Extensions = PIPELINED,
    *,
    timeouts: Mapping[Stage, float] = PATIENT,
    tls: ssl.SSLContext | None = None,
) -> WireSession:
    """A session with a server that does not greet."""
    session = WireSession(extensions, timeouts=timeouts)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(
        lambda: session, "127.0.0.1", port, ssl=tls, server_hostname="localhost" if tls else None
    )
    assert isinstance(transport, asyncio.Transport)
    session.attach(transport)
    return session


async def converse(
    server: ScriptedServer,
    jobs: Sequence[WatchedJob],
    extensions: Extensions = PIPELINED,
    *,
    limit: int = 1000,
    timeouts: Mapping[Stage, float] = PATIENT,
    tls: ssl.SSLContext | None = None,
) -> Line:
    """Send `jobs` over one connection, and see that what was taken was settled, and nothing else."""
    session = await open_session(server.port, extensions, timeouts=timeouts, tls=tls)
    feed = Line(jobs)
    await session.run(feed, limit=limit)
    for position, job in enumerate(jobs):
        assert (job.told is not None) == (position < feed.taken), f"job {position}: {job.told}"
    return feed
