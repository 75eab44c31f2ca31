"""A mail server that remembers whose message it got, and how much of it: the witness of the torture tests.

    python recording_sink.py [--no-pipelining] [--refuse PATTERN=REPLY …] [--seconds S]

It runs in a process of its own on 127.0.0.1, so that whatever happens to the sender does not happen to it, prints its
port, and then answers each line on standard input with what came since the line before, as JSON. It waits with that
until the last connection has ended, since octets of a dead sender may still be on their way. It ends with its input.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

LONGEST_MESSAGE = 16 * 1024 * 1024
LONGEST_WAIT = 5.0  # seconds for the last connection to end


@dataclass(slots=True, kw_only=True)
class Received:
    """Recipients in the order of events, one for each message.

    Attributes:
        begun: at least one octet of the body came.
        received: the dot came: this message will be read by somebody.
        answered: the server has written its 250.
        refused: at RCPT.

    """

    begun: list[str] = field(default_factory=list)
    received: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def twice(self) -> set[str]:
        """Who got more than one message."""
        return {name for name in self.received if self.received.count(name) > 1}


@dataclass(slots=True, kw_only=True)
class Sink:
    """The server side.

    Args:
        pipelining: offer PIPELINING.
        refuse: replies to recipients, by a pattern that finds something in them.
        seconds: to wait between the dot and its answer.

    """

    pipelining: bool = True
    refuse: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    open: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    total: int = 0
    record: Received = field(default_factory=Received)

    async def serve(self) -> None:
        """Listen until standard input ends."""
        server = await asyncio.start_server(
            self._connection, "127.0.0.1", 0, limit=LONGEST_MESSAGE, backlog=100
        )
        self.idle.set()
        print(server.sockets[0].getsockname()[1], flush=True)
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, sys.stdin.readline):
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.idle.wait(), LONGEST_WAIT)
            told, self.record = self.record, Received()
            print(json.dumps(asdict(told)), flush=True)
        os._exit(0)  # conversations that are still open end with the process

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.idle.clear()
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._conversation(reader, writer)
        finally:
            self.open -= 1
            if not self.open:
                self.idle.set()
            writer.close()

    async def _conversation(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"220 sink ESMTP\r\n")
        recipients: list[str] = []
        while line := await reader.readline():
            verb = line[:4].upper()
            answer = b"250 2.0.0 Ok\r\n"
            if verb == b"EHLO":
                extra = b"250-PIPELINING\r\n" if self.pipelining else b""
                answer = b"250-sink\r\n" + extra + b"250-8BITMIME\r\n250 SMTPUTF8\r\n"
            elif verb in (b"MAIL", b"RSET"):
                recipients = []
            elif verb == b"RCPT":
                answer = self._recipient(line, recipients)
            elif verb == b"DATA":
                answer = b"503 5.5.1 no valid recipients\r\n"
                if recipients:
                    await self._data(reader, writer, recipients)
                    continue
            elif verb == b"QUIT":
                writer.write(b"221 2.0.0 Bye\r\n")
                return
            writer.write(answer)

    def _recipient(self, line: bytes, recipients: list[str]) -> bytes:
        """Answer to RCPT."""
        name = line[line.index(b"<") + 1 : line.index(b">")].decode()
        for pattern, reply in self.refuse.items():
            if re.search(pattern, name):
                self.record.refused.append(name)
                return f"{reply}\r\n".encode()
        recipients.append(name)
        return b"250 2.1.5 Ok\r\n"

    async def _data(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, recipients: list[str]
    ) -> None:
        """The body, which is not kept, and the answer to its dot."""
        writer.write(b"354 End data with <CR><LF>.<CR><LF>\r\n")
        await reader.readexactly(1)
        self.record.begun += recipients
        await reader.readuntil(b"\r\n.\r\n")
        self.record.received += recipients
        await asyncio.sleep(self.seconds)
        self.total += 1
        writer.write(f"250 2.0.0 Ok: kept as {self.total}\r\n".encode())
        self.record.answered += recipients
        recipients.clear()


@dataclass(frozen=True, slots=True)
class RunningSink:
    """The sink as a test sees it."""

    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        """As a relay."""
        return f"smtp://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Whoever talks to it waits meanwhile."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def take(self) -> Received:
        """What came since this was asked last."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return Received(**json.loads(self.process.stdout.readline()))


@contextlib.contextmanager
def running_sink(*options: str) -> Iterator[RunningSink]:
    """A sink in a process of its own, which ends with the block or with this process."""
    with subprocess.Popen(
        [sys.executable, "-I", __file__, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield RunningSink(process, int(process.stdout.readline()))
        finally:
            process.stdin.close()
            process.wait(timeout=30)


def main() -> None:
    """See the top of this file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--no-pipelining", action="store_true")
    parser.add_argument("--refuse", action="append", default=[])
    parser.add_argument("--seconds", type=float, default=0.0)
    options = parser.parse_args()
    sink = Sink(
        pipelining=not options.no_pipelining,
        refuse=dict(rule.split("=", 1) for rule in options.refuse),
        seconds=options.seconds,
    )
    asyncio.run(sink.serve())


if __name__ == "__main__":
    main()
