"""What stands between the endpoint and the web: small bodies in good time, security headers, one line per request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.web.journal import failed, log, shown_path
from newsletter.web.visitor import IpNetwork, network_of

MAX_BODY = 16 * 1024
BODY_SECONDS = 10.0
NETWORK = "newsletter.network"
"""Key of the scope under which the client's network stands."""

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""Content-Security-Policy of everything but the mail itself."""

_EVERYWHERE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": PAGE_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "browsing-topics=(), camera=(), geolocation=(), microphone=(), payment=()"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}

Refuse = Callable[[Scope, int, str], ASGIApp]
"""Makes the page for a status and the name of a notice."""


class _Refused(Exception):
    """A body that is not taken; carries status and notice."""

    def __init__(self, status: int, notice: str) -> None:
        super().__init__(notice)
        self.status = status
        self.notice = notice


class Guard:
    """ASGI middleware around the whole endpoint.

    Args:
        app: what is guarded.
        base: path of `public_url`; it is taken off where the proxy has left it on.
        trusted: proxies whose X-Forwarded-For is believed.
        refuse: makes the page of a refusal.
        larger: by the beginning of a path, how many octets a body may have there instead of 16 kB.

    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        base: str,
        trusted: Sequence[IpNetwork],
        refuse: Refuse,
        larger: Mapping[str, int],
    ) -> None:
        self._app = app
        self._base = base
        self._trusted = trusted
        self._refuse = refuse
        self._larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its body read and its answer dressed; whatever happens, there is an answer."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        headers = Headers(scope=scope)
        peer = scope.get("client")
        network = network_of(
            peer[0] if peer else None, headers.getlist("x-forwarded-for"), trusted=self._trusted
        )
        scope = {**scope, NETWORK: network, "path": self._local(scope["path"]), "root_path": ""}
        status = 0

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                dress = MutableHeaders(scope=message)
                for name, value in _EVERYWHERE.items():
                    dress.setdefault(name, value)
                if status in (408, 413):  # the rest of the body is not read
                    dress["Connection"] = "close"
            await send(message)

        try:
            await self._answer(scope, headers, receive, dressed)
        except Exception as error:  # not for the visitor to see, and without the visitor's words
            failed("a request", error)
            if not status:
                await self._refuse(scope, 500, "broken")(scope, receive, dressed)
        log.info(
            "%s %s %s %d %.0fms",
            network,
            scope["method"],
            shown_path(scope["path"]),
            status,
            (time.perf_counter() - began) * 1000,
        )

    async def _answer(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _whole_body(headers, receive, most=self._most(scope["path"]))
        except TimeoutError:
            await self._refuse(scope, 408, "slow")(scope, receive, send)
        except _Refused as refusal:
            await self._refuse(scope, refusal.status, refusal.notice)(scope, receive, send)
        else:
            if body is not None:
                await self._app(scope, _replay(body, receive), send)

    def _local(self, path: str) -> str:
        if self._base and (path == self._base or path.startswith(f"{self._base}/")):
            return path[len(self._base) :] or "/"
        return path

    def _most(self, path: str) -> int:
        for beginning, octets in self._larger.items():
            if path.startswith(beginning):
                return octets
        return MAX_BODY


async def _whole_body(headers: Headers, receive: Receive, *, most: int) -> bytes | None:
    """The body; None when the client has gone away before its end.

    Raises:
        _Refused: it is longer than `most` octets, by its own word or in fact.

    """
    told = headers.get("content-length", "")
    if told.isdigit() and (len(told) > 12 or int(told) > most):
        raise _Refused(413, "large")
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > most:
            raise _Refused(413, "large")
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """A `receive` that gives the body at once, and then what the server has to say."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
