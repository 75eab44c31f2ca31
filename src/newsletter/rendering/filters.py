"""Filters for dates, weekdays and links: plain functions of their values."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from newsletter.rendering.markers import Marker
from newsletter.rendering.mistake import Mistake

WEEKDAYS_ZH = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DIRECTIVE = re.compile(r"%(-?)(.)", re.DOTALL)

_PARTS: dict[str, Callable[[datetime], str]] = {
    "Y": lambda at: f"{at.year:04}",
    "y": lambda at: f"{at.year % 100:02}",
    "m": lambda at: f"{at.month:02}",
    "d": lambda at: f"{at.day:02}",
    "H": lambda at: f"{at.hour:02}",
    "I": lambda at: f"{at.hour % 12 or 12:02}",
    "M": lambda at: f"{at.minute:02}",
    "S": lambda at: f"{at.second:02}",
    "j": lambda at: f"{at.timetuple().tm_yday:03}",
    "p": lambda at: "AM" if at.hour < 12 else "PM",
    "A": lambda at: WEEKDAYS[at.weekday()],
    "a": lambda at: WEEKDAYS[at.weekday()][:3],
    "B": lambda at: MONTHS[at.month - 1],
    "b": lambda at: MONTHS[at.month - 1][:3],
    "z": lambda at: at.strftime("%z"),
    "%": lambda at: "%",
}


def in_zone(value: object, zone: ZoneInfo) -> datetime:
    """A moment as the publication's readers see it; a date is its midnight, ISO 8601 text is read.

    Raises:
        Mistake: not a date or time.

    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise Mistake(f"{value!r} is not a date such as 2022-11-07") from None
    if isinstance(value, datetime):
        return value.astimezone(zone) if value.tzinfo else value.replace(tzinfo=zone)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=zone)
    raise Mistake(f"{value!r} is not a date")


def format_date(value: object, pattern: str, *, zone: ZoneInfo) -> str:
    """`value` by an strftime pattern, the same on every system; `%-m` leaves the leading zero out.

    Raises:
        Mistake: not a date, or a directive that does not exist.

    """
    at = in_zone(value, zone)

    def part(match: re.Match[str]) -> str:
        bare, letter = match.groups()
        if letter not in _PARTS:
            known = " ".join(f"%{name}" for name in _PARTS)
            raise Mistake(f"`{match.group()}` is not a part of a date", hint=f"there are {known}")
        text = _PARTS[letter](at)
        return (text.lstrip("0") or "0") if bare else text

    return _DIRECTIVE.sub(part, pattern)


def weekday_zh(value: object, *, zone: ZoneInfo) -> str:
    """周一 to 周日.

    Raises:
        Mistake: not a date.

    """
    return WEEKDAYS_ZH[in_zone(value, zone).weekday()]


def host(url: object) -> str:
    """The host of a web address, without port and login; the text itself when it has none."""
    text = str(url)
    try:
        return urlsplit(text).hostname or text
    except ValueError:
        return text


def fallback(value: object, text: object = "") -> object:
    """A personal value with what to say when a reader has none; any other value, or `text` when it is empty.

    Raises:
        Mistake: the fallback differs per reader itself.

    """
    if isinstance(text, Marker):
        text.refuse("use it as a fallback")
    if isinstance(value, Marker):
        return value.with_fallback(str(text))
    return value or text
