"""The only door to premailer: CSS from style blocks into style attributes, and what got lost.

premailer is not maintained, so it is fed only what it can digest, on our own tree, with nothing to
fetch and nothing to log. What it drops all the same is told by `losses`.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Iterator, Mapping

from lxml import etree

from newsletter.errors import Problem, TemplateError
from newsletter.rendering import css, document
from newsletter.rendering.css import Placing
from newsletter.rendering.losses import StyleBlock, find_losses
from newsletter.rendering.mistake import Mistake

IGNORE = "data-premailer"
COPIED_ATTRIBUTES = {
    "width": re.compile(r"\d+%?"),
    "height": re.compile(r"\d+%?"),
    "bgcolor": re.compile(r"#[0-9a-fA-F]{6}|[a-zA-Z]+"),
    "align": re.compile(r"left|right|center|justify"),
    "valign": re.compile(r"top|middle|bottom|baseline"),
}
"""Attributes that premailer makes from styles, and what mail programs understand in them."""

_lock = threading.RLock()  # cssutils keeps state of its own


def inline_css(
    html: str, *, sheets: Mapping[str, str] | None = None
) -> tuple[str, tuple[Problem, ...]]:
    """A document with its CSS in style attributes, and a problem for each thing that got lost.

    Args:
        html: a whole document. `<style data-premailer="ignore">` comes out letter for letter.
        sheets: style sheets that stand in it, by path, to name the lines of problems.

    Raises:
        TemplateError: there is no document, or CSS that must not be there (`@import`, at-rules
            inside `@media`).

    """
    try:
        tree = document.parse(html)
        problems = inline_tree(tree, sheets=sheets or {})
    except Mistake as mistake:
        problem = Problem(message=mistake.message, hint=mistake.hint)
        raise TemplateError(problems=[problem]) from None
    return document.serialise(tree, doctype=document.doctype(html)), problems


def inline_tree(
    tree: etree._Element, *, sheets: Mapping[str, str], templates: Mapping[str, str] | None = None
) -> tuple[Problem, ...]:
    """Inline the CSS of `tree` in place, as `inline_css` does.

    Args:
        tree: changed in place.
        sheets: style sheets that stand in it, by path.
        templates: templates that may have made its style blocks, by path.

    Raises:
        TemplateError: CSS that must not be there, with its line.
        Mistake: CSS that cannot be inlined at all.

    """
    problems = list(_linked_sheets(tree))
    blocks, kept = _blocks(tree, sheets, templates or {})
    problems += kept
    problems += find_losses(tree, blocks, _premailer)
    before = {
        node: {str(name): str(value) for name, value in node.attrib.items()}
        for node in tree.iter()
        if document.is_element(node)
    }
    _premailer(tree)
    for node, attributes in before.items():
        problems += _lost_styles(node, attributes.get("style", ""))
        _mend_attributes(node, attributes)
    return tuple(problems)


def _linked_sheets(tree: etree._Element) -> Iterator[Problem]:
    for node in tree.iter("link"):
        if "stylesheet" in node.get("rel", "").lower():
            yield Problem(
                message=f"the style sheet {node.get('href')} is only linked, and not inlined",
                hint='use <style>{{ stylesheet("…") }}</style>',
            )


def _blocks(
    tree: etree._Element, sheets: Mapping[str, str], templates: Mapping[str, str]
) -> tuple[list[StyleBlock], list[Problem]]:
    """The blocks to inline, and problems of those that stay."""
    blocks: list[StyleBlock] = []
    kept: list[Problem] = []
    refused: list[Problem] = []
    for node in tree.iter("style"):
        text = node.text or ""
        placed = Placing(text, sheets, templates)
        if _stays(node):
            refused += css.refused_in_kept_block(text, placed)
            kept += css.nested_in_kept_block(text, placed)
        else:
            blocks.append(StyleBlock(node=node, sheet=css.read_sheet(text, placed), placed=placed))
            refused += blocks[-1].sheet.refused
    if refused:
        raise TemplateError(problems=refused)
    return blocks, kept


def _stays(node: etree._Element) -> bool:
    """Whether premailer leaves a style block alone."""
    wish = node.get(IGNORE)
    if wish not in (None, "ignore"):
        message = f'<style {IGNORE}="{wish}"> means nothing; it is "ignore", or not there at all'
        raise Mistake(message)
    return wish == "ignore" or node.get("media", "all") not in ("all", "screen", "")


def _lost_styles(node: etree._Element, before: str) -> Iterator[Problem]:
    """Declarations of a style attribute that premailer could not read when it added to it."""
    after = {declaration.name.lower() for declaration in css.declarations_of(node.get("style", ""))}
    for declaration in css.declarations_of(before):
        if declaration.name.lower() not in after:
            message = f'<{node.tag} style="{declaration.text}">: the declaration is left out'
            yield Problem(message=message, hint="write it in older CSS")


def _mend_attributes(node: etree._Element, before: Mapping[str, str]) -> None:
    """The author's attributes stay; of premailer's, only what mail programs understand."""
    for name, good in COPIED_ATTRIBUTES.items():
        if name in before:
            node.set(name, before[name])
        elif name in node.attrib and not good.fullmatch(node.get(name, "")):
            del node.attrib[name]


def _premailer(tree: etree._Element) -> None:
    """Inline in place, with the options of docs/architecture.md; nothing is fetched or logged."""
    # Its cache holds 128 parsed pieces of CSS by default, fewer than one mail has, so that none is ever found.
    os.environ.setdefault("PREMAILER_CACHE_MAXSIZE", "4096")
    from premailer import Premailer

    try:
        with _lock:
            Premailer(
                tree,
                allow_network=False,
                allow_loading_external_files=False,
                disable_link_rewrites=True,
                strip_important=False,
                disable_validation=True,
                keep_style_tags=False,
                remove_classes=False,
                align_floating_images=False,
                disable_basic_attributes=["height"],
                cssutils_logging_level=logging.CRITICAL,
            ).transform(pretty_print=False)
    except Exception as error:  # a library that is not maintained raises what it likes
        reason = " ".join(str(error).split())
        message = f"the style block cannot be inlined: {type(error).__name__}: {reason}"
        raise Mistake(message) from None
