"""What tools, templates and haste left behind in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from newsletter.checks.model import Example, Found, Severity, check
from newsletter.source.text import shortened

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked


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


_ENTITY = re.compile(
    r"&(?:nbsp|amp|lt|gt|quot|#\d{2,6}|#x[0-9a-fA-F]{2,5}|ldquo|rdquo|mdash|hellip);"
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
            missing = "write what is missing, or take it out"
            yield copy.found(f"`{match.group()}`", match.span(), hint=missing)


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
