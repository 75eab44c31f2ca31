"""A subscriber, as the list knows one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from newsletter.mail.address import Address


class SubscriberStatus(StrEnum):
    """Where a subscriber stands. Only `active` receives mail."""

    PENDING = "pending"
    ACTIVE = "active"
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """One row of the list.

    Attributes:
        address: validated and normalised; `address.key` is what makes it one subscriber.
        name: how to greet; may be empty.
        status: only `active` receives mail.
        tags: free labels, for `only:` and segments.
        language: a BCP 47 tag such as zh-CN, or None.
        fields: every further column, by its header, for `subscriber.fields.x` in templates.
        joined: the day of the subscription, or None where nobody knows.

    """

    address: Address
    name: str = ""
    status: SubscriberStatus = SubscriberStatus.ACTIVE
    tags: frozenset[str] = frozenset()
    language: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    joined: date | None = None


def united(known: Subscriber, found: Subscriber, *, overwrite: bool) -> Subscriber:
    """What an import makes of somebody who is known: gaps are filled, tags united.

    With `overwrite` the found name, language and fields win. Address, status and day of joining stay.
    """
    first, second = (found, known) if overwrite else (known, found)
    return replace(
        known,
        name=first.name or second.name,
        tags=known.tags | found.tags,
        language=first.language or second.language,
        fields={**second.fields, **{name: value for name, value in first.fields.items() if value}},
        joined=known.joined or found.joined,
    )
