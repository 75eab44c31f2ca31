"""What libyaml says about broken YAML, in words that tell an author what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import yaml

from newsletter.errors import Problem
from newsletter.source.text import SourceText, shortened

_QUOTES = 'put the whole value in quotes: "…"'

Explanation = tuple[tuple[int, int], str, str | None]
"""Line and column, message, hint."""


def syntax_problem(source: SourceText, error: yaml.MarkedYAMLError) -> Problem:
    """The mistake behind a syntax error of PyYAML, at the place where an author would mend it."""
    fault = _Fault(source, error)
    for context, complaint, explain in _EXPLANATIONS:
        if context in fault.context and complaint in fault.complaint:
            (line, column), message, hint = explain(fault)
            return source.problem(line, column, message, hint)
    line, column = fault.at
    return source.problem(line, column, f"this is not valid YAML: {fault.complaint}", _QUOTES)


@dataclass(slots=True)
class _Fault:
    """A syntax error of PyYAML; its two places are lines and columns of the file, from 1."""

    source: SourceText
    error: yaml.MarkedYAMLError

    @property
    def context(self) -> str:
        """What the parser was doing, such as "while scanning a quoted scalar"."""
        return str(self.error.context or "")

    @property
    def complaint(self) -> str:
        """What it did not like, such as "found unexpected end of stream"."""
        return str(self.error.problem or "")

    @property
    def at(self) -> tuple[int, int]:
        """Where the parser stopped, at the latest the end of the last line that says something."""
        return self._position(self.error.problem_mark)

    @property
    def began(self) -> tuple[int, int]:
        """Where the thing that the parser was reading began."""
        return self._position(self.error.context_mark or self.error.problem_mark)

    def line(self, number: int) -> str:
        """The text of a line of the file."""
        index = number - self.source.first_line
        return self.source.lines[index] if 0 <= index < len(self.source.lines) else ""

    def before(self) -> str:
        """What stands on the line before the place where the parser stopped."""
        line, column = self.at
        return self.line(line)[: column - 1]

    def _position(self, mark: yaml.Mark | None) -> tuple[int, int]:
        if mark is None:
            return self.source.first_line, 1
        lines = self.source.lines
        last = max((n for n, text in enumerate(lines) if text.strip()), default=0)
        if mark.line > last:
            return last + self.source.first_line, len(lines[last].rstrip()) + 1
        return mark.line + self.source.first_line, mark.column + 1


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _mark(char: str) -> str:
    return "a backtick" if char == "`" else f"`{char}`"


def _second_colon(fault: _Fault) -> Explanation:
    before = fault.before()
    if ":" in before:
        message = "a value that contains `: ` must stand in quotes"
        return fault.at, message, _QUOTES
    line, _ = fault.at
    above = fault.line(line - 1).rstrip()
    complete = not above or ": " in above or above.endswith(":")
    if not complete and _indent(above) == _indent(before):
        return _line_without_colon(above, line - 1)
    message = "`:` is not expected here"
    hint = "the line above may lack its `:`, or this line is indented too far"
    return (line, _indent(before) + 1), message, hint


def _line_without_colon(text: str, line: int) -> Explanation:
    place = (line, _indent(text) + 1)
    if ":" in text:
        column = text.index(":") + 2
        return (line, column), "a space is missing after the `:`", "write `name: value`"
    return place, f"`{shortened(text)}` has no `:` after it", "write `name: value`"


def _bad_character(fault: _Fault) -> Explanation:
    line, column = fault.at
    indent = fault.before() + fault.line(line)[column - 1 : column]
    if "\t" in indent and not indent.strip():
        return (line, indent.index("\t") + 1), "a tab cannot indent YAML", "use spaces"
    found = fault.line(line)[column - 1 : column]
    if found == "\t":
        return (line, column), "a tab cannot stand here", "use spaces"
    return fault.at, f"a value cannot begin with {_mark(found)}", _QUOTES


def _no_colon(fault: _Fault) -> Explanation:
    line, column = fault.began
    name = fault.line(line)[column - 1 :]
    hint = "write `name: value`; a text that goes on must be indented further than its key"
    return fault.began, f"`{shortened(name)}` has no `:` after it", hint


def _open_quote(fault: _Fault) -> Explanation:
    line, column = fault.began
    quote = fault.line(line)[column - 1 : column] or '"'
    return (
        fault.began,
        f"this quote is never closed: {quote}",
        f"add {quote} at the end of the text",
    )


def _bad_escape(fault: _Fault) -> Explanation:
    message = "inside double quotes a backslash begins an escape, and this is none"
    return fault.at, message, "double it, or use single quotes"


def _open_bracket(fault: _Fault) -> Explanation:
    line, column = fault.began
    bracket = fault.line(line)[column - 1 : column]
    closing = {"[": "]", "{": "}"}.get(bracket, "bracket")
    hint = f"add `{closing}`; text that begins with `{bracket}` must stand in quotes"
    return fault.began, f"`{bracket}` is never closed, or a comma is missing in it", hint


def _text_after_value(fault: _Fault) -> Explanation:
    before = fault.before().rstrip()
    line, column = fault.at
    if fault.line(line)[column - 1 : column] == ":":
        return fault.at, "a key is missing before the `:`", "write `name: value`"
    if before.endswith(('"', "'")):
        message = "there is text after the closing quote"
        return fault.at, message, "quote the whole value, with the other kind of quotes"
    if before.endswith(("]", "}")):
        message = "there is text after the closing bracket"
        return fault.at, message, _QUOTES
    if fault.line(line)[column - 1 :].startswith("- "):
        message = "a list entry cannot stand among fields"
        return fault.at, message, "a list stands under a field of its own, as in `items:`"
    line, column = fault.began
    message = "this line is indented unlike the lines it belongs to"
    return fault.at, message, f"they begin in column {column}, as on line {line}"


def _no_dash(fault: _Fault) -> Explanation:
    line, column = fault.began
    message = "this line stands in a list but does not begin with `- `"
    return fault.at, message, f"the list began on line {line}, in column {column}"


def _stray(fault: _Fault) -> Explanation:
    line, column = fault.at
    found = fault.line(line)[column - 1 : column]
    if not found:
        return fault.at, "the file ends inside brackets", "close the `[` or `{` above"
    return fault.at, f"{_mark(found)} is not expected here", _QUOTES


def _alias(fault: _Fault) -> Explanation:
    line, column = fault.began
    mark = fault.line(line)[column - 1 : column]
    return fault.began, f"a value cannot begin with {_mark(mark)}", _QUOTES


def _tag(fault: _Fault) -> Explanation:
    return fault.began, "a value cannot begin with `!`", _QUOTES


def _directive(fault: _Fault) -> Explanation:
    return fault.began, "a line cannot begin with `%`", _QUOTES


def _block_text(fault: _Fault) -> Explanation:
    message = "after `|` or `>` the text begins on the next line"
    return fault.at, message, "move it down and indent it, or put the value in quotes"


def _block_tab(fault: _Fault) -> Explanation:
    return fault.at, "a tab cannot indent YAML", "use spaces"


def _page_break(fault: _Fault) -> Explanation:
    return fault.at, "a line of `---` or `...` ends the document here", "remove it"


_EXPLANATIONS: tuple[tuple[str, str, Callable[[_Fault], Explanation]], ...] = (
    ("", "mapping values are not allowed", _second_colon),
    ("", "cannot start any token", _bad_character),
    ("while scanning a block scalar", "found a tab character", _block_tab),
    ("while scanning a block scalar", "did not find expected comment", _block_text),
    ("", "could not find expected ':'", _no_colon),
    ("while scanning a quoted scalar", "document indicator", _open_quote),
    ("while scanning a quoted scalar", "end of stream", _open_quote),
    ("quoted scalar", "escape", _bad_escape),
    ("", "did not find expected ',' or", _open_bracket),
    ("", "did not find expected key", _text_after_value),
    ("", "did not find expected '-' indicator", _no_dash),
    ("", "did not find expected node content", _stray),
    ("while scanning an alias", "", _alias),
    ("while scanning an anchor", "", _alias),
    ("tag", "", _tag),
    ("", "undefined tag handle", _tag),
    ("directive", "", _directive),
    ("", "did not find expected <document start>", _page_break),
)
