"""The stage for every benchmark: a sink, a publication of the sample issue, and lists of any length."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
NEWSLETTER = [sys.executable, "-m", "newsletter"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postfix_tool(name: str) -> str:
    """Where Debian keeps smtp-sink and smtp-source."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/postfix/sbin")
    if found is None:
        sys.exit(f"{name} is missing: apt-get install postfix")
    return found


@contextmanager
def running(*command: str, port: int) -> Iterator[None]:
    """A server process for as long as the block lasts."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def sink() -> Iterator[int]:
    """Postfix's smtp-sink, which takes everything and keeps nothing."""
    port = free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with running(postfix_tool("smtp-sink"), *user, f"127.0.0.1:{port}", "1000", port=port):
        yield port


@contextmanager
def delayed(port: int, milliseconds: int) -> Iterator[int]:
    """The way to `port`, that much longer in each direction."""
    listen = free_port()
    script = str(REPO / "benchmarks" / "latency_proxy.py")
    with running(sys.executable, script, str(listen), str(port), str(milliseconds), port=listen):
        yield listen


def publication(folder: Path, *, settings: str = "") -> Path:
    """The sample publication in `folder`, its list still to be written; `settings` end newsletter.yaml."""
    for name in ("content", "templates", "assets"):
        shutil.copytree(REPO / name, folder / name)
    text = (REPO / "newsletter.yaml").read_text(encoding="utf-8")
    text = text.replace("subscribers.example.csv", "subscribers.csv")
    if settings:
        text = re.sub(r"(?m)^send:\n(?:[ #].*\n)+", "", text)
    (folder / "newsletter.yaml").write_text(text + settings, encoding="utf-8")
    return folder


def write_list(folder: Path, count: int) -> None:
    """`count` subscribers on fifty domains."""
    with (folder / "subscribers.csv").open("w", encoding="utf-8") as file:
        file.write("email,name,tags,language,组织\n")
        for i in range(count):
            file.write(f"user{i:07d}@example{i % 50}.com,读者{i},nlp,zh-CN,某大学\n")


@dataclass(frozen=True)
class Run:
    """One run of the real command line.

    Attributes:
        rate: accepted messages a second, from the first connection to the last answer on record.
        seconds: of the whole command, planning and start included.
        peak: resident memory at its highest, in MB.

    """

    rate: float
    seconds: float
    peak: float


def send(folder: Path, port: int, *, number: int = 64) -> Run:
    """`newsletter send`, everything on a durable ledger, from nothing."""
    shutil.rmtree(folder / ".newsletter" / "log", ignore_errors=True)
    for left in (folder / ".newsletter").glob("newsletter.db*"):
        left.unlink()
    environ = dict(os.environ, NEWSLETTER_RELAY=f"smtp://127.0.0.1:{port}")
    started = time.perf_counter()
    process = subprocess.Popen(
        [*NEWSLETTER, "-C", str(folder), "send", str(number), "--yes"],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    told = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    found = re.search(r"this run: (\d+) answered in ([\d.]+) s", told)
    if status or not found:
        sys.exit(f"the run failed:\n{told}")
    return Run(int(found[1]) / float(found[2]), seconds, usage.ru_maxrss / 1024)
