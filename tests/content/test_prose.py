"""The prose form: front matter, then Markdown, as the structured form would have it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.content.prose import parse_prose
from newsletter.errors import Place, Problem, SourceError
from newsletter.source.text import SourceText
from newsletter.source.tree import YamlDocument


def parse(text: str) -> YamlDocument:
    return parse_prose(SourceText(path="65.md", text=text))


def refusal(text: str) -> Problem:
    with pytest.raises(SourceError) as caught:
        parse(text)
    (problem,) = caught.value.problems
    return problem


SMALL = "---\nnumber: 65\ntitle: 短\n---\n\n你好。\n\n第二段。\n\n"


def test_the_markdown_becomes_one_section_with_one_text() -> None:
    assert parse(SMALL).value == {
        "number": 65,
        "title": "短",
        "sections": [{"items": [{"kind": "text", "body": "你好。\n\n第二段。\n"}]}],
    }


def test_places_in_both_parts() -> None:
    document = parse(SMALL)
    assert document.place(("title",)) == Place(path="65.md", line=3, column=8)
    body = ("sections", 0, "items", 0, "body")
    assert document.place(body) == Place(path="65.md", line=6, column=1)
    assert document.problem(body, "x").snippet == "    6 | 你好。\n        ^"
    assert document.problem_in_text(body, "二段", "x").place == Place(
        path="65.md", line=8, column=2
    )


def test_sections_of_the_front_matter_follow_the_text() -> None:
    text = "---\nnumber: 65\nsections:\n  - items: [{kind: divider}]\n---\n正文\n"
    document = parse(text)
    kinds = [section["items"][0]["kind"] for section in document.value["sections"]]
    assert kinds == ["text", "divider"]
    assert document.place(("sections", 1, "items", 0)).line == 4


def test_sections_alone_are_enough() -> None:
    document = parse("---\nsections:\n  - items: [{kind: divider}]\n---\n\n")
    assert document.value == {"sections": [{"items": [{"kind": "divider"}]}]}
    assert document.problems == ()


def test_sections_of_a_wrong_type_are_left_to_the_model() -> None:
    assert parse("---\nsections: 5\n---\ntext\n").value == {"sections": 5}


def test_indented_code_at_the_start_keeps_its_indent() -> None:
    document = parse("---\nnumber: 1\n---\n\n    code\n")
    assert document.value["sections"][0]["items"][0]["body"] == "    code\n"


def test_a_rule_in_the_text_is_no_fence() -> None:
    body = parse("---\nnumber: 1\n---\na\n\n---\n\nb\n").value["sections"][0]["items"][0]["body"]
    assert body == "a\n\n---\n\nb\n"


def test_empty_lines_before_and_spaces_behind_the_fences_are_harmless() -> None:
    document = parse("\n\n---  \nnumber: 1\n--- \ntext\n")
    assert document.value["number"] == 1
    assert document.place(("number",)).line == 4


def test_empty_front_matter_is_a_block_without_fields() -> None:
    document = parse("---\n---\ntext\n")
    assert list(document.value) == ["sections"]
    assert document.place(("title",)) == Place(path="65.md", line=1, column=1)


@pytest.mark.parametrize(
    "text", ["", "\n\n", "number: 65\n", "# 标题\n---\n", "----\nnumber: 65\n---\n"]
)
def test_missing_front_matter(text: str) -> None:
    problem = refusal(text)
    assert problem.message == "a Markdown issue begins with its front matter"
    assert problem.hint is not None
    assert "put `---`" in problem.hint


def test_front_matter_that_is_never_closed() -> None:
    problem = refusal("---\nnumber: 65\n\n你好\n----\n")
    assert problem.place == Place(path="65.md", line=1, column=1)
    assert problem.message == "the front matter is never closed"


def test_broken_front_matter_has_its_line_in_the_file() -> None:
    problem = refusal("---\nnumber: 65\ntitle: a: b\n---\ntext\n")
    assert problem.place == Place(path="65.md", line=3, column=9)


def test_no_text_at_all() -> None:
    (problem,) = parse("---\nnumber: 65\n---\n\n").problems
    assert problem.message == "there is no text after the front matter"
    assert problem.place == Place(path="65.md", line=3, column=1)


def test_duplicate_keys_wait_for_the_model() -> None:
    (problem,) = parse("---\na: 1\na: 2\n---\nx\n").problems
    assert problem.place == Place(path="65.md", line=3, column=1)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["---", "number: 1", "sections:", "  - a", "正文", "", "- b", ": ", "\t"])
    )
)
def test_any_mixture_of_lines_is_parsed_or_refused(written: list[str]) -> None:
    try:
        document = parse("\n".join(written))
    except SourceError as error:
        problems = error.problems
    else:
        problems = document.problems
    assert all(problem.place for problem in problems)
