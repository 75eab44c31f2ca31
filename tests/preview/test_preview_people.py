"""Choosing a reader."""

from __future__ import annotations

from typing import Any

import pytest

from newsletter.audience.models import Subscriber, SubscriberStatus
from newsletter.content.models import Issue
from newsletter.mail.address import parse_address
from newsletter.preview.people import SHOWN, People


def _subscriber(address: str, name: str = "", **more: Any) -> Subscriber:
    more["tags"] = frozenset(more.get("tags", ()))
    return Subscriber(address=parse_address(address), name=name, **more)


@pytest.fixture
def people() -> People:
    return People(
        [
            _subscriber("gone@example.org", "走了", status=SubscriberStatus.UNSUBSCRIBED),
            _subscriber("lin@example.com", "林晓雨", tags=["paper"], language="zh-CN"),
            _subscriber("Bo@example.com", "王"),
            _subscriber("bo@EXAMPLE.com", "again"),
            _subscriber("long@example.net", "Maximiliane Mustermann", language="en"),
            _subscriber("none@example.org"),
        ]
    )


@pytest.fixture
def issue() -> Issue:
    text = {"kind": "text", "body": "x"}
    only = {**text, "only": {"tags": ["paper"]}}
    return Issue.model_validate({"number": 1, "title": "x", "sections": [{"items": [text, only]}]})


def test_one_reader_per_address(people: People) -> None:
    assert len(people) == 5
    found = people.get("bo@example.com")
    assert found is not None
    assert found.name == "王"


def test_without_a_wish_it_is_the_first_who_receives_mail(people: People) -> None:
    found = people.first()
    assert found is not None
    assert found.name == "林晓雨"


def test_somebody_without_mail_can_be_looked_at_all_the_same(people: People) -> None:
    found = people.get("gone@example.org")
    assert found is not None
    assert found.name == "走了"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["active", "unsubscribed"], "unsubscribed"),
        (["unsubscribed", "active"], "unsubscribed"),
        (["pending", "active"], "active"),
        (["pending", "pending"], "pending"),
    ],
)
def test_of_several_rows_the_one_a_send_would_heed(rows: list[str], expected: str) -> None:
    people = People(_subscriber("a@example.com", status=SubscriberStatus(row)) for row in rows)
    found = people.get("a@example.com")
    assert found is not None
    assert found.status == expected


def test_nobody(issue: Issue) -> None:
    assert People([]).get("x") is None
    assert People([]).first() is None
    assert People([]).search("", issue=issue) == ([], 0)


def test_roles(people: People, issue: Issue) -> None:
    roles = people.roles(issue)
    told = {
        key: [(role.code, role.variant, role.hidden) for role in found]
        for key, found in roles.items()
    }
    assert told == {
        "lin@example.com": [("variant", 1, 0)],
        "bo@example.com": [("variant", 2, 1), ("shortest", 0, 0)],
        "long@example.net": [("longest", 0, 0)],
        "none@example.org": [("nameless", 0, 0)],
    }


def test_one_edition_for_all_has_no_variants(people: People) -> None:
    plain = Issue.model_validate(
        {"number": 1, "title": "x", "sections": [{"items": [{"kind": "text", "body": "x"}]}]}
    )
    codes = {role.code for found in people.roles(plain).values() for role in found}
    assert codes == {"longest", "shortest", "nameless"}


def test_those_with_a_role_come_first(people: People, issue: Issue) -> None:
    found, total = people.search("", issue=issue)
    assert total == 5
    assert [bool(person.roles) for person in found] == [True, True, True, True, False]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("林", ["lin@example.com"]),
        ("EXAMPLE.COM", ["lin@example.com", "bo@example.com"]),
        ("paper zh", ["lin@example.com"]),
        ("max muster", ["long@example.net"]),
        ("nobody", []),
    ],
)
def test_search(people: People, words: str, expected: list[str]) -> None:
    found, total = people.search(words, issue=None)
    keys = [person.subscriber.address.key for person in found]
    assert sorted(keys) == sorted(expected)
    assert total == len(expected)


def test_a_long_list_is_cut_and_counted() -> None:
    many = People(_subscriber(f"u{n}@example.com", f"n{n}") for n in range(500))
    found, total = many.search("u", issue=None)
    assert (len(found), total) == (SHOWN, 500)


def test_json(people: People, issue: Issue) -> None:
    found, _total = people.search("lin", issue=issue)
    assert found[0].json() == {
        "key": "lin@example.com",
        "name": "林晓雨",
        "address": "lin@example.com",
        "status": "active",
        "tags": ["paper"],
        "language": "zh-CN",
        "sample": False,
        "roles": [{"code": "variant", "variant": 1, "hidden": 0}],
    }
