"""The models: what they insist on, and who sees what."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from newsletter.audience.models import Subscriber
from newsletter.content.models import (
    BUILT_IN_KINDS,
    Block,
    CustomBlock,
    Issue,
    Item,
    Only,
    Section,
    Status,
)
from newsletter.mail.address import parse_address

ITEM: TypeAdapter[Block] = TypeAdapter(Item)

LEAST: dict[str, dict[str, Any]] = {
    "paper": {"title": "x", "summary": "y", "url": "https://a.example"},
    "event": {"title": "x", "starts": "2022-11-09T09:00"},
    "article": {"title": "x", "url": "https://a.example"},
    "text": {"body": "x"},
    "image": {"src": "a.png", "alt": ""},
    "divider": {},
    "qr": {"url": "https://a.example"},
    "button": {"label": "x", "url": "mailto:a@b.example"},
    "quote": {"body": "x"},
}


def issue(**fields: Any) -> Issue:
    sections = [{"items": [{"kind": "divider"}]}]
    return Issue.model_validate({"number": 1, "title": "x", "sections": sections, **fields})


def refusal(kind: str, **fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        ITEM.validate_python({"kind": kind, **LEAST[kind], **fields})
    return str(caught.value)


@pytest.mark.parametrize("kind", BUILT_IN_KINDS)
def test_the_least_of_each_kind(kind: str) -> None:
    block = ITEM.validate_python({"kind": kind, **LEAST[kind]})
    assert type(block) is BUILT_IN_KINDS[kind]
    assert block.kind == kind
    assert block.only is None


@pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind, fields in LEAST.items() for field in fields]
)
def test_none_of_it_may_be_missing(kind: str, field: str) -> None:
    fields = {name: value for name, value in LEAST[kind].items() if name != field}
    with pytest.raises(ValidationError):
        ITEM.validate_python({"kind": kind, **fields})


@pytest.mark.parametrize("kind", BUILT_IN_KINDS)
def test_unknown_fields_are_mistakes(kind: str) -> None:
    assert "extra_forbidden" in refusal(kind, colour="red")


def test_a_kind_of_ones_own() -> None:
    block = ITEM.validate_python({"kind": "vacancy", "salary": 5})
    assert isinstance(block, CustomBlock)
    assert block.model_extra == {"salary": 5}


def test_a_paper_needs_somewhere_to_go() -> None:
    assert "a paper needs `url` or `download`" in refusal("paper", url=None)


@pytest.mark.parametrize(
    "url",
    [
        "www.example.org",
        "#",
        "",
        "javascript:alert(1)",
        "https://",
        "https://a b",
        "/page",
        "mailto:nobody",
        "//a.example",
        "ftp://a.example",
        "data:,x",
    ],
)
def test_links_lead_somewhere(url: str) -> None:
    assert "must be a link that begins with" in refusal("button", url=url)


@pytest.mark.parametrize(
    "src", ["../a.png", "/etc/passwd", "a/../../b.png", "a\\b.png", "https://a.example/b.png"]
)
def test_images_are_in_the_folder(src: str) -> None:
    assert "must be a path inside this folder" in refusal("image", src=src)


@pytest.mark.parametrize("width", [0, 641, True, 1.5, "wide"])
def test_widths_are_pixels_of_the_mail(width: object) -> None:
    assert "width" in refusal("image", width=width)


def test_a_width_may_be_text() -> None:
    block = ITEM.validate_python({"kind": "image", **LEAST["image"], "width": "320"})
    assert getattr(block, "width", None) == 320


@pytest.mark.parametrize("kind", ["text", "quote"])
@pytest.mark.parametrize("body", ["", "  \n"])
def test_a_body_says_something(kind: str, body: str) -> None:
    assert "body" in refusal(kind, body=body)


def test_links_in_markdown_lead_somewhere() -> None:
    message = refusal("text", body="见[这里](page.html)和[那里](x)")
    assert "`page.html` is no link" in message
    assert "`x` is no link" in message


def test_titles_are_one_line_without_space_around() -> None:
    assert issue(title="  题 \n").title == "题"
    for title in ("a\nb", "a\rb", "a\0b", "a\u2028b", "", "  "):
        with pytest.raises(ValidationError):
            issue(title=title)


def test_sections_and_groups_are_not_empty() -> None:
    for sections in ([], [{"title": "x"}], [{"groups": [{"title": "x", "items": []}]}]):
        with pytest.raises(ValidationError):
            issue(sections=sections)


def test_what_is_not_said() -> None:
    result = issue()
    assert (result.status, result.date, result.subject) == (Status.DRAFT, None, None)


def test_nothing_can_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        issue().title = "y"  # type: ignore[misc]


SECTION = {
    "items": [{"kind": "divider"}, {"kind": "text", "body": "a", "only": {"tags": ["vip"]}}],
    "groups": [
        {"title": "g", "items": [{"kind": "text", "body": "b", "only": {"languages": ["zh"]}}]}
    ],
}


def test_items_come_with_their_locations() -> None:
    assert [location for location, _ in issue(sections=[SECTION, SECTION]).items()] == [
        ("sections", s, *rest)
        for s in (0, 1)
        for rest in (("items", 0), ("items", 1), ("groups", 0, "items", 0))
    ]


@pytest.mark.parametrize(
    ("tags", "language", "hidden"),
    [
        ({"vip"}, "zh-CN", set()),
        ({"vip", "x"}, "ZH", set()),
        ({"vip"}, "en", {"b"}),
        ({"vip"}, None, {"b"}),
        (set(), "zh-Hans-CN", {"a"}),
        ({"x"}, "zhx", {"a", "b"}),
    ],
)
def test_who_does_not_see_what(tags: set[str], language: str | None, hidden: set[str]) -> None:
    result = issue(sections=[SECTION])
    places = {"a": ("sections", 0, "items", 1), "b": ("sections", 0, "groups", 0, "items", 0)}
    assert result.hidden_from(reader(*tags, language=language)) == {places[name] for name in hidden}


def reader(*tags: str, **facts: Any) -> Subscriber:
    return Subscriber(address=parse_address("a@qq.com"), tags=frozenset(tags), **facts)


def test_all_conditions_must_hold() -> None:
    only = Only.model_validate(
        {"tags": ["a", "b"], "languages": ["zh", "en"], "segment": "not domain = qq.com or joined"}
    )
    joined = date(2026, 1, 1)
    assert only.admits(reader("b", language="en-GB", joined=joined))
    assert not only.admits(reader("b", language="en-GB"))
    assert not only.admits(reader("b", language="fr", joined=joined))
    assert not only.admits(reader(language="zh", joined=joined))
    assert Only().admits(reader())


def test_a_segment_alone_is_the_short_form() -> None:
    short = ITEM.validate_python({"kind": "divider", "only": "tag = cv"})
    assert short == ITEM.validate_python({"kind": "divider", "only": {"segment": "Tag ＝“cv”"}})
    assert short.only is not None
    assert short.only.admits(reader("cv"))
    assert not short.only.admits(reader("nlp"))


def test_a_section_may_hold_both() -> None:
    section = Section.model_validate(SECTION)
    assert (len(section.items), len(section.groups), section.title) == (2, 1, None)
