"""The server is killed in the middle of one-click requests: whoever got the 200 is unsubscribed, all of them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from web_stage import CONFIG, SECRET, person

from newsletter.audience.models import SubscriberStatus
from newsletter.audience.tokens import Purpose
from newsletter.membership import open_membership
from newsletter.project import Project

READERS = 600
CONNECTIONS = 8
BODY = b"List-Unsubscribe=One-Click"
KILL_AFTER = (1, 60, 150)


class Crowd:
    """Readers who leave over a few connections until the server dies, and who of them was answered."""

    def __init__(self, tokens: list[str]) -> None:
        self.waiting = tokens
        self.answered: list[str] = []

    async def leave(self, port: int, *, kill: asyncio.Event, after: int) -> None:
        """One connection; sets `kill` when `after` have been answered in all."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with closing(writer):
            while self.waiting:
                token = self.waiting.pop()
                writer.write(
                    b"POST /u/%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n"
                    b"Content-Type: application/x-www-form-urlencoded\r\n\r\n%s"
                    % (token.encode(), len(BODY), BODY)
                )
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200 ")
                self.answered.append(token)
                if len(self.answered) >= after:
                    kill.set()
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                await reader.readexactly(length)

    async def until_killed(self, port: int, process: subprocess.Popen[str], *, after: int) -> None:
        """All connections at once; the server is killed when `after` more have been answered."""
        kill = asyncio.Event()
        after += len(self.answered)
        leaving = [
            asyncio.create_task(self.leave(port, kill=kill, after=after))
            for _ in range(CONNECTIONS)
        ]
        await kill.wait()
        process.send_signal(signal.SIGKILL)
        ended = await asyncio.gather(*leaving, return_exceptions=True)
        lost = (ConnectionError, asyncio.IncompleteReadError)
        assert all(end is None or isinstance(end, lost) for end in ended), ended


def start(root: Path) -> tuple[subprocess.Popen[str], int]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-m", "newsletter", "serve", "--port", "0"],
        cwd=root,
        env={**kept, "NEWSLETTER_SECRET": SECRET, "NEWSLETTER_RELAY": "smtp://127.0.0.1:1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline().rpartition(":")[2])


def test_killed_while_people_leave(tmp_path: Path) -> None:
    (tmp_path / "newsletter.yaml").write_text(CONFIG, "utf-8")
    project = Project.open(tmp_path, environ={"NEWSLETTER_SECRET": SECRET})
    names = [f"reader{number}" for number in range(READERS)]
    with open_membership(project) as membership, membership.register.together():
        for name in names:
            membership.add(person(name), source="a test")
    ids = {name: project.keyring.subscriber_id(f"{name}@example.org") for name in names}
    tokens = {project.keyring.token(Purpose.UNSUBSCRIBE, ids[name]): name for name in names}
    crowd = Crowd(list(tokens))
    for after in KILL_AFTER:
        process, port = start(tmp_path)
        asyncio.run(crowd.until_killed(port, process, after=after))
        process.communicate()
        with open_membership(project) as membership:
            found = {name: membership.person(ids[name]) for name in names}
        left = {
            n for n, one in found.items() if one and one.status is SubscriberStatus.UNSUBSCRIBED
        }
        acknowledged = {tokens[token] for token in crowd.answered}
        asked = set(names) - {tokens[token] for token in crowd.waiting}
        assert acknowledged <= left <= asked
    assert len(crowd.answered) >= sum(KILL_AFTER)
    assert crowd.waiting, "it was killed in the middle"
