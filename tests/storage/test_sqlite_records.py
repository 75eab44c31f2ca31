"""Subscribers as rows: whatever a list can hold comes back as it was."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from newsletter.audience.models import Subscriber
from newsletter.delivery.ledger import Outcome
from newsletter.delivery.states import State
from newsletter.mail.address import Address, parse_address
from newsletter.storage.sqlite import records

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SUBSCRIBERS = st.builds(
    Subscriber,
    address=st.sampled_from(
        [
            parse_address("a.b+c@example.org"),
            parse_address("用户@bücher.example"),
            Address('"odd local"', "example.org", "example.org"),
        ]
    ),
    name=TEXT,
    tags=st.frozensets(TEXT, max_size=4),
    language=st.none() | st.sampled_from(["zh-CN", "en"]),
    fields=st.dictionaries(TEXT, TEXT, max_size=4),
    joined=st.none() | st.dates(),
)


@given(SUBSCRIBERS)
def test_a_subscriber_survives(subscriber: Subscriber) -> None:
    assert records.thaw(records.freeze(subscriber)) == subscriber


@given(SUBSCRIBERS)
def test_the_same_subscriber_is_the_same_row(subscriber: Subscriber) -> None:
    assert records.freeze(subscriber) == records.freeze(records.thaw(records.freeze(subscriber)))


def test_a_plain_subscriber_is_a_short_row() -> None:
    plain = Subscriber(address=parse_address("a@example.org"))
    assert records.freeze(plain) == '{"at":["a","example.org"]}'


@given(TEXT, st.floats(0, 1e9))
def test_outcomes_are_json(reply: str, seconds: float) -> None:
    told = Outcome(id=1, state=State.FAILED, at=1.5, reply=reply, seconds=seconds)
    (row,) = json.loads(records.outcomes_json([told]))
    assert row[:3] == [1, "failed", 1.5]
    assert row[5] == reply
