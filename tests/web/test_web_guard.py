"""Limits, proxies, bodies of every bad kind, answers that tell nothing, and a database that cannot be written."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from web_stage import CONFIG, FORM, NOW, Clock, Endpoint, Multipart, heading, no_room, talk

from newsletter.audience.register import Change
from newsletter.errors import NewsletterError
from newsletter.web import app, guard
from newsletter.web.journal import shown_path
from newsletter.web.visitor import network_of, trusted_networks

FEW = CONFIG.replace("answer_after: 0", "answer_after: 0, per_network: 3")


def requested(endpoint: Endpoint) -> int:
    """How many requests were taken in."""
    return int(endpoint.look(lambda m: m.register.changes(since=0).get(Change.REQUESTED, 0)))


def test_an_hour_of_a_network_is_used_up_by_known_and_unknown_alike(
    serving: Callable[..., Endpoint], clock: Clock
) -> None:
    endpoint = serving(FEW)
    for who in ("anna", "anna", "zoe"):
        assert endpoint.post("/subscribe", f"email={who}@example.org").status == 200
    over = [endpoint.post("/subscribe", f"email={who}@example.org") for who in ("anna", "new")]
    assert over[0] == over[1]
    assert (over[0].status, over[0].headers["retry-after"]) == (429, "3600")
    assert heading(over[0]) == "Please try again later"
    other = [("X-Forwarded-For", "203.0.113.9")]
    assert endpoint.post("/subscribe", "email=yve@example.org", headers=other).status == 200
    assert requested(endpoint) == 2
    clock.now = NOW + 3600
    assert endpoint.post("/subscribe", "email=new@example.org").status == 200


def test_one_address_from_many_networks(endpoint: Endpoint, clock: Clock) -> None:
    for number in range(12):
        clock.now = NOW + number
        where = [("X-Forwarded-For", f"198.51.{number}.1")]
        answer = endpoint.post("/subscribe", "email=vic@example.org", headers=where)
        assert answer.status == 200
    spent = endpoint.look(
        lambda m: m.register.spend("address of somebody", limit=1, seconds=9, now=NOW)
    )
    assert spent
    assert requested(endpoint) == 1


def test_what_fills_in_the_trap_is_answered_and_forgotten(endpoint: Endpoint) -> None:
    real = endpoint.post("/subscribe", "email=uma@example.org")
    robot = endpoint.post("/subscribe", "email=tom@example.org&website=spam")
    assert real == robot
    assert requested(endpoint) == 1


def test_known_and_unknown_addresses_get_the_same_answer(endpoint: Endpoint) -> None:
    endpoint.look(lambda m: m.leave(m.register.identify("left@example.org"), source="a test"))
    answers = [
        endpoint.post("/subscribe", f"email={who}@example.org")
        for who in ("anna", "nobody", "left", "nobody")
    ]
    assert all(answer == answers[0] for answer in answers)


def test_the_answer_takes_its_time(serving: Callable[..., Endpoint]) -> None:
    endpoint = serving(CONFIG.replace("answer_after: 0", "answer_after: 0.3"))

    async def timed(who: str) -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await talk(
            endpoint.app,
            "POST",
            "/subscribe",
            chunks=[f"email={who}@example.org&website={who == 'trapped' or ''}".encode()],
            content_type=FORM,
        )
        return loop.time() - began

    for who in ("anna", "sam", "trapped"):
        assert endpoint.run(timed(who)) >= 0.3


TRUSTED = trusted_networks(["127.0.0.1/32", "10.0.0.0/8", "::1/128"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "network"),
    [
        ("203.0.113.77", [], "203.0.113.0/24"),
        ("203.0.113.77", ["198.51.100.1"], "203.0.113.0/24"),  # not a proxy of ours
        ("127.0.0.1", ["198.51.100.1"], "198.51.100.0/24"),
        ("127.0.0.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.0/24"),  # the client made up the rest
        ("127.0.0.1", ["1.1.1.1", "198.51.100.1, 10.1.2.3"], "198.51.100.0/24"),
        ("127.0.0.1", ["198.51.100.1:4711"], "198.51.100.0/24"),
        ("127.0.0.1", ["[2001:db8:1:2ff::9]:443"], "2001:db8:1:200::/56"),
        ("::1", ["2001:db8:1:2ff::9"], "2001:db8:1:200::/56"),
        ("fe80::1%eth0", [], "fe80::/56"),
        ("::ffff:203.0.113.5", [], "203.0.113.0/24"),
        ("::ffff:127.0.0.1", ["198.51.100.1"], "198.51.100.0/24"),
        ("127.0.0.1", ["unknown"], "127.0.0.0/24"),
        ("127.0.0.1", [""], "127.0.0.0/24"),
        ("127.0.0.1", ["198.51.100.1, <script>"], "127.0.0.0/24"),
        ("10.0.0.1", ["10.0.0.2, 10.0.0.3"], "10.0.0.0/24"),
        (None, ["198.51.100.1"], "198.51.100.0/24"),
        ("nonsense", ["198.51.100.1"], "unknown"),
    ],
)
def test_whose_word_counts(peer: str | None, forwarded: list[str], network: str) -> None:
    assert network_of(peer, forwarded, trusted=TRUSTED) == network


LARGE = b"x" * (guard.MAX_BODY + 1)


@pytest.mark.parametrize("path", ["/subscribe", "/u/TOKEN", "/p/TOKEN", "/c/TOKEN", "/nothing"])
@pytest.mark.parametrize(
    "wish",
    [
        {"chunks": [LARGE]},
        {"chunks": [b"x" * 9000, b"x" * 9000, b""]},
        {"chunks": [b""], "headers": [("Content-Length", "16385")]},
        {"chunks": [b""], "headers": [("Content-Length", "9" * 4000)]},
    ],
)
def test_a_body_that_is_too_large(standing: Endpoint, path: str, wish: dict[str, Any]) -> None:
    path = path.replace("TOKEN", standing.token("anna"))
    refused = standing.ask("POST", path, content_type=FORM, **wish)
    assert (refused.status, heading(refused)) == (413, "Too much")
    assert refused.headers["connection"] == "close"


def test_a_body_that_does_not_come(standing: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.05)
    slow = standing.ask("POST", "/subscribe", chunks=[b"email=", 5.0, b"x"], content_type=FORM)
    assert (slow.status, heading(slow)) == (408, "That took too long")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff\xfe", FORM),
        (b"email=%ff%fe@example.org", FORM),
        (b"&".join(b"a=1" for _ in range(60)), FORM),
        (b"email=a@example.org", "text/plain"),
        (b"{", "application/json"),
        (b"[" * 16000, "application/json"),
        (b'{"email": ' * 1600, "application/json"),
        (b"\xff", "application/json"),
        (b"x", "multipart/form-data"),
        (b"x", "multipart/form-data; boundary="),
        (b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=b"),
        (
            b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nx\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
        (Multipart({str(n): "" for n in range(60)}).body.encode(), Multipart().kind),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read(standing: Endpoint, body: bytes, kind: str) -> None:
    for path in ("/subscribe", f"/p/{standing.token('anna')}"):
        refused = standing.ask("POST", path, chunks=[body], content_type=kind)
        assert refused.status == 415, refused.text
    left = standing.ask("POST", f"/u/{standing.token('anna')}", chunks=[body], content_type=kind)
    assert heading(left) == "You have been unsubscribed", "that much is always clear"


def test_a_form_as_multipart(endpoint: Endpoint) -> None:
    form = Multipart({"email": "rob@example.org", "name": "Röb"})
    assert endpoint.post("/subscribe", form.body, content_type=form.kind).status == 200
    assert endpoint.look(lambda m: m.person(m.register.identify("rob@example.org"))).name == "Röb"


EVERYWHERE = {
    "cache-control": "no-store",
    "content-security-policy": guard.PAGE_POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}


@pytest.mark.parametrize("path", ["/u/TOKEN", "/p/TOKEN", "/u/forged", "/nothing", "/ready"])
def test_what_every_answer_wears(standing: Endpoint, path: str) -> None:
    worn = standing.get(path.replace("TOKEN", standing.token("anna"))).headers
    assert EVERYWHERE.items() <= worn.items()
    assert "set-cookie" not in worn
    assert standing.get("/").headers["x-robots-tag"] == "all"


def test_links_are_those_of_the_settings_whatever_the_host_says(
    serving: Callable[..., Endpoint],
) -> None:
    below = CONFIG.replace("https://weekly.example.org", "https://example.org/news/weekly")
    endpoint = serving(below)
    assert endpoint.get("/u/x").status == 404
    for prefix in ("", "/news/weekly"):  # the proxy takes it off, or leaves it on
        shown = endpoint.get(f"{prefix}/u/{endpoint.token('anna')}")
        assert f'action="/news/weekly/u/{endpoint.token("anna")}"' in shown.text
        assert "forged.example" not in shown.text
        style = shown.text.partition('rel="stylesheet" href="')[2].partition('"')[0]
        assert style.startswith("/news/weekly/assets/")
        css = endpoint.get(style.removeprefix("/news/weekly" if not prefix else ""))
        assert css.headers["content-type"] == "text/css; charset=utf-8"
        tag = [("If-None-Match", css.headers["etag"])]
        assert endpoint.get(style, headers=tag).status == 304
    assert endpoint.get("/news/weekly").status == 200
    assert endpoint.get("/news/weekly-other/").status == 404


def test_the_visitor_may_choose_between_two_languages(standing: Endpoint) -> None:
    for wanted, lang in {
        "": "en",
        "de": "en",
        "zh-CN": "zh-CN",
        "en-GB,zh;q=0.5": "en",
        "de, zh;q=0.8, en;q=0.4": "zh-CN",
        "zh;q=0, en;q=0.1": "en",
        "zhx, x;q=y, *": "en",
    }.items():
        shown = standing.get("/", headers=[("Accept-Language", wanted)])
        assert f'<html lang="{lang}"' in shown.text, wanted
        assert shown.headers["vary"] == "Accept-Language"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/u/AQEaFL9Jfxl_tokentoken", "/u/AQEa…"),
        ("/v/64/EgEaFL9J", "/v/64/EgEa…"),
        ("/v/64/picture/0123456789abcdef", "/v/64/0123…"),
        ("/u/anna@example.org", "/u/anna…"),
        ("/u/a@b\n", "/u/…"),
        ("/anna@example.org", "(no such page)"),
        ("/subscribe", "/subscribe"),
        ("/assets/x.css", "/assets/…"),
        ("", "(no such page)"),
    ],
)
def test_the_log_has_no_tokens_and_no_addresses(path: str, shown: str) -> None:
    assert shown_path(path) == shown


def test_a_database_that_cannot_be_written(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    leave = f"/u/{endpoint.token('anna')}"
    with no_room():
        answers = [
            endpoint.post(leave, "List-Unsubscribe=One-Click"),
            endpoint.post("/subscribe", "email=quin@example.org"),
            endpoint.post(f"/p/{endpoint.token('anna')}", "name=Ann"),
        ]
        assert endpoint.get(f"/p/{endpoint.token('anna')}").status == 200, "reading goes on"
    for answer in answers:
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) > 0
        assert "nothing was changed" in answer.text
    assert "the disk does not answer" in caplog.text
    assert "@" not in caplog.text
    anna = endpoint.look(lambda m: m.person(m.register.identify("anna@example.org")))
    assert (anna.name, anna.status) == ("Anna", "active")
    assert endpoint.get("/ready").status == 200
    assert endpoint.post(leave).status == 200, "and when there is room again, it is stored"
    assert endpoint.look(lambda m: m.register.suppression(m.register.identify("anna@example.org")))


def test_a_database_that_is_locked_is_not_ready(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "READY_SECONDS", 0.2)
    assert endpoint.get("/ready").text == '{"database":"ready"}'
    with closing(sqlite3.connect(endpoint.project.database)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert endpoint.get("/ready").status == 503
        assert endpoint.get("/health").status == 200
        assert endpoint.get(f"/p/{endpoint.token('anna')}").status == 200, "reading goes on"
        other.execute("ROLLBACK")


def test_a_page_that_cannot_be_made_is_a_page_all_the_same(
    serving: Callable[..., Endpoint], caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = serving()
    own = endpoint.project.root / "templates/pages"
    own.mkdir(parents=True)
    (own / "leave.html.j2").write_text("{{ nothing }}", "utf-8")
    broken = endpoint.get(f"/u/{endpoint.token('anna')}")
    assert (broken.status, heading(broken)) == (500, "Something went wrong")
    assert "templates/pages/leave.html.j2:1" in caplog.text
    assert endpoint.post(f"/u/{endpoint.token('anna')}").status == 200


@pytest.mark.parametrize(
    ("old", "new", "environ", "says"),
    [
        ("public_url: https://weekly.example.org\n", "", {}, "has no public_url"),
        ("", "", {"relay": ""}, "nobody can be asked to confirm"),
        ("", "", {"NEWSLETTER_SECRET": "short"}, "NEWSLETTER_SECRET must have"),
        ("timezone: UTC", "timezone: Mars", {}, "IANA"),
        ("timezone: UTC", "masthead: none.png", {}, "there is no picture"),
    ],
)
def test_what_is_missing_is_told_at_the_start(
    serving: Callable[..., Endpoint], old: str, new: str, environ: dict[str, str], says: str
) -> None:
    with pytest.raises(NewsletterError, match=says):
        serving(CONFIG.replace(old, new), **environ)
