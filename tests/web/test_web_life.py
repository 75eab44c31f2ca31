"""Joining, changing and leaving, page by page, and what is on record afterwards."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from web_stage import CONFIG, ISSUE, NOW, Clock, Endpoint, Multipart, heading, person

from newsletter.audience.models import SubscriberStatus
from newsletter.audience.register import DAY, Change
from newsletter.audience.tokens import Purpose
from newsletter.mailing import Intake
from newsletter.membership import Membership


def status(endpoint: Endpoint, who: str) -> SubscriberStatus | None:
    def find(membership: Membership) -> SubscriberStatus | None:
        found = membership.person(membership.register.identify(f"{who}@example.org"))
        return found.status if found else None

    return endpoint.look(find)


def story(endpoint: Endpoint, who: str) -> list[tuple[Change, str]]:
    def read(membership: Membership) -> list[tuple[Change, str]]:
        events = membership.register.history(membership.register.identify(f"{who}@example.org"))
        return [(event.change, event.source) for event in events]

    return endpoint.look(read)


def link(endpoint: Endpoint, caught: Path, who: str, number: int = 1) -> str:
    """The path of the link in a confirmation mail, which is waited for."""
    path = caught / f"{who}@example.org{f'-{number}' if number > 1 else ''}.eml"
    endpoint.settle(lambda: path.exists() and path.read_bytes().endswith(b"--\r\n"))
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    text = message.get_body(preferencelist=("plain",)).get_content()  # type: ignore[union-attr]
    (found,) = re.findall(r"^https://weekly\.example\.org(/c/\S+)", text, re.MULTILINE)
    return str(found)


def test_joining_by_form(endpoint: Endpoint, caught: Path) -> None:
    sent = endpoint.post(
        "/subscribe", "email=ben%40example.org&name=Ben&topics=events&language=zh-CN"
    )
    assert (sent.status, heading(sent)) == (200, "Please check your mail")
    path = link(endpoint, caught, "ben")
    assert status(endpoint, "ben") is SubscriberStatus.PENDING
    shown = endpoint.get(path)
    assert heading(shown) == "Confirm your subscription"
    assert status(endpoint, "ben") is SubscriberStatus.PENDING, "a look does not confirm"
    for _ in range(2):
        assert heading(endpoint.post(path)) == "You are subscribed"
    found = endpoint.look(lambda m: m.person(m.register.identify("ben@example.org")))
    assert (found.name, found.language, found.tags) == ("Ben", "zh-CN", {"events"})
    assert found.status is SubscriberStatus.ACTIVE
    endpoint.settle(lambda: (Change.ASKED, "confirmation mail") in story(endpoint, "ben"))
    assert story(endpoint, "ben") == [
        (Change.REQUESTED, "web form"),
        (Change.ASKED, "confirmation mail"),
        (Change.CONFIRMED, "web"),
    ]
    (consent,) = endpoint.look(
        lambda m: m.register.consents(m.register.identify("ben@example.org"))
    )
    assert consent.wording == "I want to receive Small Weekly by mail."
    assert consent.network == "127.0.0.0/24"


def test_what_is_agreed_to_is_kept_as_it_was_read(endpoint: Endpoint, caught: Path) -> None:
    endpoint.post("/subscribe", "email=bo%40example.org")
    chinese = [("Accept-Language", "zh-CN,zh;q=0.9")]
    path = link(endpoint, caught, "bo")
    assert "我愿意通过电子邮件收到《Small Weekly》。" in endpoint.get(path, headers=chinese).text
    endpoint.post(path, headers=chinese)
    (consent,) = endpoint.look(lambda m: m.register.consents(m.register.identify("bo@example.org")))
    assert consent.wording == "我愿意通过电子邮件收到《Small Weekly》。"


def test_a_list_in_a_file(serving: Callable[..., Endpoint], caught: Path, clock: Clock) -> None:
    endpoint = serving(CONFIG.replace("audience: database", "audience: list.csv"))
    listed = endpoint.project.root / "list.csv"
    listed.write_text("email,name,tags\nanna@example.org,Anna,vip; papers\n", "utf-8")
    endpoint.post("/subscribe", "email=carl%40example.org&name=Carl&topics=papers")
    path = link(endpoint, caught, "carl")
    assert "carl" not in listed.read_text()
    for _ in range(2):
        assert heading(endpoint.post(path)) == "You are subscribed"
    assert listed.read_text().count("carl@example.org") == 1
    endpoint.look(
        lambda m: m.ledger.plan(1, digest="d", subscribers=Intake(m.project), now=clock())
    )
    changed = endpoint.post(f"/p/{endpoint.token('anna')}", "name=Ann&topics=events")
    assert "Saved." in changed.text
    assert "anna@example.org,Ann,events; vip" in listed.read_text()
    refused = endpoint.post(f"/p/{endpoint.token('anna')}", "name=Ann&language=zh-CN")
    assert refused.status == 503, "the file has no column for it"
    assert heading(endpoint.post(f"/u/{endpoint.token('anna')}")) == "You have been unsubscribed"
    assert "not subscribed" in endpoint.get(f"/p/{endpoint.token('anna')}").text


def test_leaving_by_page_and_by_one_click(endpoint: Endpoint) -> None:
    path = f"/u/{endpoint.token('anna')}"
    assert heading(endpoint.get(path)) == "Unsubscribe from Small Weekly"
    assert status(endpoint, "anna") is SubscriberStatus.ACTIVE
    for _ in range(2):
        left = endpoint.post(path)
        assert (left.status, heading(left)) == (200, "You have been unsubscribed")
    assert status(endpoint, "anna") is SubscriberStatus.UNSUBSCRIBED
    assert story(endpoint, "anna")[-1] == (Change.UNSUBSCRIBED, "unsubscribe page")


MULTIPART = Multipart({"List-Unsubscribe": "One-Click"})
BODIES = {
    "urlencoded": ("List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
    "multipart": (MULTIPART.body, MULTIPART.kind),
    "no type": ("List-Unsubscribe=One-Click", ""),
    "empty": ("", ""),
    "garbage": ("\0\x01{", "application/octet-stream"),
    "broken multipart": ("--nothing", "multipart/form-data"),
}


@pytest.mark.parametrize("kind", BODIES)
def test_one_click_twice(endpoint: Endpoint, kind: str) -> None:
    body, content_type = BODIES[kind]
    for _ in range(2):
        done = endpoint.post(f"/u/{endpoint.token('anna')}", body, content_type=content_type)
        assert done.status == 200
        assert "set-cookie" not in done.headers
        assert "location" not in done.headers
        assert status(endpoint, "anna") is SubscriberStatus.UNSUBSCRIBED
    source = "one-click" if "One-Click" in body else "unsubscribe page"
    assert [each for each in story(endpoint, "anna") if each[0] is Change.UNSUBSCRIBED] == [
        (Change.UNSUBSCRIBED, source)
    ]


def test_a_genuine_link_of_nobody_is_answered_alike(endpoint: Endpoint) -> None:
    known, unknown = endpoint.token("anna"), endpoint.token("nobody")
    first, second = (endpoint.post(f"/u/{token}") for token in (known, unknown))
    assert first == second


def test_preferences(endpoint: Endpoint) -> None:
    path = f"/p/{endpoint.token('anna', Purpose.PREFERENCES)}"
    shown = endpoint.get(path).text
    assert 'value="Anna"' in shown
    assert re.search(r'value="papers" checked', shown)
    assert not re.search(r'value="events" checked', shown)
    assert endpoint.get(f"/p/{endpoint.token('anna')}").status == 200, "from the mail's own link"
    assert "Saved." in endpoint.post(path, "name=Annie&topics=events&language=zh-CN").text
    anna = endpoint.look(lambda m: m.person(m.register.identify("anna@example.org")))
    assert (anna.name, anna.language, anna.tags) == ("Annie", "zh-CN", {"events", "vip"})
    wrong = endpoint.post(path, "name=Annie&topics=everything")
    assert (wrong.status, "Please choose from the list." in wrong.text) == (422, True)
    assert heading(endpoint.post(path, "leave=yes")) == "You have been unsubscribed"
    assert "not subscribed" in endpoint.get(path).text
    assert "not subscribed" in endpoint.post(path, "name=Nobody").text
    assert endpoint.get(f"/p/{endpoint.token('nobody')}").status == 404


def test_what_must_be_looked_at_again(endpoint: Endpoint) -> None:
    long = "x" * 201
    wrong = endpoint.post("/subscribe", f"email=not+an+address&name={long}&language=tlh&topics=x")
    assert wrong.status == 422
    for name in ("email", "name", "language", "topics"):
        assert f'aria-describedby="{name}-error"' in wrong.text
        assert f'id="{name}-error"' in wrong.text
        assert f'href="#{name}"' in wrong.text
    assert 'value="not an address"' in wrong.text, "what was typed stands there again"
    assert "Please enter your mail address." in endpoint.post("/subscribe", "").text
    assert endpoint.post("/subscribe", "email=%22%3E%3Cb%3E").text.count("<b>") == 0


def test_joining_by_json(endpoint: Endpoint, caught: Path) -> None:
    def ask(value: object) -> tuple[int, object]:
        answer = endpoint.post("/subscribe", json.dumps(value), content_type="application/json")
        return answer.status, json.loads(answer.body)

    assert ask({"email": "dora@example.org", "topics": ["papers"]}) == (
        202,
        {"status": "confirmation needed"},
    )
    assert link(endpoint, caught, "dora")
    assert ask({"email": "x"}) == (422, {"errors": {"email": "invalid"}})
    for broken in ([], "x", {"email": {"a": 1}}, {"email": None}):
        assert ask(broken) == (415, {"error": "media"})
    assert endpoint.post("/subscribe", "{", content_type="application/json").status == 415


def test_a_link_expires_and_a_new_one_can_be_had(
    endpoint: Endpoint, caught: Path, clock: Clock
) -> None:
    endpoint.post("/subscribe", "email=emil%40example.org")
    path = link(endpoint, caught, "emil")
    clock.now = NOW + 7 * DAY + 1
    for answer in (endpoint.get(path), endpoint.post(path)):
        assert (answer.status, heading(answer)) == (404, "This link has expired")
    assert status(endpoint, "emil") is SubscriberStatus.PENDING
    endpoint.post("/subscribe", "email=emil%40example.org")
    assert heading(endpoint.post(link(endpoint, caught, "emil", 2))) == "You are subscribed"


def test_old_links_work_with_new_keys(
    serving: Callable[..., Endpoint], caught: Path, clock: Clock
) -> None:
    endpoint = serving(NEWSLETTER_SECRET="")
    secret = endpoint.project.state_dir / "secret"
    endpoint.post("/subscribe", "email=fritz%40example.org")
    old = {"/u/": endpoint.token("anna"), "/p/": endpoint.token("anna", Purpose.PREFERENCES)}
    confirming = link(endpoint, caught, "fritz")
    secret.write_text(f"2:{'ab' * 32}\n{secret.read_text()}")
    newer = serving(NEWSLETTER_SECRET="")
    assert newer.token("anna") != old["/u/"]
    for beginning, token in old.items():
        assert newer.get(beginning + token).status == 200
    assert heading(newer.post(confirming)) == "You are subscribed"
    newer.post("/u/" + old["/u/"])
    assert status(newer, "anna") is SubscriberStatus.UNSUBSCRIBED
    assert "not subscribed" in newer.get(f"/p/{newer.token('anna')}").text, "one person still"


def test_who_is_forgotten_is_unknown_and_can_still_leave(endpoint: Endpoint, clock: Clock) -> None:
    def forget(membership: Membership) -> None:
        membership.ledger.plan(1, digest="d", subscribers=[person("anna")], now=clock())
        who = membership.register.identify("anna@example.org")
        membership.forget(who, key="anna@example.org", source="a test")

    (endpoint.project.root / "content").mkdir()
    (endpoint.project.root / "content/001.yaml").write_text(ISSUE, "utf-8")
    endpoint.look(forget)
    assert endpoint.get(f"/p/{endpoint.token('anna')}").status == 404
    assert endpoint.get(f"/v/1/{endpoint.token('anna', Purpose.VIEW)}").status == 404
    assert heading(endpoint.post(f"/u/{endpoint.token('anna')}")) == "You have been unsubscribed"


def test_closed(serving: Callable[..., Endpoint]) -> None:
    endpoint = serving(CONFIG.replace("signup:", "signup:\n  open: false"), relay="")
    assert "New subscriptions are closed" in endpoint.get("/").text
    assert endpoint.post("/subscribe", "email=x%40example.org").status == 403
    assert heading(endpoint.post(f"/u/{endpoint.token('anna')}")) == "You have been unsubscribed"
