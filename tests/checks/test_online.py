"""Addresses over the network: a real server on loopback, real redirects, and doors that stay shut."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpcore2
import pytest
from web_server import Web, serving

from newsletter.checks.model import Example, Finding
from newsletter.checks.online.guard import GuardedNetwork, Refused, is_public
from newsletter.checks.online.probe import Limits, LinkProbe
from newsletter.checks.online.verdict import Kind, Known, Verdict

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
QUICK = Limits(pace=0.0, patience=5.0)
Findings = Callable[..., list[Finding]]


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as web:
        yield web


def loopback_too(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.is_loopback or is_public(address)


def probe(**changes: Any) -> LinkProbe:
    return LinkProbe(**{"permit": loopback_too, "limits": QUICK, "now": lambda: NOW, **changes})


def verdict(web: Web, path: str, **changes: Any) -> Verdict:
    address = web.url(path)
    return probe(**changes).verdicts([address])[address]


@pytest.mark.parametrize(
    ("path", "kind", "reason"),
    [
        ("/fine", Kind.FINE, ""),
        ("/temporary", Kind.FINE, ""),
        ("/no-head", Kind.FINE, ""),
        ("/head-lies", Kind.FINE, ""),
        ("/head-slams", Kind.FINE, ""),
        ("/short", Kind.FINE, ""),
        ("/gone", Kind.DEAD, "answers 410"),
        ("/missing", Kind.DEAD, "answers 404"),
        ("/moved-then-gone", Kind.DEAD, "answers 410"),
        ("/circle", Kind.DEAD, "redirects again and again"),
        ("/to-file", Kind.DEAD, "redirects to something that is no web page"),
        ("/login", Kind.UNSURE, "answers 401"),
        ("/forbidden", Kind.UNSURE, "answers 403"),
        ("/slow-down", Kind.UNSURE, "answers 429"),
        ("/strange", Kind.UNSURE, "answers 999"),
        ("/broken", Kind.UNSURE, "answers 500"),
        ("/nowhere", Kind.UNSURE, "answers 302"),
        ("/slam", Kind.UNSURE, "broke off the connection"),
    ],
)
def test_what_answers_mean(web: Web, path: str, kind: Kind, reason: str) -> None:
    found = verdict(web, path)
    assert (found.kind, found.at) == (kind, NOW)
    assert found.reason.startswith(reason)


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("/moved", "/fine"),
        ("/moved-twice", "/fine"),
        ("/moved-then-temporary", "/temporary"),
        ("/temporary-then-moved", None),
        ("/temporary", None),
    ],
)
def test_only_what_moved_for_good_has_moved(web: Web, path: str, to: str | None) -> None:
    found = verdict(web, path)
    assert found.moved_to == (web.url(to) if to else None)
    assert found.kind is (Kind.MOVED if to else Kind.FINE)


def test_head_first_and_a_ranged_get_where_that_does_not_help(web: Web) -> None:
    verdict(web, "/fine")
    verdict(web, "/no-head", limits=Limits(pace=0, octets=100))
    assert web.methods("/fine") == ["HEAD"]
    assert web.methods("/no-head") == ["HEAD", "GET"]
    assert [each.range for each in web.asked] == [None, None, "bytes=0-99"]
    assert all("newsletter-check/" in each.agent for each in web.asked)


def test_a_body_without_end_is_not_read_to_its_end(web: Web) -> None:
    assert verdict(web, "/endless").kind is Kind.FINE
    assert web.written < 100 * 65_536


def test_who_does_not_answer_is_not_waited_for(web: Web) -> None:
    found = verdict(web, "/silent", limits=Limits(pace=0, patience=0.2))
    assert found.kind is Kind.UNSURE
    assert found.reason == "did not answer within 0.2 seconds"


def test_the_whole_run_has_an_end(web: Web) -> None:
    addresses = [web.url("/fine"), web.url("/silent")]
    found = probe(limits=Limits(pace=0, seconds=1.0, patience=15)).verdicts(addresses)
    assert found[addresses[0]].kind is Kind.FINE
    assert found[addresses[1]] == Verdict(kind=Kind.UNASKED, reason="there was no time left")


def test_there_is_a_most(web: Web) -> None:
    addresses = [web.url(f"/fine?{n}") for n in range(5)]
    found = probe(limits=Limits(pace=0, most=3)).verdicts(addresses)
    assert [found[each].kind for each in addresses] == [Kind.FINE] * 3 + [Kind.UNASKED] * 2
    assert len(web.asked) == 3


def test_a_host_is_asked_at_a_pace_and_only_so_many_at_once(web: Web) -> None:
    addresses = [web.url(f"/fine?{n}") for n in range(4)]
    probe(limits=Limits(pace=0.1, together=2)).verdicts(addresses)
    times = sorted(each.at for each in web.asked)
    assert all(later - earlier > 0.05 for earlier, later in pairwise(times))
    assert web.most_under_way <= 2


def test_each_address_is_asked_once_without_its_fragment(web: Web) -> None:
    asking = probe()
    address = web.url("/fine#part")
    assert asking.verdicts([address, address])[address].kind is Kind.FINE
    assert asking.verdicts([address])[address].kind is Kind.FINE
    assert web.methods("/fine") == ["HEAD"]


def test_who_refuses_the_connection_is_dead(web: Web) -> None:
    with serving() as other:
        address = other.url("/fine")
    found = probe().verdicts([address])[address]
    assert (found.kind, found.reason) == (Kind.DEAD, "refuses the connection")


@pytest.mark.parametrize(
    "address", ["http://", "http://[", "http://exa mple.org:99999/", "http:///x"]
)
def test_what_is_no_address_is_dead(address: str) -> None:
    assert probe().verdicts([address])[address].kind is Kind.DEAD


def test_a_bad_certificate_is_dead(tmp_path: Path, requires: Callable[[str], Path]) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = [requires("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)
    with serving((certificate, key)) as web:
        found = verdict(web, "/fine")
    assert found.kind is Kind.DEAD
    assert found.reason.startswith("has a certificate that is not valid")


# ── Doors that stay shut ────────────────────────────────────────────────────────────────────────────


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


# ── What is kept ────────────────────────────────────────────────────────────────────────────────────


def test_verdicts_are_kept_for_a_while(web: Web, tmp_path: Path) -> None:
    cache = tmp_path / "state" / "cache" / "links.json"
    paths = ("/fine", "/moved", "/missing", "/forbidden")
    addresses = [web.url(path) for path in paths]

    def run(at: datetime) -> list[str]:
        web.asked.clear()
        probe(cache=cache, now=lambda: at).verdicts(addresses)
        return sorted({each.path for each in web.asked})

    assert run(NOW) == ["/fine", "/forbidden", "/missing", "/moved"]
    assert run(NOW + timedelta(minutes=30)) == ["/forbidden"]
    assert run(NOW + timedelta(hours=2)) == ["/forbidden", "/missing"]
    assert run(NOW + timedelta(days=8)) == ["/fine", "/forbidden", "/missing", "/moved"]
    assert run(NOW - timedelta(days=8)) == ["/fine", "/forbidden", "/missing", "/moved"]
    assert [each.name for each in cache.parent.iterdir()] == ["links.json"]


def test_what_is_kept_is_what_was_found(web: Web, tmp_path: Path) -> None:
    cache = tmp_path / "links.json"
    address = web.url("/moved")
    found = probe(cache=cache).verdicts([address])
    assert probe(cache=cache).verdicts([address]) == found
    assert json.loads(cache.read_text("utf-8"))["links"][address]["moved_to"] == web.url("/fine")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"format": 99, "links": {}}',
        '{"format": 1, "links": {"http://a/": {}}}',
        '{"format": 1, "links": {"http://a/": {"kind": "odd", "reason": "", "media": "", "at": ""}}}',
        '{"format": 1, "links": {"http://a/": {"kind": "fine", "reason": "", "media": "", "at": "2026-11-23"}}}',
    ],
)
def test_a_cache_that_cannot_be_read_is_made_anew(web: Web, tmp_path: Path, text: str) -> None:
    cache = tmp_path / "links.json"
    cache.write_text(text)
    assert verdict(web, "/fine", cache=cache).kind is Kind.FINE
    assert web.url("/fine") in json.loads(cache.read_text("utf-8"))["links"]


def test_a_cache_that_cannot_be_written_is_no_reason_to_fail(web: Web, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert verdict(web, "/fine", cache=tmp_path / "file" / "links.json").kind is Kind.FINE


# ── Without a network, without the extra ────────────────────────────────────────────────────────────


async def unknown(host: str, port: int) -> list[str]:
    from newsletter.checks.online.guard import NoSuchHost

    raise NoSuchHost(host)


def test_a_name_that_nobody_knows_is_dead_unless_no_name_is_known() -> None:
    one, two, three = (f"https://{name}.example.org/" for name in ("a", "b", "c"))
    found = probe(resolve=unknown).verdicts([one, two])
    assert {each.kind for each in found.values()} == {Kind.DEAD}
    found = probe(resolve=unknown).verdicts([one, two, three])
    assert {each.kind for each in found.values()} == {Kind.UNASKED}
    assert found[one].reason == "no name can be looked up here"


def test_it_works_where_an_event_loop_runs_already(web: Web) -> None:
    async def within() -> Verdict:
        return verdict(web, "/fine")

    assert asyncio.run(within()).kind is Kind.FINE


def test_without_the_extra_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['httpx2'] = None\n"
        "from newsletter.checks.online.probe import LinkProbe\n"
        "from newsletter.errors import UsageError\n"
        "try: LinkProbe()\n"
        "except UsageError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--online needs httpx2" in done.stdout
    assert "pip install 'newsletter[links]'" in done.stdout


def test_nothing_of_it_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys; from newsletter.checks.registry import all_checks; all_checks()\n"
        "print(*(name for name in sys.modules if name in ('httpx2', 'httpcore2', 'asyncio')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "http" not in done.stdout


# ── The checks ──────────────────────────────────────────────────────────────────────────────────────

PAGE = "https://example.org/paper"


class Recorder:
    """Says that everything is dead, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def verdicts(self, addresses: Any) -> dict[str, Verdict]:
        self.asked += addresses
        return {address: Verdict(kind=Kind.DEAD, reason="answers 404") for address in addresses}


def test_nobody_is_asked_without_the_service(findings: Findings) -> None:
    assert findings(Example(body=f"[论文]({PAGE})"), select=["online"]) == []


def test_a_dead_link_is_found_at_its_line(findings: Findings) -> None:
    found = findings(
        Example(
            items=f"- kind: text\n  body: 见 [论文]({PAGE}) 。",
            services={
                "online": Known({PAGE: Verdict(kind=Kind.DEAD, reason="answers 404", at=NOW)})
            },
        ),
        select=["online"],
    )
    (dead,) = found
    assert dead.code == "link-dead"
    assert dead.message == f"{PAGE} answers 404"
    assert dead.hint == "asked at 2026-11-23 09:00 UTC"
    assert dead.snippet is not None
    assert PAGE in dead.snippet


def test_each_address_is_one_finding(findings: Findings) -> None:
    service = Known({PAGE: Verdict(kind=Kind.DEAD, reason="answers 404")})
    html = f'<a href="{PAGE}">一</a> <a href="{PAGE}">二</a>'
    assert (
        len(findings(Example(html=html, services={"online": service}), select=["link-dead"])) == 1
    )


def test_what_nobody_was_asked_about_is_one_finding(findings: Findings) -> None:
    pages = [f"{PAGE}/{n}" for n in range(3)]
    html = " ".join(f'<a href="{page}">论文</a>' for page in pages)
    unasked = Verdict(kind=Kind.UNASKED, reason="there was no time left")
    unsure = Verdict(kind=Kind.UNSURE, reason="answers 403")
    service = Known({pages[0]: unasked, pages[1]: unsure, pages[2]: unasked})
    found = findings(Example(html=html, services={"online": service}), select=["online"])
    assert [each.message for each in found] == [
        f"{pages[1]} answers 403",
        "2 links were not asked: there was no time left",
    ]


def test_own_and_personal_addresses_are_never_asked(findings: Findings) -> None:
    text = (
        '<p>{{ item.body }} <a href="https://example.org/survey?who={{ subscriber.email }}">调查</a>'
        ' <a href="https://example.org/for-all">大家</a></p>'
    )
    service = Recorder()
    example = Example(
        items="- {kind: text, body: 好}",
        files={"templates/blocks/text.html.j2": text},
        services={"online": service},
    )
    findings(example, select=["online"])
    assert set(service.asked) == {"https://example.org/for-all"}


def test_other_schemes_are_not_of_the_web(findings: Findings) -> None:
    service = Recorder()
    html = '<a href="mailto:a@example.org">a</a><a href="tel:1">b</a><img src="cid:x@y" alt="图">'
    findings(Example(html=html, services={"online": service}), select=["online"])
    assert service.asked == []
