"""Markdown as the text part of a mail shows it."""

from __future__ import annotations

import pytest

from newsletter.content.markdown import markdown_text

CASES = [
    ("", ""),
    ("# 标题\n\n正文。", "标题\n\n正文。"),
    ("**加粗**、*斜体*、~~删除~~和`代码`", "加粗、斜体、删除和代码"),
    ("第一行\n第二行 Latin\nword", "第一行第二行 Latin word"),
    ("甲  \n乙", "甲\n乙"),
    ("- 甲\n- 乙\n", "• 甲\n• 乙"),
    ("1. 甲\n2. 乙\n", "1. 甲\n2. 乙"),
    ("9. 甲\n10. 乙\n", "9. 甲\n10. 乙"),
    ("- 甲\n  - 乙\n    - 丙\n- 丁", "• 甲\n  • 乙\n    • 丙\n• 丁"),
    ("10. 甲\n\n    第二段\n", "10. 甲\n\n    第二段"),
    ("- 甲\n\n- 乙\n", "• 甲\n\n• 乙"),
    ("-\n- 乙", "•\n• 乙"),
    ("> 甲\n>\n> —— 乙", "    甲\n\n    —— 乙"),
    ("```py\na = 1\n\n  b\n```", "    a = 1\n\n      b"),
    ("甲\n\n***\n\n乙", "甲\n\n————————\n\n乙"),
    ("| 甲 | 乙 |\n|---|---|\n| 1 | 2 |", "甲 | 乙\n1 | 2"),
    ("![图的说明](a.png)", "图的说明"),
    ("&nbsp;a&nbsp;b&#8203;c&shy;d", "a bcd"),
    ("a &lt;b&gt; &amp; c", "a <b> & c"),
    ("<br> stays", "<br> stays"),
    ("👨‍👩‍👧", "👨‍👩‍👧"),
]


@pytest.mark.parametrize(("source", "expected"), CASES)
def test_marks_become_layout(source: str, expected: str) -> None:
    assert markdown_text(source) == expected


LINKS = [
    # The address stands under the paragraph that has the link.
    ("见[论文](https://a.example/1)。\n\n后文", "见论文。\nhttps://a.example/1\n\n后文"),
    ("# [题](https://a.example)", "题\nhttps://a.example"),
    ("- [甲](https://a.example)\n- 乙", "• 甲\n  https://a.example\n• 乙"),
    ("> [甲](https://a.example)", "    甲\n    https://a.example"),
    (
        "[甲](https://a.example)和[乙](https://b.example)",
        "甲和乙\nhttps://a.example\nhttps://b.example",
    ),
    ("[甲](https://a.example)、[甲](https://a.example)", "甲、甲\nhttps://a.example"),
    ("|[甲](https://a.example)|b|\n|-|-|\n|c|d|", "甲 | b\nhttps://a.example\nc | d"),
    ("[![图](a.png)](https://a.example)", "图\nhttps://a.example"),
    ('[**甲**](https://a.example "题")', "甲\nhttps://a.example"),
    ("[路](https://a.example/路)", "路\nhttps://a.example/%E8%B7%AF"),
    # A bare address stays where it is, once, at a distance from what it is not.
    ("https://a.example", "https://a.example"),
    ("见https://a.example，好", "见 https://a.example ，好"),
    ("See https://a.example/x.", "See https://a.example/x."),
    ("(https://a.example)", "(https://a.example)"),
    ("<https://a.example/路>", "https://a.example/%E8%B7%AF"),
    ("[https://a.example](https://a.example)", "https://a.example"),
    ("https://a.example [甲](https://a.example)", "https://a.example 甲"),
    ("<a@b.example>", "mailto:a@b.example"),
    ("[写信](mailto:a@b.example)", "写信\nmailto:a@b.example"),
    ("**https://a.example**，", "https://a.example ，"),
]


@pytest.mark.parametrize(("source", "expected"), LINKS)
def test_addresses_stand_alone_or_stay_where_they_are(source: str, expected: str) -> None:
    assert markdown_text(source) == expected


def test_a_whole_text() -> None:
    source = (
        "开头**重点**。\n\n## 论文\n\n[BLOOM](https://arxiv.org/abs/2211.05100)\n由多人完成，\n"
        "值得一读。\n\n- 第一点；\n- 第二点，见[这里](https://a.example)：\n\n  1. 其一\n  2. 其二\n"
    )
    assert markdown_text(source) == (
        "开头重点。\n\n论文\n\nBLOOM 由多人完成，值得一读。\nhttps://arxiv.org/abs/2211.05100\n\n"
        "• 第一点；\n\n• 第二点，见这里：\n  https://a.example\n\n  1. 其一\n  2. 其二"
    )
