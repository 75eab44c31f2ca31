"""Where a request comes from: the client's address behind trusted proxies, cut to its network.

`X-Forwarded-For` is written by whoever likes to. Only hops that newsletter.yaml trusts are believed, from the right,
and the first that is not trusted is the client.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

IpAddress = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network

_PREFIX = {4: 24, 6: 56}  # what one household or office has, more or less
_LOCAL = ip_address("127.0.0.1")  # a proxy over a Unix socket has no address


def trusted_networks(names: Iterable[str]) -> tuple[IpNetwork, ...]:
    """The networks of `web.trusted_proxies`."""
    return tuple(ip_network(name, strict=False) for name in names)


def network_of(peer: str | None, forwarded: Sequence[str], *, trusted: Sequence[IpNetwork]) -> str:
    """The network of the client, such as 203.0.113.0/24 or 2001:db8:1:200::/56.

    Args:
        peer: who holds the connection; None for a Unix socket.
        forwarded: every X-Forwarded-For field, in the order in which they stand.
        trusted: whose word counts.

    """
    client = _address(peer) if peer else _LOCAL
    if client is None:
        return "unknown"
    hops = [hop for field in forwarded for hop in field.split(",")]
    for hop in reversed(hops):
        if not any(client in network for network in trusted):
            break
        found = _address(hop.strip())
        if found is None:
            break  # what a trusted proxy wrote is no address: the proxy itself is all we know
        client = found
    return str(ip_network((client, _PREFIX[client.version]), strict=False))


def _address(text: str) -> IpAddress | None:
    """An address, with a port or without, an IPv4 one inside IPv6 as what it is."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        return found.ipv4_mapped or IPv6Address(int(found))  # without its zone
    return found
