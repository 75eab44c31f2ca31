"""The weekly slot: a cron expression, when it comes next, and the same thing in systemd's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """One of the five fields: its name, its range, and the words that stand for numbers."""

    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()

    def parse(self, text: str) -> frozenset[int]:
        """The numbers that `text` stands for: `*`, `5`, `1-5`, `*/15`, `mon,thu`, `0-30/10`."""
        return frozenset(number for part in text.split(",") for number in self._part(part))

    def _part(self, text: str) -> range:
        span, slash, step_text = text.partition("/")
        step = self._number(step_text, words=False) if slash else 1
        if span == "*":
            low, high = self.low, self.high
        else:
            first, dash, last = span.partition("-")
            low = self._number(first)
            high = self._number(last) if dash else (self.high if slash else low)
        if step < 1 or not self.low <= low <= high <= self.high:
            raise ValueError(f"the {self.name} cannot be {text!r} ({self.low}-{self.high})")
        return range(low, high + 1, step)

    def _number(self, text: str, *, words: bool = True) -> int:
        if words and text.lower() in self.words:
            return self.words.index(text.lower()) + (1 if self.low == 1 else 0)
        if text.isascii() and text.isdigit():
            return int(text)
        raise ValueError(f"the {self.name} cannot be {text!r}")


_FIELDS = (
    _Field(name="minute", low=0, high=59),
    _Field(name="hour", low=0, high=23),
    _Field(name="day of the month", low=1, high=31),
    _Field(name="month", low=1, high=12, words=_MONTHS),
    _Field(name="weekday", low=0, high=7, words=_WEEKDAYS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """A cron expression of five fields, as crontab(5) understands it.

    Attributes:
        minutes, hours, days, months, weekdays: the numbers that fit; Sunday is 0. None for a field
            that begins with `*`: when both days and weekdays are given, either may fit.

    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | None
    months: frozenset[int]
    weekdays: frozenset[int] | None

    @classmethod
    def parse(cls, expression: str) -> Self:
        """Read `minute hour day month weekday`.

        Raises:
            ValueError: with one sentence that says which field is wrong, or that no day ever fits.

        """
        texts = expression.split()
        if len(texts) != len(_FIELDS):
            raise ValueError("a cron expression has five fields: minute hour day month weekday")
        minutes, hours, days, months, weekdays = (
            field.parse(text) for field, text in zip(_FIELDS, texts, strict=True)
        )
        by_weekday = texts[4] != "*"
        if not by_weekday and all(min(days) > _LONGEST[month - 1] for month in months):
            raise ValueError("no day ever fits this cron expression")
        return cls(
            minutes=minutes,
            hours=hours,
            days=None if texts[2] == "*" else days,
            months=months,
            weekdays=frozenset(number % 7 for number in weekdays) if by_weekday else None,
        )

    def next_after(self, moment: datetime, *, zone: ZoneInfo) -> datetime:
        """The first slot later than `moment` (aware), by the clock of `zone`."""
        day = moment.astimezone(zone).date()
        while True:
            if self._fits(day):
                for slot in self._slots(day, zone):
                    if slot > moment:
                        return slot
            day += timedelta(days=1)

    def on_calendar(self, *, zone: ZoneInfo) -> tuple[str, ...]:
        """The same slots as systemd.time(7) spells them, one expression or two."""
        clock = f"{_listed(self.hours, range(24))}:{_listed(self.minutes, range(60))}:00 {zone.key}"
        months = _listed(self.months, range(1, 13))
        every_day = f"*-{months}-* {clock}"
        named = (
            ",".join(_WEEKDAYS[number].capitalize() for number in sorted(self.weekdays))
            if self.weekdays is not None
            else ""
        )
        by_date = f"*-{months}-{_listed(self.days, range(1, 32))} {clock}" if self.days else ""
        by_weekday = f"{named} {every_day}" if named else ""
        return tuple(filter(None, (by_weekday, by_date))) or (every_day,)

    def _fits(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_date = self.days is not None and day.day in self.days
        by_weekday = self.weekdays is not None and day.isoweekday() % 7 in self.weekdays
        return by_date or by_weekday or (self.days is None and self.weekdays is None)

    def _slots(self, day: date, zone: ZoneInfo) -> Sequence[datetime]:
        """The slots of a day in order; one in the hour that summer time skips moves behind it."""
        local = (
            datetime.combine(day, time(hour, minute), zone)
            for hour in self.hours
            for minute in self.minutes
        )
        return sorted(slot.astimezone(UTC).astimezone(zone) for slot in local)


def _listed(numbers: frozenset[int] | None, whole: range) -> str:
    if numbers is None or len(numbers) == len(whole):
        return "*"
    return ",".join(f"{number:02d}" for number in sorted(numbers))
