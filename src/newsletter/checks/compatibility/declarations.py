"""Declarations of CSS as uses (CSS Values and Units, CSS Color 4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import tinycss2

VENDOR = re.compile(r"[-*_](?:webkit|moz|ms|o|apple|khtml|epub)-|mso-|[*_]")
"""How names begin that are meant for one engine, which others know to leave alone."""

_COLOURS = frozenset({"rgb", "rgba", "hsl", "hsla"})
_EMPHASIS = re.compile(r"!\s*(important)", re.IGNORECASE)
_TIGHT = re.compile(r"[^\s;{]!\s*important", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A declaration, or a rule that stands inside a rule.

    Attributes:
        name: of the property, in lower case.
        shown: `name: value`.
        atoms: what it is; none when it is meant for one engine only.
        numbers: in it, as value and unit.
        line: from 1.
        column: from 1.

    """

    name: str
    shown: str
    atoms: frozenset[str]
    numbers: tuple[tuple[float, str], ...]
    line: int
    column: int


@lru_cache(maxsize=4000)
def declared_in(style: str) -> tuple[Declared, ...]:
    """The declarations of a style attribute."""
    return tuple(_read(tinycss2.parse_blocks_contents(style), emphasis(style)))


def declared_by(content: Sequence[Any], spelling: frozenset[str]) -> tuple[Declared, ...]:
    """The declarations between the braces of a rule.

    Args:
        content: tokens of tinycss2.
        spelling: how `!important` is spelt in the block, see `emphasis`.

    """
    return tuple(_read(tinycss2.parse_blocks_contents(content), spelling))


def emphasis(css: str) -> frozenset[str]:
    """Unusual spellings of `!important` anywhere in `css`: tokens do not keep them."""
    found = set()
    if any(word != "important" for word in _EMPHASIS.findall(css)):
        found.add("important:capitals")
    if _TIGHT.search(css):
        found.add("important:tight")
    return frozenset(found)


def _read(nodes: Sequence[Any], spelling: frozenset[str]) -> Iterator[Declared]:
    for node in nodes:
        if node.type == "declaration":
            yield _declared(node, spelling)
        elif node.type in ("qualified-rule", "at-rule"):
            yield Declared(
                name="",
                shown="a rule inside a rule",
                atoms=frozenset({"nesting"}),
                numbers=(),
                line=node.source_line,
                column=node.source_column,
            )


def _declared(node: Any, spelling: frozenset[str]) -> Declared:
    name = "--*" if node.lower_name.startswith("--") else node.lower_name
    atoms = {"custom-property"} if name == "--*" else {f"property:{name}"}
    numbers: list[tuple[float, str]] = []
    _walk(node.value, name, atoms, numbers)
    atoms |= _shape(node.value)
    if numbers and not any(value for value, _ in numbers) and not _has_words(atoms):
        atoms.add("number:zero")
    if node.important:
        atoms |= {"important"} | spelling
    if VENDOR.match(name):
        atoms.clear()
    value = " ".join(tinycss2.serialize(node.value).split())
    return Declared(
        name=name,
        shown=f"{node.name}: {value}{' !important' if node.important else ''}",
        atoms=frozenset(atoms),
        numbers=tuple(numbers),
        line=node.source_line,
        column=node.source_column,
    )


def _walk(
    tokens: Sequence[Any], name: str, atoms: set[str], numbers: list[tuple[float, str]]
) -> None:
    for token in tokens:
        match token.type:
            case "ident":
                atoms |= {f"ident:{token.lower_value}", f"value:{name}={token.lower_value}"}
            case "number" | "percentage" | "dimension":
                unit = _unit(token)
                numbers.append((token.value, unit))
                atoms |= {f"unit:{unit}"} if unit else set()
                atoms |= {"number:negative"} if token.value < 0 else set()
            case "url":
                atoms.add("value:url")
            case "function":
                atoms.add(f"function:{token.lower_name}")
                atoms |= {"value:url"} if token.lower_name == "url" else set()
                atoms |= _colour(token)
                _walk(token.arguments, name, atoms, numbers)
            case "() block":
                _walk(token.content, name, atoms, numbers)


def _has_words(atoms: set[str]) -> bool:
    return any(atom.startswith(("ident:", "function:")) for atom in atoms)


def _unit(token: Any) -> str:
    if token.type == "dimension":
        return str(token.lower_unit)
    return "%" if token.type == "percentage" else ""


def _colour(function: Any) -> set[str]:
    """Which of the two spellings a colour has (CSS Color 4, section 4)."""
    if function.lower_name not in _COLOURS:
        return set()
    parts = [token for token in function.arguments if token.type not in ("whitespace", "comment")]
    commas = [token for token in parts if token.type == "literal" and token.value == ","]
    values = [token for token in parts if token.type != "literal"]
    atoms = {"colour:alpha"} if len(values) > 3 else set()
    if not commas and len(values) > 1:
        atoms.add("colour:without-commas")
    return atoms


def _shape(tokens: Sequence[Any]) -> set[str]:
    """Whether a value is a list, and of what kind."""
    parts = [token for token in tokens if token.type not in ("whitespace", "comment")]
    marks = {token.value for token in parts if token.type == "literal"}
    atoms = {"list:several"} if len(parts) - len(marks) > 1 else set()
    atoms |= {"list:comma"} if "," in marks else set()
    return atoms | ({"list:slash"} if "/" in marks else set())
