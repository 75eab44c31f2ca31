"""A mail server that plays a script: refusals, disconnects, silence, garbage, and replies cut or glued in any way.

It runs in the test's own event loop on loopback, keeps strict SMTP order (a MAIL inside a transaction is a 503), and
remembers every message that it has answered with 2yz or would have, so that a test can compare what the server has
with what the jobs were told.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self


class Cut(StrEnum):
    """How the octets of replies are put on the wire."""

    WHOLE = "whole"  # each reply by itself, at once
    OCTETS = "octets"  # one octet at a time
    MERGED = "merged"  # everything that is ready in one write
    RANDOM = "random"  # pieces of any size, with pauses


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What the server does at one point.

    Attributes:
        say: the octets of the answer; may hold several replies, half of one, or none.
        close: then cut the connection.
        hang: then never say anything again.
        takes: whether the server keeps the message (for a dot); by default when it answers 2yz.
        after: for BODY: how many octets of the body to read first.
        delay: seconds to wait before saying it.
        pause: for BODY: seconds to read nothing, from here on.

    """

    say: bytes = b""
    close: bool = False
    hang: bool = False
    takes: bool | None = None
    after: int = 0
    delay: float = 0.0
    pause: float = 0.0


DROP = Act(close=True)
HANG = Act(hang=True)
GARBAGE = Act(say=b"<html>this is no mail server</html>\r\n")


def reply(text: str, *, close: bool = False, delay: float = 0.0) -> Act:
    """A reply of one or more lines: `250 one` or `250 one\\n250 two`."""
    code = text[:3]
    *first, last = [line[4:] if line[:3] == code else line for line in text.split("\n")]
    lines = [f"{code}-{line}" for line in first] + [f"{code} {last}"]
    octets = "".join(f"{line}\r\n" for line in lines).encode()
    return Act(say=octets, close=close, delay=delay)


Answer = str | Act | None
Plan = Sequence[Answer] | Callable[[int, str], Answer]
"""Answers to the first, second, … use of a command, or a function of (use, argument); None means the usual one."""


@dataclass(slots=True)
class Received:
    """A message that the server has taken over."""

    sender: str
    recipient: str
    data: bytes
    connection: int


@dataclass(slots=True)
class Script:
    """How a server behaves.

    Attributes:
        plans: by command: CONNECT, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, BODY, `.`, RSET, QUIT.
        extensions: what EHLO offers.
        greets: whether a conversation begins with the greeting, or after EHLO.
        cut: how replies go onto the wire.
        seed: for `Cut.RANDOM`.
        strict: whether MAIL inside a transaction is refused.

    """

    plans: Mapping[str, Plan] = field(default_factory=dict)
    extensions: Sequence[str] = ("PIPELINING", "SIZE 10240000", "8BITMIME", "SMTPUTF8")
    greets: bool = False
    cut: Cut = Cut.WHOLE
    seed: int = 0


class ScriptedServer:
    """The server: `async with ScriptedServer(Script(…)) as server:`, then connect to `server.port`.

    Attributes:
        received: messages it has taken over, in order.
        commands: every line it was sent outside of bodies.
        transcript: commands (`> MAIL …`) and replies (`< 250 …`) as they came and went.
        bodies: every body it has begun to receive, as far as it came.
        uses: how often each command was used.
        connections: how many were opened.

    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        implicit_tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
    ) -> None:
        self.script = script or Script()
        self.starttls = starttls
        self.received: list[Received] = []
        self.commands: list[str] = []
        self.transcript: list[str] = []
        self.bodies: list[bytes] = []
        self.uses: Counter[str] = Counter()
        self.connections = 0
        self.port = 0
        self.implicit_tls = implicit_tls
        self._open: set[_Conversation] = set()
        self._all_closed = asyncio.Event()
        self._all_closed.set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Conversation(self), "127.0.0.1", 0, ssl=self.implicit_tls
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for conversation in list(self._open):
            conversation.cut_off()
        await self._server.wait_closed()
        await self._all_closed.wait()

    def opened(self, conversation: _Conversation) -> None:
        self._open.add(conversation)
        self._all_closed.clear()

    def ended(self, conversation: _Conversation) -> None:
        self._open.discard(conversation)
        if not self._open:
            self._all_closed.set()

    def answer(self, command: str, argument: str, usual: Answer) -> Act:
        """What the script says to this use of `command`."""
        use = self.uses[command]
        self.uses[command] += 1
        plan = self.script.plans.get(command)
        planned: Answer = None
        if callable(plan):
            planned = plan(use, argument)
        elif plan is not None and use < len(plan):
            planned = plan[use]
        answer = usual if planned is None else planned
        if answer is None:
            return Act()
        return reply(answer) if isinstance(answer, str) else answer

    @property
    def recipients(self) -> list[str]:
        """The forward path of each message it has taken over."""
        return [message.recipient for message in self.received]


class _Conversation(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: ScriptedServer) -> None:
        self._server = server
        self._number = server.connections
        server.connections += 1
        self._buffer = b""
        self._in_body = False
        self._body_act: Act | None = None
        self._sender: str | None = None
        self._recipient: str | None = None
        self._deaf = False
        self._random = random.Random(server.script.seed * 1000 + self._number)
        self._out: asyncio.Queue[Act] = asyncio.Queue()
        self._transport: asyncio.Transport | None = None
        self._writer: asyncio.Task[None] | None = None
        self._upgrade: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        if self._transport is not None:  # the same conversation, now over TLS
            self._transport = transport
            return
        self._transport = transport
        self._server.opened(self)
        self._writer = asyncio.get_running_loop().create_task(self._write())
        if self._server.script.greets:
            self._do("CONNECT", "", "220 scripted ESMTP")

    def connection_lost(self, exc: Exception | None) -> None:
        self._deaf = True
        if self._writer is not None:
            self._writer.cancel()
        self._server.ended(self)

    def cut_off(self) -> None:
        """End it from our side."""
        self._deaf = True
        if self._transport is not None:
            self._transport.abort()
        if self._upgrade is not None:  # in the middle of it nobody else tells that it is over
            self._upgrade.cancel()
            self.connection_lost(None)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while not self._deaf:
            if self._in_body:
                if not self._body():
                    return
            elif b"\n" in self._buffer:
                line, self._buffer = self._buffer.split(b"\n", 1)
                self._command(line.decode(errors="replace").rstrip("\r"))
            else:
                return

    def _command(self, line: str) -> None:
        self._server.commands.append(line)
        self._server.transcript.append(f"> {line}")
        verb, _, argument = line.partition(" ")
        verb = verb.upper()
        match verb:
            case "EHLO":
                offers = [*self._server.script.extensions]
                if self._server.starttls is not None and not self._is_tls():
                    offers.append("STARTTLS")
                self._do(verb, argument, "\n".join(f"250 {word}" for word in ("scripted", *offers)))
            case "MAIL":
                self._mail(argument)
            case "RCPT":
                usual = "250 2.1.5 ok" if self._sender is not None else "503 5.5.1 MAIL first"
                if self._do(verb, argument, usual).say.startswith(b"250"):
                    self._recipient = _path(argument)
            case "DATA":
                ready = self._recipient is not None
                act = self._do(verb, argument, "354 go on" if ready else "503 5.5.1 RCPT first")
                if b"354" in act.say:
                    self._begin_body()
            case "RSET":
                self._sender = self._recipient = None
                self._do(verb, argument, "250 2.0.0 ok")
            case "QUIT":
                self._do(verb, argument, reply("221 2.0.0 bye", close=True))
            case "STARTTLS":
                self._start_tls()
            case "AUTH":
                self._do(verb, argument, "235 2.7.0 welcome")
            case _:
                self._do(verb, argument, "500 5.5.2 what?")

    def _mail(self, argument: str) -> None:
        usual = "250 2.1.0 ok" if self._sender is None else "503 5.5.1 nested MAIL"
        if self._do("MAIL", argument, usual).say.startswith(b"250"):
            self._sender = _path(argument)
            self._recipient = None

    def _begin_body(self) -> None:
        self._in_body = True
        self._server.bodies.append(b"")
        self._body_act = self._server.answer("BODY", "", None)

    def _body(self) -> bool:
        """Read more of a body; false when more octets are needed."""
        act = self._body_act
        if act is not None and act != Act() and len(self._buffer) >= act.after:
            self._server.bodies[-1] = self._buffer[: act.after]
            self._body_act = None
            self._put(act)
            if act.pause and self._transport is not None:
                self._transport.pause_reading()
                asyncio.get_running_loop().call_later(act.pause, self._read_on)
            return not self._deaf
        self._server.bodies[-1] = self._buffer
        whole = b"\r\n" + self._buffer
        end = whole.find(b"\r\n.\r\n")
        if end < 0:
            return False
        data, self._buffer = whole[2 : end + 2], whole[end + 5 :]
        self._server.bodies[-1] = data
        self._in_body = False
        self._end_body(data)
        return True

    def _read_on(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _end_body(self, data: bytes) -> None:
        sender, recipient = self._sender, self._recipient
        self._sender = self._recipient = None
        if recipient is None:
            self._do("lone .", "", "554 5.5.1 no valid recipients")
            return
        number = len(self._server.received) + 1
        act = self._server.answer(".", recipient, f"250 2.0.0 queued as Q{number}")
        takes = act.say.startswith(b"2") if act.takes is None else act.takes
        if takes:
            message = Received(sender or "", recipient, data, self._number)
            self._server.received.append(message)
        self._put(act)

    def _do(self, command: str, argument: str, usual: Answer) -> Act:
        act = self._server.answer(command, argument, usual)
        self._put(act)
        return act

    def _put(self, act: Act) -> None:
        if act.close or act.hang:
            self._deaf = True
        if act.hang and self._transport is not None:
            self._transport.pause_reading()
        self._out.put_nowait(act)

    def _is_tls(self) -> bool:
        return (
            self._transport is not None and self._transport.get_extra_info("sslcontext") is not None
        )

    def _start_tls(self) -> None:
        context = self._server.starttls
        usual = "220 2.0.0 go on" if context is not None else "502 5.5.1 not offered"
        act = self._do("STARTTLS", "", usual)
        if act.say.startswith(b"220") and not self._deaf:
            assert context is not None
            assert self._transport is not None
            self._transport.pause_reading()
            self._upgrade = asyncio.get_running_loop().create_task(self._secure(context))

    async def _secure(self, context: ssl.SSLContext) -> None:
        await self._out.join()
        assert self._transport is not None
        try:
            transport = await asyncio.get_running_loop().start_tls(
                self._transport, self, context, server_side=True
            )
        except (OSError, ssl.SSLError):
            self.connection_lost(None)
            return
        self._transport = transport

    # The way out.

    async def _write(self) -> None:
        while True:
            act = await self._out.get()
            said = act.say
            if self._server.script.cut is Cut.MERGED:
                await asyncio.sleep(0.001)
                while not (act.close or act.hang or self._out.empty()):
                    self._out.task_done()
                    act = self._out.get_nowait()
                    said += act.say
            await asyncio.sleep(act.delay)
            await self._emit(said)
            self._out.task_done()
            if act.close and self._transport is not None:
                self._transport.close()
            if act.close or act.hang:
                return

    async def _emit(self, octets: bytes) -> None:
        if octets:
            self._server.transcript.append(f"< {octets.decode(errors='replace').strip()}")
        for piece in self._pieces(octets):
            if self._transport is not None and not self._transport.is_closing():
                self._transport.write(piece)
            if len(piece) < len(octets):
                await asyncio.sleep(self._random.choice((0, 0, 0.001)))

    def _pieces(self, octets: bytes) -> list[bytes]:
        cut = self._server.script.cut
        if cut is Cut.OCTETS:
            return [octets[i : i + 1] for i in range(len(octets))]
        if cut is Cut.RANDOM and octets:
            points = sorted({0, *(self._random.randrange(len(octets)) for _ in range(2))})
            return [octets[a:b] for a, b in zip(points, [*points[1:], len(octets)], strict=True)]
        return [octets]


def _path(argument: str) -> str:
    return argument.partition("<")[2].partition(">")[0]
