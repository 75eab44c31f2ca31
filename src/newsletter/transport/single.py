"""A few messages without a ledger: test sends."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from newsletter.errors import RelayError
from newsletter.mail.message import Message
from newsletter.mail.reply import Reply
from newsletter.transport.exchange import ConnectFailed, Event, Stage, Transport


class SingleJob:
    """A job that is always granted and remembers its answer."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.stage: Stage | None = None
        self.event: Event | None = None

    def granted(self) -> Awaitable[bool]:
        """Nothing has to be durable first."""
        return _yes()

    def settle(self, stage: Stage, event: Event) -> None:
        """Remember the answer."""
        self.stage, self.event = stage, event

    @property
    def accepted(self) -> bool:
        """Whether the relay took the message."""
        answer = self.event
        return self.stage is Stage.DOT and isinstance(answer, Reply) and answer.positive


class _Line:
    """The jobs, one after the other."""

    def __init__(self, jobs: Sequence[SingleJob]) -> None:
        self._jobs = iter(jobs)

    async def next(self) -> SingleJob | None:
        return next(self._jobs, None)

    def ready(self) -> SingleJob | None:
        return None


async def send_each(transport: Transport, messages: Sequence[Message]) -> list[SingleJob]:
    """Send `messages` over one connection; every job comes back with its answer, or without one if it was cut.

    Raises:
        RelayError: no connection came about.

    """
    jobs = [SingleJob(message) for message in messages]
    try:
        session = await transport.connect()
    except ConnectFailed as failure:
        raise RelayError(
            f"the relay cannot be used ({failure.stage}): {failure.event}"
        ) from failure
    await session.run(_Line(jobs), limit=len(jobs))
    return jobs


async def _yes() -> bool:
    return True
