from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.timetable import Timetable

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2022, 11, 7, 9, tzinfo=SHANGHAI)


def following(expression: str, moment: datetime, zone: ZoneInfo = SHANGHAI) -> str:
    return Timetable.parse(expression).next_after(moment, zone=zone).isoformat()


class TestNext:
    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("0 9 * * 1", "2022-11-14T09:00:00+08:00"),
            ("0 9 * * mon", "2022-11-14T09:00:00+08:00"),
            ("30 9 * * 1", "2022-11-07T09:30:00+08:00"),
            ("0 9 * * 1,4", "2022-11-10T09:00:00+08:00"),
            ("0 9 * * THU", "2022-11-10T09:00:00+08:00"),
            ("0 9 * * 0", "2022-11-13T09:00:00+08:00"),
            ("0 9 * * 7", "2022-11-13T09:00:00+08:00"),
            ("*/20 * * * *", "2022-11-07T09:20:00+08:00"),
            ("0 8-10 * * *", "2022-11-07T10:00:00+08:00"),
            ("0 0 1 * *", "2022-12-01T00:00:00+08:00"),
            ("0 0 1 jan *", "2023-01-01T00:00:00+08:00"),
            ("0 0 31 * *", "2022-12-31T00:00:00+08:00"),
            ("0 0 29 2 *", "2024-02-29T00:00:00+08:00"),
            ("15 6 13 * 5", "2022-11-11T06:15:00+08:00"),
            ("0 9 8-14 * 1-5/2", "2022-11-08T09:00:00+08:00"),
            ("5/30 9 * * *", "2022-11-07T09:05:00+08:00"),
        ],
    )
    def test_is_the_first_slot_that_fits(self, expression: str, expected: str) -> None:
        assert following(expression, MONDAY) == expected

    def test_goes_by_the_clock_of_the_zone(self) -> None:
        # Sunday evening in UTC is Monday morning in Shanghai.
        moment = datetime(2022, 11, 6, 23, tzinfo=UTC)
        assert following("0 9 * * 1", moment) == "2022-11-07T09:00:00+08:00"

    def test_keeps_the_hour_when_the_clocks_change(self) -> None:
        moment = datetime(2022, 10, 24, 9, tzinfo=BERLIN)
        first = Timetable.parse("0 9 * * 1").next_after(moment, zone=BERLIN)
        assert first.isoformat() == "2022-10-31T09:00:00+01:00"

    def test_a_slot_in_the_hour_that_summer_time_skips_comes_after_it(self) -> None:
        moment = datetime(2022, 3, 27, 0, tzinfo=BERLIN)
        assert following("30 2 * * *", moment, BERLIN) == "2022-03-27T03:30:00+02:00"

    @given(
        st.datetimes(MONDAY.replace(tzinfo=None), timezones=st.just(UTC)),
        st.integers(0, 59),
        st.integers(0, 23),
        st.integers(0, 6),
        st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "UTC"]),
    )
    def test_weekly_slots_are_later_and_at_most_a_week_away(
        self, moment: datetime, minute: int, hour: int, weekday: int, zone: str
    ) -> None:
        table = Timetable.parse(f"{minute} {hour} * * {weekday}")
        slot = table.next_after(moment, zone=ZoneInfo(zone))
        assert moment < slot
        assert (slot - moment).total_seconds() <= (7 * 24 + 1) * 3600
        assert slot.isoweekday() % 7 == weekday
        assert slot.minute == minute


class TestMistakes:
    @pytest.mark.parametrize(
        ("expression", "words"),
        [
            ("", "five fields"),
            ("0 9 * *", "five fields"),
            ("@weekly", "five fields"),
            ("60 9 * * 1", "the minute cannot be '60' (0-59)"),
            ("0 24 * * 1", "the hour cannot be '24'"),
            ("0 9 0 * 1", "day of the month"),
            ("0 9 * 13 1", "month"),
            ("0 9 * * 8", "weekday"),
            ("0 9 * * monday", "the weekday cannot be 'monday'"),
            ("0 9 * * 5-1", "the weekday cannot be '5-1'"),
            ("*/0 9 * * 1", "minute"),
            ("-1 9 * * 1", "minute"),
            ("0, 9 * * 1", "minute"),
            ("0 9 * * mon/tue", "weekday"),
            ("٣ 9 * * 1", "minute"),
            ("0 0 31 2,4 *", "no day ever fits"),
            ("0 0 30 2 *", "no day ever fits"),
        ],
    )
    def test_say_which_field_is_wrong(self, expression: str, words: str) -> None:
        with pytest.raises(ValueError) as caught:
            Timetable.parse(expression)
        assert words in str(caught.value)

    @given(st.text("0123456789*/,- monjanx", max_size=20))
    def test_any_text_is_a_timetable_or_a_mistake(self, text: str) -> None:
        try:
            table = Timetable.parse(text)
        except ValueError:
            return
        assert table.next_after(MONDAY, zone=SHANGHAI) > MONDAY


class TestOnCalendar:
    CASES = (
        ("0 9 * * 1", ("Mon *-*-* 09:00:00 Asia/Shanghai",)),
        ("30 8,20 * * 1-3", ("Mon,Tue,Wed *-*-* 08,20:30:00 Asia/Shanghai",)),
        ("0 9 * * *", ("*-*-* 09:00:00 Asia/Shanghai",)),
        ("*/30 * * * *", ("*-*-* *:00,30:00 Asia/Shanghai",)),
        ("0 9 1,15 * *", ("*-*-01,15 09:00:00 Asia/Shanghai",)),
        ("0 9 1 1-6 0", ("Sun *-01,02,03,04,05,06-* 09:00:00 Asia/Shanghai",
                         "*-01,02,03,04,05,06-01 09:00:00 Asia/Shanghai")),
    )  # fmt: skip

    @pytest.mark.parametrize(("expression", "expected"), CASES)
    def test_says_the_same_in_systemds_words(self, expression: str, expected: tuple[str]) -> None:
        assert Timetable.parse(expression).on_calendar(zone=SHANGHAI) == expected

    @pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
    @pytest.mark.parametrize(("expression", "expected"), CASES)
    def test_systemd_agrees_about_the_next_slot(
        self, expression: str, expected: tuple[str]
    ) -> None:
        table = Timetable.parse(expression)
        base = "2022-11-07 01:00:00 UTC"
        answers = []
        for words in expected:
            said = subprocess.run(
                ["systemd-analyze", "calendar", f"--base-time={base}", words],
                capture_output=True,
                text=True,
                check=True,
                env={"TZ": "UTC", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
            ).stdout
            (line,) = (line for line in said.splitlines() if "Next elapse:" in line)
            when = line.partition(":")[2].split()
            answers.append(datetime.fromisoformat(f"{when[1]}T{when[2]}+00:00"))
        assert min(answers) == table.next_after(MONDAY, zone=SHANGHAI)
