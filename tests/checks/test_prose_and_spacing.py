"""What counts as copy, and what autocorrect's formatting becomes."""

from __future__ import annotations

import pytest
from checks_desk import Desk
from hypothesis import given
from hypothesis import strategies as st

from newsletter.checks.model import Example
from newsletter.checks.prose import MASK, Copy, around, masked
from newsletter.checks.spacing import Change, changes


def seen(text: str) -> str:
    return masked(text).replace(MASK, "")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("用 `code` 做", "用  做"),
        ("`` a`b `` 后", " 后"),
        ("```py\n代码\n```\n后", "\n\n\n后"),
        ("~~~\n代码", "\n"),
        ('见[论文](https://a.org/x_(y) "名")。', "见[论文]。"),
        ("见 https://a.org/x。好", "见 。好"),
        ("(https://a.org/x)", "()"),
        ("写信 mailto:a@b.org 吧", "写信  吧"),
        ("没有代码", "没有代码"),
        ("一个 ` 反引号\n\n另一个 `", "一个 ` 反引号\n\n另一个 `"),
    ],
)
def test_code_and_addresses_are_masked(text: str, left: str) -> None:
    assert seen(text) == left


@given(st.text())
def test_masking_keeps_every_offset(text: str) -> None:
    result = masked(text)
    assert len(result) == len(text)
    assert all(new in (old, MASK) for old, new in zip(text, result, strict=True))
    assert [n for n, char in enumerate(text) if char == "\n"] == [
        n for n, char in enumerate(result) if char == "\n"
    ]


def test_paragraphs_and_list_items() -> None:
    text = "一\n续\n\n二\n- 甲\n- 乙\n\n> 引"
    copy = Copy(None, text)  # type: ignore[arg-type]
    assert list(copy.paragraphs()) == [
        (0, "一\n续"),
        (5, "二"),
        (7, "- 甲"),
        (11, "- 乙"),
        (16, "> 引"),
    ]
    assert all(text[start:].startswith(part) for start, part in copy.paragraphs())


def test_words_around_a_place_are_one_line() -> None:
    assert around("甲乙丙\n   丁戊己", 2, 3, reach=6) == "甲乙丙丁戊"
    assert around("one\ntwo three", 3, 4, reach=4) == "one two"
    assert around(f"甲{MASK}{MASK}乙", 0, 1) == "甲……乙"


def test_what_is_copy(desk: Desk) -> None:
    items = (
        "- kind: paper\n  title: 题\n  institutions: [甲校]\n  authors: [乙]\n  url: https://a.org/x\n"
        "  summary: 介\n  only: {tags: [丙]}\n  accept: [{code: x-y, reason: 丁}]\n"
        "- {kind: image, src: a.png, alt: 图, caption: 说}\n"
    )
    example = Example(items=items, fields="subject: 主", files={"a.png": "8x8"})
    texts = [copy.text for copy in desk.read(example).copy]
    assert texts[2:] == ["主", "本期内容", "题", "甲校", "乙", "介", "图", "说"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("用BERT", (Change(1, "", " "),)),
        ("好,坏", (Change(1, ",", "，"),)),
        ("９：00开", (Change(0, "９", "9"), Change(1, "：", ":"), Change(4, "", " "))),
        ("已经 很好", ()),
        ("", ()),
    ],
)
def test_changes(text: str, found: tuple[Change, ...]) -> None:
    assert changes(text) == found


@given(st.text(alphabet="好，。,.:：ab1 ９Ａ（()“”\n-*", max_size=40))
def test_changes_put_together_are_what_autocorrect_writes(text: str) -> None:
    from autocorrect_py import format as formatted

    parts, at = [], 0
    for change in changes(text):
        parts += [text[at : change.offset], change.new]
        assert text[change.offset : change.offset + len(change.old)] == change.old
        at = change.offset + len(change.old)
    assert "".join(parts) + text[at:] == formatted(text)
