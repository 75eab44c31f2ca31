"""Telling open pages that something was saved: server-sent events (HTML Standard, section 9.2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable

PING_SECONDS = 15.0


class Hub:
    """Counts the changes and hands each to every listener. Lives in one event loop.

    Attributes:
        version: grows by one with each change; a page that missed some sees it from the number.

    """

    def __init__(self) -> None:
        self.version = 0
        self._listeners: set[asyncio.Queue[str | None]] = set()
        self._closed = False

    def publish(self, paths: Iterable[str]) -> None:
        """Tell every listener that the files at `paths` changed."""
        self.version += 1
        message = event("change", {"version": self.version, "paths": sorted(paths)})
        for queue in self._listeners:
            queue.put_nowait(message)

    def close(self) -> None:
        """End every stream, so that a server can stop without waiting for pages to go away."""
        self._closed = True
        for queue in self._listeners:
            queue.put_nowait(None)

    async def stream(self, *, ping: float = PING_SECONDS) -> AsyncIterator[str]:
        """One event stream: the version, then changes, and a comment every `ping` seconds.

        The comment keeps proxies and browsers from taking silence for a dead connection.
        """
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield "retry: 500\n\n" + event("hello", {"version": self.version})
            while not self._closed:
                message = await _next_within(queue, ping)
                if message is None:
                    return
                yield message
        finally:
            self._listeners.discard(queue)


async def _next_within(queue: asyncio.Queue[str | None], seconds: float) -> str | None:
    try:
        return await asyncio.wait_for(queue.get(), seconds)
    except TimeoutError:
        return ": ping\n\n"


def event(name: str, data: object) -> str:
    """One event with `data` as JSON, which never holds a line break."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
