"""Dates that cannot be right: the weekday of another day, a day that does not exist, an event gone by."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from newsletter.checks.model import Example, Found, Severity, check
from newsletter.content.models import Event, Status
from newsletter.timetable import Timetable

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked

_DAYS_ZH = "一二三四五六日"
_DAYS_EN = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_WEEKDAY = (
    r"(?:周|星期|礼拜)(?P<zh>[一二三四五六日天])(?!至|到|次|遍|[、/\-–—]\s*[周星一二三四五六日])"
)
_ENGLISH = r"(?P<en>Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?\b\.?"
_MONTH = r"(?P<name>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?"
_NUMERIC = (
    r"(?:(?P<year>(?:19|20)\d\d)\s?(?:年|[-/.])\s?)?(?<!\d)(?P<month>\d{1,2})\s?(?:月|[-/.])\s?"
    r"(?P<day>\d{1,2})(?!\d)\s?[日号]?"
)
_GAP = r"\s?[（(,，、·]?\s?"
_WITH_WEEKDAY = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_NUMERIC}{_GAP}{_WEEKDAY}",
        rf"{_WEEKDAY}{_GAP}{_NUMERIC}(?<=[日号])",
        rf"{_NUMERIC}{_GAP}{_ENGLISH}",
        rf"\b{_ENGLISH},?\s+{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?P<year>\d{{4}}))?",
        rf"\b{_ENGLISH},?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+{_MONTH}\b(?:,?\s+(?P<year>\d{{4}}))?",
        rf"\b{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<year>\d{{4}}))?{_GAP}{_ENGLISH}",
    )
)
_PLAIN_DAY = re.compile(
    r"(?:(?P<year>(?:19|20)\d\d)\s?年\s?)?(?<!\d)(?P<month>\d{1,2})\s?月\s?(?P<day>\d{1,2})\s?[日号]"
    r"|(?P<iso>(?:19|20)\d\d-\d{1,2}-\d{1,2})(?![\d-])"
)
_FAR = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class _Day:
    """A day as a text names it; `year` is None where it does not."""

    year: int | None
    month: int
    day: int

    def near(self, when: date | None) -> date | None:
        """The date: in its own year, or the one next to `when`; None when it cannot be told.

        Raises:
            ValueError: there is no such day.

        """
        if self.year is not None:
            return date(self.year, self.month, self.day)
        if when is None:
            date(2000, self.month, self.day)
            return None
        found = []
        for year in (when.year - 1, when.year, when.year + 1):
            try:
                found.append(date(year, self.month, self.day))
            except ValueError:
                continue  # 29 February
        if not found:
            raise ValueError("no such day")
        return min(found, key=lambda one: abs(one - when))


@check(
    "weekday-wrong",
    title="A weekday that does not fit its date",
    severity=Severity.ERROR,
    passing=Example(body="报告在 11月9日(周三) 举行，也就是 2022-11-09（星期三）, Wed, Nov 9。"),
    failing=(
        Example(body="报告在 11月9日（周二）举行。"),
        Example(body="报告在 2022/11/09 星期二举行。"),
        Example(body="See you on Tuesday, November 9."),
        Example(
            items="- {kind: event, title: 11月9日（周二）线上报告, starts: 2022-11-09T09:00, online: true}"
        ),
    ),
)
def weekday_wrong(checked: Checked) -> Iterator[Found]:
    """`11月9日(周二)` in 2022: the 9th was a Wednesday. One of the two is wrong, and readers will
    come on the wrong day.

    Looks in titles, texts and the fields of events. A date without a year is the one nearest to the
    date of the issue.
    """
    for copy in checked.copy:
        for pattern in _WITH_WEEKDAY:
            for match in pattern.finditer(copy.text):
                real = _resolve(_day_of(match), checked)
                if real and real.weekday() != _weekday_of(match):
                    shown = match.group().strip()
                    shown += "）" if "（" in shown else ")" if "(" in shown else ""
                    yield Found(
                        f"{shown}: {real.isoformat()} is a {_name(real)}",
                        place=copy.place(match.start()),
                        hint=f"write 周{_DAYS_ZH[real.weekday()]}, or another day",
                    )


@check(
    "date-impossible",
    title="A date that does not exist",
    severity=Severity.ERROR,
    passing=Example(body="截止 2 月 28 日，2024年2月29日，12月31日。"),
    failing=(Example(body="截止 11月31日。"), Example(body="会议 2022年2月29日开始。")),
)
def date_impossible(checked: Checked) -> Iterator[Found]:
    """`11月31日` or `2022-02-29`: there is no such day."""
    for copy in checked.copy:
        for match in _PLAIN_DAY.finditer(copy.text):
            try:
                _day_of(match).near(checked.today)
            except ValueError:
                yield Found(f"{match.group()} does not exist", place=copy.place(match.start()))


@check(
    "date-missing",
    title="An issue is ready, but has no date",
    severity=Severity.ERROR,
    passing=Example(body="好。"),
    failing=Example(fields="date: null"),
)
def date_missing(checked: Checked) -> Iterator[Found]:
    """`status: ready` without `date`: `send --due` never sends it, and its mail says no day."""
    if checked.issue.status is Status.READY and checked.issue.date is None:
        yield Found(
            "the issue is ready, but has no date",
            place=checked.source.place(("status",)),
            hint="give it a `date`, or make it a draft",
        )


@check(
    "date-off-schedule",
    title="The issue's date is not a slot of the schedule",
    severity=Severity.NOTE,
    passing=Example(body="好。"),
    failing=Example(fields="date: 2022-11-08T09:00:00+08:00"),
)
def date_off_schedule(checked: Checked) -> Iterator[Found]:
    """newsletter.yaml's `schedule` says when issues go out; this one names another day or hour."""
    moment = checked.issue.date
    if moment is None:
        return
    try:
        timetable = Timetable.parse(checked.publication.schedule)
        slot = timetable.next_after(moment - timedelta(minutes=1), zone=checked.publication.zone)
    except ValueError:  # a schedule that is wrong is reported where it is used
        return
    if slot != moment:
        yield Found(
            f"{moment:%Y-%m-%d %H:%M} is not in the schedule; its next slot is {slot:%Y-%m-%d %H:%M}",
            place=checked.source.place(("date",)),
        )


@check(
    "event-past",
    title="An event is over before the issue goes out",
    severity=Severity.WARNING,
    passing=Example(
        items="- {kind: event, title: 线上报告, starts: 2022-11-09T09:00, online: true}"
    ),
    failing=Example(
        items="- {kind: event, title: 线上报告, starts: 2022-11-02T09:00, online: true}"
    ),
)
def event_past(checked: Checked) -> Iterator[Found]:
    """The event begins before the issue's own date: last week's announcement, or a wrong month."""
    for location, item in checked.issue.items():
        moment = checked.issue.date
        if isinstance(item, Event) and moment and (item.ends or item.starts) < moment:
            yield Found(
                f"“{item.title}” is on {item.starts:%Y-%m-%d}, before the issue's {moment:%Y-%m-%d}",
                place=checked.source.place((*location, "starts")),
            )


@check(
    "event-far",
    title="An event is more than a year away",
    severity=Severity.WARNING,
    passing=Example(items="- {kind: event, title: 年会, starts: 2023-08-01T09:00, online: true}"),
    failing=Example(items="- {kind: event, title: 年会, starts: 2032-11-09T09:00, online: true}"),
)
def event_far(checked: Checked) -> Iterator[Found]:
    """The event begins more than 400 days after the issue's date: probably a mistyped year."""
    for location, item in checked.issue.items():
        moment = checked.issue.date
        if isinstance(item, Event) and moment and item.starts - moment > _FAR:
            yield Found(
                f"“{item.title}” is on {item.starts:%Y-%m-%d}, more than a year away",
                place=checked.source.place((*location, "starts")),
            )


@check(
    "event-date-differs",
    title="An event's title names another day than its fields",
    severity=Severity.WARNING,
    passing=Example(
        items="- {kind: event, title: 11月9日线上报告, starts: 2022-11-09T09:00, online: true}"
    ),
    failing=Example(
        items="- {kind: event, title: 11月10日线上报告, starts: 2022-11-09T09:00, online: true}"
    ),
)
def event_date_differs(checked: Checked) -> Iterator[Found]:
    """The title says 11月10日, `starts` says the 9th: one of them was not changed with the other."""
    events = {location: item for location, item in checked.issue.items() if isinstance(item, Event)}
    for copy in checked.copy:
        event = events.get(copy.value.location[:-1])
        if event is None or copy.value.key not in ("title", "series"):
            continue
        for match in _PLAIN_DAY.finditer(copy.text):
            named = _resolve(_day_of(match), checked)
            first, last = event.starts.date(), (event.ends or event.starts).date()
            if named and not first <= named <= last:
                yield Found(
                    f"{match.group()} in the title, but `starts` is {first.isoformat()}",
                    place=copy.place(match.start()),
                )


def _day_of(match: re.Match[str]) -> _Day:
    parts = match.groupdict()
    if parts.get("iso"):
        return _Day(*map(int, parts["iso"].split("-")))
    name = parts.get("name")
    month = _MONTHS.index(name[:3].lower()) + 1 if name else int(parts["month"])
    return _Day(int(parts["year"]) if parts.get("year") else None, month, int(parts["day"]))


def _weekday_of(match: re.Match[str]) -> int:
    parts = match.groupdict()
    if parts.get("zh"):
        return _DAYS_ZH.index(parts["zh"].replace("天", "日"))
    begin = parts["en"].lower()
    return next(n for n, name in enumerate(_DAYS_EN) if name.startswith(begin[:3]))


def _resolve(day: _Day, checked: Checked) -> date | None:
    try:
        return day.near(checked.today)
    except ValueError:
        return None  # `date-impossible` says so


def _name(day: date) -> str:
    return _DAYS_EN[day.weekday()].capitalize()
