"""Running smtp-sink(1), and reading what it has received."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SmtpSink:
    """A running smtp-sink.

    Attributes:
        port: on 127.0.0.1.
        folder: has a file for each message whose dot has come; a broken one leaves none.

    """

    port: int
    folder: Path

    def received(self) -> Counter[str]:
        """How many whole messages each recipient has got."""
        found: Counter[str] = Counter()
        for path in self.folder.iterdir():
            lines = path.read_bytes().split(b"\n", 12)
            for line in lines:
                if line.startswith(b"X-Rcpt-Args: <"):
                    found[line[14:].partition(b">")[0].decode()] += 1
        return found


@contextmanager
def running_smtp_sink(program: Path, folder: Path, *options: str) -> Iterator[SmtpSink]:
    """smtp-sink with `options`, dumping every message into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # smtp-sink wants to be told whom to become when root starts it; it stays root, to write into the folder.
    user = ("-u", "root") if os.getuid() == 0 else ()
    command = [program, *user, "-d", f"{folder}/%H%M%S.", *options, f"127.0.0.1:{port}", "256"]
    sink = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield SmtpSink(port, folder)
    finally:
        sink.kill()
        sink.wait()


def _wait_for(port: int) -> None:
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.01)
    raise AssertionError("smtp-sink does not listen")
