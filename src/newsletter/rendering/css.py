"""What stands in a style block: its rules with their lines, and what no inliner should be given.

Reads CSS with tinycss2 (CSS Syntax Level 3), which keeps what it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import tinycss2

from newsletter.errors import Place, Problem

SNIPPET_WIDTH = 120
"""Characters of a line that are shown; style sheets may be one long line."""

KEPT_AT_RULES = frozenset({"media"})
"""At-rules that premailer leaves in the head."""

Placed = Callable[[int, int], tuple[Place, str | None]]
"""From line and column in a style block to a place that the author knows, and the line there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """`name: value`, as it can be written again."""

    name: str
    value: str
    important: bool
    line: int
    column: int

    @property
    def text(self) -> str:
        """The declaration, without a semicolon."""
        return f"{self.name}: {self.value}{' !important' if self.important else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Selectors and what they set."""

    selectors: tuple[str, ...]
    declarations: tuple[Declaration, ...]
    line: int
    column: int

    @property
    def prelude(self) -> str:
        """The selectors, as one list."""
        return ", ".join(self.selectors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A style block.

    Attributes:
        rules: the plain rules.
        lost: what is not a plain rule and will not be inlined.
        refused: what must not be there at all.

    """

    rules: tuple[Rule, ...]
    lost: tuple[Problem, ...]
    refused: tuple[Problem, ...]


class Placing:
    """Finds the author's file for a line of a style block.

    Args:
        text: of the block.
        sheets: style sheets that the block may contain: path as the user would type it, and text.
        templates: templates that may have written the rest, in the same form.

    """

    def __init__(
        self, text: str, sheets: Mapping[str, str], templates: Mapping[str, str] | None = None
    ) -> None:
        self._lines = text.splitlines()
        self._templates = templates or {}
        self._starts = {
            path: (text[:at].count("\n"), sheet.rstrip().count("\n"))
            for path, sheet in sheets.items()
            if sheet.strip() and (at := text.find(sheet.rstrip())) >= 0
        }

    def __call__(self, line: int, column: int) -> tuple[Place, str | None]:
        """The place of a line and column, counted from 1 in the block, and the line there."""
        text = self._lines[line - 1].rstrip() if 0 < line <= len(self._lines) else ""
        for path, (before, length) in self._starts.items():
            if before < line <= before + length + 1:
                own = line - before
                return Place(path=path, line=own, column=column), _numbered(own, text)
        for path, template in self._templates.items():
            at = [
                i for i, own in enumerate(template.splitlines(), 1) if own.strip() == text.strip()
            ]
            if len(at) == 1:
                return Place(path=path, line=at[0]), _numbered(at[0], text)
        return Place(path="<style>", line=line, column=column), _numbered(line, text)


def read_sheet(text: str, placed: Placed) -> Sheet:
    """The rules of a style block, and what cannot be kept of it."""
    rules: list[Rule] = []
    lost: list[Problem] = []
    refused: list[Problem] = []
    for node in tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True):
        match node.type:
            case "qualified-rule":
                rule, problems = _rule(node, placed)
                rules.append(rule)
                lost += problems
            case "at-rule":
                refused += _refused(node, placed)
                lost += _lost_at_rule(node, placed)
            case "error":
                lost.append(
                    problem(f"the style sheet cannot be read: {node.message}", node, placed)
                )
    return Sheet(rules=tuple(rules), lost=tuple(lost), refused=tuple(refused))


def refused_in_kept_block(text: str, placed: Placed) -> tuple[Problem, ...]:
    """What even a block that stays in the head must not have."""
    nodes = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
    imports = (node for node in nodes if node.type == "at-rule" and _name(node) == "import")
    return tuple(problem(*_IMPORT, node, placed) for node in imports)


def nested_in_kept_block(text: str, placed: Placed) -> tuple[Problem, ...]:
    """At-rules inside at-rules: mail programs drop the whole block for them."""
    nodes = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
    return tuple(
        problem(
            f"@{inner.lower_at_keyword} inside @{node.lower_at_keyword}: some mail programs"
            " drop the whole block for it",
            inner,
            placed,
        )
        for node in nodes
        if node.type == "at-rule"
        for inner in _inner_at_rules(node)
    )


def problem(message: str, node: Any, placed: Placed, hint: str | None = None) -> Problem:
    """A problem at a node of tinycss2, a Rule or a Declaration."""
    line = getattr(node, "source_line", None) or node.line
    column = getattr(node, "source_column", None) or node.column
    place, snippet = placed(line, column)
    return Problem(message=message, hint=hint, place=place, snippet=snippet)


_IMPORT = ("@import cannot be used in a mail: nothing may be fetched",)
_KEEP_HINT = 'what must stay a block goes into <style data-premailer="ignore">'


def _refused(node: Any, placed: Placed) -> Iterator[Problem]:
    if _name(node) == "import":
        yield problem(*_IMPORT, node, placed, "use a second stylesheet() call")
    if _name(node) in KEPT_AT_RULES:
        for inner in _inner_at_rules(node):
            message = f"@{inner.lower_at_keyword} inside @{_name(node)} cannot be inlined"
            yield problem(message, inner, placed, _KEEP_HINT)


def _lost_at_rule(node: Any, placed: Placed) -> Iterator[Problem]:
    name = _name(node)
    if name not in KEPT_AT_RULES and name not in ("import", "charset"):
        yield problem(f"@{name} is not inlined, and left out", node, placed, _KEEP_HINT)


def _inner_at_rules(node: Any) -> list[Any]:
    inner = tinycss2.parse_rule_list(node.content or [], skip_comments=True, skip_whitespace=True)
    return [rule for rule in inner if rule.type == "at-rule"]


def _name(node: Any) -> str:
    return str(node.lower_at_keyword)


def _rule(node: Any, placed: Placed) -> tuple[Rule, list[Problem]]:
    declarations: list[Declaration] = []
    lost: list[Problem] = []
    selectors = tuple(_split_commas(node.prelude))
    for part in tinycss2.parse_blocks_contents(
        node.content, skip_comments=True, skip_whitespace=True
    ):
        if part.type == "declaration":
            declarations.append(_declaration(part))
        elif part.type == "error":
            message = f"`{', '.join(selectors)}`: a declaration cannot be read, and is left out"
            lost.append(problem(message, part, placed))
        else:
            message = f"`{', '.join(selectors)}`: a rule inside a rule is left out"
            lost.append(problem(message, part, placed, "write it as a rule of its own"))
    rule = Rule(
        selectors=selectors,
        declarations=tuple(declarations),
        line=node.source_line,
        column=node.source_column,
    )
    return rule, lost


def _declaration(node: Any) -> Declaration:
    return Declaration(
        name=node.name,
        value=tinycss2.serialize(node.value).strip(),
        important=node.important,
        line=node.source_line,
        column=node.source_column,
    )


def _split_commas(tokens: Sequence[Any]) -> Iterator[str]:
    part: list[Any] = []
    for token in tokens:
        if token.type == "literal" and token.value == ",":
            yield tinycss2.serialize(part).strip()
            part = []
        elif token.type != "comment":
            part.append(token)
    yield tinycss2.serialize(part).strip()


@lru_cache(maxsize=4096)  # a mail says the same few styles over and over
def declarations_of(style: str) -> tuple[Declaration, ...]:
    """The declarations of a style attribute."""
    nodes = tinycss2.parse_blocks_contents(style, skip_comments=True, skip_whitespace=True)
    return tuple(_declaration(node) for node in nodes if node.type == "declaration")


def _numbered(line: int, text: str) -> str:
    return f"{line:>5} | {text[:SNIPPET_WIDTH]}"
