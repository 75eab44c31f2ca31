"""Chinese copy-editing: what is reported, and above all what is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Told = Callable[..., list[str]]


@pytest.mark.parametrize(
    "text",
    [
        "真的吗？！是的！！！",
        "论文、数据、代码……应有尽有。",
        "他说：“好。”然后走了。",
        "破折号——就是这样——也算两个字。",
        "“第一。”“第二。”",
        "English sentence.. with two dots",
    ],
)
def test_marks_that_belong_together_are_not_doubled(told: Told, text: str) -> None:
    assert told("punctuation-doubled", text) == []


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("好。。", ["。。"]),
        ("好，，坏、、", ["，，", "、、"]),
        ("好，。", ["，。"]),
        ("好？。", ["？。"]),
        ("标题：：正文；；", ["：：", "；；"]),
    ],
)
def test_doubled_marks(told: Told, text: str, marks: list[str]) -> None:
    found = told("punctuation-doubled", text)
    assert [message.split("`")[1] for message in found] == marks


def test_three_full_stops_are_an_ellipsis_and_nothing_else(told: Told) -> None:
    assert told("punctuation-doubled", "好。。。") == []
    assert len(told("ellipsis-odd", "好。。。")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "调用 f(x, ...) 即可。",
        "版本 1...3",
        "完整的……省略号",
        "range(0...n) 左闭右开",
        "wait... what?",
    ],
)
def test_dots_of_code_and_english_are_no_chinese_ellipsis(told: Told, text: str) -> None:
    assert told("ellipsis-odd", text) == []


@pytest.mark.parametrize(
    "text",
    [
        "准确率由 74.4% 升至 82.1%。",
        "报告 9:00-10:00 举行，共 3,000 人。",
        "见 Fig. 3(a) 与 Smith et al. (2022)。",
        "文件 a.txt 与 e.g. 的写法",
        "11月9日(周三)上午，也就是星期三(11.9)。",
        "Don't Prompt, Search! 不要提示，搜索！",
        "见[论文](https://arxiv.org/abs/1)，很好。",
        "地址 https://example.org/a,b;c 很长",
        "用 `a, b = f(x)` 即可",
        "1) 第一\n2) 第二",
        "Smith, Jones 和李雷",
    ],
)
def test_half_width_marks_of_latin_text_stay(told: Told, text: str) -> None:
    assert told("punctuation-half-width", text) == []


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("训练更快,效果更好", ","),
        ("训练更快, 效果更好", ","),
        ("好的.", "."),
        ("真的吗?", "?"),
        ("太好了!你看", "!"),
        ("标题:正文", ":"),
        ("一;二", ";"),
        ("作者说:“好”", ":"),
        ("用 GPT-4 做,很好", ","),
        ("**注意:**别碰", ":"),
    ],
)
def test_half_width_marks_of_chinese_text(told: Told, text: str, mark: str) -> None:
    (message,) = told("punctuation-half-width", text)
    assert f"half-width `{mark}`" in message


@pytest.mark.parametrize("text", ["参见(附录三)", "(第三节)", "模型(大语言模型)"])
def test_half_width_brackets_around_chinese(told: Told, text: str) -> None:
    (message,) = told("punctuation-half-width", text)
    assert "brackets" in message


@pytest.mark.parametrize(
    "text",
    [
        "用 BERT 做实验",
        "A股大涨，B站更新，T恤打折，K歌房",
        "“BERT”很好",
        "BERT，GPT。",
        "《Attention Is All You Need》",
        "智源社区-预训练-交流群",
        "C++和C#语言",
        "用`code`做实验",
        "见https://example.org/a的附录",
        "**BERT** 模型",
    ],
)
def test_words_that_need_no_space(told: Told, text: str) -> None:
    assert told("space-missing", text) == []


@pytest.mark.parametrize(
    "text", ["用BERT做实验", "GPT模型", "模型GPT", "智源Live报告", "用Python3编程", "iOS端"]
)
def test_a_word_without_space_is_told_once(told: Told, text: str) -> None:
    assert len(told("space-missing", text)) == 1


def test_each_word_of_a_text_is_told(told: Told) -> None:
    assert len(told("space-missing", "用BERT和GPT做实验")) == 2


@pytest.mark.parametrize(
    "text",
    ["2022年11月9日", "第27期", "9点", "周3次", "3个", "在 10 项任务上", "升至 82.1%", "5号"],
)
def test_numbers_of_dates_and_the_like_need_no_space(told: Told, text: str) -> None:
    assert told("space-missing-digit", text) == []


def test_other_numbers_are_a_note(told: Told) -> None:
    assert len(told("space-missing-digit", "在10项任务上提升了3倍")) == 2


@pytest.mark.parametrize(
    "text",
    [
        "好，他说：“是”。",
        "第一，\n第二",
        "- 列表，\n- 列表。",
        "《论文》 （附录）",
        "A , B",
        "好。 “引文”",
    ],
)
def test_white_space_that_belongs_there(told: Told, text: str) -> None:
    assert told("space-extra", text) == []


@pytest.mark.parametrize(
    "text", ["更快 ，更好", "（ 附录）", "附录 ）在后", "更快， 更好", "名字 ：值"]
)
def test_holes(told: Told, text: str) -> None:
    assert len(told("space-extra", text)) == 1


@pytest.mark.parametrize(
    ("text", "half"),
    [("ＧＰＴ", "GPT"), ("ＧＰＴ－３", "GPT-3"), ("５０％", "50%"), ("共１２人", "12")],
)
def test_full_width_letters(told: Told, desk: object, text: str, half: str) -> None:
    assert told("letters-full-width", text) == [f"full-width `{text.strip('共人')}`"]
    assert half.isascii()


@pytest.mark.parametrize("text", ["9：00", "在12：30开始", "3，000 人", "1，234，567", "3。14"])
def test_chinese_marks_in_numbers(told: Told, text: str) -> None:
    assert told("punctuation-full-width", f"好{text}")


@pytest.mark.parametrize("text", ["共 3，每人 1 个", "第 1：2 章", "比例 1：2", "2022，2023 年"])
def test_chinese_marks_between_numbers(told: Told, text: str) -> None:
    assert told("punctuation-full-width", text) == []


@pytest.mark.parametrize(
    "code", ["space-missing", "punctuation-half-width", "punctuation-doubled", "quotes-straight"]
)
def test_english_text_has_no_chinese_mistakes(told: Told, code: str) -> None:
    text = 'He said: "it is (very) good", e.g. in 2022... right?!'
    assert told(code, text) == []


def test_titles_and_names_are_read_too(told: Told) -> None:
    items = "- {kind: article, title: 读懂GPT的论文, url: 'https://a.org/x', source: 谷歌AI博客}"
    assert len(told("space-missing", items=items)) == 2


def test_what_is_no_copy_is_not_read(told: Told) -> None:
    items = (
        "- {kind: article, title: 论文, url: 'https://a.org/论文GPT', "
        "accept: [{code: x, reason: 因为GPT}], only: {tags: [会员VIP]}}"
    )
    assert told("space-missing", items=items) == []
