"""The only door to the network for checks: it lets nobody into private networks.

Addresses come from what authors write and what strangers' servers redirect to, so a name is looked up
here, every address it has is judged, the connection is made to an address that was judged, and the
peer of the open connection is judged again: nothing is looked up a second time in between.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import httpcore2

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Permit = Callable[[Address], bool]
Resolve = Callable[[str, int], Awaitable[list[str]]]

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last 32 bits
_UNKNOWN = {
    number
    for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY")
    if (number := getattr(socket, name, None)) is not None
}


class Refused(Exception):
    """The address is inside a private network, or in none."""


class NoSuchHost(Exception):
    """The name is not known."""


class CannotLookUp(Exception):
    """The name cannot be looked up now."""


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public Internet, and so does the one that it may wrap."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return all(is_public(inner) for inner in _wrapped(address))


def _wrapped(address: Address) -> list[ipaddress.IPv4Address]:
    """IPv4 addresses that an IPv6 address leads to."""
    if not isinstance(address, ipaddress.IPv6Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour]
    if address.teredo:
        found += address.teredo
    if address in _NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [inner for inner in found if inner is not None]


async def look_up(host: str, port: int) -> list[str]:
    """Every address of a host.

    Raises:
        NoSuchHost, CannotLookUp: it has none, or nobody knows now.

    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in _UNKNOWN:
            raise NoSuchHost(host) from None
        raise CannotLookUp(host) from None
    except UnicodeError:  # a label that is empty or too long
        raise NoSuchHost(host) from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedNetwork(httpcore2.AsyncNetworkBackend):
    """Connects to permitted addresses only.

    Args:
        permit: judges an address.
        resolve: looks up names.
        network: makes the connections.

    """

    def __init__(
        self,
        *,
        permit: Permit = is_public,
        resolve: Resolve = look_up,
        network: httpcore2.AsyncNetworkBackend | None = None,
    ) -> None:
        self._permit = permit
        self._resolve = resolve
        self._network = network or httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the signature is httpcore2's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address of `host` that answers.

        Raises:
            Refused: none of its addresses is permitted, or the peer turns out not to be.
            NoSuchHost, CannotLookUp: the name has no address.
            httpcore2.ConnectError, httpcore2.ConnectTimeout: nobody answers.

        """
        addresses = await asyncio.wait_for(self._resolve(host, port), timeout)
        permitted = [address for address in addresses if self._permit(_parsed(address))]
        if not permitted:
            raise Refused(addresses[0] if addresses else host)
        failure: Exception | None = None
        for address in permitted:
            try:
                stream = await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
                continue
            await self._judge_peer(stream)
            return stream
        assert failure is not None
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  the signature is httpcore2's
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Never: a socket is on this machine."""
        raise Refused(path)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._network.sleep(seconds)

    async def _judge_peer(self, stream: httpcore2.AsyncNetworkStream) -> None:
        peer = stream.get_extra_info("server_addr")
        if peer is None or not self._permit(_parsed(str(peer[0]))):
            await stream.aclose()
            raise Refused(str(peer[0]) if peer else "an unknown peer")


def _parsed(address: str) -> Address:
    return ipaddress.ip_address(address.partition("%")[0])  # without the zone of fe80::1%eth0
