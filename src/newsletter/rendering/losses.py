"""What an inliner would lose: every rule tried on a copy of the document, every declaration alone.

An inliner does not say what it dropped, and comparing style attributes before and after would mix up
what was dropped with what another rule overrode. So each rule gets a property of its own, and each
declaration an element of its own; what does not come out again is lost.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from lxml import etree
from lxml.cssselect import CSSSelector

from newsletter.errors import Problem, TemplateError
from newsletter.rendering import css
from newsletter.rendering.css import Declaration, Placed, Rule, Sheet
from newsletter.rendering.mistake import Mistake

Inliner = Callable[[etree._Element], None]
"""Inlines the style blocks of a tree in place. Raises Mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleBlock:
    """A style block that is to be inlined."""

    node: etree._Element
    sheet: Sheet
    placed: Placed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fate:
    """What became of one selector.

    Attributes:
        selector: as written.
        fits: how many elements it fits; None when it cannot be told, as for `::before`.
        inlined: whether all of them got what the rule says.
        kept: whether it stayed in a style block.

    """

    selector: str
    fits: int | None
    inlined: bool
    kept: bool


def find_losses(
    tree: etree._Element, blocks: Sequence[StyleBlock], inliner: Inliner
) -> list[Problem]:
    """A problem for each rule and declaration that `inliner` would lose, in the order of the source.

    A selector that fits no element of this document is no problem.

    Args:
        tree: the document; it is not changed.
        blocks: its style blocks that are to be inlined.
        inliner: what is on trial.

    Raises:
        TemplateError: the inliner fails on a selector.
        Mistake: the inliner fails for another reason.

    """
    fates = iter(_fates(tree, blocks, inliner))
    problems: list[Problem] = []
    for block in blocks:
        found = list(block.sheet.lost)
        for rule in block.sheet.rules:
            found += _of_rule(rule, next(fates), block.placed, inliner)
        problems += sorted(found, key=_position)
    return problems


def _position(problem: Problem) -> tuple[int, int]:
    place = problem.place
    return (place.line or 0, place.column or 0) if place else (0, 0)


def _fates(
    tree: etree._Element, blocks: Sequence[StyleBlock], inliner: Inliner
) -> list[list[_Fate]]:
    """What became of the selectors of each rule, after a trial on a copy."""
    rules = [rule for block in blocks for rule in block.sheet.rules]
    if not rules:
        return []
    path = tree.getroottree().getpath
    trial = copy.deepcopy(tree)
    styles = [cast("list[etree._Element]", trial.xpath(path(block.node)))[0] for block in blocks]
    for node in styles:
        node.text = ""
    styles[0].text = "\n".join(
        f"{rule.prelude} {{ {_probe(i)}: 1 }}" for i, rule in enumerate(rules)
    )
    fitting = [[_fitting(trial, selector) for selector in rule.selectors] for rule in rules]
    _try(inliner, trial, blocks)
    left = "\n".join(node.text or "" for node in trial.iter("style"))
    return [
        [
            _fate(selector, nodes, probe=_probe(i), left=left)
            for selector, nodes in zip(rule.selectors, found, strict=True)
        ]
        for i, (rule, found) in enumerate(zip(rules, fitting, strict=True))
    ]


def _try(inliner: Inliner, trial: etree._Element, blocks: Sequence[StyleBlock]) -> None:
    """Run the inliner; when it fails, name the selectors that nothing here can read."""
    try:
        inliner(trial)
    except Mistake:
        problems = [
            css.problem(f"the selector `{selector}` cannot be read", rule, block.placed)
            for block in blocks
            for rule in block.sheet.rules
            for selector in rule.selectors
            if ":" not in selector and _fitting(trial, selector) is None
        ]
        if problems:
            raise TemplateError(problems=problems) from None
        raise


def _probe(number: int) -> str:
    return f"newsletter-probe-{number}x"


def _fate(selector: str, nodes: list[etree._Element] | None, *, probe: str, left: str) -> _Fate:
    return _Fate(
        selector=selector,
        fits=None if nodes is None else len(nodes),
        inlined=bool(nodes) and all(probe in (node.get("style") or "") for node in nodes or ()),
        kept=probe in left,
    )


def _fitting(tree: etree._Element, selector: str) -> list[etree._Element] | None:
    """The elements that a selector fits; None when that cannot be told."""
    try:
        return cast("list[etree._Element]", _compiled(selector)(tree))
    except Exception:  # cssselect and lxml raise families of their own for what they cannot do
        return None


@functools.lru_cache(maxsize=1000)
def _compiled(selector: str) -> CSSSelector:
    return CSSSelector(selector, translator="html")


def _of_rule(
    rule: Rule, fates: Sequence[_Fate], placed: Placed, inliner: Inliner
) -> Iterator[Problem]:
    for fate in fates:
        yield from _of_selector(rule, fate, placed)
    if any(fate.inlined for fate in fates):
        yield from _of_declarations(rule, placed, inliner)
    elif any(fate.kept for fate in fates):
        yield from _of_kept(rule, placed)


def _of_selector(rule: Rule, fate: _Fate, placed: Placed) -> Iterator[Problem]:
    """`a:hover` and `::before` fit nothing that has a style attribute, and are right in a block."""
    if fate.inlined or fate.fits == 0 or (fate.kept and fate.fits is None):
        return
    what = "and stays in a style block" if fate.kept else "and is left out"
    message = f"`{fate.selector}` could not be inlined, {what}"
    yield css.problem(message, rule, placed, "give the elements a class")


def _of_declarations(rule: Rule, placed: Placed, inliner: Inliner) -> Iterator[Problem]:
    digested = _digested(tuple(part.text for part in rule.declarations), inliner)
    for i, declaration in enumerate(rule.declarations):
        shown = f"`{rule.prelude} {{ {declaration.text} }}`"
        later = _overriding(declaration, rule.declarations[i + 1 :])
        if not digested[i]:
            message = f"{shown} could not be inlined, and is left out"
            yield css.problem(message, declaration, placed, "write it in older CSS")
        elif later:
            message = f"{shown} gives way to `{later.text}` in the same rule, and is left out"
            yield css.problem(message, declaration, placed, "fallback pairs are not kept")


def _of_kept(rule: Rule, placed: Placed) -> Iterator[Problem]:
    """What premailer keeps in a block it cuts at semicolons, those in strings and addresses too."""
    for declaration in rule.declarations:
        if ";" in declaration.value:
            message = f"`{rule.prelude} {{ {declaration.text} }}` is cut at its semicolon"
            yield css.problem(message, declaration, placed)


def _overriding(declaration: Declaration, later: Sequence[Declaration]) -> Declaration | None:
    for other in later:
        same = other.name.lower() == declaration.name.lower()
        if same and other.text.lower() != declaration.text.lower():
            return other
    return None


@functools.lru_cache(maxsize=1000)
def _digested(declarations: tuple[str, ...], inliner: Inliner) -> tuple[bool, ...]:
    """Whether each declaration comes out of the inliner when it is alone."""
    html = etree.Element("html")
    style = etree.SubElement(etree.SubElement(html, "head"), "style")
    body = etree.SubElement(html, "body")
    style.text = "\n".join(f".d{i} {{ {text} }}" for i, text in enumerate(declarations))
    nodes = [etree.SubElement(body, "p", {"class": f"d{i}"}) for i in range(len(declarations))]
    inliner(html)
    return tuple(bool(node.get("style")) for node in nodes)
