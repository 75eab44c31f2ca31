"""A document against a model: every mistake, in words, at its place, in the order of the file."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from newsletter.errors import Place, Problem, SourceError
from newsletter.source.fields import field_names, owner
from newsletter.source.text import SourceText
from newsletter.source.validation import in_order, mistakes_in_text, suggestion, validate
from newsletter.source.yaml import parse_yaml


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Person(Strict):
    name: str = Field(min_length=1)
    role: str | None = None


class Circle(Strict):
    kind: Literal["circle"]
    radius: int = Field(ge=1, le=9)


class Square(Strict):
    kind: Literal["square"]
    side: int
    owner: Person | None = None


def _polite(text: str, info: ValidationInfo) -> str:
    if info.context and "please" in info.context and "please" not in text:
        raise ValueError("must say please")
    return text


def _no_shouting(text: str) -> str:
    loud = [word for word in text.split() if word.isupper()]
    if loud:
        raise mistakes_in_text((word, f"`{word}` shouts") for word in loud)
    return text


Shape = Annotated[
    Annotated[Circle, Tag("circle")] | Annotated[Square, Tag("square")],
    Discriminator(lambda value: value.get("kind") if isinstance(value, dict) else None),
]


class Drawing(Strict):
    number: int
    title: Annotated[str, AfterValidator(_polite)] = Field(min_length=1)
    colour: Colour = Colour.RED
    sender: Person | None = Field(default=None, alias="from")
    shapes: tuple[Shape, ...] = ()
    words: tuple[str, ...] = Field(default=("a",), min_length=1)
    notes: Annotated[str, AfterValidator(_no_shouting)] = ""
    open: bool = False
    scale: float = 1.0
    code: str | None = Field(default=None, pattern=r"^[a-z]+$", max_length=5)
    extra: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _sensible(self) -> Drawing:
        if self.open and not self.shapes:
            raise ValueError("an open drawing needs `shapes`")
        return self


def read(text: str, **context: Any) -> Drawing:
    document = parse_yaml(SourceText(path="f.yaml", text=text), keep_problems=True)
    return validate(Drawing, document, context=context or None)


def problems(text: str, **context: Any) -> list[Problem]:
    with pytest.raises(SourceError) as caught:
        read(text, **context)
    return list(caught.value.problems)


def heads(text: str) -> list[str]:
    return [str(problem).split("\n")[0] for problem in problems(text)]


def only(text: str) -> str:
    (head,) = heads(text)
    return head


GOOD = "number: 1\ntitle: x\n"


def test_a_good_document() -> None:
    drawing = read(
        "number: 064\ntitle: 你好\ncolour: blue\nfrom: {name: 张三}\n"
        "shapes:\n  - {kind: circle, radius: 3}\nopen: true\nscale: 1.5\nextra: {a: [1]}\n"
    )
    assert (drawing.number, drawing.colour, drawing.scale) == (64, Colour.BLUE, 1.5)
    assert drawing.sender == Person(name="张三")
    assert drawing.extra == {"a": [1]}


def test_every_mistake_at_once_in_the_order_of_the_file() -> None:
    assert heads(
        "titel: x\n"
        "number: many\n"
        "colour: green\n"
        "shapes:\n"
        "  - kind: circle\n"
        "    radius: 11\n"
        "  - kind: square\n"
        "    sid: 3\n"
        "from:\n"
        "  role: editor\n"
    ) == [
        "f.yaml:1:1: `title` is missing",
        "f.yaml:1:1: `titel` is not a field of drawing (did you mean `title`?)",
        'f.yaml:2:9: `number` must be a whole number, not "many"',
        'f.yaml:3:9: `colour` must be `red` or `blue`, not "green"',
        "f.yaml:6:13: `radius` must be at most 9, not 11",
        "f.yaml:7:5: `side` is missing",
        "f.yaml:8:5: `sid` is not a field of square (did you mean `side`?)",
        "f.yaml:10:3: `name` is missing",
    ]


def test_duplicate_keys_and_mistakes_of_the_model_together() -> None:
    assert [head.split(" (")[0] for head in heads("number: x\nnumber: 2\ntitle: ''\n")] == [
        'f.yaml:1:9: `number` must be a whole number, not "x"',
        "f.yaml:2:1: `number` is given twice",
        "f.yaml:3:8: `title` must not be empty",
    ]


def test_a_duplicate_key_alone_is_enough() -> None:
    assert only(GOOD + "number: 2\n").startswith("f.yaml:3:1: `number` is given twice")


def test_each_problem_shows_its_line() -> None:
    (problem,) = problems("number: 1\ntitle: x\ncolour: green\n")
    assert problem.snippet == "    3 | colour: green\n                ^"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("number: 1.5", "`number` must be a whole number, not 1.5"),
        ("number: [1]", "`number` must be a whole number, not a list"),
        ("number:", "`number` is empty (expected a whole number)"),
        ("number: " + "9" * 5000, '`number` must be a whole number, not "' + "9" * 39 + '…"'),
    ],
)
def test_whole_numbers(line: str, message: str) -> None:
    assert only(f"{line}\ntitle: x\n") == f"f.yaml:1:{9 if ' ' in line else 8}: {message}"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("title: {a: b}", "`title` must be text, not fields"),
        ("title: [置顶]", "`title` must be text, not a list"),
        ("title: ''", "`title` must not be empty"),
        ("title: null", "`title` is empty"),
    ],
)
def test_texts(line: str, message: str) -> None:
    assert message in only(f"number: 1\n{line}\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("open: maybe", '`open` must be true or false, not "maybe"'),
        ("scale: wide", '`scale` must be a number, not "wide"'),
        ("words: one", '`words` must be a list, not "one" (begin each entry with `- `'),
        ("words: []", "`words` must not be empty"),
        ("words: [a, [b]]", "number 2 of `words` must be text, not a list"),
        ("shapes: {kind: circle}", "`shapes` must be a list, not fields"),
        ("from: 张三", '`from` must be a block of fields, not "张三"'),
        ("from: [a]", "`from` must be a block of fields, not a list"),
        ("code: ABC", '`code` has a form that is not allowed: "ABC"'),
        ("code: abcdefgh", "`code` is longer than 5"),
        ("shapes: [{kind: circle, radius: 0}]", "`radius` must be at least 1, not 0"),
        ("extra: 3", "`extra` must be a block of fields, not 3"),
    ],
)
def test_other_wrong_values(line: str, message: str) -> None:
    assert message in only(GOOD + line + "\n")


def test_a_list_of_wrong_entries_is_not_called_empty() -> None:
    assert only(GOOD + "words: [[b]]\n").endswith(
        "must be text, not a list (text that begins with `[` must stand in quotes)"
    )


@pytest.mark.parametrize("written", ["1984", "1.10", "true", "-0.50", "false"])
def test_numbers_and_truth_values_are_text_where_text_is_wanted(written: str) -> None:
    drawing = read(
        f"number: 1\ntitle: {written}\nwords: [{written}, x]\nfrom: {{name: {written}}}\n"
        f"shapes:\n  - kind: square\n    side: 1\n    owner: {{name: {written}}}\n"
    )
    square = drawing.shapes[0]
    assert isinstance(square, Square)
    assert drawing.title == drawing.words[0] == written
    assert drawing.sender == square.owner == Person(name=written)


def test_written_text_is_still_checked() -> None:
    assert only(GOOD + "code: 123\n").endswith('`code` has a form that is not allowed: "123"')


def test_free_fields_keep_their_types() -> None:
    extra = read("number: 1\ntitle: 5\nextra: {a: 1, b: true, c: 064, d: 1.10}\n").extra
    assert extra == {"a": 1, "b": True, "c": "064", "d": 1.1}


def test_rules_of_ones_own() -> None:
    assert only(GOOD + "open: true\n") == "f.yaml:1:1: an open drawing needs `shapes`"
    (problem,) = problems(GOOD, please=True)
    assert problem.message == "`title` must say please"
    assert read("number: 1\ntitle: x please\n", please=True).title == "x please"


def test_mistakes_inside_a_long_text_have_their_own_lines() -> None:
    found = problems(GOOD + "notes: |\n  it is\n  VERY loud\n  and BAD\n")
    assert [(str(problem.place), problem.message) for problem in found] == [
        ("f.yaml:5:3", "`VERY` shouts"),
        ("f.yaml:6:7", "`BAD` shouts"),
    ]


def test_mistakes_inside_a_text_without_a_file() -> None:
    with pytest.raises(ValidationError, match=r"`VERY` shouts; `\{BAD\}` shouts"):
        Drawing(number=1, title="x", notes="VERY {BAD} x")


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_an_empty_file(text: str) -> None:
    assert only(text) == "f.yaml:1:1: there is nothing in this file"


@pytest.mark.parametrize("text", ["just words\n", "- a\n- b\n", "5\n"])
def test_a_file_that_has_no_fields(text: str) -> None:
    (problem,) = problems(text)
    assert problem.message.startswith("this file must be fields such as `name: value`")


def test_a_field_that_resembles_nothing_gets_the_list() -> None:
    assert only(GOOD + "from: {name: x, shoe_size: 43}\n").endswith(
        "`shoe_size` is not a field of from (fields: name, role)"
    )


def test_a_long_key_is_shortened() -> None:
    assert f"`{'长' * 39}…` is not a field of drawing" in only(GOOD + "长" * 100 + ": x\n")


def test_a_shape_of_unknown_kind() -> None:
    assert only(GOOD + "shapes: [{kind: hexagon}]\n") == (
        "f.yaml:3:10: number 1 of `shapes` must be one of `circle`, `square`, not `hexagon`"
    )


def test_owner_follows_fields_indexes_and_tags() -> None:
    assert owner(Drawing, ("titel",)) == (Drawing, "drawing")
    assert owner(Drawing, ("from", "nam")) == (Person, "from")
    assert owner(Drawing, ("shapes", 0, "square", "sid")) == (Square, "square")
    assert owner(Drawing, ("shapes", 0, "square", "owner", "nam")) == (Person, "owner")
    assert owner(Drawing, ("extra", "a", "b")) == (Drawing, "drawing")


def test_field_names_are_what_an_author_writes() -> None:
    assert "from" in field_names(Drawing)
    assert "sender" not in field_names(Drawing)


def test_suggestion() -> None:
    assert suggestion("Sumary", ["summary", "title"]) == "did you mean `summary`?"
    assert suggestion("xyz", ["summary", "title"]) is None


def test_in_order_keeps_problems_without_a_place_first() -> None:
    late = Problem(message="b", place=Place(path="f", line=2, column=1))
    early = Problem(message="a", place=Place(path="f", line=1, column=9))
    nowhere = Problem(message="c")
    assert in_order([late, early, nowhere]) == [nowhere, early, late]


class Limits(Strict):
    rate: float | None = Field(default=None, gt=0, allow_inf_nan=False)


class Settings(Strict):
    domains: dict[str, Limits] = Field(default_factory=dict)


def test_owner_follows_the_keys_of_a_mapping() -> None:
    assert owner(Settings, ("domains", "qq.com", "rat")) == (Limits, "qq.com")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{rat: 1}", "`rat` is not a field of qq.com (did you mean `rate`?)"),
        ("{rate: 0}", "`rate` must be more than 0.0, not 0"),
        ("{rate: inf}", '`rate` must be a number, not "inf"'),
        ("{rate: nan}", '`rate` must be a number, not "nan"'),
        ("5", "`qq.com` must be a block of fields, not 5"),
    ],
)
def test_a_mapping_of_blocks(written: str, message: str) -> None:
    document = parse_yaml(SourceText(path="f.yaml", text=f"domains:\n  qq.com: {written}\n"))
    with pytest.raises(SourceError) as caught:
        validate(Settings, document)
    (problem,) = caught.value.problems
    assert message in str(problem)
    assert str(problem.place).startswith("f.yaml:2:")
