"""Marks that lack their partner, and characters that nobody meant to write."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING

from newsletter.checks.model import Example, Found, Severity, check
from newsletter.checks.prose import around
from newsletter.source.text import character_name

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked

_PAIRS = dict(zip("（《「『【“‘([", "）》」』】”’)]", strict=True))
_CLOSING = {closing: opening for opening, closing in _PAIRS.items()}
_OTHER_WIDTH = {")": "（", "）": "(", "]": "【", "】": "["}
# What stands alone and is right so: don’t, ’90s, 1), :)
_APOSTROPHE = re.compile(r"(?<=[A-Za-z0-9])’|[‘’](?=\d\ds?\b)")
_NUMBERED = re.compile(
    r"(?:^|(?<=[\s：:；;，,。]))[0-9a-zA-Z①-⑩一二三四五六七八九十]{1,3}[)）]", re.MULTILINE
)
_FACES = re.compile(r"[:;=]-?[()\[\]]")
_STRAIGHT = re.compile(
    r"(?<!\\)\"(?=[^\"\n]*[\u3400-\u9fff])[^\"\n]{1,80}\"|(?<!\w)'(?=[^'\n]*[\u3400-\u9fff])[^'\n]{1,40}'"
)
_MOJIBAKE = re.compile(
    r"锟斤拷|烫烫烫|屯屯屯|\ufffd|â€[™œ\u009d¦“”]|Ã[©¨¡³\u00a0-\u00bf]|ï»¿|(?:[æåçèéä][\u0080-\u00bf¤-¿]{2}){2}"
)
_JOINED = re.compile(
    r"(?<=[\U0001F000-\U0001FAFF\u2600-\u27bf\ufe0f])\u200d(?=[\U0001F000-\U0001FAFF\u2600-\u27bf])"
)


@check(
    "marks-unpaired",
    title="A bracket or quotation mark without its partner",
    severity=Severity.WARNING,
    passing=Example(
        body="“好”（很好，见《论文》）。\n\n1) 第一\n2) 第二\n\nDon’t stop in the ’90s :)"
    ),
    failing=(
        Example(body="作者说：“这很好。"),
        Example(body="见附录（第三节)。"),
        Example(body="《预训练周刊的第三期"),
    ),
)
def marks_unpaired(checked: Checked) -> Iterator[Found]:
    """A quotation mark or bracket is opened and not closed in its paragraph, or the other way round.

    One of another width counts as missing: `（第三节)`.
    """
    for copy in checked.copy:
        for start, paragraph in copy.paragraphs():
            for offset, mark in _unpaired(paragraph):
                shown = around(paragraph, offset, offset + 1)
                missing = "opened" if mark in _CLOSING else "closed"
                yield Found(
                    f"`{mark}` is never {missing}, in “{shown}”",
                    place=copy.place(start + offset),
                    hint=f"its partner is {_CLOSING.get(mark) or _PAIRS[mark]}",
                )


def _unpaired(paragraph: str) -> Iterator[tuple[int, str]]:
    """Offsets of marks without a partner; of crossed ones, the inner."""
    alone = {
        match.end() - 1
        for pattern in (_APOSTROPHE, _FACES, _NUMBERED)
        for match in pattern.finditer(paragraph)
    }
    opened: list[tuple[int, str]] = []
    lonely: list[tuple[int, str]] = []
    for offset, mark in enumerate(paragraph):
        if mark in _PAIRS and offset not in alone:
            opened.append((offset, mark))
        elif mark in _CLOSING:
            partners = [n for n, (_, other) in enumerate(opened) if other == _CLOSING[mark]]
            if partners:
                lonely += opened[partners[-1] + 1 :]
                del opened[partners[-1] :]
            elif offset not in alone:
                lonely.append((offset, mark))
    yield from _once(sorted(lonely + opened))


def _once(lonely: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """One of two that would be a pair if they were of one width."""
    waiting = ""
    for offset, mark in lonely:
        if mark in _CLOSING and waiting == _OTHER_WIDTH.get(mark):
            waiting = ""
            continue
        waiting = mark
        yield offset, mark


@check(
    "quotes-straight",
    title="Straight quotation marks around Chinese words",
    severity=Severity.WARNING,
    passing=Example(body='他说“好”，而 "self-attention" 与 don\'t 照旧。'),
    failing=Example(body='他说"这很好"。'),
)
def quotes_straight(checked: Checked) -> Iterator[Found]:
    """Chinese words stand in “ ” or 「 」; `"` belongs to code and typewriters."""
    for copy in checked.copy:
        for match in _STRAIGHT.finditer(copy.text):
            yield Found(
                f"straight quotation marks: {around(copy.text, *match.span(), reach=0)}",
                place=copy.place(match.start()),
                hint="write “ ”",
            )


@check(
    "backtick-odd",
    title="A backtick without its partner",
    severity=Severity.WARNING,
    passing=Example(body="用 `model.fit()` 训练，`` a`b `` 也行。\n\n```\nx = `y\n```"),
    failing=(Example(body="用 `model.fit() 训练。"),),
)
def backtick_odd(checked: Checked) -> Iterator[Found]:
    """Code stands between two backticks. With one missing, readers see the mark and no code."""
    for copy in checked.copy:
        for match in re.finditer(r"(?<!\\)`+", copy.text):
            wrong = "a backtick has no partner,"
            yield copy.found(wrong, match.span(), hint="close it, or take it out")


@check(
    "invisible-character",
    title="An invisible character",
    severity=Severity.WARNING,
    passing=Example(body="一家人：👨‍👩‍👧，爱心 ❤️。"),
    failing=(Example(body="预训\u200b练"), Example(body="看不见的\u202e方向\u202c控制")),
)
def invisible_character(checked: Checked) -> Iterator[Found]:
    """A zero-width space, a direction mark or the like, usually copied from a web page or PDF.

    Readers do not see it; search does not find the word, and filters take it for a trick. Control
    characters are refused when the issue is read.
    """
    for copy in checked.copy:
        text = _JOINED.sub("x", copy.value.text)
        for offset, char in enumerate(text):
            if unicodedata.category(char) in ("Cf", "Co", "Cc") and char not in "\n\t":
                shown = around(text.replace(char, ""), offset, offset)
                yield Found(
                    f"invisible {character_name(char)} in “{shown}”",
                    place=copy.place(offset),
                    hint="delete it",
                )
                break


@check(
    "text-garbled",
    title="Text that was decoded wrongly",
    severity=Severity.ERROR,
    passing=Example(body="café 与 naïve 都是词，Ångström 也是。"),
    failing=(Example(body="锟斤拷的来历"), Example(body="Itâ€™s a model")),
)
def text_garbled(checked: Checked) -> Iterator[Found]:
    """`锟斤拷`, `â€™`, `�`: bytes of one encoding read as another. What stood there is lost."""
    for copy in checked.copy:
        for match in _MOJIBAKE.finditer(copy.value.text):
            shown = around(copy.value.text, *match.span())
            yield Found(
                f"garbled text: “{shown}”",
                place=copy.place(match.start()),
                hint="copy it from the original again",
            )
