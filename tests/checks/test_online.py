"""Addresses over the network: a real server on loopback, real redirects, and what the checks make of them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from probing import NOW, probe, verdict
from web_server import Web, serving

from newsletter.checks.model import Example, Finding
from newsletter.checks.online.probe import Limits
from newsletter.checks.online.verdict import Kind, Known, Verdict

Findings = Callable[..., list[Finding]]


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
    addresses = [web.url(f"/fine?{n}") for n in range(3)]
    probe(limits=Limits(pace=0.3, together=2)).verdicts(addresses)
    times = sorted(each.at for each in web.asked)
    # A server on a busy machine may see a request late, and the next one soon after it.
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
