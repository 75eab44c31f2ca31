"""The rules of a style sheet, those for the dark among them, and what they fit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import tinycss2
from cssselect import SelectorError
from cssselect import parse as parse_selector
from lxml import etree
from lxml.cssselect import CSSSelector

from newsletter.rendering.css import Declaration

_DARK = re.compile(r"prefers-color-scheme\s*:\s*dark", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rule:
    """One selector of a style block or sheet, and what it sets.

    Attributes:
        selector: as written.
        declarations: with their lines in the block.
        dark: whether it holds in the dark only.

    """

    selector: str
    declarations: tuple[Declaration, ...]
    dark: bool


def rules_of(text: str) -> list[Rule]:
    """The rules of a style sheet, those in `@media` too when they hold for screens or the dark."""
    return list(_rules(tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)))


def _rules(nodes: Sequence[Any], *, dark: bool = False) -> Iterator[Rule]:
    for node in nodes:
        if node.type == "qualified-rule":
            declarations = tuple(
                Declaration(
                    name=part.name,
                    value=tinycss2.serialize(part.value).strip(),
                    important=part.important,
                    line=part.source_line,
                    column=part.source_column,
                )
                for part in tinycss2.parse_blocks_contents(
                    node.content, skip_comments=True, skip_whitespace=True
                )
                if part.type == "declaration"
            )
            for selector in tinycss2.serialize(node.prelude).split(","):
                yield Rule(selector.strip(), declarations, dark)
        elif node.type == "at-rule" and node.lower_at_keyword == "media" and node.content:
            condition = tinycss2.serialize(node.prelude)
            if _DARK.search(condition) and "not" not in condition:
                inner = tinycss2.parse_rule_list(
                    node.content, skip_comments=True, skip_whitespace=True
                )
                yield from _rules(inner, dark=True)


def specificity(selector: str) -> tuple[int, ...]:
    """The specificity of a selector (Selectors 4, 15); all 0 for one that cannot be read."""
    try:
        return tuple(parse_selector(selector)[0].specificity())
    except (SelectorError, IndexError):
        return (0, 0, 0)


def fitting(tree: etree._Element, selector: str) -> list[etree._Element]:
    """The elements that a selector fits; none for one that only a mail program understands."""
    try:
        return cast("list[etree._Element]", CSSSelector(selector, translator="html")(tree))
    except Exception:  # cssselect and lxml raise families of their own for what they cannot do
        return []
