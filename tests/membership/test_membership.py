"""The life of a subscriber, whichever way the list is kept: in the database or in a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.audience.models import Subscriber, SubscriberStatus
from newsletter.audience.register import DAY, Change
from newsletter.errors import LedgerError
from newsletter.mail.address import parse_address
from newsletter.mailing import Intake
from newsletter.membership import Membership, open_membership
from newsletter.project import Project

NOW = 1_800_000_000.0
SECRET = {"NEWSLETTER_SECRET": "a secret of the membership tests"}
CONFIG = """\
name: Small Weekly
timezone: UTC
from: {name: Small Weekly, address: weekly@example.org}
"""
LIST = "email;name;city\r\nanna@example.org;Anna;Bonn\r\n"


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["subscribers.csv", "database"])
def club(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Membership]:
    """A publication whose one subscriber is Anna."""
    (tmp_path / "newsletter.yaml").write_text(f"{CONFIG}audience: {request.param}\n")
    project = Project.open(tmp_path, environ=SECRET)
    with open_membership(project, clock=clock) as membership:
        if project.publication.keeps_list:
            anna = person("anna", name="Anna", fields={"city": "Bonn"})
            assert membership.add(anna, source="a test")
        else:
            (tmp_path / "subscribers.csv").write_bytes(LIST.encode())
        yield membership


def person(who: str, **more: object) -> Subscriber:
    address = parse_address(f"{who}@example.org")
    return replace(Subscriber(address=address), **more)  # type: ignore[arg-type]


def identity(club: Membership, who: str) -> bytes:
    return club.register.identify(f"{who}@example.org")


def recipients(club: Membership) -> list[str]:
    """Who would get the next issue."""
    found = [one.address.local for one in Intake(club.project)]
    return [one for one in found if not club.ledger.suppression(f"{one}@example.org")]


def plan(club: Membership, issue: int) -> None:
    club.ledger.plan(issue, digest="d", subscribers=Intake(club.project), now=club.now())


def test_asking_and_confirming_puts_somebody_on_the_list(club: Membership) -> None:
    assert club.request(person("ben", name="Ben"), source="form")
    assert recipients(club) == ["anna"], "not before it is confirmed"
    confirmed = club.confirm(identity(club, "ben"), source="link", network="203.0.113.0/24")
    assert confirmed
    assert confirmed.name == "Ben"
    assert recipients(club) == ["anna", "ben"]
    listed = club.project.subscriber("ben@example.org")
    assert listed
    assert listed.status is SubscriberStatus.ACTIVE
    (consent,) = club.register.consents(identity(club, "ben"))
    assert (consent.network, consent.wording) == ("203.0.113.0/24", club.wording)
    assert "Small Weekly" in club.wording


def test_who_is_on_the_list_is_not_asked(club: Membership) -> None:
    assert not club.request(person("Anna"), source="form")
    assert list(club.register.to_confirm(now=NOW, limit=9)) == []


def test_asking_again_is_limited(club: Membership, clock: Clock) -> None:
    assert club.request(person("ben"), source="form")
    assert not club.request(person("ben"), source="form")
    clock.now += DAY
    assert club.request(person("ben"), source="form")


def test_nobody_is_confirmed_who_never_asked(club: Membership) -> None:
    assert club.confirm(identity(club, "ben"), source="link") is None
    assert recipients(club) == ["anna"]


def test_leaving_by_token_alone(club: Membership) -> None:
    plan(club, 1)
    anna = identity(club, "anna")
    assert club.leave(anna, source="one-click")
    assert not club.leave(anna, source="one-click")
    stop = club.register.suppression(anna)
    assert stop
    assert (stop.address, stop.reason, stop.source) == (
        "anna@example.org",
        "unsubscribed",
        "one-click",
    )
    known = club.person(anna)
    assert known
    assert known.status is SubscriberStatus.UNSUBSCRIBED


def test_who_has_left_may_come_back_by_themselves(club: Membership) -> None:
    plan(club, 1)
    anna = identity(club, "anna")
    club.leave(anna, source="one-click")
    assert club.request(person("anna"), source="form")
    assert club.register.suppression(anna), "not before it is confirmed"
    assert club.confirm(anna, source="link")
    assert recipients(club) == ["anna"]
    changes = [event.change for event in club.register.history(anna)]
    assert Change.CONFIRMED in changes
    assert Change.LIFTED in changes


def test_subscribers_change_what_is_known_of_them(club: Membership) -> None:
    plan(club, 1)
    anna = identity(club, "anna")
    assert club.update(anna, lambda one: replace(one, name="Anna B."), source="preferences")
    known = club.project.subscriber("anna@example.org")
    assert known
    assert (known.name, known.fields) == ("Anna B.", {"city": "Bonn"})
    assert not club.update(identity(club, "ben"), lambda one: one, source="preferences")


def test_the_operator_adds_once(club: Membership) -> None:
    assert club.add(person("ben"), source="operator", reason="a card from the fair")
    assert not club.add(person("BEN"), source="operator")
    assert recipients(club) == ["anna", "ben"]


def test_the_operator_takes_somebody_back(club: Membership) -> None:
    anna = identity(club, "anna")
    assert club.leave(anna, source="operator", reason="a letter", address="anna@example.org")
    stop = club.register.suppression(anna)
    assert stop
    assert stop.address == "anna@example.org"
    assert club.add(person("ben"), source="operator")
    assert recipients(club) == ["ben"]
    assert club.lift(anna, key="anna@example.org", source="operator", reason="asked by phone")
    assert recipients(club) == ["anna", "ben"]
    assert not club.lift(anna, key="anna@example.org", source="operator", reason="again")
    if not club.project.publication.keeps_list:
        (club.project.root / "subscribers.csv").write_text(
            "email,status\nanna@example.org,unsubscribed\n"
        )
        assert club.lift(anna, key="anna@example.org", source="operator", reason="again")
        assert recipients(club) == ["anna"]


def test_the_operator_begins_a_list(club: Membership) -> None:
    if not club.project.publication.keeps_list:
        (club.project.root / "subscribers.csv").unlink()
    assert club.add(person("ben"), source="operator")
    assert "ben" in recipients(club)


def test_who_is_forgotten_stands_nowhere(club: Membership) -> None:
    plan(club, 1)
    log = club.project.state_dir / "log" / "001.jsonl"
    log.parent.mkdir()
    other = '{"address": "ben@example.org", "reply": "250"}\n'
    log.write_text(f'{{"address": "Anna@example.org", "reply": "550 anna"}}\n{other}torn')
    club.add(person("ben"), source="operator")
    anna = identity(club, "anna")
    assert club.forget(anna, key="anna@example.org", source="operator")
    assert not club.forget(identity(club, "nobody"), key="nobody@example.org", source="operator")
    assert recipients(club) == ["ben"]
    assert log.read_text() == f'{{"address": null, "reply": ""}}\n{other}torn'
    for path in club.project.root.rglob("*"):
        if path.is_file():
            assert b"anna@" not in path.read_bytes().lower(), path
    club.add(person("anna"), source="operator")
    assert recipients(club) == ["ben"], "an old export does not bring them back"


def test_another_key_is_refused(club: Membership) -> None:
    plan(club, 1)
    other = Project.open(club.project.root, environ={"NEWSLETTER_SECRET": "quite another secret"})
    with pytest.raises(LedgerError, match="made with another key"):
        other.register()
    with closing(other.ledger()) as ledger:
        assert ledger.campaign(1), "looking needs no key"
        with pytest.raises(LedgerError, match="made with another key"):
            ledger.plan(2, digest="d", subscribers=[person("ben")], now=NOW)
