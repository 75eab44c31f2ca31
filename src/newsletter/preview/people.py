"""Whose message is shown: finding a reader among many, and the ones worth a look first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from newsletter.audience.models import Subscriber, SubscriberStatus
from newsletter.content.models import Issue
from newsletter.preview.inbox import cells

SHOWN = 50
_WEIGHT = {
    SubscriberStatus.PENDING: 0,
    SubscriberStatus.ACTIVE: 1,
    SubscriberStatus.UNSUBSCRIBED: 2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Why a reader stands at the top of the picker.

    Attributes:
        code: `longest`, `shortest`, `nameless` or `variant`.
        variant: which edition this reader gets, counted from 1.
        hidden: how many items that edition leaves out.

    """

    code: str
    variant: int = 0
    hidden: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A reader in the picker."""

    subscriber: Subscriber
    roles: tuple[Role, ...] = ()

    def json(self) -> dict[str, object]:
        """What the page needs to show this reader."""
        return {
            **reader_json(self.subscriber),
            "roles": [
                {"code": role.code, "variant": role.variant, "hidden": role.hidden}
                for role in self.roles
            ],
        }


def reader_json(subscriber: Subscriber, *, sample: bool = False) -> dict[str, object]:
    """A subscriber as the page knows one; `key` is what `as=` in its address holds."""
    return {
        "key": subscriber.address.key,
        "name": subscriber.name,
        "address": str(subscriber.address),
        "status": str(subscriber.status),
        "tags": sorted(subscriber.tags),
        "language": subscriber.language,
        "sample": sample,
    }


class People:
    """The list, ready to be searched.

    Args:
        subscribers: in the order of the list. Of several rows for one address the one counts that
            a send would heed: unsubscribed before active before pending.

    """

    def __init__(self, subscribers: Iterable[Subscriber]) -> None:
        self._by_key: dict[str, Subscriber] = {}
        for subscriber in subscribers:
            known = self._by_key.setdefault(subscriber.address.key, subscriber)
            if _WEIGHT[subscriber.status] > _WEIGHT[known.status]:
                self._by_key[subscriber.address.key] = subscriber

    def __len__(self) -> int:
        return len(self._by_key)

    def get(self, key: str) -> Subscriber | None:
        """The reader with this `address.key`, whether or not mail goes there."""
        return self._by_key.get(key)

    def first(self) -> Subscriber | None:
        """The first who receives mail."""
        return next(iter(self._active()), None)

    def search(self, words: str, *, issue: Issue | None) -> tuple[list[Person], int]:
        """The readers that have every one of `words` in name, address, tags or language.

        Without words those with a role for `issue` come first, then the list in its order.

        Returns:
            at most `SHOWN` of them, and how many there are.

        """
        wanted = words.casefold().split()
        roles = self.roles(issue)
        found = [
            Person(subscriber=subscriber, roles=tuple(roles.get(key, ())))
            for key, subscriber in self._by_key.items()
            if all(word in _haystack(subscriber) for word in wanted)
        ]
        found.sort(key=lambda person: not person.roles)
        return found[:SHOWN], len(found)

    def roles(self, issue: Issue | None) -> dict[str, list[Role]]:
        """By `address.key`: the longest and shortest name, one without, one of every variant."""
        active = self._active()
        found: dict[str, list[Role]] = {}
        for variant, (hidden, subscriber) in enumerate(_variants(active, issue), 1):
            role = Role(code="variant", variant=variant, hidden=hidden)
            found.setdefault(subscriber.address.key, []).append(role)
        named = [subscriber for subscriber in active if subscriber.name]
        if named:
            longest = max(named, key=lambda subscriber: cells(subscriber.name))
            shortest = min(named, key=lambda subscriber: cells(subscriber.name))
            found.setdefault(longest.address.key, []).append(Role(code="longest"))
            found.setdefault(shortest.address.key, []).append(Role(code="shortest"))
        nameless = next((subscriber for subscriber in active if not subscriber.name), None)
        if nameless:
            found.setdefault(nameless.address.key, []).append(Role(code="nameless"))
        return found

    def _active(self) -> list[Subscriber]:
        return [
            subscriber
            for subscriber in self._by_key.values()
            if subscriber.status is SubscriberStatus.ACTIVE
        ]


def _variants(
    subscribers: Sequence[Subscriber], issue: Issue | None
) -> list[tuple[int, Subscriber]]:
    """One reader per distinct set of hidden items, with the size of that set; none for one set."""
    if issue is None:
        return []
    seen: dict[frozenset[tuple[str | int, ...]], Subscriber] = {}
    for subscriber in subscribers:
        hidden = issue.hidden_from(subscriber)
        seen.setdefault(hidden, subscriber)
    return [(len(hidden), one) for hidden, one in seen.items()] if len(seen) > 1 else []


def _haystack(subscriber: Subscriber) -> str:
    words = [subscriber.name, str(subscriber.address), subscriber.language or "", *subscriber.tags]
    return "\n".join(words).casefold()
