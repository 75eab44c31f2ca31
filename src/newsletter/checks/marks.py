"""Marks that lack their partner, and what was left behind by tools, templates and haste."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING

from newsletter.checks.model import Example, Found, Severity, check
from newsletter.checks.prose import around
from newsletter.source.text import character_name, shortened

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked

_PAIRS = dict(zip("（《「『【“‘([", "）》」』】”’)]", strict=True))
_CLOSING = {closing: opening for opening, closing in _PAIRS.items()}
_OTHER_WIDTH = {")": "（", "）": "(", "]": "【", "】": "["}
_APOSTROPHE = re.compile(r"(?<=\w)’|’(?=\d\ds?\b)|‘(?=\d\ds?\b)")
_NUMBERED = re.compile(
    r"(?:^|(?<=[\s：:；;，,。]))[0-9a-zA-Z①-⑩一二三四五六七八九十]{1,3}[)）]", re.MULTILINE
)
_FACES = re.compile(r"[:;=]-?[()\[\]]")
_STRAIGHT = re.compile(
    r"(?<!\\)\"(?=[^\"\n]*[\u3400-\u9fff])[^\"\n]{1,80}\"|'(?=[^'\n]*[\u3400-\u9fff])[^'\n]{1,40}'"
)
_TODO = re.compile(
    r"\b(?:TODO|FIXME|TBD|TBC|TKTK|TK|XXX+|[Ll]orem ipsum)\b(?!\s*(?:list|List|注释|comment))"
    r"|(?:待补充|待补全|待填写|待更新|待完善|此处填写|这里填写|占位文字|（待补）|【待补】)"
)
_MARKER = re.compile(
    r"\{\{.{0,80}?\}\}|\{%.{0,80}?%\}|\*\|[A-Z][A-Z0-9_:]*\|\*|%%[A-Za-z][\w ]*%%|\[\[[a-z_.]+\]\]"
    r"|\$\{[A-Za-z][\w.]*\}|%(?:FIRST|LAST)?_?NAME%|\bNl[A-Za-z0-9]{16}Qz\b"
)
_MARKDOWN = re.compile(
    r"\*\*[^*\n]{1,80}\*\*|~~[^~\n]{1,80}~~|!?\[[^\]\n]{1,80}\]\s?\((?=\S)[^)\n]{1,200}\)|`[^`\n]{1,80}`"
)
_TAG = re.compile(
    r"</?(?:a|b|i|u|p|br|em|strong|span|div|font|img|sup|sub|h[1-6]|ul|ol|li|table|tr|td|hr|center)(?:\s[^<>\n]{0,200})?/?>",
    re.IGNORECASE,
)
_MOJIBAKE = re.compile(
    r"锟斤拷|烫烫烫|屯屯屯|\ufffd|â€[™œ\u009d¦“”]|Ã[©¨¡³\u00a0-\u00bf]|ï»¿|(?:[æåçèéä][\u0080-\u00bf¤-¿]{2}){2}"
)
_ENTITY = re.compile(
    r"&(?:nbsp|amp|lt|gt|quot|#\d{2,6}|#x[0-9a-fA-F]{2,5}|ldquo|rdquo|mdash|hellip);"
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
    excused = {
        position
        for pattern in (_APOSTROPHE, _FACES)
        for match in pattern.finditer(paragraph)
        for position in range(match.end() - 1, match.end())
    }
    numbers = {match.end() - 1 for match in _NUMBERED.finditer(paragraph)}
    opened: list[tuple[int, str]] = []
    lonely: list[tuple[int, str]] = []
    for offset, mark in enumerate(paragraph):
        if offset in excused:
            continue
        if mark in _PAIRS:
            opened.append((offset, mark))
        elif mark in _CLOSING:
            at = next(
                (n for n in range(len(opened) - 1, -1, -1) if opened[n][1] == _CLOSING[mark]), None
            )
            if at is None and offset in numbers:
                continue  # 1) or （a）, of a list
            if at is None:
                lonely.append((offset, mark))
            else:
                lonely += opened[at + 1 :]
                del opened[at:]
    yield from _once(sorted(lonely + opened))


def _once(lonely: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """One of two that would be a pair if they were of one width."""
    waiting = ""
    for offset, mark in lonely:
        if mark in _CLOSING and waiting in _OTHER_WIDTH.get(mark, ""):
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
            shown = around(copy.text, *match.span())
            yield Found(
                f"a backtick has no partner, in “{shown}”",
                place=copy.place(match.start()),
                hint="close it, or take it out",
            )


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


@check(
    "todo-left",
    title="A note to oneself was left in the text",
    severity=Severity.ERROR,
    passing=Example(body="时间待定。这篇讲的是怎样写好 TODO list，TKO 不算。"),
    failing=(Example(body="TODO：补上数据"), Example(body="结论：待补充")),
)
def todo_left(checked: Checked) -> Iterator[Found]:
    """TK, TODO, TBD, XXX, 待补充, lorem ipsum: something was to be written here, and was not.

    Where it is the subject, accept it: `accept: [{code: todo-left, reason: …}]`.
    """
    for copy in checked.copy:
        for match in _TODO.finditer(copy.text):
            shown = around(copy.text, *match.span())
            yield Found(
                f"`{match.group()}` in “{shown}”",
                place=copy.place(match.start()),
                hint="write what is missing, or take it out",
            )


@check(
    "marker-left",
    title="A placeholder was not filled in",
    severity=Severity.ERROR,
    passing=Example(body="用 `{{ name }}` 写变量，价格 100% 公道。"),
    failing=(
        Example(body="亲爱的 {{ subscriber.name }}，您好。"),
        Example(body="Dear *|FNAME|*,"),
        Example(html="<p>您好，%%name%%</p>"),
    ),
)
def marker_left(checked: Checked) -> Iterator[Found]:
    """`{{ name }}`, `*|FNAME|*`, `%%name%%`: readers will see exactly this.

    An issue source is no template: greet by name in the theme, with `subscriber.name`.
    """
    seen: set[str] = set()
    for copy in checked.copy:
        for match in _MARKER.finditer(copy.text):
            seen.add(match.group())
            yield Found(f"`{match.group()}` is not filled in", place=copy.place(match.start()))
    for part in (checked.words, checked.text):
        for match in _MARKER.finditer(part):
            # Code may show such a thing; then the source has it, as code.
            if match.group() not in seen and not checked.places.index.find(match.group()):
                seen.add(match.group())
                yield Found(
                    f"`{match.group()}` is not filled in",
                    place=checked.places.in_files(match.group()),
                )


@check(
    "markdown-left",
    title="Markdown marks that readers will see",
    severity=Severity.WARNING,
    passing=Example(body="**粗体**、`代码 **` 与 2**3 的写法。"),
    failing=(
        Example(fields="title: 微调的**新**范式"),
        Example(body="这是** 粗体** 吗？"),
        Example(body="见[论文] (https://arxiv.org/abs/1)。"),
    ),
)
def markdown_left(checked: Checked) -> Iterator[Found]:
    """`**`, `[words](address)` or backticks in the finished mail: Markdown that was not understood.

    Titles, names and labels are plain text; only summaries, bodies and captions are Markdown. There,
    a space inside the marks (`** so **`) or between `]` and `(` keeps them from being marks.
    """
    seen = "".join(checked.words_without_code.split())
    for copy in checked.copy:
        for match in _MARKDOWN.finditer(copy.value.text):
            if "".join(match.group().split()) in seen:
                yield Found(
                    f"Markdown stays as it is: {shortened(match.group())}",
                    place=copy.place(match.start()),
                    hint="only plain text can stand here, or the Markdown has a mistake",
                )


@check(
    "html-left",
    title="HTML tags or entities that readers will see",
    severity=Severity.WARNING,
    passing=Example(body="`<br>` 是换行，R&amp;D 是研发，a < b 且 c > d。"),
    failing=(Example(body="第一行<br>第二行"), Example(fields="title: 预训练&nbsp;周刊")),
)
def html_left(checked: Checked) -> Iterator[Found]:
    """`<br>` or `&nbsp;` in the finished mail: raw HTML is shown as it is written, never used.

    Write Markdown in summaries and bodies, and the character itself in titles.
    """
    for copy in checked.copy:
        for match in [*_TAG.finditer(copy.text), *_ENTITY.finditer(copy.text)]:
            if match.group() in checked.words_without_code:
                yield Found(
                    f"`{match.group()}` is shown as it is",
                    place=copy.place(match.start()),
                    hint="write Markdown, or the character itself",
                )
