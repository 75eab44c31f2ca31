"""Dates, weekdays, hosts and fallbacks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.rendering.filters import fallback, format_date, host, in_zone, weekday_zh
from newsletter.rendering.mistake import Mistake

SHANGHAI = ZoneInfo("Asia/Shanghai")
NINE = datetime(2022, 11, 9, 1, 5, 7, tzinfo=UTC)

DATES = {
    "%Y年%-m月%-d日": "2022年11月9日",
    "%Y-%m-%d %H:%M:%S": "2022-11-09 09:05:07",
    "%-H点%-M分": "9点5分",
    "%y %j %I %p": "22 313 09 AM",
    "%A %a %B %b": "Wednesday Wed November Nov",
    "%z 100%%": "+0800 100%",
    "没有": "没有",
}


@pytest.mark.parametrize(("pattern", "text"), DATES.items())
def test_dates_are_in_the_publications_zone(pattern, text):
    assert format_date(NINE, pattern, zone=SHANGHAI) == text


def test_dates_without_an_offset_are_in_the_publications_zone():
    assert format_date(datetime(2022, 1, 2, 3, 4), "%-d %H:%M%z", zone=SHANGHAI) == "2 03:04+0800"  # noqa: DTZ001
    assert format_date(date(2022, 1, 2), "%Y-%m-%d %H", zone=SHANGHAI) == "2022-01-02 00"
    assert format_date("2022-11-09T01:05:07Z", "%H", zone=SHANGHAI) == "09"
    assert format_date("2022-11-09", "%-m/%-d", zone=SHANGHAI) == "11/9"


def test_a_date_late_in_the_day_is_tomorrow_elsewhere():
    late = datetime(2022, 11, 8, 20, tzinfo=UTC)
    assert weekday_zh(late, zone=SHANGHAI) == "周三"
    assert weekday_zh(late, zone=ZoneInfo("Europe/Berlin")) == "周二"


def test_every_weekday():
    days = [weekday_zh(date(2022, 11, 7) + timedelta(days=i), zone=SHANGHAI) for i in range(7)]
    assert "".join(days) == "周一周二周三周四周五周六周日"


@pytest.mark.parametrize("value", [None, 7, "星期三", "", [], "2022-13-01"])
def test_what_is_no_date_is_a_mistake(value):
    with pytest.raises(Mistake, match="is not a date"):
        in_zone(value, SHANGHAI)


@settings(deadline=None)
@given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_dates_agree_with_the_standard_library(at):
    for part in "YymdHIMSjzAaBbp%":
        assert format_date(at, f"%{part}", zone=ZoneInfo("UTC")) == at.strftime(f"%{part}")


HOSTS = {
    "https://news.example.org/a?b": "news.example.org",
    "https://user:pw@News.Example.org:8080/": "news.example.org",
    "mailto:a@example.org": "mailto:a@example.org",
    "not a link": "not a link",
    "https://[::1/": "https://[::1/",
    "https://例子.example/": "例子.example",
}


@pytest.mark.parametrize(("url", "name"), HOSTS.items())
def test_hosts(url, name):
    assert host(url) == name


def test_fallback_of_a_plain_value():
    assert fallback("x", "y") == "x"
    assert fallback("", "y") == "y"
    assert fallback(None, "y") == "y"
