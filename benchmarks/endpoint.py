"""How many one-click unsubscribes a second the endpoint takes on one core, each of them durable: `make bench-endpoint`.

Also what becomes of them when the server is killed in the middle: none that was answered may be missing.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import stage

from newsletter.audience.models import Subscriber
from newsletter.audience.register import Incoming, Origin
from newsletter.audience.tokens import Purpose
from newsletter.mail.address import Address
from newsletter.project import Project

READERS = 100_000
CONNECTIONS = 64
SECRET = "the secret of the endpoint benchmark"
BODY = b"List-Unsubscribe=One-Click"
CONFIG = """\
name: Weekly
language: en
timezone: UTC
from: {name: Weekly, address: weekly@example.org}
public_url: https://weekly.example.org
audience: database
signup: {open: false}
"""


def fill(folder: Path) -> list[tuple[bytes, str]]:
    """A publication of many active subscribers; the id and the unsubscribe token of each."""
    (folder / "newsletter.yaml").write_text(CONFIG, encoding="utf-8")
    project = Project.open(folder, environ={"NEWSLETTER_SECRET": SECRET})
    people = (
        Subscriber(address=Address(f"reader{number:06d}", "example.net", "example.net"))
        for number in range(READERS)
    )
    register = project.register()
    rows = (Incoming(row=row, subscriber=one) for row, one in enumerate(people, 2))
    register.merge(rows, Origin(at=time.time(), source="benchmark"))
    ids = [member.id for member in register.members()]
    register.close()
    return [(who, project.keyring.token(Purpose.UNSUBSCRIBE, who)) for who in ids]


def gone(folder: Path) -> set[bytes]:
    """The ids of everybody who has unsubscribed, as the database on disk says."""
    project = Project.open(folder, environ={"NEWSLETTER_SECRET": SECRET})
    register = project.register()
    found = {stop.id for stop in register.suppressions() if stop.id}
    register.close()
    return found


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The real command, on the first core; this process goes to the others."""
    port = stage.free_port()
    cores = sorted(os.sched_getaffinity(0))
    server = subprocess.Popen(
        [*stage.NEWSLETTER, "-C", str(folder), "serve", "--port", str(port)],
        env={**os.environ, "NEWSLETTER_SECRET": SECRET},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, cores[:1]),
    )
    os.sched_setaffinity(0, cores[1:] or cores)
    try:
        for _ in range(400):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.025)
        yield server, port
    finally:
        with suppress(ProcessLookupError):
            server.terminate()
        server.wait()
        os.sched_setaffinity(0, cores)


class Client:
    """Keep-alive connections that post one token after the other, and remember which were answered."""

    def __init__(self, port: int, people: Sequence[tuple[bytes, str]]) -> None:
        self._port = port
        self._people = iter(people)
        self.answered: list[bytes] = []
        self.seconds: list[float] = []

    async def run(self) -> float:
        """Post everything; how long it took."""
        begun = time.perf_counter()
        await asyncio.gather(*(self._connection() for _ in range(CONNECTIONS)))
        return time.perf_counter() - begun

    async def _connection(self) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            for who, token in self._people:
                begun = time.perf_counter()
                writer.write(
                    b"POST /u/%b HTTP/1.1\r\nHost: weekly.example.org\r\n"
                    b"Content-Type: application/x-www-form-urlencoded\r\n"
                    b"Content-Length: %d\r\n\r\n%b" % (token.encode(), len(BODY), BODY)
                )
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                )
                await reader.readexactly(length)
                if not head.startswith(b"HTTP/1.1 200 "):
                    sys.exit(f"an unexpected answer: {head!r}")
                self.seconds.append(time.perf_counter() - begun)
                self.answered.append(who)
            writer.close()


def measure(folder: Path, people: Sequence[tuple[bytes, str]]) -> None:
    with serving(folder) as (_, port):
        asyncio.run(Client(port, people[:500]).run())  # warm
        client = Client(port, people[500:])
        seconds = asyncio.run(client.run())
    milliseconds = sorted(1000 * one for one in client.seconds)
    p99 = milliseconds[int(len(milliseconds) * 0.99)]
    missing = {who for who, _ in people} - gone(folder)
    print(f"| one-click POSTs a second | {len(client.answered) / seconds:,.0f} |")
    print(f"| median, ms | {statistics.median(milliseconds):.1f} |")
    print(f"| p99, ms | {p99:.1f} |")
    print(f"| answered and not on disk | {len(missing)} of {len(people):,} |")


def kill(folder: Path, people: Sequence[tuple[bytes, str]], *, after: float) -> None:
    async def run() -> Client:
        client = Client(port, people)
        running = asyncio.create_task(client.run())
        await asyncio.sleep(after)
        server.send_signal(signal.SIGKILL)
        await running
        return client

    with serving(folder) as (server, port):
        client = asyncio.run(run())
    lost = set(client.answered) - gone(folder)
    print(
        f"| killed after {after} s: answered, of these lost | {len(client.answered):,}, {len(lost)} |"
    )


def main() -> None:
    print(f"{READERS:,} subscribers, {CONNECTIONS} connections, the server on one core\n")
    print("| | |\n|---|---|")
    with tempfile.TemporaryDirectory() as root:
        people = fill(Path(root))
        measure(Path(root), people[:20_000])
        for count, after in enumerate((0.5, 1.0, 1.5)):
            begin = 20_000 * (count + 1)
            kill(Path(root), people[begin : begin + 20_000], after=after)


if __name__ == "__main__":
    main()
