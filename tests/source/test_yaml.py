"""YAML: what stays text, what is refused, and where everything stands."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import Place, Problem, SourceError
from newsletter.source.text import SourceText
from newsletter.source.tree import YamlDocument
from newsletter.source.yaml import MAX_DEPTH, MAX_SIZE, parse_yaml


def parse(text: str, first_line: int = 1) -> YamlDocument:
    return parse_yaml(SourceText(path="f.yaml", text=text, first_line=first_line))


def lines(text: str) -> list[str]:
    """The first line of every problem."""
    with pytest.raises(SourceError) as caught:
        parse(text)
    return [str(problem).split("\n")[0] for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("064", "064"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        (".5", ".5"),
        (".inf", ".inf"),
        ("2022-11-07", "2022-11-07"),
        ("2022-11-07T09:00:00+08:00", "2022-11-07T09:00:00+08:00"),
        ("True", "True"),
        ("Null", "Null"),
        ("=", "="),
        ("'64'", "64"),
        ('"true"', "true"),
        ("!!str 64", "64"),
        ("9" * 5000, "9" * 5000),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("64", 64),
        ("-7", -7),
        ("0", 0),
        ("1.10", 1.1),
        ("-0.5", -0.5),
    ],
)
def test_scalars_stay_text_unless_they_are_plainly_something_else(
    written: str, value: object
) -> None:
    result = parse(f"a: {written}").value["a"]
    assert (result, type(result)) == (value, type(value))


def test_keys_are_always_text() -> None:
    assert parse("1: a\ntrue: b\nno: c\n2022-11-07: d").value == {
        "1": "a",
        "true": "b",
        "no": "c",
        "2022-11-07": "d",
    }


def test_lists_mappings_and_block_text() -> None:
    text = "a:\n  - |\n    x\n    y\n  - {b: [1, 2]}\nc: >-\n  甲\n  乙\n"
    assert parse(text).value == {"a": ["x\ny\n", {"b": [1, 2]}], "c": "甲 乙"}


def test_an_empty_document_is_nothing() -> None:
    for text in ("", "# only a comment\n", "---\n", "\n\n"):
        assert parse(text).value is None


def test_places_of_values_and_keys() -> None:
    document = parse("number: 64\nsections:\n  - title: 论文\n    items: [{kind: paper}]\n")
    assert document.place(("number",)) == Place(path="f.yaml", line=1, column=9)
    assert document.place(("number",), key=True) == Place(path="f.yaml", line=1, column=1)
    assert document.place(("sections", 0)) == Place(path="f.yaml", line=3, column=5)
    assert document.place(("sections", 0, "title")) == Place(path="f.yaml", line=3, column=12)
    assert document.place(("sections", 0, "items", 0, "kind"), key=True) == Place(
        path="f.yaml", line=4, column=14
    )


def test_places_count_from_the_first_line_of_the_part() -> None:
    assert parse("a: 1\nb: 2", first_line=5).place(("b",)).line == 6


def test_a_part_that_names_no_child_is_skipped() -> None:
    document = parse("items:\n  - kind: paper\n    title: x\n")
    expected = document.place(("items", 0, "title"))
    assert document.place(("items", 0, "paper", "title")) == expected
    assert document.known(("items", 0, "paper", "title")) == ("items", 0, "title")


def test_a_missing_value_stands_where_its_block_does() -> None:
    document = parse("items:\n  - kind: paper\n")
    assert document.place(("items", 0, "paper", "title")) == document.place(("items", 0))
    assert document.place(("items", 7)) == document.place(("items",))
    assert document.place(("nothing",)) == Place(path="f.yaml", line=1, column=1)


def test_a_missing_field_is_not_mistaken_for_one_further_out() -> None:
    document = parse("name: x\nfrom:\n  address: y\n")
    assert document.place(("from", "name")) == document.place(("from",))


def test_a_missing_field_behind_a_tag_is_not_mistaken_for_the_groups_own() -> None:
    document = parse("groups:\n  - title: x\n    items:\n      - kind: paper\n")
    place = document.place(("groups", 0, "items", 0, "paper", "title"))
    assert place == document.place(("groups", 0, "items", 0))


def test_a_tag_that_is_also_a_key() -> None:
    document = parse("items:\n  - kind: paper\n    paper: 1\n    title: x\n")
    assert document.place(("items", 0, "paper", "title")).line == 4
    assert document.place(("items", 0, "paper", "paper")).line == 3


def test_what_was_written() -> None:
    document = parse("a: 1.10\nb: [true]\nc: {}\n")
    assert document.written(("a",)) == "1.10"
    assert document.written(("b", 0)) == "true"
    assert document.written(("c",)) is None


def test_a_problem_shows_the_line() -> None:
    problem = parse("a: 1\nb: 你好").problem(("b",), "is wrong", "mend it")
    assert str(problem) == "f.yaml:2:4: is wrong (mend it)\n    2 | b: 你好\n           ^"


def test_a_problem_inside_a_long_text_stands_where_the_words_are() -> None:
    document = parse("a: |\n  first\n  see foo.html\nb: 1\n")
    place = document.problem_in_text(("a",), "foo.html", "bad link").place
    assert place == Place(path="f.yaml", line=3, column=7)
    assert document.problem_in_text(("a",), "absent", "bad link").place == document.place(("a",))


def test_all_duplicate_keys_at_once_with_the_first_ones_line() -> None:
    assert lines("a: 1\nb:\n  c: 1\n  c: 2\na: 2\na: 3\n") == [
        "f.yaml:4:3: `c` is given twice (the first is on line 3; remove one of them)",
        "f.yaml:5:1: `a` is given twice (the first is on line 1; remove one of them)",
        "f.yaml:6:1: `a` is given twice (the first is on line 1; remove one of them)",
    ]


def test_a_key_of_several_lines_is_named_on_one() -> None:
    (line,) = lines('"a\\n b": 1\n"a\\n b": 2\n')
    assert line.startswith("f.yaml:2:1: `a b` is given twice")


def test_duplicate_keys_can_wait_until_the_model_has_been_asked() -> None:
    source = SourceText(path="f.yaml", text="a: 1\na: 2")
    document = parse_yaml(source, keep_problems=True)
    assert document.value == {"a": 1}
    assert [problem.message for problem in document.problems] == ["`a` is given twice"]


def test_duplicates_are_reported_together_with_a_mistake_of_syntax() -> None:
    assert [line.split(" (")[0] for line in lines("a: 1\na: 2\nb: [\n")] == [
        "f.yaml:2:1: `a` is given twice",
        "f.yaml:3:5: the file ends inside brackets",
    ]


@pytest.mark.parametrize(
    ("tag", "named"),
    [
        ("!!python/object/apply:os.system", "!!python/object/apply:os.system"),
        ("!!int", "!!int"),
        ("!env", "!env"),
        ("!!binary", "!!binary"),
    ],
)
def test_tags_are_refused(tag: str, named: str) -> None:
    (line,) = lines(f"a: {tag} x")
    assert line.startswith(f"f.yaml:1:4: tag `{named}` is not allowed")


def test_aliases_stand_for_what_they_name() -> None:
    assert parse("a: &x {b: 1}\nc: *x\nd: [*x, *x]").value == {
        "a": {"b": 1},
        "c": {"b": 1},
        "d": [{"b": 1}, {"b": 1}],
    }


def test_an_alias_of_nothing_and_an_alias_of_itself() -> None:
    assert [line.split(" (")[0] for line in lines("a: *x\nb: &y [*y]\n")] == [
        "f.yaml:1:4: alias `*x` has no anchor before it",
        "f.yaml:2:8: alias `*y` refers to the block it stands in",
    ]


def test_a_bomb_of_aliases_is_refused() -> None:
    bomb = ["a0: &a0 [" + ", ".join(["lol"] * 10) + "]"]
    bomb += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, 12)]
    (line,) = lines("\n".join(bomb))
    assert f"more than {MAX_SIZE} values" in line


def test_a_bomb_of_one_long_text_is_refused() -> None:
    text = "a: &a " + "x" * 1_000_000 + "\nb: [" + ", ".join(["*a"] * 100) + "]"
    assert f"more than {MAX_SIZE} values" in lines(text)[0]


def test_more_values_than_anybody_writes_are_refused() -> None:
    assert f"more than {MAX_SIZE} values" in lines("- a\n" * (MAX_SIZE + 1))[0]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_depth_is_bounded(opening: str) -> None:
    (line,) = lines(opening * 100_000)
    assert f"nest deeper than {MAX_DEPTH} levels" in line


def test_depth_within_the_bound_is_fine() -> None:
    value = parse("[" * MAX_DEPTH + "]" * MAX_DEPTH).value
    for _ in range(MAX_DEPTH - 1):
        (value,) = value
    assert value == []


def test_merge_keys_are_refused() -> None:
    (line,) = lines("a: &x {b: 1}\nc:\n  <<: *x\n")
    assert line == "f.yaml:3:3: merge keys (`<<`) are not supported (write the fields out)"


def test_a_key_must_be_text() -> None:
    for text in ("title: {{ name }}", "? [a]: b", "a: &x 1\n*x : 2"):
        assert "a key must be plain text" in lines(text)[0]
    assert "a key is missing before the `:`" in lines(": x")[0]


def test_one_document_only() -> None:
    assert parse("---\na: 1\n").value == {"a": 1}
    (line,) = lines("a: 1\n---\nb: 2\n")
    assert line.startswith("f.yaml:2:1: a second document begins here")


@pytest.mark.parametrize("escape", [r"\0", r"\x07", r"\N", r"\L", r"\P", r"\r", r"\uFEFF"])
def test_escapes_cannot_bring_in_what_a_file_may_not_hold(escape: str) -> None:
    (line,) = lines(f'a: 1\nb: "x{escape}y"\n')
    assert line.startswith("f.yaml:2:4: an escape here stands for invisible ")


def test_harmless_escapes_work() -> None:
    assert parse(r'a: "\u4f60\n\t\"好\""').value == {"a": '你\n\t"好"'}


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abc标题", min_size=1, max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(PLAIN)
def test_what_json_writes_is_read_back(value: Any) -> None:
    import json

    assert parse(json.dumps(value, ensure_ascii=False)).value == value


def problems_of(text: str) -> tuple[Problem, ...]:
    """What is wrong with it; whatever else is raised fails the test."""
    try:
        parse(text)
    except SourceError as error:
        return error.problems
    return ()


@settings(deadline=None)
@given(st.text())
def test_random_text_is_parsed_or_refused(text: str) -> None:
    assert all(problem.place for problem in problems_of(text))


@settings(deadline=None)
@given(st.text("abc:-?[]{}&*!|>'\"%@`#,\n\t 1~<=", max_size=60))
def test_random_yaml_is_parsed_or_refused_at_a_place_that_exists(text: str) -> None:
    written = text.split("\n")
    for problem in problems_of(text):
        place = problem.place
        assert place is not None
        assert place.line is not None
        assert place.column is not None
        assert 1 <= place.line <= len(written)
        assert 1 <= place.column <= len(written[place.line - 1]) + 1
