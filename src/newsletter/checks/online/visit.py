"""One round of visits to addresses (RFC 9110), over connections that `guard` watches.

This module imports httpx2 and httpcore2, so it is imported only when somebody asks for the web.
"""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urljoin, urlsplit

import httpcore2
import httpx2

from newsletter.checks.online.guard import (
    CannotLookUp,
    GuardedNetwork,
    NoSuchHost,
    Permit,
    Refused,
    Resolve,
    is_public,
    look_up,
)
from newsletter.checks.online.verdict import NO_HOST, NOT_NOW, Kind, Verdict

if TYPE_CHECKING:
    from newsletter.checks.online.probe import Limits

GONE = {404, 410}
PERMANENT = {301, 308}
REDIRECTS = {301, 302, 303, 307, 308}
ENOUGH = {*range(200, 300), 416}
"""Answers that say that something is there; 416 is one to a range that it is too short for."""

HEADERS = {
    "user-agent": f"Mozilla/5.0 (compatible; newsletter-check/{version('newsletter')})",
    "accept": "*/*",
    "accept-language": "zh-CN, en;q=0.8, *;q=0.5",
    "accept-encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a server said."""

    status: int
    location: str = ""
    media: str = ""


@dataclass(slots=True)
class _Host:
    """Keeps the pace for one host."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    next_at: float = 0.0


class _Transport(httpx2.AsyncBaseTransport):
    """httpx2's own transport, with a network that is watched."""

    def __init__(self, network: httpcore2.AsyncNetworkBackend) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=httpcore2.default_ssl_context(), network_backend=network
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        asked = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        answer = await self._pool.handle_async_request(asked)
        return httpx2.Response(
            status_code=answer.status, headers=answer.headers, stream=_Body(answer)
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    """The body of an answer."""

    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._answer.aiter_stream():
            yield part

    async def aclose(self) -> None:
        await self._answer.aclose()


class Visits:
    """Visits addresses, many at a time, each host at its pace.

    Args:
        limits: how much to ask.
        permit: which IP addresses may be connected to; public ones when absent.
        resolve: looks up names, the system's way when absent.
        now: tells the time, with a zone.

    """

    def __init__(
        self,
        *,
        limits: Limits,
        permit: Permit | None,
        resolve: Resolve | None,
        now: Callable[[], datetime],
    ) -> None:
        self._limits = limits
        self._permit = permit or is_public
        self._resolve = resolve or look_up
        self._now = now

    async def all(self, addresses: Sequence[str]) -> dict[str, Verdict]:
        """A verdict for each address, when all have answered or the time is up."""
        network = GuardedNetwork(permit=self._permit, resolve=self._resolve)
        async with httpx2.AsyncClient(
            transport=_Transport(network),
            headers=HEADERS,
            timeout=self._limits.patience,
            trust_env=False,
        ) as client:
            round_ = _Round(client, self._limits)
            tasks = {asyncio.create_task(round_.visit(each)): each for each in addresses}
            done, late = await asyncio.wait(tasks, timeout=self._limits.seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        out_of_time = Verdict(kind=Kind.UNASKED, reason="there was no time left")
        at = self._now()
        verdicts = {tasks[task]: replace(task.result(), at=at) for task in done}
        verdicts |= {tasks[task]: out_of_time for task in late}
        return {address: verdicts[address] for address in addresses}


class _Round:
    """One client and what it has to keep in mind."""

    def __init__(self, client: httpx2.AsyncClient, limits: Limits) -> None:
        self._client = client
        self._limits = limits
        self._hosts: dict[str, _Host] = defaultdict(_Host)
        self._room = asyncio.Semaphore(limits.together)

    async def visit(self, address: str) -> Verdict:
        """What became of an address."""
        try:
            return await self._follow(address)
        except Refused as error:
            return Verdict(
                kind=Kind.PRIVATE,
                reason=f"leads into a private network ({error}), so it was not asked",
            )
        except NoSuchHost:
            return Verdict(kind=Kind.DEAD, reason=NO_HOST)
        except CannotLookUp:
            return Verdict(kind=Kind.UNSURE, reason=NOT_NOW)
        except (httpcore2.TimeoutException, TimeoutError):
            reason = f"did not answer within {self._limits.patience:g} seconds"
            return Verdict(kind=Kind.UNSURE, reason=reason)
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpx2.HTTPError) as error:
            return _broken(error)
        except (httpx2.InvalidURL, httpcore2.UnsupportedProtocol, ValueError):
            return Verdict(kind=Kind.DEAD, reason="is not an address of the web")

    async def _follow(self, address: str) -> Verdict:
        """Follow redirects, each under the same guard."""
        here, moved_to, permanent = urldefrag(address).url, None, True
        for _ in range(self._limits.hops + 1):
            answer = await self._ask(here)
            if answer.status not in REDIRECTS or not answer.location:
                return _judged(answer, moved_to)
            there = urljoin(here, answer.location)
            if urlsplit(there).scheme not in ("http", "https"):
                return Verdict(kind=Kind.DEAD, reason="redirects to something that is no web page")
            permanent = permanent and answer.status in PERMANENT
            moved_to = there if permanent else moved_to
            here = urldefrag(there).url
        return Verdict(kind=Kind.DEAD, reason="redirects again and again")

    async def _ask(self, address: str) -> _Answer:
        """HEAD; where that is not understood or not liked, the first bytes by GET."""
        try:
            answer = await self._request("HEAD", address)
            if answer.status < 400:
                return answer
        except (httpcore2.ProtocolError, httpcore2.ReadError, httpcore2.ReadTimeout):
            pass
        return await self._request("GET", address)

    async def _request(self, method: str, address: str) -> _Answer:
        headers = {"range": f"bytes=0-{self._limits.octets - 1}"} if method == "GET" else {}
        request = self._client.build_request(method, address, headers=headers)
        async with self._turn(request.url.host), self._room:
            response = await self._client.send(request, stream=True, follow_redirects=False)
            try:
                if method == "GET":
                    await self._taste(response)
            finally:
                await response.aclose()
        media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return _Answer(response.status_code, response.headers.get("location", ""), media)

    async def _taste(self, response: httpx2.Response) -> None:
        """Read no more of a body than was asked for, whatever comes."""
        read = 0
        async for part in response.aiter_raw():
            read += len(part)
            if read >= self._limits.octets:
                return

    @asynccontextmanager
    async def _turn(self, name: str) -> AsyncIterator[None]:
        """Wait until it is polite to ask this host once more."""
        host = self._hosts[name.lower()]
        clock = asyncio.get_running_loop().time
        async with host.turn:
            await asyncio.sleep(max(0.0, host.next_at - clock()))
            host.next_at = clock() + self._limits.pace
        yield


def _judged(answer: _Answer, moved_to: str | None) -> Verdict:
    """What a last answer means."""
    if answer.status in GONE:
        return Verdict(kind=Kind.DEAD, reason=f"answers {answer.status}")
    if answer.status not in ENOUGH:
        reason = f"answers {answer.status}, which may be for programs only"
        return Verdict(kind=Kind.UNSURE, reason=reason)
    if moved_to:
        return Verdict(kind=Kind.MOVED, reason="has moved", moved_to=moved_to, media=answer.media)
    return Verdict(kind=Kind.FINE, media=answer.media)


def _broken(error: Exception) -> Verdict:
    """What a connection that failed means."""
    for cause in _chain(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Verdict(
                kind=Kind.DEAD,
                reason=f"has a certificate that is not valid: {cause.verify_message}",
            )
        if isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED:
            return Verdict(kind=Kind.DEAD, reason="refuses the connection")
    return Verdict(kind=Kind.UNSURE, reason="broke off the connection, or cannot be reached")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
