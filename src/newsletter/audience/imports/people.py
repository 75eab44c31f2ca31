"""One row of an export as a person: values made fit for the list, what cannot be one refused with its reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from newsletter.audience import cells as cell
from newsletter.audience.cells import TAG_SEPARATOR, RowError
from newsletter.audience.delimited import Record
from newsletter.audience.formulas import unguard
from newsletter.audience.imports.layout import Layout
from newsletter.audience.imports.tool import ACTIVE, PENDING, UNSUBSCRIBED, Standing
from newsletter.audience.models import Subscriber, SubscriberStatus
from newsletter.audience.register import Incoming
from newsletter.mail.address import Address

_HAN = re.compile("[㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff·]+")
_LESS_AND_LESS = (ACTIVE, PENDING, UNSUBSCRIBED)
_DEEPEST = 4


class People:
    """Makes people of the rows of one file.

    Args:
        layout: which column is what.
        status: nobody gets a status more active than this.
        tags: everybody gets these too.

    """

    def __init__(
        self, layout: Layout, *, status: SubscriberStatus | None, tags: frozenset[str]
    ) -> None:
        self._layout = layout
        self._limit = status or ACTIVE
        self._tags = tags
        self._standings: dict[tuple[str | None, ...], Standing] = {}

    def read(self, record: Record) -> Incoming:
        """The person of a row.

        Raises:
            RowError: it is nobody.

        """
        layout = self._layout
        cells = record.cells
        cell.check_count(cells, len(layout.header), delimiter=layout.delimiter)
        values = [text.strip() for text in cells]
        if any("'" in line for line in record.lines):
            values = [unguard(text) for text in values]
        assert layout.email is not None  # or the file would not have been opened
        address = cell.address(values[layout.email])
        standing = self._standing(values)
        try:
            subscriber = self._subscriber(address, standing, values)
        except RowError:
            if standing.suppress is None and standing.status is not UNSUBSCRIBED:
                raise
            # That they must not be mailed is worth more than a date nobody can read.
            subscriber = Subscriber(address=address, status=standing.status)
        return Incoming(row=record.row, subscriber=subscriber, suppress=standing.suppress)

    def _subscriber(self, address: Address, standing: Standing, values: list[str]) -> Subscriber:
        layout = self._layout
        fields = {name: values[place] for name, place in layout.fields}
        tags = _tags(_at(values, layout.tags))
        for place in layout.objects:
            tags |= _unfold(values[place], layout.header[place], fields)
        cell.check_fields(fields)
        return Subscriber(
            address=address,
            name=cell.name(self._name(values)),
            status=standing.status,
            tags=tags | self._tags,
            language=cell.language(_at(values, layout.language)),
            fields=fields,
            joined=self._joined(values),
        )

    def _standing(self, values: list[str]) -> Standing:
        judged = tuple(None if at is None else values[at] for at in self._layout.judged)
        known = self._standings.get(judged)
        if known is None:
            known = self._layout.judge(*judged)
            status = max(known.status, self._limit, key=_LESS_AND_LESS.index)
            known = known._replace(status=status)
            if len(self._standings) < 1000:  # words repeat, dates do not
                self._standings[judged] = known
        return known

    def _name(self, values: list[str]) -> str:
        if name := _at(values, self._layout.name):
            return name
        return full_name(_at(values, self._layout.first_name), _at(values, self._layout.last_name))

    def _joined(self, values: list[str]) -> date | None:
        for place in self._layout.joined:
            if values[place]:
                return cell.day(values[place], column=self._layout.header[place])
        return None


def full_name(first: str, last: str) -> str:
    """Both names as one: `Ada` and `Lovelace` as Ada Lovelace, `晓雨` and `林` as 林晓雨."""
    if _HAN.fullmatch(first) and _HAN.fullmatch(last):
        return last + first
    return f"{first} {last}".strip()


def _at(values: list[str], place: int | None) -> str:
    return "" if place is None else values[place]


def _tags(value: str) -> frozenset[str]:
    """Tags as a list keeps them, as `"VIP","Blog"`, or as a JSON list."""
    if value.startswith("["):
        listed = _json(value)
        if isinstance(listed, list):
            return _flat_tags(listed)
    return frozenset(tag.strip('" ') for tag in cell.tags(value)) - {""}


def _flat_tags(listed: list[Any]) -> frozenset[str]:
    return frozenset(
        tag
        for text in map(_text, listed)
        for part in TAG_SEPARATOR.split(text)
        if (tag := " ".join(part.split()))
    )


def _unfold(value: str, column: str, fields: dict[str, str]) -> frozenset[str]:
    """Put the members of a JSON object into `fields`; the tags among them. What is no object stays one field."""
    members = _json(value) if value else {}
    if not isinstance(members, Mapping):
        fields[cell.field_name(column)] = value
        return frozenset()
    listed = members.get("tags")
    tags = _flat_tags(listed) if isinstance(listed, list) else frozenset()
    for name, text in _members(members, depth=0):
        if name != "tags" or not tags:
            fields.setdefault(name, text)
    return tags


def _members(members: Mapping[str, Any], *, depth: int) -> Iterator[tuple[str, str]]:
    """`{"home": {"city": "Bonn"}}` as home_city and Bonn."""
    for key, value in members.items():
        name = cell.field_name(str(key)) or "value"
        if isinstance(value, Mapping) and value and depth < _DEEPEST:
            for below, text in _members(value, depth=depth + 1):
                yield f"{name}_{below}", text
        else:
            yield name, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, list) and not any(isinstance(one, (list, dict)) for one in value):
        return "; ".join(map(_text, value))
    return json.dumps(value, ensure_ascii=False)


def _json(text: str) -> Any:
    """The value of a JSON text; None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
