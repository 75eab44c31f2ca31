"""The endpoint in this process, asked through ASGI; and how a publication for it looks."""

from __future__ import annotations

import asyncio
import re
import resource
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from newsletter.audience.models import Subscriber
from newsletter.audience.tokens import Keyring, Purpose
from newsletter.mail.address import parse_address
from newsletter.membership import Membership, open_membership
from newsletter.project import Project
from newsletter.web.app import create_app

SECRET = "a secret of the endpoint's tests"
NOW = 1_800_000_000.0
CONFIG = """\
name: Small Weekly
language: en
timezone: UTC
from: {name: Small Weekly, address: weekly@example.org}
public_url: https://weekly.example.org
audience: database
signup:
  topics: {papers: Papers, events: Events}
  languages: {en: English, zh-CN: 中文}
web: {answer_after: 0}
"""
ISSUE = """\
number: 1
title: One
date: 2027-01-15T09:00:00Z
sections: [{items: [{kind: text, body: Hello}]}]
"""
FORM = "application/x-www-form-urlencoded"


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the endpoint answered; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body."""
        return self.body.decode()


class Endpoint:
    """The application between its startup and its shutdown; its outbox runs while a request does, or in `settle`."""

    def __init__(self, root: Path, *, relay: str, clock: Clock, **environ: str) -> None:
        self.environ = {"NEWSLETTER_SECRET": SECRET, "NEWSLETTER_RELAY": relay, **environ}
        self.project = Project.open(root, environ=self.environ)
        self.app: Any = create_app(root, environ=self.environ, clock=clock)
        self.clock = clock
        self._runner = asyncio.Runner()
        self._events: asyncio.Queue[str] = asyncio.Queue()
        self._said: asyncio.Queue[str] = asyncio.Queue()
        self._life: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._runner.run(self._start())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._runner.run(self._stop())
        self._runner.close()

    @property
    def keyring(self) -> Keyring:
        """The publication's keys."""
        return self.project.keyring

    def token(self, who: str, purpose: Purpose = Purpose.UNSUBSCRIBE) -> str:
        """A genuine token for WHO@example.org."""
        return self.keyring.token(purpose, self.keyring.subscriber_id(f"{who}@example.org"))

    def run(self, work: Awaitable[Any]) -> Any:
        """Run something in the endpoint's own loop."""

        async def do() -> Any:
            return await work

        return self._runner.run(do())

    def ask(self, method: str, path: str, **wish: Any) -> Answer:
        """One request; see `talk`."""
        return self._runner.run(talk(self.app, method, path, **wish))

    def get(self, path: str, **wish: Any) -> Answer:
        """One GET."""
        return self.ask("GET", path, **wish)

    def post(self, path: str, body: bytes | str = b"", **wish: Any) -> Answer:
        """One POST, of a form unless told."""
        data = body.encode() if isinstance(body, str) else body
        return self.ask("POST", path, chunks=[data], **{"content_type": FORM, **wish})

    def settle(self, until: Callable[[], bool], *, turns: int = 2000) -> None:
        """Let the outbox work until something is so."""

        async def wait() -> None:
            for _ in range(turns):
                if until():
                    return
                await asyncio.sleep(0.01)
            raise AssertionError("it did not come about")

        self._runner.run(wait())

    def look(self, question: Callable[[Membership], Any]) -> Any:
        """What a membership of its own finds."""
        with open_membership(self.project, clock=self.clock) as membership:
            return question(membership)

    async def _start(self) -> None:
        self._life = asyncio.create_task(self._live())
        await self._events.put("lifespan.startup")
        said = await self._said.get()
        assert said == "lifespan.startup.complete", said

    async def _stop(self) -> None:
        assert self._life is not None
        await self._events.put("lifespan.shutdown")
        await self._life

    async def _live(self) -> None:
        async def receive() -> dict[str, str]:
            return {"type": await self._events.get()}

        async def send(message: dict[str, Any]) -> None:
            await self._said.put(message["type"])

        await self.app({"type": "lifespan", "state": {}}, receive, send)


async def talk(
    app: Any,
    method: str,
    path: str,
    *,
    chunks: Iterable[bytes | float] = (),
    content_type: str = "",
    headers: Iterable[tuple[str, str]] = (),
    peer: str | None = "127.0.0.1",
) -> Answer:
    """One request over ASGI.

    Args:
        app: the application.
        method: such as GET.
        path: with everything that belongs to it.
        chunks: of the body; a number is a pause in seconds.
        content_type: of the body.
        headers: further fields.
        peer: who holds the connection; None for a Unix socket.

    """
    waiting = list(chunks)
    fields = [(b"host", b"forged.example"), *((n.lower().encode(), v.encode()) for n, v in headers)]
    if content_type:
        fields.append((b"content-type", content_type.encode()))
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        body = waiting.pop(0) if waiting else b""
        if isinstance(body, float):
            await asyncio.sleep(body)
            body = b""
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": fields,
        "client": (peer, 50000) if peer else None,
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    await app(scope, receive, send)
    start = next(one for one in messages if one["type"] == "http.response.start")
    return Answer(
        status=start["status"],
        headers={name.decode(): value.decode() for name, value in start["headers"]},
        body=b"".join(one.get("body", b"") for one in messages),
    )


@dataclass(slots=True)
class Multipart:
    """A form as multipart/form-data."""

    fields: dict[str, str] = field(default_factory=dict)
    boundary: str = "----b"

    @property
    def body(self) -> str:
        """All fields."""
        parts = (
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in self.fields.items()
        )
        return "".join(parts) + f"--{self.boundary}--\r\n"

    @property
    def kind(self) -> str:
        """Its content type."""
        return f"multipart/form-data; boundary={self.boundary}"


def person(who: str, **more: Any) -> Subscriber:
    """WHO@example.org."""
    return Subscriber(address=parse_address(f"{who}@example.org"), **more)


def heading(answer: Answer) -> str:
    """The one heading of a page."""
    (found,) = re.findall(r"<h1>(.*?)</h1>", answer.text)
    return str(found)


@contextmanager
def no_room() -> Iterator[None]:
    """No file of this process may grow beyond 4 kB: no commit of SQLite succeeds."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
