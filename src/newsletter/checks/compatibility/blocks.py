"""Style blocks as uses: rules, at-rules and what they stand under (CSS Syntax 3, Media Queries 5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import tinycss2

from newsletter.checks.compatibility.declarations import declared_by, emphasis
from newsletter.checks.compatibility.selectors import Selector, selectors_of
from newsletter.checks.compatibility.uses import Origin, Use, Where

CONDITIONAL = frozenset({"media", "supports", "layer", "container", "document", "scope"})
"""At-rules that hold rules."""

_LEVEL = {"and", "or", "not", "only"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    """Where in a block the reader is."""

    block: int
    spelling: frozenset[str]
    within: frozenset[str] = frozenset()

    def origin(self, node: Any) -> Origin:
        line, column = (
            (node.line, node.column)
            if hasattr(node, "line")
            else (node.source_line, node.source_column)
        )
        return Origin(block=self.block, line=line, column=column)


@lru_cache(maxsize=16)
def uses_of_block(css: str, block: int) -> tuple[tuple[Use, Origin], ...]:
    """What a style block uses; remembered, since a preview asks again and again.

    Args:
        css: its text.
        block: its number in the mail, from 0.

    """
    return tuple(_block(css, block))


def _block(css: str, block: int) -> Iterator[tuple[Use, Origin]]:
    context = _Context(block=block, spelling=emphasis(css))
    nodes = tinycss2.parse_stylesheet(css)
    for node in nodes:
        if node.type == "comment":
            use = Use(atoms=frozenset({"comment:css"}), shown="/* … */", where=Where.BLOCK)
            yield use, context.origin(node)
    yield from _rules(nodes, context)


def _rules(nodes: Sequence[Any], context: _Context) -> Iterator[tuple[Use, Origin]]:
    for node in nodes:
        if node.type == "qualified-rule":
            yield from _rule(node, context)
        elif node.type == "at-rule":
            yield from _at_rule(node, context)


def _rule(node: Any, context: _Context) -> Iterator[tuple[Use, Origin]]:
    selectors = selectors_of(node.prelude)
    for selector in selectors:
        use = Use(
            atoms=selector.atoms,
            shown=selector.text,
            where=Where.BLOCK,
            within=context.within,
            only=selector.only,
        )
        yield use, context.origin(node)
    declared = declared_by(node.content, context.spelling)
    beside = frozenset(each.name for each in declared)
    within = context.within | _conditions(selectors)
    for each in declared:
        if not each.atoms:
            continue
        use = Use(
            atoms=each.atoms,
            shown=each.shown,
            where=Where.BLOCK,
            beside=beside,
            numbers=each.numbers,
            within=within,
            only=_only(selectors),
        )
        yield use, context.origin(each)


def _conditions(selectors: Sequence[Selector]) -> frozenset[str]:
    """Conditions that all selectors share."""
    conditions = [selector.conditions for selector in selectors]
    return frozenset.intersection(*conditions) if conditions else frozenset()


def _only(selectors: Sequence[Selector]) -> frozenset[tuple[str, str]]:
    """The mail programs that a rule is for: none when one of its selectors is for all."""
    if any(not selector.only for selector in selectors):
        return frozenset()
    return frozenset().union(*(selector.only for selector in selectors))


def _at_rule(node: Any, context: _Context) -> Iterator[tuple[Use, Origin]]:
    name = node.lower_at_keyword
    atoms = {f"at:{name}"} | (_media(node.prelude) if name == "media" else set())
    if context.within:
        atoms.add("nested")
    words = " ".join(tinycss2.serialize(node.prelude).split())
    use = Use(
        atoms=frozenset(atoms),
        shown=f"@{name} {words}".strip(),
        where=Where.BLOCK,
        within=context.within,
    )
    yield use, context.origin(node)
    if node.content is None or name not in CONDITIONAL:
        return
    inside = replace(context, within=context.within | atoms - {"nested"})
    inner = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
    yield from _rules(inner, inside)


def _media(prelude: Sequence[Any]) -> set[str]:
    """Media types and features of a query list."""
    atoms: set[str] = set()
    for token in prelude:
        if token.type == "ident" and token.lower_value not in _LEVEL:
            atoms.add(f"media-type:{token.lower_value}")
        elif token.type == "() block":
            names = [part.lower_value for part in token.content if part.type == "ident"]
            atoms |= {f"media:{name}" for name in names[:1]}
            inner = [part for part in token.content if part.type == "() block"]
            atoms |= _media(inner)
            if any(
                part.type == "literal" and part.value in ("<", ">", "=") for part in token.content
            ):
                atoms.add("media-range")
    return atoms
