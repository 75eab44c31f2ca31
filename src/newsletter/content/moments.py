"""Dates and times as authors write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

_DATE = r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?"
_OFFSET = r"(?P<offset>Z|(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2}))"
_MOMENT = re.compile(rf"{_DATE}(?:(?:[Tt]|\s+){_TIME}(?:\s*{_OFFSET})?)?", re.ASCII)
_DAY = re.compile(_DATE, re.ASCII)


def parse_moment(text: str, *, zone: tzinfo | None) -> datetime:
    """A date and time such as 2022-11-07T09:00+08:00, or a date alone, which means midnight.

    The seconds may be missing, a space may stand for the T (RFC 3339, 5.6), and the offset may be
    missing too: then the moment is in `zone`.

    Raises:
        ValueError: with words that continue a sentence about the field.

    """
    match = _MOMENT.fullmatch(text.strip())
    if not match:
        raise ValueError("must be a date such as 2022-11-07 or 2022-11-07T09:00")
    numbers = {name: int(match[name] or 0) for name in ("hour", "minute", "second")}
    try:
        day = date(int(match["year"]), int(match["month"]), int(match["day"]))
        return datetime(day.year, day.month, day.day, **numbers, tzinfo=_offset(match) or zone)
    except ValueError:
        raise ValueError(f"is a date or time that does not exist: {text.strip()}") from None


def parse_day(text: str) -> date:
    """A date such as 2022-11-07.

    Raises:
        ValueError: with words that continue a sentence about the field.

    """
    match = _DAY.fullmatch(text.strip())
    if not match:
        raise ValueError("must be a date such as 2022-11-07")
    try:
        return date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        raise ValueError(f"is a date that does not exist: {text.strip()}") from None


def _offset(match: re.Match[str]) -> timezone | None:
    if not match["offset"]:
        return None
    if match["offset"] == "Z":
        return UTC
    shift = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"]))
    return timezone(-shift if match["sign"] == "-" else shift)


def _read_moment(value: Any, info: ValidationInfo) -> Any:
    zone: tzinfo | None = (info.context or {}).get("zone")
    if isinstance(value, str):
        return parse_moment(value, zone=zone)
    if isinstance(value, datetime):
        return value if value.tzinfo or zone is None else value.replace(tzinfo=zone)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=zone)
    # pydantic would take a number for seconds since 1970.
    return _refuse_number(value, "must be a date such as 2022-11-07 or 2022-11-07T09:00")


def _read_day(value: Any) -> Any:
    if isinstance(value, str):
        return parse_day(value)
    return _refuse_number(value, "must be a date such as 2022-11-07")


def _refuse_number(value: Any, message: str) -> Any:
    if isinstance(value, int | float):
        raise ValueError(message)
    return value


Moment = Annotated[
    datetime,
    BeforeValidator(_read_moment),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\d{4}-\d{1,2}-\d{1,2}([Tt ]\s*\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?"
            r"\s*(Z|[+-]\d{2}:?\d{2})?)?$",
        }
    ),
]
"""A field for a moment; without an offset it is in the `zone` of the validation context."""

Day = Annotated[
    date,
    BeforeValidator(_read_day),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d{1,2}-\d{1,2}$"}),
]
"""A field for a date."""
