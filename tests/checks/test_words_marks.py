"""Pairs, leftovers and dates in the words of an issue."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Told = Callable[..., list[str]]


@pytest.mark.parametrize(
    "text",
    [
        "“外‘里’外”",
        "《书（第二版）》",
        "Don’t, it’s, ’90s, the students’ books",
        "1) 一\n2) 二\na) 三",
        "（一）总论\n一）分论",
        "好 :) 坏 :(",
        "见[论文](https://example.org/a_(b))",
        "`f(x` 是代码，```也是 (```",
        "地址 https://example.org/a_(b 也是",
        "跨行的“引文\n在这里结束”。",
        "「好」『坏』【注】",
    ],
)
def test_pairs(told: Told, text: str) -> None:
    assert told("marks-unpaired", text) == []


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("“没有结束", "“"),
        ("没有开始”", "”"),
        ("（没有结束", "（"),
        ("《书名，作者", "《"),
        ("“甲“乙”", "“"),
        ("第一段“没有结束\n\n第二段”没有开始", "“"),
    ],
)
def test_marks_without_partner(told: Told, text: str, mark: str) -> None:
    assert told("marks-unpaired", text)[0].startswith(f"`{mark}`")


def test_two_widths_are_one_mistake(told: Told) -> None:
    assert len(told("marks-unpaired", "见附录（第三节)。")) == 1
    assert len(told("marks-unpaired", "见附录(第三节）。")) == 1


@pytest.mark.parametrize(
    "text", ['"self-attention" 与', "don't 是 it's", '转义 \\" 号', "5' 11\" 高"]
)
def test_straight_marks_that_may_stay(told: Told, text: str) -> None:
    assert told("quotes-straight", text) == []


@pytest.mark.parametrize(
    "text", ["用 `a` 和 `b`", "`` a`b ``", "```\ncode ` here\n```", "转义 \\` 号", "没有"]
)
def test_backticks_in_pairs(told: Told, text: str) -> None:
    assert told("backtick-odd", text) == []


@pytest.mark.parametrize("char", ["\u200b", "\u200e", "\u2060", "\u00ad", "\ue000", "\u202e"])
def test_invisible_characters(told: Told, char: str) -> None:
    (message,) = told("invisible-character", f"预训{char}练")
    assert f"U+{ord(char):04X}" in message


@pytest.mark.parametrize("text", ["👨‍👩‍👧", "❤️", "1️⃣", "普通文字\t制表", "한국어"])
def test_characters_that_are_seen(told: Told, text: str) -> None:
    assert told("invisible-character", text) == []


@pytest.mark.parametrize(
    "text", ["锟斤拷", "It‘s â€œgoodâ€”", "cafÃ©", "替换\ufffd符", "烫烫烫烫", "ï»¿开头"]
)
def test_garbled(told: Told, text: str) -> None:
    assert told("text-garbled", text)


@pytest.mark.parametrize(
    "text", ["café naïve Ångström", "São Paulo", "Über allem", "æ å ç", "很烫的汤"]
)
def test_not_garbled(told: Told, text: str) -> None:
    assert told("text-garbled", text) == []


@pytest.mark.parametrize(
    "text",
    [
        "TODO",
        "此处 TK",
        "FIXME: 数字",
        "待补充",
        "（待补）",
        "XXX 教授",
        "Lorem ipsum dolor",
        "TBD",
    ],
)
def test_left_to_do(told: Told, text: str) -> None:
    assert told("todo-left", f"说：{text}。")


@pytest.mark.parametrize(
    "text", ["时间待定", "TODO list 应用", "TKO 与 XX 染色体", "todo.txt", "atk"]
)
def test_not_left_to_do(told: Told, text: str) -> None:
    assert told("todo-left", text) == []


@pytest.mark.parametrize(
    "text",
    [
        "11月9日（周三）",
        "2022-11-09 星期三",
        "Wed, Nov 9",
        "November 9 (Wednesday)",
        "周三（11月9日）",
    ],
)
def test_the_right_weekday(told: Told, text: str) -> None:
    assert told("weekday-wrong", text) == []


@pytest.mark.parametrize(
    "text",
    [
        "11月9日(周二)",
        "11月9日，星期一",
        "11月9号周日",
        "11月9日 礼拜天",
        "2022年11月9日（周四）",
        "2022/11/09 周二",
        "2022.11.9（周五）",
        "11/9 周二",
        "周二（11月9日）",
        "星期二，11月9日",
        "Tuesday, November 9",
        "Tue, 9 Nov 2022",
        "Nov. 9 (Thu)",
        "2022-11-09 Tue",
    ],
)
def test_the_wrong_weekday(told: Told, text: str) -> None:
    (message,) = told("weekday-wrong", f"会议在 {text} 举行")
    assert "2022-11-09 is a Wednesday" in message


@pytest.mark.parametrize(
    "text",
    [
        "11月9日至10日（周三至周四）",
        "3.5 周一次",
        "版本 2.11 Monte Carlo",
        "每周二",
        "第 11.9 节",
        "周一到周五",
    ],
)
def test_what_is_no_date_with_a_weekday(told: Told, text: str) -> None:
    assert told("weekday-wrong", text) == []


def test_the_year_is_the_one_next_to_the_issue(told: Told) -> None:
    new_year = "date: 2022-12-26T09:00:00+08:00"
    assert told("weekday-wrong", "1月4日（周三）", fields=new_year) == []
    assert told("weekday-wrong", "1月4日（周二）", fields=new_year) == [
        "1月4日（周二）: 2023-01-04 is a Wednesday"
    ]


def test_without_any_year_nothing_is_certain(told: Told) -> None:
    assert told("weekday-wrong", "11月9日（周二）", fields="date: null\nstatus: draft") == []


@pytest.mark.parametrize(
    "text", ["2月29日", "2024年2月29日", "12月31日", "2022-10-31", "第 13 月 1 号"]
)
def test_days_that_exist(told: Told, text: str) -> None:
    leap = "date: 2024-02-26T09:00:00+08:00"
    assert told("date-impossible", text.replace("第 13 月 1 号", "1月1日"), fields=leap) == []


@pytest.mark.parametrize("text", ["2月30日", "11月31日", "13月1日", "2022年2月29日", "2022-02-30"])
def test_days_that_do_not_exist(told: Told, text: str) -> None:
    assert told("date-impossible", text) == [f"{text} does not exist"]
