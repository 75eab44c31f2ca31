"""A small web that misbehaves: a real HTTP server on loopback, and a record of what it was asked."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REDIRECTS = {
    "/moved": (301, "/fine"),
    "/moved-twice": (308, "/moved"),
    "/temporary": (302, "/fine"),
    "/temporary-then-moved": (307, "/moved"),
    "/moved-then-temporary": (301, "/temporary"),
    "/moved-then-gone": (301, "/gone"),
    "/circle": (302, "/circle"),
    "/nowhere": (302, ""),
    "/to-private": (302, "http://10.0.0.1/admin"),
    "/to-metadata": (301, "http://169.254.169.254/latest/meta-data/"),
    "/to-private-name": (302, "http://inside.example.org/"),
    "/to-file": (302, "file:///etc/passwd"),
}
STATUS = {
    "/gone": 410,
    "/missing": 404,
    "/login": 401,
    "/forbidden": 403,
    "/slow-down": 429,
    "/strange": 999,
    "/broken": 500,
    "/short": 416,
}
MEDIA = {"/picture.png": "image/png", "/login.png": "text/html; charset=utf-8"}


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    range: str | None
    agent: str
    at: float


@dataclass
class Web:
    """The server: where it is, and what it was asked."""

    port: int
    scheme: str = "http"
    asked: list[Asked] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    written: int = 0
    under_way: int = 0
    most_under_way: int = 0

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def methods(self, path: str) -> list[str]:
        return [each.method for each in self.asked if each.path == path]


def handler(web: Web) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer()

        def do_GET(self) -> None:
            self.answer()

        def answer(self) -> None:
            web.asked.append(
                Asked(
                    method=self.command,
                    path=self.path,
                    range=self.headers["Range"],
                    agent=self.headers["User-Agent"],
                    at=time.monotonic(),
                )
            )
            web.under_way += 1
            web.most_under_way = max(web.most_under_way, web.under_way)
            try:
                self.respond(self.path)
            except (BrokenPipeError, ConnectionResetError):
                pass
            finally:
                web.under_way -= 1

        def respond(self, path: str) -> None:
            if path in REDIRECTS:
                status, location = REDIRECTS[path]
                self.say(status, {"Location": location} if location else {})
            elif path == "/silent":
                web.release.wait(20)
                self.close_connection = True
            elif path == "/slam":
                self.close_connection = True
            elif path == "/endless" and self.command == "GET":
                self.send_response(200)
                self.end_headers()
                self.close_connection = True
                for _ in range(10_000):
                    web.written += self.wfile.write(b"x" * 65_536)
            elif path in ("/no-head", "/endless") and self.command == "HEAD":
                self.say(405, {})
            elif path == "/head-lies" and self.command == "HEAD":
                self.say(404, {})
            elif path == "/head-slams" and self.command == "HEAD":
                self.close_connection = True
            else:
                media = MEDIA.get(path, "text/html")
                self.say(STATUS.get(path, 200), {"Content-Type": media})

        def say(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status, "Some Reason")
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Nobody reads it."""

    return Handler


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Connections that are given up on are what some tests are about."""


@contextmanager
def serving(certificate: tuple[Path, Path] | None = None) -> Iterator[Web]:
    """A web while it is needed, with TLS when there is a certificate and its key."""
    web = Web(port=0)
    server = Server(("127.0.0.1", 0), handler(web))
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        web.scheme = "https"
    web.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield web
    finally:
        web.release.set()
        server.shutdown()
        thread.join()
        server.server_close()
