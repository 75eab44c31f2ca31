"""The only door to premailer: CSS from style blocks into style attributes, and what got lost.

premailer is fed what it can digest, and does not say what it dropped. So every rule is tried with a
property of its own on a copy of the document, and every declaration on an element of its own; what
does not come out again is a problem with the line of the style sheet.
"""

from __future__ import annotations

import copy
import functools
import logging
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from lxml import etree
from lxml.cssselect import CSSSelector

from newsletter.errors import Place, Problem, TemplateError
from newsletter.rendering import css, document
from newsletter.rendering.css import Declaration, Placing, Rule, Sheet
from newsletter.rendering.mistake import Mistake

IGNORE = "data-premailer"
COPIED_ATTRIBUTES = {
    "width": re.compile(r"\d+(\.\d+)?%?"),
    "height": re.compile(r"\d+(\.\d+)?%?"),
    "bgcolor": re.compile(r"#[0-9a-fA-F]{6}|[a-zA-Z]+"),
    "align": re.compile(r"left|right|center|justify"),
    "valign": re.compile(r"top|middle|bottom|baseline"),
}
"""Attributes that premailer makes from styles, and what mail programs understand in them."""

_lock = threading.RLock()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """A style block that is to be inlined."""

    node: etree._Element
    sheet: Sheet
    placed: Placing


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
    except Mistake as mistake:
        raise TemplateError(f"the template {mistake.message} ({mistake.hint})") from None
    problems = inline_tree(tree, sheets=sheets or {})
    return document.serialise(tree, doctype=document.doctype(html)), problems


def inline_tree(tree: etree._Element, *, sheets: Mapping[str, str]) -> tuple[Problem, ...]:
    """Inline the CSS of `tree` in place; see `inline_css`."""
    kept, blocks = _blocks(tree, sheets)
    problems = [*_linked_sheets(tree), *kept]
    for block, rules in zip(blocks, _reached(tree, blocks), strict=True):
        problems += _losses(block, rules)
    before = {node: dict(node.attrib) for node in tree.iter() if document.is_element(node)}
    _premailer(tree)
    for node, attributes in before.items():
        problems += _lost_styles(node, str(attributes.get("style", "")))
        _mend_attributes(node, {str(name): str(value) for name, value in attributes.items()})
    return tuple(problems)


def _blocks(tree: etree._Element, sheets: Mapping[str, str]) -> tuple[list[Problem], list[_Block]]:
    kept: list[Problem] = []
    blocks: list[_Block] = []
    refused: list[Problem] = []
    for node in tree.iter("style"):
        text = node.text or ""
        placed = Placing(text, sheets)
        if _stays(node):
            refused += css.refused_in_kept_block(text, placed)
            kept += css.nested_in_kept_block(text, placed)
        else:
            blocks.append(_Block(node=node, sheet=css.read_sheet(text, placed), placed=placed))
            refused += blocks[-1].sheet.refused
    if refused:
        raise TemplateError(problems=refused)
    return kept, blocks


def _stays(node: etree._Element) -> bool:
    """Whether premailer leaves a style block alone."""
    wish = node.get(IGNORE)
    if wish not in (None, "ignore"):
        message = f'<style {IGNORE}="{wish}"> is not known; it is "ignore", or not there at all'
        raise TemplateError(problems=[Problem(message=message)])
    return wish == "ignore" or node.get("media", "all") not in ("all", "screen", "")


def _linked_sheets(tree: etree._Element) -> Iterator[Problem]:
    for node in tree.iter("link"):
        if "stylesheet" in (node.get("rel") or "").lower():
            yield Problem(
                message=f"the style sheet {node.get('href')} is only linked, and not inlined",
                hint='use <style>{{ stylesheet("…") }}</style>',
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What became of one selector: whether it fits anything, was inlined, or kept in a block."""

    selector: str
    fits: bool
    inlined: bool
    kept: bool


Outcomes = list[tuple[Rule, list[_Outcome]]]


def _reached(tree: etree._Element, blocks: list[_Block]) -> list[Outcomes]:
    """For each block, each rule with what became of its selectors on a copy of the document."""
    rules = [rule for block in blocks for rule in block.sheet.rules]
    if not rules:
        return [[] for _ in blocks]
    trial = copy.deepcopy(tree)
    styles = [node for node in trial.iter("style") if not _stays(node)]
    for node in styles:
        node.text = ""
    styles[0].text = "\n".join(
        f"{rule.prelude} {{ {_probe(i)}: 1 }}" for i, rule in enumerate(rules)
    )
    fitting = [[_fitting(trial, selector) for selector in rule.selectors] for rule in rules]
    _premailer(trial)
    left = "\n".join(node.text or "" for node in trial.iter("style"))
    outcomes = iter(
        (
            rule,
            [
                _outcome(i, selector, nodes, left)
                for selector, nodes in zip(rule.selectors, found, strict=True)
            ],
        )
        for i, (rule, found) in enumerate(zip(rules, fitting, strict=True))
    )
    return [[next(outcomes) for _ in block.sheet.rules] for block in blocks]


def _probe(number: int) -> str:
    return f"newsletter-probe-{number}x"


def _outcome(number: int, selector: str, nodes: list[etree._Element] | None, left: str) -> _Outcome:
    probe = _probe(number)
    return _Outcome(
        selector=selector,
        fits=nodes is None or bool(nodes),
        inlined=bool(nodes) and all(probe in (node.get("style") or "") for node in nodes or ()),
        kept=probe in left,
    )


def _fitting(tree: etree._Element, selector: str) -> list[etree._Element] | None:
    """The elements that a selector fits; None when that cannot be told (`::before`)."""
    try:
        return cast("list[etree._Element]", _compiled(selector)(tree))
    except Exception:  # cssselect and lxml raise families of their own for what they cannot do
        return None


@functools.lru_cache(maxsize=1000)
def _compiled(selector: str) -> CSSSelector:
    return CSSSelector(selector, translator="html")


def _losses(block: _Block, rules: Outcomes) -> Iterator[Problem]:
    yield from block.sheet.lost
    for rule, outcomes in rules:
        for outcome in outcomes:
            yield from _lost_selector(block, rule, outcome)
        if any(outcome.inlined for outcome in outcomes):
            yield from _lost_declarations(block, rule)
        elif any(outcome.kept for outcome in outcomes):
            yield from _garbled_declarations(block, rule)


def _lost_selector(block: _Block, rule: Rule, outcome: _Outcome) -> Iterator[Problem]:
    if outcome.inlined or not outcome.fits:
        return
    selector = f"`{outcome.selector}`"
    if not outcome.kept:
        message = f"{selector} could not be inlined, and its rule is left out"
        yield css.problem(message, rule, block.placed, "give the elements a class")
    elif _fits_now(outcome):
        message = f"{selector} could not be inlined, and stays in a style block"
        yield css.problem(message, rule, block.placed, "give the elements a class")


def _fits_now(outcome: _Outcome) -> bool:
    """Whether a selector fits elements as they are, not only `:hover` or `::before`."""
    try:
        _compiled(outcome.selector)
    except Exception:  # as in `_fitting`
        return False
    return outcome.fits


def _lost_declarations(block: _Block, rule: Rule) -> Iterator[Problem]:
    texts = tuple(declaration.text for declaration in rule.declarations)
    digested = _digested(texts)
    for i, declaration in enumerate(rule.declarations):
        shown = f"`{rule.prelude} {{ {declaration.text} }}`"
        later = _overriding(declaration, rule.declarations[i + 1 :])
        if not digested[i]:
            message = f"{shown} could not be inlined, and is left out"
            yield css.problem(message, declaration, block.placed, "write it in older CSS")
        elif later:
            message = f"{shown} gives way to `{later.text}` in the same rule, and is left out"
            yield css.problem(message, declaration, block.placed, "fallback pairs are not kept")


def _garbled_declarations(block: _Block, rule: Rule) -> Iterator[Problem]:
    """What premailer keeps, it cuts at every semicolon, those in strings and addresses too."""
    for declaration in rule.declarations:
        if ";" in declaration.value:
            message = f"`{rule.prelude} {{ {declaration.text} }}` is cut at its semicolon"
            yield css.problem(message, declaration, block.placed)


def _overriding(declaration: Declaration, later: tuple[Declaration, ...]) -> Declaration | None:
    for other in later:
        same = other.name.lower() == declaration.name.lower()
        if same and other.text.lower() != declaration.text.lower():
            return other
    return None


@functools.lru_cache(maxsize=1000)
def _digested(declarations: tuple[str, ...]) -> tuple[bool, ...]:
    """Whether each declaration comes out of premailer when it is alone."""
    rules = "\n".join(f".d{i} {{ {text} }}" for i, text in enumerate(declarations))
    tree = etree.fromstring("<html><head><style></style></head><body></body></html>")
    tree[0][0].text = rules
    for i in range(len(declarations)):
        etree.SubElement(tree[1], "p", {"class": f"d{i}"})
    _premailer(tree)
    return tuple(bool(node.get("style")) for node in tree[1])


def _lost_styles(node: etree._Element, before: str) -> Iterator[Problem]:
    """Declarations of a style attribute that premailer could not read when it added to it."""
    after = {declaration.name.lower() for declaration in css.declarations_of(node.get("style", ""))}
    for declaration in css.declarations_of(before):
        if declaration.name.lower() not in after:
            message = f'<{node.tag} style="{declaration.text}"> could not be kept'
            yield Problem(message=message, place=Place(path="<body>"))


def _mend_attributes(node: etree._Element, before: Mapping[str, str]) -> None:
    """The author's attributes stay; of premailer's, only what mail programs understand."""
    for name, good in COPIED_ATTRIBUTES.items():
        if name in before:
            node.set(name, before[name])
        elif name in node.attrib and not good.fullmatch(node.get(name, "")):
            del node.attrib[name]


def _premailer(tree: etree._Element) -> None:
    """Inline in place, with the options of docs/architecture.md; nothing is fetched or logged."""
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
        raise TemplateError(f"the style block cannot be inlined: {reason}") from None
