"""Accessibility of the document: language, title, roles and headings, for ears instead of eyes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from newsletter.checks.model import Example, Found, Severity, check
from newsletter.source.text import shortened

if TYPE_CHECKING:
    from lxml import etree

    from newsletter.checks.checked import Checked

_HEADING = re.compile("h[1-6]")
_NO_ZOOM = re.compile(r"user-scalable=(?:no|0)|maximum-scale=1(?:\.0)?(?!\d)")
_GOOD = '<html lang="zh-CN" dir="ltr"><head><title>小周刊</title></head><body>{}</body></html>'


@check(
    "lang-missing",
    title="The mail does not say what language it is in",
    severity=Severity.WARNING,
    passing=Example(html="<p>好</p>"),
    failing=(
        Example(html="<html><head><title>好</title></head><body><p>好</p></body></html>"),
        Example(html='<html lang="zh-CN"><head></head><body><p>好</p></body></html>'),
    ),
)
def lang_missing(checked: Checked) -> Iterator[Found]:
    """Screen readers choose the voice by `lang`, and browsers the shapes of the characters.

    It stands on `<html>` and again on the one child of `<body>`, since web mail drops the outer two.
    """
    root = checked.tree
    if not root.get("lang"):
        yield Found("<html> has no lang", place=checked.places.of_tag(root))
    inner = _first_child(checked)
    if inner is not None and not inner.get("lang"):
        yield Found(
            f"the first <{inner.tag}> of the body has no lang", place=checked.places.of_tag(inner)
        )


@check(
    "lang-differs",
    title="The mail says another language than the publication",
    severity=Severity.WARNING,
    passing=Example(html="<p>好</p>"),
    failing=Example(html=_GOOD.replace("zh-CN", "en").format('<div lang="en"><p>好</p></div>')),
)
def lang_differs(checked: Checked) -> Iterator[Found]:
    """`lang="en"` over Chinese words makes a screen reader spell them in an English voice."""
    wanted = checked.publication.language.partition("-")[0].lower()
    said = (checked.tree.get("lang") or wanted).partition("-")[0].lower()
    if said != wanted:
        yield Found(
            f'<html lang="{said}">, but newsletter.yaml says {checked.publication.language}',
            place=checked.places.of_tag(checked.tree),
        )


@check(
    "dir-missing",
    title="The mail does not say in which direction it reads",
    severity=Severity.NOTE,
    passing=Example(html="<p>好</p>"),
    failing=Example(html='<html lang="zh"><head></head><body><p>好</p></body></html>'),
)
def dir_missing(checked: Checked) -> Iterator[Found]:
    """Web mail of right-to-left readers turns a mail around that has no `dir`."""
    if not checked.tree.get("dir"):
        yield Found("<html> has no dir", place=checked.places.of_tag(checked.tree))


@check(
    "title-missing",
    title="The document has no title",
    severity=Severity.WARNING,
    passing=Example(html="<p>好</p>"),
    failing=Example(html='<html lang="zh"><head></head><body><p>好</p></body></html>'),
)
def title_missing(checked: Checked) -> Iterator[Found]:
    """`<title>` is what a browser and a screen reader call the mail when it stands alone."""
    title = checked.tree.findtext("head/title")
    if not (title or "").strip():
        yield Found("<title> is missing or empty", place=checked.places.of_tag(checked.tree))


@check(
    "table-role-missing",
    title="A layout table that is read out as data",
    severity=Severity.WARNING,
    passing=Example(
        html='<table role="presentation"><tr><td>好</td></tr></table>'
        "<table><tr><th>模型</th></tr><tr><td>BERT</td></tr></table>"
    ),
    failing=Example(html="<table><tr><td>好</td></tr></table>"),
)
def table_role_missing(checked: Checked) -> Iterator[Found]:
    """Screen readers announce rows and columns of every table without `role="presentation"`.

    A table of data has header cells (`<th>`) and no role.
    """
    for node in checked.elements:
        plain = node.tag == "table" and node.get("role") not in ("presentation", "none")
        if plain and node.find(".//th") is None:
            yield Found(
                'a <table> without role="presentation"',
                place=checked.places.of_tag(node) or checked.placed(node).place,
            )


@check(
    "heading-skipped",
    title="Headings that skip a level",
    severity=Severity.WARNING,
    passing=Example(html="<h1>一</h1><h2>二</h2><h3>三</h3><h2>二</h2>"),
    failing=(
        Example(html="<h1>一</h1><h3>三</h3>"),
        Example(body="### 太深的标题\n\n正文。\n\n##### 更深的标题"),
    ),
)
def heading_skipped(checked: Checked) -> Iterator[Found]:
    """Whoever listens jumps from heading to heading; after `<h1>` comes `<h2>`, not `<h3>`."""
    before = 1
    for node in _headings(checked):
        level = int(str(node.tag)[1])
        if level > before + 1:
            yield Found(
                f"<h{level}> “{_text(node)}” after <h{before}>",
                place=checked.placed(node).place,
                hint=f"use h{before + 1}",
            )
        before = level


@check(
    "heading-first",
    title="The first heading is not the only h1",
    severity=Severity.WARNING,
    passing=Example(html="<h1>一</h1><h2>二</h2>"),
    failing=(
        Example(html="<h2>二</h2>"),
        Example(body="# 第二个大标题\n\n正文。"),
    ),
)
def heading_first(checked: Checked) -> Iterator[Found]:
    """The title of the issue is the one `<h1>`, before all others. In Markdown begin with `##`."""
    headings = list(_headings(checked))
    if headings and headings[0].tag != "h1":
        yield Found(
            f"the first heading, “{_text(headings[0])}”, is <{headings[0].tag}>",
            place=checked.placed(headings[0]).place,
        )
    for node in headings[1:]:
        if node.tag == "h1":
            yield Found(
                f"“{_text(node)}” is another <h1>",
                place=checked.placed(node).place,
                hint="use ## in Markdown, <h2> in a template",
            )


@check(
    "heading-empty",
    title="A heading without words",
    severity=Severity.WARNING,
    passing=Example(html='<h1><img src="cid:a@b" width="9" alt="小周刊"></h1>'),
    failing=Example(html="<h1>一</h1><h2> </h2>"),
)
def heading_empty(checked: Checked) -> Iterator[Found]:
    """A screen reader says “heading level 2” and nothing more."""
    for node in _headings(checked):
        if not checked.placed(node).label:
            yield Found(f"<{node.tag}> is empty", place=checked.places.of_tag(node))


@check(
    "zoom-blocked",
    title="The mail keeps readers from enlarging it",
    severity=Severity.WARNING,
    passing=Example(html="<p>好</p>"),
    failing=Example(
        html=_GOOD.replace(
            "<title>",
            '<meta name="viewport" content="width=device-width, user-scalable=no"><title>',
        ).format("<p>好</p>")
    ),
)
def zoom_blocked(checked: Checked) -> Iterator[Found]:
    """`user-scalable=no` or `maximum-scale=1` in the viewport (WCAG 2.2, 1.4.4)."""
    for node in checked.elements:
        content = (node.get("content") or "").replace(" ", "").lower()
        viewport = node.tag == "meta" and (node.get("name") or "").lower() == "viewport"
        if viewport and _NO_ZOOM.search(content):
            yield Found(f"viewport `{content}`", place=checked.places.of_tag(node))


def _headings(checked: Checked) -> Iterator[etree._Element]:
    for node in checked.elements:
        if _HEADING.fullmatch(str(node.tag)):
            yield node


def _first_child(checked: Checked) -> etree._Element | None:
    body = checked.tree.find("body")
    if body is None:
        return None
    return next((node for node in body if isinstance(node.tag, str)), None)


def _text(node: etree._Element) -> str:
    return shortened("".join(map(str, node.itertext())))
