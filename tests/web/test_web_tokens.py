"""Looking changes nothing, and whoever makes up a token finds nothing."""

from __future__ import annotations

import base64
import hashlib
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from web_stage import ISSUE, NOW, Endpoint, heading, person, talk

from newsletter.audience.confirming import confirmation_token
from newsletter.audience.register import DAY, Origin
from newsletter.audience.tokens import Keyring, Purpose
from newsletter.mailing import Intake
from newsletter.membership import Membership

LOOKS = 1000
FORGERIES = 10_000
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.fixture
def peopled(serving: Callable[..., Endpoint], relay: str) -> Endpoint:
    """An endpoint with an issue that was planned, Anna who is active and Ben who was asked."""
    endpoint = serving()
    root = endpoint.project.root
    (root / "content").mkdir()
    (root / "content/001.yaml").write_text(ISSUE, "utf-8")

    def plan(membership: Membership) -> None:
        membership.request(person("ben"), source="a test")
        membership.register.asked(
            membership.register.identify("ben@example.org"), Origin(at=NOW, source="a test")
        )
        intake = Intake(membership.project)
        membership.ledger.plan(1, digest="d", subscribers=intake, now=NOW)

    endpoint.look(plan)
    return endpoint


def paths(endpoint: Endpoint) -> dict[str, str]:
    """Beginning of a path to its genuine token."""
    keyring = endpoint.keyring
    confirming = confirmation_token(
        keyring, keyring.subscriber_id("ben@example.org"), until=NOW + DAY
    )
    return {
        "/c/": confirming,
        "/u/": endpoint.token("anna"),
        "/p/": endpoint.token("anna", Purpose.PREFERENCES),
        "/v/1/": endpoint.token("anna", Purpose.VIEW),
    }


def dump(database: Path) -> str:
    """Everything in the database, as SQL, hashed."""
    with closing(sqlite3.connect(database)) as connection:
        lines = "\n".join(connection.iterdump())
    return hashlib.sha256(lines.encode()).hexdigest()


def test_a_thousand_looks_change_nothing(peopled: Endpoint) -> None:
    genuine = [beginning + token for beginning, token in paths(peopled).items()]
    others = ["/", "/subscribe", "/ready", "/health", "/nothing", "/v/1/picture/" + "0" * 16]
    before = dump(peopled.project.database)
    for number in range(LOOKS):
        method = ("GET", "HEAD")[number % 2]
        path = genuine[number // 2 % len(genuine)]
        assert peopled.ask(method, path).status == 200, path
    for path in others:
        for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
            peopled.ask(method, path)
    for path in genuine:
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
            refused = peopled.ask(method, path)
            assert refused.status == 405
            assert set(refused.headers["allow"].split(", ")) >= {"GET", "HEAD"}
    assert dump(peopled.project.database) == before


def forgeries(endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    """Beginnings of paths with tokens that are not good there."""
    chance = random.Random(64)
    genuine = paths(endpoint)
    foreign = Keyring({1: hashlib.sha256(b"another key").digest()})
    anna = foreign.subscriber_id("anna@example.org")
    mine = endpoint.keyring.subscriber_id("anna@example.org")
    until = NOW + DAY
    for beginning in genuine:
        for purpose in Purpose:
            yield beginning, foreign.token(purpose, anna)
            yield beginning, foreign.token(purpose, mine)
        yield beginning, confirmation_token(foreign, anna, until=until)
        for other, token in genuine.items():
            if other != beginning and (beginning, other) != ("/p/", "/u/"):
                yield beginning, token
        yield beginning, endpoint.keyring.token(Purpose.BOUNCE, mine)
        yield beginning, genuine[beginning] + "="
        yield beginning, genuine[beginning] + "A"
        yield beginning, genuine[beginning].swapcase()
        for end in range(1, len(genuine[beginning])):
            yield beginning, genuine[beginning][:end]
        raw = base64.urlsafe_b64decode(genuine[beginning] + "=" * (-len(genuine[beginning]) % 4))
        for bit in range(8 * len(raw)):
            changed = bytearray(raw)
            changed[bit // 8] ^= 1 << bit % 8
            yield beginning, base64.urlsafe_b64encode(changed).decode().rstrip("=")
    while True:
        beginning, token = chance.choice(list(genuine.items()))
        kind = chance.randrange(3)
        if kind == 0:  # one character changed; the last one may hold bits that mean nothing
            at = chance.randrange(len(token))
            other = chance.choice(ALPHABET.replace(token[at], ""))
            yield beginning, token[:at] + other + token[at + 1 :]
        elif kind == 1:
            yield beginning, "".join(chance.choices(ALPHABET, k=len(token)))
        else:
            yield (
                beginning,
                "".join(chance.choices("Aé%0.\\\t ?=" + ALPHABET, k=chance.randrange(1, 80))),
            )


def test_ten_thousand_forgeries_find_nothing(peopled: Endpoint) -> None:
    before = dump(peopled.project.database)
    found: set[tuple[str, str, int, str]] = set()

    async def try_all() -> None:
        made = forgeries(peopled)
        for number in range(FORGERIES):
            beginning, token = next(made)
            method = ("POST", "GET")[number % 2]
            answer = await talk(peopled.app, method, beginning + token, chunks=[b""])
            found.add((beginning, method, answer.status, heading(answer)))

    peopled.run(try_all())
    wrong, expired = "This link does not work", "This link has expired"
    assert found == {
        ("/c/", "GET", 404, expired),
        ("/c/", "POST", 404, expired),
        ("/u/", "GET", 404, wrong),
        ("/u/", "POST", 200, wrong),
        ("/p/", "GET", 404, wrong),
        ("/p/", "POST", 404, wrong),
        ("/v/1/", "GET", 404, wrong),
        ("/v/1/", "POST", 405, "This cannot be done here"),
    }
    assert dump(peopled.project.database) == before


@pytest.mark.parametrize("number", ["2", "0", "01", "9" * 5000, "-1", "x", "１"])
def test_an_issue_that_was_not_sent_is_not_shown(peopled: Endpoint, number: str) -> None:
    token = peopled.token("anna", Purpose.VIEW)
    assert peopled.get(f"/v/{number}/{token}").status == 404
    assert peopled.get(f"/v/{number}/picture/{'0' * 16}").status == 404


def test_an_issue_is_shown_as_it_was_sent_to_its_readers_only(peopled: Endpoint) -> None:
    shown = peopled.get(f"/v/1/{peopled.token('anna', Purpose.VIEW)}")
    assert "Hello" in shown.text
    assert f"https://weekly.example.org/u/{peopled.token('anna')}" in shown.text
    assert shown.headers["content-security-policy"].startswith(
        "default-src 'none'; img-src 'self';"
    )
    assert peopled.get(f"/v/1/{peopled.token('ben', Purpose.VIEW)}").status == 404
    source = peopled.project.root / "content/001.yaml"
    source.write_text(source.read_text().replace("Hello", "Mended"), "utf-8")
    assert "Mended" in peopled.get(f"/v/1/{peopled.token('anna', Purpose.VIEW)}").text
    source.unlink()
    assert peopled.get(f"/v/1/{peopled.token('anna', Purpose.VIEW)}").status == 404
