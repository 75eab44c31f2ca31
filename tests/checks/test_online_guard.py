"""Private networks, and this machine, are never asked: whatever names say, and wherever redirects lead."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from typing import Any

import httpcore2
import pytest
from probing import QUICK, probe, verdict
from web_server import Web

from newsletter.checks.online.guard import GuardedNetwork, Refused, is_public
from newsletter.checks.online.probe import LinkProbe
from newsletter.checks.online.verdict import Kind


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "127.1",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
    ],
)
def test_this_machine_is_never_asked(web: Web, host: str) -> None:
    address = web.url("/fine", host=host)
    found = LinkProbe(limits=QUICK).verdicts([address])[address]
    assert found.kind in (Kind.PRIVATE, Kind.DEAD)
    assert web.asked == []


@pytest.mark.parametrize(
    ("path", "address"), [("/to-private", "10.0.0.1"), ("/to-metadata", "169.254.169.254")]
)
def test_a_redirect_into_a_private_network_is_refused(web: Web, path: str, address: str) -> None:
    found = verdict(web, path)
    assert found.kind is Kind.PRIVATE
    assert address in found.reason


def resolver(table: dict[str, list[str]]) -> Callable[[str, int], Any]:
    """Looks names up in a table of answers, one after the other, and counts."""

    async def resolve(host: str, port: int) -> list[str]:
        resolve.asked.append(host)  # type: ignore[attr-defined]
        answers = table.get(host)
        if not answers:
            return [host]
        return [answers.pop(0)] if len(answers) > 1 else list(answers)

    resolve.asked = []  # type: ignore[attr-defined]
    return resolve


def test_a_redirect_to_a_name_of_a_private_address_is_refused(web: Web) -> None:
    resolve = resolver({"inside.example.org": ["192.168.1.1"]})
    assert verdict(web, "/to-private-name", resolve=resolve).kind is Kind.PRIVATE
    assert resolve.asked == ["127.0.0.1", "inside.example.org"]  # type: ignore[attr-defined]


def test_a_name_is_looked_up_once_so_that_it_cannot_change_its_mind(web: Web) -> None:
    """DNS rebinding: the first answer passes, the second would lead inside."""
    resolve = resolver({"rebind.example.org": ["127.0.0.1", "10.0.0.1"]})
    address = web.url("/fine", host="rebind.example.org")
    assert probe(resolve=resolve).verdicts([address])[address].kind is Kind.FINE
    assert resolve.asked == ["rebind.example.org"]  # type: ignore[attr-defined]


def test_of_many_addresses_the_private_ones_are_left_out() -> None:
    hosts: list[str] = []

    class Watching(httpcore2.AsyncNetworkBackend):
        async def connect_tcp(self, host: str, *args: Any, **kwargs: Any) -> Any:
            hosts.append(host)
            raise httpcore2.ConnectError("nobody")

    async def resolve(host: str, port: int) -> list[str]:
        return ["10.0.0.1", "93.184.216.34", "fe80::1%eth0", "2606:2800:220:1::1"]

    network = GuardedNetwork(resolve=resolve, network=Watching())
    with pytest.raises(httpcore2.ConnectError):
        asyncio.run(network.connect_tcp("example.org", 80))
    assert hosts == ["93.184.216.34", "2606:2800:220:1::1"]


@pytest.mark.parametrize("peer", [("10.0.0.1", 80), ("127.0.0.1", 80), None])
def test_the_peer_of_the_open_connection_is_judged_too(peer: tuple[str, int] | None) -> None:
    closed = []

    class Stream(httpcore2.AsyncNetworkStream):
        def get_extra_info(self, info: str) -> Any:
            return peer if info == "server_addr" else None

        async def aclose(self) -> None:
            closed.append(True)

    class Lying(httpcore2.AsyncNetworkBackend):
        async def connect_tcp(self, *args: Any, **kwargs: Any) -> Any:
            return Stream()

    async def resolve(host: str, port: int) -> list[str]:
        return ["93.184.216.34"]

    network = GuardedNetwork(resolve=resolve, network=Lying())
    with pytest.raises(Refused):
        asyncio.run(network.connect_tcp("example.org", 80))
    assert closed == [True]


def test_sockets_of_this_machine_are_refused() -> None:
    with pytest.raises(Refused):
        asyncio.run(GuardedNetwork().connect_unix_socket("/run/docker.sock"))


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.216.34", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
    ],
)
def test_what_is_public(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public
