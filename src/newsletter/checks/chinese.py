"""Chinese copy-editing: punctuation and spaces where Chinese and Latin letters meet.

The rules are those of common house styles (clreq of the W3C; 中文文案排版指北), and of
`email-craft` for spaces: a small Chinese mail without them looked like spam to SpamAssassin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from newsletter.checks.model import Example, Found, Severity, check
from newsletter.checks.prose import Copy
from newsletter.checks.spacing import Change, changes
from newsletter.content.cjk import is_cjk

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002fa1f"
_DOUBLED = re.compile(r"(?:[，、；：。](?:[，、；：。])+|[？！][，、；：。]|[，、；：][？！])")
_ELLIPSIS = re.compile(rf"(?<=[{_HAN}])(?:\.{{3,}}|。{{3,}}|…(?!…)(?<!……)(?=.))(?=\W|[{_HAN}]|\Z)")
_FULL = {",": "，", ".": "。", ";": "；", ":": "：", "?": "？", "!": "！"}
_HALF_MARK = re.compile(
    rf"(?<=[{_HAN}”’》）】」])([,;:?!])(?=[\s{_HAN}“‘《（【「\ufffc*_]|\Z)|(?<=[{_HAN}”》）])\.(?=\s|\Z)"
)
_HALF_BRACKETS = re.compile(
    rf"\((?!(?:周|星期|礼拜)[一二三四五六日天]\))(?=[^()\n]*[{_HAN}])[^()\n]*\)"
)
_FULL_LETTER = re.compile(r"[０-９Ａ-Ｚａ-ｚ]+(?:[-－＋．][０-９Ａ-Ｚａ-ｚ]+)*％?")
_FULL_IN_NUMBER = re.compile(r"(?<=\d)(?:：(?=\d\d(?!\d))|，(?=\d{3}(?!\d))|。(?=\d))")
_HOLE = re.compile(
    r"(?<=[^\s\ufffc#>*+-])[ \u3000]+(?=[，。、；：？！）】》])|(?<=[，、；：（【《])[ \u3000]+(?=\S)"
)
_UNIT = "年月日号时点分秒期章节第次个届周"
_DIGITS = frozenset("0123456789%")
_LATIN = _DIGITS | frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+#")
_LONE_LETTER = re.compile(r"(?<![A-Za-z0-9])[A-Za-z](?![A-Za-z0-9])")


def _chinese(checked: Checked) -> Iterator[Copy]:
    return (copy for copy in checked.copy if copy.is_chinese)


@check(
    "punctuation-doubled",
    title="Two punctuation marks where one belongs",
    severity=Severity.WARNING,
    passing=Example(body="好！真的吗？！是的……大概——也许。他说：“好。”"),
    failing=(Example(body="训练更快。。效果更好，，也更稳。"), Example(body="效果很好！。")),
)
def punctuation_doubled(checked: Checked) -> Iterator[Found]:
    """`。。`, `，，` or `，。`: one of them was left when the sentence was changed.

    `……`, `——` and `？！` are marks of their own and stay.
    """
    for copy in _chinese(checked):
        for match in _DOUBLED.finditer(copy.text):
            if not _ELLIPSIS.match(copy.text, match.start()):
                yield copy.found(f"`{match.group()}`", match.span(), hint="keep one of them")


@check(
    "ellipsis-odd",
    title="An ellipsis is not written as ……",
    severity=Severity.WARNING,
    passing=Example(body="论文、数据、代码……应有尽有，还有 top-k...n 的写法。"),
    failing=(Example(body="论文、数据、代码...应有尽有。"), Example(body="效果更好。。。也更稳。")),
)
def ellipsis_odd(checked: Checked) -> Iterator[Found]:
    """A Chinese ellipsis is two characters, `……`, not three full stops of either width."""
    for copy in _chinese(checked):
        for match in _ELLIPSIS.finditer(copy.text):
            yield copy.found(f"`{match.group()}`", match.span(), hint="write ……")


@check(
    "punctuation-half-width",
    title="Half-width punctuation in a Chinese sentence",
    severity=Severity.WARNING,
    passing=Example(body="见 Fig. 3(a)，准确率为 82.1%（提升 7.7%）；在 10:00 开始。"),
    failing=(
        Example(body="训练更快,效果更好。"),
        Example(body="参见附录(第三节)。"),
        Example(body="作者说:“好”。"),
    ),
)
def punctuation_half_width(checked: Checked) -> Iterator[Found]:
    """`,` `.` `:` `;` `?` `!` or `( )` beside Chinese characters: an input method that was left on.

    Marks that belong to Latin words, numbers and times stay as they are, and so does 11月9日(周三).
    """
    for copy in _chinese(checked):
        by_offset = {match.start(): match.group() for match in _HALF_MARK.finditer(copy.text)}
        for change in changes(copy.text):
            if change.old in _FULL and change.new == _FULL[change.old]:
                by_offset.setdefault(change.offset, change.old)
        for offset, mark in sorted(by_offset.items()):
            span = (offset, offset + 1)
            yield copy.found(f"half-width `{mark}`", span, hint=f"write {_FULL[mark]}")
        for match in _HALF_BRACKETS.finditer(copy.text):
            yield copy.found("half-width brackets", match.span(), hint="write （ ）", reach=2)


@check(
    "letters-full-width",
    title="Full-width letters or digits",
    severity=Severity.WARNING,
    passing=Example(body="用 GPT-3 做实验，准确率为 82%。"),
    failing=Example(body="用ＧＰＴ-３做实验。"),
)
def letters_full_width(checked: Checked) -> Iterator[Found]:
    """`ＧＰＴ` or `１２`: Latin letters and digits from a full-width keyboard.

    They look spaced out, search does not find them, and screen readers may spell them.
    """
    for copy in checked.copy:
        for match in _FULL_LETTER.finditer(copy.text):
            half = "".join(
                chr(ord(char) - 0xFEE0) if char > "\uff00" else char for char in match.group()
            )
            yield Found(
                f"full-width `{match.group()}`",
                place=copy.place(match.start()),
                hint=f"write {half}",
            )


@check(
    "punctuation-full-width",
    title="Full-width punctuation inside a number or a Latin word",
    severity=Severity.WARNING,
    passing=Example(body="报告 9:00 开始，名额 3,000 个；用 GPT-3，也用 BERT。"),
    failing=(Example(body="报告在9：00开始。"), Example(body="名额有 3，000 个。")),
)
def punctuation_full_width(checked: Checked) -> Iterator[Found]:
    """`9：00` or `3，000`: a Chinese mark where the number or word wants a Latin one."""
    for copy in _chinese(checked):
        for match in _FULL_IN_NUMBER.finditer(copy.text):
            mark = match.group()
            half = {"：": ":", "，": ",", "。": "."}[mark]
            yield copy.found(f"full-width `{mark}`", match.span(), hint=f"write {half}", reach=3)


@check(
    "space-missing",
    title="No space between Chinese characters and a Latin word",
    severity=Severity.WARNING,
    passing=Example(body="用 BERT 做实验，A股、B站、C语言、T恤照旧。"),
    failing=(Example(body="用BERT做实验。"), Example(fields="title: 读懂GPT的新论文")),
)
def space_missing(checked: Checked) -> Iterator[Found]:
    """Latin words are set off from Chinese characters by a space.

    It reads better, and more than that: SpamAssassin, which cuts text into words at spaces, took a
    small Chinese issue without them for spam (5.0 points) and with them for none (-0.0). Single
    letters that are part of a Chinese word (A股, B站) need none.
    """
    for copy, change in _tight(checked):
        before, after = copy.text[change.offset - 1], copy.text[change.offset]
        if not (before + after).isascii() and not _is_digit(before, after):
            yield _space(copy, change)


@check(
    "space-missing-digit",
    title="No space between Chinese characters and a number",
    severity=Severity.NOTE,
    passing=Example(body="在 10 项任务上，第27期，2022年11月9日9点，共3个。"),
    failing=Example(body="在10项任务上有提升。"),
)
def space_missing_digit(checked: Checked) -> Iterator[Found]:
    """Many houses set numbers off by a space as they do words. Dates, ordinals and the like need none.

    Ignore it in newsletter.yaml where your house does otherwise: `checks: {ignore: [space-missing-digit]}`.
    """
    for copy, change in _tight(checked):
        before, after = copy.text[change.offset - 1], copy.text[change.offset]
        idiom = before in _UNIT or after in _UNIT
        if _is_digit(before, after) and not idiom and not _in_idiom(copy.text, change.offset):
            yield _space(copy, change)


@check(
    "space-extra",
    title="A space beside a full-width mark",
    severity=Severity.WARNING,
    passing=Example(body="训练更快，效果更好。 “好”"),
    failing=Example(body="训练更快 ，效果更好。"),
)
def space_extra(checked: Checked) -> Iterator[Found]:
    """Full-width marks bring their own white. A space before one, or after a comma, makes a hole."""
    for copy in _chinese(checked):
        for match in _HOLE.finditer(copy.text):
            yield copy.found("a space beside a mark", match.span(), hint="take it out")


def _tight(checked: Checked) -> Iterator[tuple[Copy, Change]]:
    """Where a space is missing between a CJK character and a Latin letter or digit, once a word."""
    for copy in _chinese(checked):
        told = -1
        for change in changes(copy.text):
            at = change.offset
            if (change.old, change.new) != ("", " ") or not 0 < at < len(copy.text):
                continue
            before, after = copy.text[at - 1], copy.text[at]
            latin = (after if is_cjk(before) else before) in _LATIN
            if is_cjk(before) == is_cjk(after) or not latin or _lone_letter(copy.text, at):
                continue
            start, end = _run(copy.text, at)
            if start > told or start == at:
                told = end
                yield copy, change


def _is_digit(before: str, after: str) -> bool:
    return (before if before.isascii() else after) in _DIGITS


def _lone_letter(text: str, at: int) -> bool:
    """Whether the Latin side is a single letter, as in A股 or T恤."""
    letter = at if text[at].isascii() else at - 1
    return bool(_LONE_LETTER.match(text, letter))


def _in_idiom(text: str, at: int) -> bool:
    """Whether the number is part of a date, a time or an ordinal: the other end of it tells."""
    start, end = _run(text, at)
    return text[start - 1 : start] in tuple(_UNIT) or text[end : end + 1] in tuple(_UNIT)


def _run(text: str, at: int) -> tuple[int, int]:
    """Start and end of the ASCII letters, digits and marks on either side of `at`."""
    start = end = at
    while start > 0 and text[start - 1].isascii() and not text[start - 1].isspace():
        start -= 1
    while end < len(text) and text[end].isascii() and not text[end].isspace():
        end += 1
    return start, end


def _space(copy: Copy, change: Change) -> Found:
    return copy.found("no space", (change.offset, change.offset), hint="put a space between")
