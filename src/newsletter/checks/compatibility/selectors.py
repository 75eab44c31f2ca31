"""Selectors as uses (Selectors 4), and the mail programs that a selector is made for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import tinycss2

from newsletter.checks.compatibility.data import Client

_ELEMENTS = frozenset({"before", "after", "first-line", "first-letter"})
"""Pseudo-elements that may be written with one colon."""

_NEW_OUTLOOK = frozenset(
    ("outlook", platform) for platform in ("macos", "outlook-com", "ios", "android")
)
_TARGETS: tuple[tuple[re.Pattern[str], frozenset[Client]], ...] = (
    (re.compile(r"\[(?:data-og[sa][cb]|owa)\b|\.ExternalClass|\.ReadMsgBody"), _NEW_OUTLOOK),
    (
        re.compile(r"x-apple-data-detectors|\.appleLinks|\[href\^=[\"']?(?:tel|sms|mailto)"),
        frozenset({("apple-mail", "ios"), ("apple-mail", "macos")}),
    ),
    (
        re.compile(r"^u\s*\+|\.aBn\b|#gmail|\.gmail"),
        frozenset(
            ("gmail", platform)
            for platform in ("desktop-webmail", "ios", "android", "mobile-webmail")
        ),
    ),
    (re.compile(r"\.yshortcuts|\.yahoo"), frozenset({("yahoo", "desktop-webmail")})),
    (re.compile(r"#MessageView|#MessageWebView"), frozenset({("samsung-email", "android")})),
    (re.compile(r"\.qmbox"), frozenset({("qq", "desktop-webmail")})),
)
"""Selectors that only fit what one mail program makes of a mail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """One selector of a list.

    Attributes:
        text: as written.
        atoms: what is in it.
        only: the mail programs that it is made for; none when it is for all.

    """

    text: str
    atoms: frozenset[str]
    only: frozenset[Client]

    @property
    def conditions(self) -> frozenset[str]:
        """Its pseudo-classes and pseudo-elements: where those are unknown, the rule does not hold."""
        return frozenset(atom for atom in self.atoms if atom.startswith("pseudo"))


def selectors_of(prelude: Sequence[Any]) -> tuple[Selector, ...]:
    """The selectors in front of a rule's braces.

    Args:
        prelude: tokens of tinycss2.

    """
    parts = list(_split(prelude))
    several = {"selector:grouping"} if len(parts) > 1 else set()
    selectors = []
    for part in parts:
        text = " ".join(tinycss2.serialize(part).split())
        if not text:
            continue
        only = next((clients for pattern, clients in _TARGETS if pattern.search(text)), frozenset())
        selectors.append(Selector(text=text, atoms=frozenset(_atoms(part) | several), only=only))
    return tuple(selectors)


def _split(tokens: Sequence[Any]) -> Iterator[list[Any]]:
    part: list[Any] = []
    for token in tokens:
        if token.type == "literal" and token.value == ",":
            yield _trimmed(part)
            part = []
        elif token.type != "comment":
            part.append(token)
    yield _trimmed(part)


def _trimmed(part: list[Any]) -> list[Any]:
    while part and part[0].type == "whitespace":
        part = part[1:]
    while part and part[-1].type == "whitespace":
        part = part[:-1]
    return part


def _atoms(tokens: Sequence[Any]) -> set[str]:
    atoms: set[str] = set()
    for compound in _compounds(tokens, atoms):
        atoms |= _compound(compound)
    return atoms


def _compounds(tokens: Sequence[Any], atoms: set[str]) -> Iterator[list[Any]]:
    """What stands between combinators, which become atoms."""
    compound: list[Any] = []
    between = ""
    for token in tokens:
        if token.type == "whitespace":
            between = between or " "
        elif token.type == "literal" and token.value in (">", "+", "~"):
            between = token.value
        else:
            if between and compound:
                yield compound
                compound = []
            if between:
                atoms.add(f"combinator:{between}")
                between = ""
            compound.append(token)
    if compound:
        yield compound


def _compound(tokens: Sequence[Any]) -> set[str]:
    """One compound selector, such as `td.cell:hover`."""
    atoms: set[str] = set()
    classes = 0
    before = ""
    for token in tokens:
        match token.type:
            case "ident" if before == ".":
                classes += 1
            case "ident" if before.startswith(":"):
                atoms.add(_pseudo(token.lower_value, before))
            case "function":
                atoms.add(_pseudo(token.lower_name, before))
            case "ident":
                atoms.add("selector:type")
            case "hash":
                atoms.add("selector:id")
            case "[] block":
                atoms |= _attribute(token.content)
            case "literal" if token.value == "*":
                atoms.add("selector:universal")
        if token.type == "literal":
            before = before + token.value if token.value == ":" else token.value
        else:
            before = ""
    atoms |= {"selector:class"} if classes else set()
    atoms |= {"selector:chaining"} if classes > 1 else set()
    pseudo = any(atom.startswith("pseudo") for atom in atoms)
    if atoms & {"selector:class", "selector:id", "selector:attribute"} and pseudo:
        atoms.add("pseudo-on:class")
    if {"selector:class", "selector:attribute"} <= atoms:
        atoms.add("attribute-on:class")
    return atoms


def _pseudo(name: str, colons: str) -> str:
    element = colons == "::" or name in _ELEMENTS
    return f"pseudo-element:{name}" if element else f"pseudo:{name}"


def _attribute(tokens: Sequence[Any]) -> set[str]:
    name = next((token.lower_value for token in tokens if token.type == "ident"), "")
    operators = "".join(token.value for token in tokens if token.type == "literal")
    return {
        "selector:attribute",
        f"attribute-name:{name}",
        f"attribute-operator:{operators or 'none'}",
    }
