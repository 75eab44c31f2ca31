"""Between rows and values: a subscriber frozen as JSON, entries and attempts as the protocol shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from newsletter.audience.models import Subscriber, united
from newsletter.delivery.ledger import Attempt, Entry, Intent, Outcome
from newsletter.delivery.states import State
from newsletter.mail.address import Address

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def freeze(subscriber: Subscriber) -> str:
    """Everything a message needs of a subscriber; what is empty is left out."""
    address = subscriber.address
    record: dict[str, Any] = {"at": [address.local, address.domain]}
    if address.unicode_domain != address.domain:
        record["at"].append(address.unicode_domain)
    if subscriber.name:
        record["name"] = subscriber.name
    if subscriber.tags:
        record["tags"] = sorted(subscriber.tags)
    if subscriber.language:
        record["language"] = subscriber.language
    if subscriber.fields:
        record["fields"] = dict(subscriber.fields)
    if subscriber.joined:
        record["joined"] = subscriber.joined.isoformat()
    return _encode(record)


def thaw(text: str) -> Subscriber:
    """The subscriber that `freeze` wrote."""
    record: Mapping[str, Any] = json.loads(text)
    at = record["at"]
    return Subscriber(
        address=Address(at[0], at[1], at[-1]),
        name=record.get("name", ""),
        tags=frozenset(record.get("tags", ())),
        language=record.get("language"),
        fields=record.get("fields", {}),
        joined=date.fromisoformat(record["joined"]) if "joined" in record else None,
    )


def merge(known: str, found: str, overwrite: int) -> str:
    """`united` of two frozen subscribers, frozen; as a function that SQL can call."""
    if known == found:
        return known
    return freeze(united(thaw(known), thaw(found), overwrite=bool(overwrite)))


def intents_json(intents: Sequence[Intent]) -> str:
    """Rows for json_each: [id, message_id]."""
    return json.dumps([(intent.id, intent.message_id) for intent in intents])


def outcomes_json(outcomes: Sequence[Outcome]) -> str:
    """Rows for json_each, in the order that ledger.sql reads them."""
    return json.dumps(
        [
            (
                outcome.id,
                outcome.state.value,
                outcome.at,
                outcome.stage,
                outcome.code,
                outcome.reply,
                outcome.message_id,
                round(outcome.seconds, 4),
                int(outcome.charged),
                outcome.next_attempt_at or 0,
                outcome.suppress,
            )
            for outcome in outcomes
        ],
        ensure_ascii=False,
    )


def entry(row: Sequence[Any]) -> Entry:
    """A row of SELECT_ENTRIES."""
    identity, subscriber, state, attempts, due, message_id, reply, updated_at = row
    who = thaw(subscriber)
    return Entry(
        id=identity,
        address=str(who.address),
        name=who.name,
        state=State(state),
        attempts=attempts,
        next_attempt_at=due or None,
        message_id=message_id,
        reply=reply,
        updated_at=updated_at,
    )


def attempt(row: Sequence[Any]) -> Attempt:
    """A row of SELECT_ATTEMPTS."""
    at, subscriber, state, stage, code, reply, message_id, seconds, run = row
    return Attempt(
        at=at,
        address=str(thaw(subscriber).address),
        state=State(state),
        stage=stage,
        code=code,
        reply=reply,
        message_id=message_id,
        seconds=seconds,
        run=run,
    )
