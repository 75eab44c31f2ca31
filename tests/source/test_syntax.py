"""Mistakes of syntax: what they are called, where they are shown, and what to do about them."""

from __future__ import annotations

import pytest

from newsletter.errors import SourceError
from newsletter.source.text import SourceText
from newsletter.source.yaml import parse_yaml

CASES = [
    # text, place, words of the message, words of the hint
    ("title: PATS: noisy learning", "1:12", "contains `: ` must stand in quotes", "quotes"),
    ("a: 你好: 世界\n", "1:6", "contains `: ` must stand in quotes", "quotes"),
    ("a: 1\nb: 'never closed\nc: 2\n", "2:4", "this quote is never closed: '", "add '"),
    ('"a: b\nc: d', "1:1", 'this quote is never closed: "', 'add "'),
    ("a: 'x\n---\nb: 2", "1:4", "this quote is never closed", "add '"),
    ("number 64\ntitle: x", "1:1", "`number 64` has no `:` after it", "name: value"),
    ("number:64\ntitle: x", "1:8", "a space is missing after the `:`", "name: value"),
    ("a: 2\nbroken\n", "2:1", "`broken` has no `:` after it", "name: value"),
    ("a: >-\n  x\nb", "3:1", "`b` has no `:` after it", "indented further"),
    ("a: 1\n  b: 2", "2:3", "`:` is not expected here", "indented too far"),
    ("\ta: b", "1:1", "a tab cannot indent YAML", "use spaces"),
    ("a:\n  \t- b", "2:3", "a tab cannot indent YAML", "use spaces"),
    ("a: |\n\tx", "2:1", "a tab cannot indent YAML", "use spaces"),
    ("a: @x", "1:4", "cannot begin with `@`", "quotes"),
    ("a: `x`", "1:4", "cannot begin with a backtick", "quotes"),
    ("a: %x", "1:4", "cannot begin with `%`", "quotes"),
    ("a: *重要*", "1:4", "cannot begin with `*`", "quotes"),
    ("a: &重要", "1:4", "cannot begin with `&`", "quotes"),
    ("a: !重要", "1:4", "cannot begin with `!`", "quotes"),
    ("%FOO\n---\na", "1:1", "cannot begin with `%`", "quotes"),
    ("a: [1, 2\nb: 3", "1:4", "`[` is never closed", "add `]`"),
    ("a: {b: c", "1:4", "`{` is never closed", "add `}`"),
    ("a: [\n", "1:5", "ends inside brackets", "close"),
    ("a: ]", "1:4", "`]` is not expected here", "quotes"),
    ('a: "x" y', "1:8", "text after the closing quote", "quote the whole value"),
    ("title: [置顶] 你好\n", "1:13", "text after the closing bracket", "quotes"),
    ("a: |\n  x\n y: 2\n", "3:2", "indented unlike", "column 1, as on line 1"),
    ("a:\n  - b\n  c: d", "3:3", "does not begin with `- `", "line 2, in column 3"),
    ("a: | x\n  b", "1:6", "begins on the next line", "move it down"),
    (r'a: "C:\q"', "1:7", "a backslash begins an escape", "single quotes"),
    ("a: 1\n...\nb: 2", "3:1", "ends the document", "remove it"),
    ("a: 1\n- b\n", "2:1", "a list entry cannot stand among fields", "field of its own"),
    (": x", "1:1", "a key is missing", "name: value"),
]


@pytest.mark.parametrize(("text", "place", "message", "hint"), CASES)
def test_each_mistake_in_words_an_author_can_use(
    text: str, place: str, message: str, hint: str
) -> None:
    with pytest.raises(SourceError) as caught:
        parse_yaml(SourceText(path="f.yaml", text=text))
    (problem,) = caught.value.problems
    assert str(problem.place) == f"f.yaml:{place}"
    assert message in problem.message
    assert problem.hint is not None
    assert hint in problem.hint
    assert problem.snippet
    assert problem.snippet.split("\n")[1].strip() == "^"


def test_lines_are_counted_in_the_file_not_in_the_part() -> None:
    with pytest.raises(SourceError) as caught:
        parse_yaml(SourceText(path="f.md", text="a: 1\nb: c: d", first_line=2))
    assert str(caught.value).startswith("f.md:3:5: ")


def test_a_long_line_without_colon_is_shortened() -> None:
    with pytest.raises(SourceError) as caught:
        parse_yaml(SourceText(path="f.yaml", text="a: 1\n" + "长" * 100 + "\n"))
    assert "`" + "长" * 39 + "…` has no `:`" in caught.value.problems[0].message
