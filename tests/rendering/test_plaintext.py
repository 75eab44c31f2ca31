"""The text part: clean lines, and wrapping by display cells with kinsoku."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.rendering.plaintext import NO_END, NO_START, cells, finish_text, wrap_line

FINISHED = {
    "lines end clean": ("a  \nb\t\nc", "a\nb\nc\n"),
    "one blank line at most": ("a\n\n\n\n \nb\n\nc\n\n\n", "a\n\nb\n\nc\n"),
    "nothing before the first line": ("\n\n  \na", "a\n"),
    "all kinds of line ends": (
        "a\r\nb\rc\u2028d\u2029e\x0bf\x0cg\x85h",
        "a\nb\nc\nd\ne\nf\ng\nh\n",
    ),
    "odd spaces": ("a\u00a0b\u2003c\u202fd\u2007e\u3000f", "a b c d e\u3000f\n"),
    "zero width": ("a\u200bb\ufeffc\u034fd\u00ade\u2060f\u200eg\u202eh", "abcdefgh\n"),
    "control characters": ("a\0b\x07c\x1bd\x7fe\x9ff", "abcdef\n"),
    "tabs": ("\ta", "    a\n"),
    "indented": ("a\n  b\n", "a\n  b\n"),
    "empty": ("", "\n"),
}


@pytest.mark.parametrize(("text", "finished"), FINISHED.values(), ids=FINISHED.keys())
def test_finished_text(text, finished):
    assert finish_text(text) == finished
    assert finish_text(finished) == finished


def test_lines_are_not_wrapped_by_default():
    assert finish_text("好" * 300) == "好" * 300 + "\n"


WRAPPED = {
    "between characters": ("一二三四五六七八", 6, ["一二三", "四五六", "七八"]),
    "an odd width": ("一二三四", 5, ["一二", "三四"]),
    "fits": ("一二三", 6, ["一二三"]),
    "no comma first": ("一二三，四五六", 6, ["一二", "三，四", "五六"]),
    "no full stop first": ("一二三。四", 6, ["一二", "三。四"]),
    "no bracket last": ("一二（三四）", 6, ["一二", "（三", "四）"]),
    "no book title mark last": ("读了《周刊》吗", 6, ["读了", "《周", "刊》吗"]),
    "no quotation mark last": ("他说“好”了", 6, ["他说", "“好”", "了"]),
    "two marks at once": ("一二三。”四", 6, ["一二", "三。”", "四"]),
    "a dash is whole": ("一二三——四", 6, ["一二", "三——", "四"]),
    "an ellipsis is whole": ("一二三……四", 6, ["一二", "三……", "四"]),
    "words at spaces": ("one two three", 8, ["one two", "three"]),
    "a word is whole": ("学习BERT模型", 5, ["学习", "BERT", "模型"]),
    "a word with a hyphen is whole": ("self-supervised 学习", 10, ["self-supervised", "学习"]),
    "an apostrophe is in the word": ("Don’t stop", 7, ["Don’t", "stop"]),
    "an address is whole": (
        "见https://example.org/a?b=中&c=d。谢谢",
        10,
        ["见", "https://example.org/a?b=中&c=d。", "谢谢"],
    ),
    "a mark after a space is not first": ("ab cd ，ef", 5, ["ab", "cd ，", "ef"]),
    "a list": ("- 一二三四五", 8, ["- 一二三", "  四五"]),
    "a numbered list": ("10. 一二三四", 8, ["10. 一二", "    三四"]),
    "an indented list": ("  • 一二三", 9, ["  • 一二", "     三"]),
    "a quotation": ("> 一二三四五", 8, ["> 一二三", "> 四五"]),
    "an indent": ("    一二三四", 8, ["    一二", "    三四"]),
    "an indent that leaves no room": ("      一二", 6, ["      一二"]),
    "a flag": ("一🇨🇳二", 2, ["一", "🇨🇳", "二"]),
    "a skin": ("一👍🏽二", 2, ["一", "👍🏽", "二"]),
}


@pytest.mark.parametrize(("line", "width", "lines"), WRAPPED.values(), ids=WRAPPED.keys())
def test_wrapped(line, width, lines):
    assert wrap_line(line, width) == lines


def test_marks_take_two_cells_in_chinese_only():
    assert cells("“a”—…") == 9
    assert cells("“a”—…", ambiguous=1) == 5
    assert finish_text("“aa” bb", width=6, language="zh-CN") == "“aa”\nbb\n"
    assert finish_text("“a” bb", width=6, language="en") == "“a” bb\n"
    assert finish_text("“a” bb", width=6, language="ja") == "“a”\nbb\n"


def test_wrapping_is_per_line():
    assert finish_text("一二三四\n\n五六七八\n", width=4) == "一二\n三四\n\n五六\n七八\n"


LINES = st.text(
    alphabet="一二好abZ09 ，。、；：？！）》」』】”’…—（《「『【“‘-.,()/\u3000é🙂", max_size=80
)


@settings(deadline=None, max_examples=300)
@given(LINES, st.integers(4, 40))
def test_wrapping_breaks_lines_and_changes_nothing_else(line, width):
    wrapped = wrap_line(line, width)
    assert re.sub(r"\s", "", "".join(wrapped)) == re.sub(r"\s", "", line)


@settings(deadline=None, max_examples=300)
@given(LINES, st.integers(4, 40))
def test_no_line_starts_or_ends_against_kinsoku(line, width):
    wrapped = wrap_line(line, width)
    for part in wrapped[1:]:
        assert part.lstrip()[0] not in NO_START
    for part in wrapped[:-1]:
        assert part.rstrip()[-1] not in NO_END


@settings(deadline=None, max_examples=300)
@given(LINES, st.integers(8, 40))
def test_a_line_is_too_long_only_when_it_cannot_be_broken(line, width):
    for part in wrap_line(line, width)[1:]:
        if cells(part) > width:
            text = part.strip()
            breaks = [
                i
                for i in range(1, len(text))
                if "一" <= text[i] <= "鿿" and "一" <= text[i - 1] <= "鿿"
            ]
            assert not breaks


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.sampled_from(["好", "，", "（", "https://example.org/a/b?c=d", "BERT", " "]), max_size=30
    )
)
def test_addresses_and_words_stay_whole(pieces):
    line = "".join(pieces).strip()
    found = " ".join(wrap_line(line, 12))
    for word in re.findall(r"https://[a-z./?=]+|BERT(?=[^a-zA-Z]|$)", line):
        assert word in found


@settings(deadline=None)
@given(st.text(max_size=200), st.sampled_from([0, 20]))
def test_any_text_is_finished(text, width):
    finished = finish_text(text, width=width)
    assert finished.endswith("\n")
    assert "\n\n\n" not in finished
    assert not re.search("[ \t]\n|[\u00a0\u200b\ufeff\x00-\x08\x0b-\x1f]", finished)
