"""Dates and times as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from newsletter.content.moments import Day, Moment, parse_day, parse_moment

SHANGHAI = ZoneInfo("Asia/Shanghai")
MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)
DAY: TypeAdapter[date] = TypeAdapter(Day)


@pytest.mark.parametrize(
    "text",
    [
        "2022-11-07T09:00:00+08:00",
        "2022-11-07T09:00:00",
        "2022-11-07T09:00",
        "2022-11-07 09:00",
        "2022-11-07   9:00",
        "2022-11-7 9:00",
        "2022-11-07t09:00:00.000",
        "2022-11-07T01:00:00Z",
        "2022-11-07 02:00 +0100",
        "2022-11-06T19:30:00-05:30",
        "  2022-11-07T09:00  ",
    ],
)
def test_one_moment_in_many_spellings(text: str) -> None:
    moment = parse_moment(text, zone=SHANGHAI)
    assert moment == datetime(2022, 11, 7, 9, tzinfo=SHANGHAI)
    assert moment.tzinfo is not None


def test_a_date_alone_is_its_midnight() -> None:
    assert parse_moment("2022-11-07", zone=SHANGHAI) == datetime(2022, 11, 7, tzinfo=SHANGHAI)


def test_an_offset_wins_over_the_zone() -> None:
    moment = parse_moment("2022-11-07T09:00-05:00", zone=SHANGHAI)
    assert moment.utcoffset() == timedelta(hours=-5)


def test_without_a_zone_it_stays_naive() -> None:
    assert parse_moment("2022-11-07T09:00", zone=None).tzinfo is None


@pytest.mark.parametrize(
    "text",
    [
        "gestern",
        "",
        "20221107",
        "1667779200",
        "07.11.2022",
        "2022-11-07T",
        "2022-11-07T9",
        "12:30",
        "2022年11月7日",
        "2022-11-07T09:00 Asia/Shanghai",
        "２０２２-11-07",
    ],
)
def test_other_texts_are_no_dates(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a date such as 2022-11-07"):
        parse_moment(text, zone=SHANGHAI)


@pytest.mark.parametrize(
    "text",
    [
        "2022-02-30",
        "2022-13-01",
        "2022-11-07T24:00",
        "2022-11-07T09:60",
        "0000-01-01",
        "2022-11-07T09:00:61",
        "2022-11-07T09:00+24:00",
        "2022-11-07T09:00+99:99",
    ],
)
def test_dates_that_do_not_exist(text: str) -> None:
    with pytest.raises(ValueError, match="that does not exist: "):
        parse_moment(text, zone=SHANGHAI)


def test_days() -> None:
    assert parse_day(" 2022-11-7 ") == date(2022, 11, 7)
    with pytest.raises(ValueError, match="must be a date"):
        parse_day("2022-11-07T09:00")
    with pytest.raises(ValueError, match="does not exist"):
        parse_day("2022-02-29")


def test_the_zone_comes_with_the_validation() -> None:
    aware = MOMENT.validate_python("2022-11-07 09:00", context={"zone": SHANGHAI})
    assert aware == datetime(2022, 11, 7, 1, tzinfo=UTC)
    assert MOMENT.validate_python("2022-11-07 09:00").tzinfo is None


def test_values_that_are_moments_already() -> None:
    aware = datetime(2022, 11, 7, 9, tzinfo=timezone(timedelta(hours=8)))
    context = {"zone": SHANGHAI}
    assert MOMENT.validate_python(aware, context=context) is aware
    assert MOMENT.validate_python(aware.replace(tzinfo=None), context=context) == aware
    assert MOMENT.validate_python(date(2022, 11, 7), context=context).hour == 0
    assert DAY.validate_python(date(2022, 11, 7)) == date(2022, 11, 7)


@pytest.mark.parametrize("value", [20221107, 1667779200, 1.5, True])
def test_a_number_is_no_date(value: object) -> None:
    for adapter in (MOMENT, DAY):
        with pytest.raises(ValidationError, match="must be a date"):
            adapter.validate_python(value)


@settings(deadline=None)
@given(st.datetimes(timezones=st.timezones()))
def test_what_isoformat_writes_is_read_back_to_the_second(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    offset = moment.utcoffset()
    assert offset is not None
    if offset.total_seconds() % 60 == 0:
        assert parse_moment(moment.isoformat(), zone=None).isoformat() == moment.isoformat()


@settings(deadline=None)
@given(st.text("0123456789-T: +Zz.年"))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        parse_moment(text, zone=SHANGHAI)
    except ValueError as error:
        refusal = str(error)
    else:
        return
    assert refusal.startswith(("must be", "is a date"))
