"""The cells of a list: what a name, a status, tags, a language, a day and a free column may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from newsletter.audience.models import SubscriberStatus
from newsletter.mail.address import Address, parse_address

TAG_SEPARATOR = re.compile(r"[;,|；，、]")

_STATUSES = {status.value: status for status in SubscriberStatus}
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\Z")
# ISO 8601, and what spreadsheets in China (2026/1/31) and Go (… +0800 CST) make of it. A time and an offset may follow.
_DATE = re.compile(
    r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})"
    r"(?:[Tt ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?"
    r"(?: ?(?:[Zz]|UTC|[+-]\d{2}:?\d{2}))?(?: (?:[A-Z]{3,5}|[+-]\d{4}))?)?",
    re.ASCII,
)
# What must never come near a header or a terminal; free columns may have line breaks and tabs.
_NOT_IN_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NOT_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class RowError(Exception):
    """What is wrong with a row, and what to do about it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint

    @property
    def reason(self) -> str:
        """Both in one line."""
        return f"{self} ({self.hint})" if self.hint else str(self)


# Each takes a cell without the white space around it and raises RowError for what it cannot be.


def address(value: str) -> Address:
    """One bare address."""
    if not value:
        raise RowError("there is no address in this row")
    try:
        return parse_address(value)
    except ValueError as error:
        raise RowError(f"{quoted(value)}: {error}") from None


def name(value: str) -> str:
    """How to greet; one line, or nothing."""
    if not value.isprintable() and _NOT_IN_A_LINE.search(value):
        raise RowError(
            "the name has a line break or a control character in it", "keep it on one line"
        )
    return value


def status(value: str) -> SubscriberStatus:
    """A status in any case; nothing is `active`."""
    known = _STATUSES.get(value.lower()) if value else SubscriberStatus.ACTIVE
    if known is None:
        raise RowError(f"unknown status {quoted(value)}", "it is pending, active or unsubscribed")
    return known


def tags(value: str) -> frozenset[str]:
    """Labels with `;`, `,` or `|` between them, or their Chinese twins."""
    if not value:
        return frozenset()
    if _NOT_IN_A_LINE.search(value):
        raise RowError("the tags have a line break or a control character in them")
    return frozenset(tag for part in TAG_SEPARATOR.split(value) if (tag := part.strip()))


def language(value: str) -> str | None:
    """A tag in the form of BCP 47, with - or _."""
    if not value:
        return None
    if not _LANGUAGE.match(tag := value.replace("_", "-")):
        raise RowError(f"unknown language {quoted(value)}", "write a tag such as zh-CN or en")
    return tag


def day(value: str, *, column: str = "joined") -> date | None:
    """The day as it is written, in whatever zone that was."""
    if not value:
        return None
    if not (written := _DATE.fullmatch(value)):
        raise RowError(f"`{column}` is no date: {quoted(value)}", "write it as 2026-01-31")
    try:
        return date(int(written[1]), int(written[3]), int(written[4]))
    except ValueError:
        raise RowError(f"`{column}` is a day that does not exist: {quoted(value)}") from None


def check_fields(fields: Mapping[str, str]) -> None:
    """Refuse control characters in free columns."""
    for column, value in fields.items():
        if not value.isprintable() and _NOT_IN_TEXT.search(value):
            raise RowError(f"`{column}` has a control character in it")


def check_count(cells: list[str], count: int, *, delimiter: str) -> None:
    """Make a row as long as the header: cells missing at its end are empty, empty ones beyond it do not count."""
    if len(cells) != count:
        if any(cell.strip() for cell in cells[count:]):
            raise RowError(
                f"this row has {len(cells)} cells, the header names {count}",
                f"put a value that has {quoted(delimiter)} in it into quotation marks",
            )
        cells += [""] * (count - len(cells))


def field_name(header: str) -> str:
    """A header as `subscriber.fields.x` can spell it: `First name` is First_name, `2022` x2022."""
    spelled = re.sub(r"\W+", "_", header).strip("_")
    return f"x{spelled}" if spelled[:1].isdigit() else spelled


def quoted(value: str) -> str:
    """A stranger's words in a message: cut, and harmless on a terminal."""
    return repr(value if len(value) <= 80 else value[:79] + "…")
