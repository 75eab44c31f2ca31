"""Running the preview: one socket on 127.0.0.1, a quiet uvicorn, a watcher, and a clean end."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import uvicorn

from newsletter.content.numbering import find_issue
from newsletter.errors import ConfigError, SourceError, UsageError
from newsletter.preview.app import build_app
from newsletter.preview.events import Hub
from newsletter.preview.inspection import Inspector, inspect
from newsletter.preview.studio import Clock, Studio
from newsletter.preview.watcher import Watcher
from newsletter.project import Project

HOST = "127.0.0.1"


def serve(
    project: Project,
    number: int | None,
    *,
    port: int,
    open_browser: bool,
    announce: Callable[[str], None],
    token: str | None = None,
    clock: Clock = lambda: datetime.now(UTC),
    inspector: Inspector | None = inspect,
) -> None:
    """Show the preview until somebody presses Ctrl-C, which ends it at once and without an error.

    Args:
        project: what to show; it is read again whenever something in its folder is saved.
        number: the issue to begin with; None for the index of all issues.
        port: 0 takes a free one.
        open_browser: also open the page in the system's browser.
        announce: gets one line with the page's address when it can be opened.
        token: first part of every path; made up when absent.
        clock: the time, aware.
        inspector: finds what is worth a look in an issue: the checks, unless told.

    Raises:
        UsageError: there is no such issue; the port is taken or may not be used.
        ConfigError: the system does not let us watch the folder.

    """
    if number is not None:
        with suppress(SourceError):  # mistakes in it are shown on the page, to be mended
            find_issue(project.content_dir, number, root=project.root)
    listener = _listen(port)
    port = listener.getsockname()[1]
    token = token or secrets.token_urlsafe(16)
    url = f"http://{HOST}:{port}/{token}/{'' if number is None else number}"
    hub = Hub()
    studio = Studio(project, clock=clock, inspector=inspector)

    def ready() -> None:
        announce(url)
        if open_browser:
            _open(url)

    app = build_app(studio, hub, token=token, port=port)
    server = _Server(app, hub=hub, ready=ready)
    try:
        asyncio.run(_run(server, studio, hub, listener))
    except KeyboardInterrupt:
        return
    finally:
        listener.close()


async def _run(server: _Server, studio: Studio, hub: Hub, listener: socket.socket) -> None:
    def changed(paths: frozenset[str]) -> None:
        studio.forget(paths)
        hub.publish(paths)

    watcher = Watcher(studio.root, changed)
    try:
        await watcher.start()
    except OSError as error:
        raise ConfigError(
            f"the folder cannot be watched: {error} (raise fs.inotify.max_user_watches, "
            "or set WATCHFILES_FORCE_POLLING=1)"
        ) from error
    try:
        await server.serve(sockets=[listener])
    finally:
        await watcher.stop()


class _Server(uvicorn.Server):
    """Uvicorn without a word of its own, that lets go of open event streams when it ends."""

    def __init__(self, app: object, *, hub: Hub, ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,  # type: ignore[arg-type]
                access_log=False,
                date_header=False,
                http="h11",
                lifespan="off",
                log_config=None,
                log_level="critical",
                loop="asyncio",
                server_header=False,
                timeout_graceful_shutdown=1,
                ws="none",
            )
        )
        self._hub = hub
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._hub.close()
        await super().shutdown(sockets=sockets)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(
            f"port {port} cannot be used: {reason} (choose another, or --port 0 for a free one)"
        ) from error
    listener.setblocking(False)
    return listener


def _open(url: str) -> None:
    """Open the page, unless the only browser at hand would take over the terminal."""
    graphical = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not graphical:
        return
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
