"""The example list at the top of the repository has one of everything, and no mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.audience.csvfile import read_subscribers
from newsletter.audience.models import Subscriber
from newsletter.audience.selection import Choice, Reason, select

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def choices() -> list[Choice]:
    return list(select(read_subscribers(Path("subscribers.example.csv"), root=ROOT)))


@pytest.fixture(scope="module")
def recipients(choices: list[Choice]) -> list[Subscriber]:
    return [choice.recipient for choice in choices if choice.recipient]


def test_about_a_dozen_rows_and_none_bad(choices: list[Choice]) -> None:
    assert 12 <= len(choices) <= 15
    assert not [choice.explanation for choice in choices if choice.left_out is Reason.BAD_ROW]


@pytest.mark.parametrize("reason", [Reason.PENDING, Reason.UNSUBSCRIBED, Reason.DUPLICATE])
def test_one_row_is_left_out_for_each_reason(choices: list[Choice], reason: Reason) -> None:
    assert [choice.left_out for choice in choices].count(reason) == 1


def test_the_duplicate_differs_in_case(choices: list[Choice]) -> None:
    (twice,) = (choice for choice in choices if choice.left_out is Reason.DUPLICATE)
    (first,) = (choice for choice in choices if choice.row.row == twice.first_row)
    assert twice.row.subscriber is not None
    assert first.recipient is not None
    assert twice.row.subscriber.address != first.recipient.address
    assert twice.row.subscriber.address.key == first.recipient.address.key


def test_all_are_on_example_domains(choices: list[Choice]) -> None:
    for choice in choices:
        assert choice.row.subscriber is not None
        domain = choice.row.subscriber.address.domain
        assert domain.endswith(("example.com", "example.org", "example.net"))


def test_addresses_of_every_kind(recipients: list[Subscriber]) -> None:
    assert [r for r in recipients if r.address.domain != r.address.unicode_domain]
    assert [r for r in recipients if r.address.needs_smtputf8]
    assert [r for r in recipients if "+" in r.address.local]
    assert [r for r in recipients if not r.name]


def test_names_tags_languages_and_a_free_column(recipients: list[Subscriber]) -> None:
    assert [r for r in recipients if r.name and r.name.isascii()]
    assert [r for r in recipients if r.name and not r.name.isascii()]
    assert len({r.language for r in recipients}) >= 4
    assert len({tag for r in recipients for tag in r.tags}) >= 3
    assert {name for r in recipients for name in r.fields} == {"组织"}
