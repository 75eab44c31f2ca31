"""A TCP proxy on loopback that holds every octet back for a while, in both directions.

Usage: latency_proxy.py LISTEN_PORT TARGET_PORT MILLISECONDS
"""

from __future__ import annotations

import asyncio
import sys


class OneWay(asyncio.Protocol):
    """Reads from one side and writes to the other, late."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.peer: asyncio.Transport | None = None
        self.transport: asyncio.Transport | None = None
        self.early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        asyncio.get_running_loop().call_later(self.delay, self.forward, data)

    def forward(self, data: bytes) -> None:
        if self.peer is None:
            self.early.append(data)
        elif not self.peer.is_closing():
            self.peer.write(data)

    def join(self, peer: asyncio.Transport) -> None:
        self.peer = peer
        for data in self.early:
            peer.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        asyncio.get_running_loop().call_later(self.delay, self.hang_up)

    def hang_up(self) -> None:
        if self.peer is not None:
            self.peer.close()


async def main() -> None:
    listen, target = int(sys.argv[1]), int(sys.argv[2])
    delay = float(sys.argv[3]) / 1000
    loop = asyncio.get_running_loop()
    kept = set()

    class Incoming(OneWay):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            task = loop.create_task(self.reach())
            kept.add(task)
            task.add_done_callback(kept.discard)

        async def reach(self) -> None:
            other = OneWay(delay)
            onward, _ = await loop.create_connection(lambda: other, "127.0.0.1", target)
            assert self.transport is not None
            other.join(self.transport)
            self.join(onward)

    server = await loop.create_server(lambda: Incoming(delay), "127.0.0.1", listen)
    await server.serve_forever()


asyncio.run(main())
