"""What a transport is asked and what it answers: jobs, stages, replies and losses."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from newsletter.mail.message import Message
from newsletter.mail.reply import Reply


class Stage(StrEnum):
    """Where in an SMTP conversation something happened (RFC 5321 sections 3.1 to 3.3)."""

    CONNECT = "connect"
    GREETING = "greeting"
    TLS = "tls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"


@dataclass(frozen=True, slots=True)
class Loss:
    """No reply came.

    Attributes:
        what: in words, for the record.
        certain: the server cannot have the whole message, since bytes of it never left this process.

    """

    what: str
    certain: bool = True

    def __str__(self) -> str:
        return self.what


Event = Reply | Loss


class ConnectFailed(Exception):
    """A connection did not come about. No message was touched.

    Attributes:
        stage: connect, greeting, tls or auth.
        event: what the server said, or what happened.

    """

    def __init__(self, stage: Stage, event: Event) -> None:
        super().__init__(f"{stage}: {event}")
        self.stage = stage
        self.event = event


class Job(Protocol):
    """One message on its way through a session."""

    message: Message

    def granted(self) -> Awaitable[bool]:
        """Whether the body may go out: true once the intent is durable, false if it was refused."""

    def settle(self, stage: Stage, event: Event) -> None:
        """The one answer that decides this message. Called exactly once per job."""


class Feed(Protocol):
    """Where a session gets its jobs."""

    async def next(self) -> Job | None:
        """The next job, when there is one; None ends the session."""

    def ready(self) -> Job | None:
        """The next job if there is one right now, for the pipeline."""


class Session(Protocol):
    """One open connection."""

    async def run(self, feed: Feed, *, limit: int) -> None:
        """Send jobs until the feed ends, `limit` is reached, or the connection is lost; every job taken is settled."""

    def abort(self) -> None:
        """Cut the connection now; jobs under way are settled as lost."""


class Transport(Protocol):
    """A way to a relay."""

    async def connect(self) -> Session:
        """Open a connection, or raise ConnectFailed."""
