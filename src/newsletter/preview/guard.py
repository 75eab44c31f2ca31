"""What stands between the preview and the web: Host check, token, security headers.

A page anywhere on the web can make a browser ask 127.0.0.1, and with DNS rebinding it can read the
answer. The Host header tells such requests apart, the token in the path keeps everybody else on
this machine out, and the content security policies see to it that neither the page nor a mail in it
can reach any other place.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Content-Security-Policy of everything but the mail itself."""

_MAIL_POLICY = (
    "default-src 'none'; img-src {images}; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox allow-same-origin"
)

_EVERYWHERE = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-DNS-Prefetch-Control": "off",
    "X-Robots-Tag": "noindex",
}


def mail_policy(*, images: bool) -> str:
    """Policy of the mail in the frame: inline styles, images of this server or none.

    `allow-same-origin` lets the page read the frame's scroll position; without `allow-scripts`
    nothing runs in it.
    """
    return _MAIL_POLICY.format(images="'self'" if images else "'none'")


class Guard:
    """ASGI middleware: lets through only requests to this machine's name that know the token.

    Args:
        app: what is guarded.
        token: first segment of every path.
        port: the port that the Host header must name.

    """

    def __init__(self, app: ASGIApp, *, token: str, port: int) -> None:
        self._app = app
        self._token = token
        self._hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 421, 403 or 404, or pass the request on with the security headers added."""
        if scope["type"] != "http":
            return
        refusal = self._refusal(scope, Headers(scope=scope))

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", PAGE_POLICY)
                for name, value in _EVERYWHERE.items():
                    headers.setdefault(name, value)
            await send(message)

        await (refusal or self._app)(scope, receive, with_headers)

    def _refusal(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        if headers.get("host", "") not in self._hosts:
            return PlainTextResponse("This preview answers to 127.0.0.1 only.\n", 421)
        origin = headers.get("origin")
        safe = scope["method"] in ("GET", "HEAD") and origin is None
        if not safe and urlsplit(origin or "").netloc not in self._hosts:
            return PlainTextResponse("This preview answers to its own page only.\n", 403)
        path = scope["path"]
        given = path.split("/", 2)[1] if path.startswith("/") else ""
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self._token.encode()):
            return PlainTextResponse("Open the address that `newsletter preview` printed.\n", 404)
        return None
