"""The schemas for editors: current, draft 7, and of one mind with the reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from draft7 import errors

from newsletter.content.models import BUILT_IN_KINDS
from newsletter.content.schema import issue_schema, publication_schema, schema_text
from newsletter.source.text import read_source
from newsletter.source.yaml import parse_yaml

REPOSITORY = Path(__file__).resolve().parents[2]
ISSUE = issue_schema()
PUBLICATION = publication_schema()


def issue(**block: Any) -> dict[str, Any]:
    return {"number": 64, "title": "题", "sections": [{"items": [block]}]}


@pytest.mark.parametrize(("name", "schema"), [("issue", ISSUE), ("newsletter", PUBLICATION)])
def test_the_committed_files_are_current(name: str, schema: dict[str, Any]) -> None:
    path = REPOSITORY / "schema" / f"{name}.schema.json"
    assert path.read_text(encoding="utf-8") == schema_text(schema), "run tools/update_schema.py"


@pytest.mark.parametrize("schema", [ISSUE, PUBLICATION])
def test_they_say_what_they_are(schema: dict[str, Any]) -> None:
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    text = schema_text(schema)
    assert "$defs" not in text
    assert "prefixItems" not in text
    assert "oneOf" not in text


def described(schema: dict[str, Any]) -> list[str]:
    """Names of fields that an editor could say nothing about."""
    silent = []
    for name, model in {"": schema, **schema["definitions"]}.items():
        for field, inner in model.get("properties", {}).items():
            if field != "kind" and "description" not in inner and "$ref" not in inner:
                silent.append(f"{name}.{field}")
    return silent


def test_every_field_is_described() -> None:
    assert described(ISSUE) == []
    assert described(PUBLICATION) == []


@pytest.mark.parametrize("name", ["064.yaml"])
def test_the_sample_issue_is_valid(name: str) -> None:
    source = read_source(REPOSITORY / "content" / name, root=REPOSITORY)
    assert errors(ISSUE, parse_yaml(source).value) == []


def test_the_sample_publication_is_valid() -> None:
    source = read_source(REPOSITORY / "newsletter.yaml", root=REPOSITORY)
    assert errors(PUBLICATION, parse_yaml(source).value) == []


@pytest.mark.parametrize(
    "block",
    [
        {"kind": "paper", "title": "x", "summary": "y", "url": "https://a.example"},
        {"kind": "paper", "title": 1984, "summary": "y", "download": "https://a.example"},
        {"kind": "event", "title": "x", "starts": "2022-11-09"},
        {"kind": "event", "title": "x", "starts": "2022-11-09T09:00:00+08:00", "ends": None},
        {"kind": "event", "title": "x", "starts": "2022-11-09 9:00", "speaker": {"name": "y"}},
        {"kind": "article", "title": "x", "url": "https://a.example", "published": "2022-11-09"},
        {"kind": "text", "body": "x", "only": {"tags": ["a", 5], "languages": ["zh"]}},
        {"kind": "image", "src": "a.png", "alt": "", "width": "320"},
        {"kind": "divider", "only": None},
        {"kind": "divider", "only": "tag = cv"},
        {"kind": "divider", "only": {"segment": "tag = cv", "tags": ["a"]}},
        {"kind": "qr", "url": "https://a.example"},
        {"kind": "button", "label": "x", "url": "https://a.example"},
        {"kind": "quote", "body": "x"},
        {"kind": "vacancy", "salary": 5, "place": {"city": "北京"}, "urgent": True},
    ],
)
def test_good_blocks(block: dict[str, Any]) -> None:
    assert errors(ISSUE, issue(**block)) == []


@pytest.mark.parametrize(
    ("block", "refusal"),
    [
        ({"kind": "paper", "title": "x", "summary": "y"}, "anyOf"),
        (
            {"kind": "paper", "title": "x", "summary": "y", "sumary": "y", "url": "z"},
            "sumary: additionalProperties",
        ),
        ({"kind": "text"}, "required"),
        ({"title": "x"}, "required"),
        ({"kind": "event", "title": "x", "starts": "gestern"}, "starts: pattern"),
        ({"kind": "event", "title": "x", "starts": 20221109}, "starts: type"),
        ({"kind": "image", "src": "a", "alt": "", "width": 999}, "width: maximum"),
        ({"kind": "image", "src": "a", "alt": "", "width": "wide"}, "width: pattern"),
        ({"kind": "divider", "only": {"tag": []}}, "anyOf"),
        ({"kind": "divider", "only": " "}, "anyOf"),
        ({"kind": "vacancy", "only": {"tag": []}}, "anyOf"),
    ],
)
def test_bad_blocks_are_refused_for_one_reason(block: dict[str, Any], refusal: str) -> None:
    (found,) = errors(ISSUE, issue(**block))
    assert found.endswith(refusal)


@pytest.mark.parametrize("number", [64, "64", "064"])
def test_numbers_may_be_text(number: object) -> None:
    assert errors(ISSUE, {**issue(kind="divider"), "number": number}) == []


@pytest.mark.parametrize("number", ["many", 1.5, True, None, -1, 1_000_000])
def test_other_numbers_are_refused(number: object) -> None:
    assert errors(ISSUE, {**issue(kind="divider"), "number": number})


def test_sections_need_something_in_them() -> None:
    assert errors(ISSUE, {"number": 1, "title": "x", "sections": []})
    assert errors(ISSUE, {"number": 1, "title": "x", "sections": [{"title": "x"}]})
    group = {"title": "x", "items": [{"kind": "divider"}]}
    assert errors(ISSUE, {"number": 1, "title": "x", "sections": [{"groups": [group]}]}) == []


def test_an_editor_can_offer_the_kinds() -> None:
    kind = ISSUE["definitions"]["Item"]["properties"]["kind"]
    assert kind["anyOf"][0]["enum"] == list(BUILT_IN_KINDS)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"from": {"name": "x"}}, "required"),
        ({"relay": {"pasword_file": "x"}}, "additionalProperties"),
        ({"send": {"connections": 0}}, "minimum"),
        ({"language": "中文"}, "pattern"),
        ({"sender": {}}, "additionalProperties"),
        ({"send": {"rate": 0}}, "exclusiveMinimum"),
        ({"send": {"domains": {"qq.com": {"rat": 1}}}}, "rat: additionalProperties"),
    ],
)
def test_bad_settings(change: dict[str, Any], refusal: str) -> None:
    good = {"name": "x", "from": {"name": "x", "address": "a@example.org"}}
    assert errors(PUBLICATION, good) == []
    assert errors(PUBLICATION, {**good, "extra": {"anything": [1, {"a": None}]}}) == []
    (found,) = errors(PUBLICATION, {**good, **change})
    assert found.endswith(refusal)
