"""Running the endpoint under uvicorn, with a quiet start and a graceful end."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn

from newsletter.errors import UsageError
from newsletter.web.app import create_app

MOST_AT_ONCE = 1000  # connections and requests; what comes above that is told to come again
HEADER_OCTETS = 16 * 1024
LAST_REQUESTS_SECONDS = 15


def serve(root: Path, *, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Answer until SIGTERM or SIGINT; requests that are under way are finished.

    Args:
        root: the publication's folder.
        host: name or address to listen on.
        port: 0 takes a free one.
        announce: gets the address when connections are taken.

    Raises:
        NewsletterError: see `create_app`; or host or port cannot be used.

    """
    app = create_app(root)
    listener = _listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listener.getsockname()[1]}"
    try:
        _Server(app, ready=lambda: announce(address)).run(sockets=[listener])
    except KeyboardInterrupt:
        return
    finally:
        listener.close()


class _Server(uvicorn.Server):
    """Uvicorn without a word of its own: `guard` writes the log, `visitor` knows whom to believe."""

    def __init__(self, app: object, *, ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,  # type: ignore[arg-type]
                access_log=False,
                h11_max_incomplete_event_size=HEADER_OCTETS,
                lifespan="on",
                limit_concurrency=MOST_AT_ONCE,
                log_config=None,
                log_level="error",
                loop="asyncio",
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=LAST_REQUESTS_SECONDS,
                ws="none",
            )
        )
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise UsageError(f"--host {host}: {error.strerror}") from None
    listener = socket.socket(family, kind, number)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise UsageError(f"{host} port {port} cannot be used: {error.strerror}") from error
    listener.setblocking(False)
    return listener
