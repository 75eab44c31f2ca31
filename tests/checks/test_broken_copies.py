"""`check` on a broken copy: all faults in one run, what is left is checked all the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from checks_desk import BODY, Desk, issue_source

from newsletter.checking import check_issue
from newsletter.checks.model import Example, Finding
from newsletter.checks.salvage import salvage

Findings = Callable[..., list[Finding]]
GOOD = f"- {{kind: text, body: {BODY}}}\n"


def serious(found: list[Finding]) -> list[tuple[str, int | None]]:
    return [
        (one.code, one.place.line if one.place else None) for one in found if one.severity != "note"
    ]


def rescued(desk: Desk, text: str) -> list[str] | None:
    """Titles and bodies of what is left of a source."""
    path = desk.write("content/007.yaml", text)
    source = salvage(path, root=desk.root, kinds=frozenset(), zone=ZoneInfo("UTC"))
    if source is None:
        return None
    return [
        str(getattr(item, "title", None) or getattr(item, "body", ""))
        for _, item in source.issue.items()
    ]


@pytest.mark.parametrize(
    ("items", "left"),
    [
        ("- {kind: text, body: 甲, colour: red}\n- {kind: text, body: 乙}", ["甲", "乙"]),
        ("- {kind: text}\n- {kind: text, body: 乙}", ["乙"]),
        ("- {kind: paper, title: 甲, summary: 介}\n- {kind: text, body: 乙}", ["乙"]),
        ("- {kind: event, title: 甲, starts: tomorrow}\n- {kind: text, body: 乙}", ["乙"]),
        (
            "- {kind: event, title: 甲, starts: 2022-11-09, venue: [1]}\n- {kind: text, body: 乙}",
            ["甲", "乙"],
        ),
        ("- {kind: poll, title: 甲}\n- {kind: text, body: 乙}", ["乙"]),
        ("- 只是文字\n- {kind: text, body: 乙}", ["乙"]),
        ("- {kind: article, title: 甲, url: 'ftp://x'}\n- {kind: text, body: 乙}", ["乙"]),
        (
            "- {kind: event, title: 甲, starts: 2022-11-09, speaker: {role: 讲者}}\n- {kind: text, body: 乙}",
            ["甲", "乙"],
        ),
    ],
)
def test_the_smallest_thing_goes(desk: Desk, items: str, left: list[str]) -> None:
    assert rescued(desk, issue_source(Example(items=items))) == left


def test_many_mistakes_take_only_what_they_must(desk: Desk) -> None:
    items = "".join(
        f"- {{kind: text{', body: 好' + str(n) if n % 2 else ''}}}\n" for n in range(24)
    )
    assert rescued(desk, issue_source(Example(items=items))) == [f"好{n}" for n in range(1, 24, 2)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- 列表\n",
        "number: 7\n",
        "number: 7\ntitle: [没有结束\n",
        "number: 7\ntitle: 好\nsections: []\n",
        "文字",
    ],
)
def test_of_some_sources_nothing_is_left(desk: Desk, text: str) -> None:
    assert rescued(desk, text) is None


@pytest.mark.parametrize(
    "fields", ["title: null", "title: ''", "date: 2022-13-01", "status: done", "preheader: [1]"]
)
def test_fields_of_the_issue_are_done_without(desk: Desk, fields: str) -> None:
    assert rescued(desk, issue_source(Example(items=GOOD, fields=fields))) == [BODY]


def test_mistakes_of_the_source_do_not_hide_those_of_the_text(findings: Findings) -> None:
    items = (
        "- {kind: text, boddy: 写错了}\n"
        "- {kind: text, body: '会议在 11月9日（周二）举行。。'}\n"
        + GOOD
        + "- {kind: poll, title: 投票}\n"
    )
    assert serious(findings(Example(items=items))) == [
        ("source-invalid", 10),
        ("source-invalid", 10),
        ("weekday-wrong", 11),
        ("punctuation-doubled", 11),
        ("source-invalid", 13),
    ]


def test_a_date_that_cannot_be_read_is_one_mistake(findings: Findings) -> None:
    assert serious(findings(Example(fields="date: 2022-11-77"))) == [("source-invalid", 5)]


def test_mistakes_of_several_templates_and_of_the_source_in_one_run(findings: Findings) -> None:
    example = Example(
        items=GOOD
        + "- {kind: quote, body: 他说过的一句话。}\n- {kind: button, label: 报名, url: 'https://a.org/x'}\n"
        + "- {kind: text, body: TODO}\n",
        files={
            "templates/blocks/quote.html.j2": "<p>{{ item.boddy }}</p>",
            "templates/blocks/button.txt.j2": "{{ item.label | nosuchfilter }}",
        },
        fields="colour: red",
    )
    found = findings(example)
    assert {
        (one.code, one.place.path if one.place else None)
        for one in found
        if one.severity == "error"
    } == {
        ("source-invalid", "content/007.yaml"),
        ("todo-left", "content/007.yaml"),
        ("template-invalid", "templates/blocks/quote.html.j2"),
        ("template-invalid", "templates/blocks/button.txt.j2"),
    }


def test_a_broken_frame_is_told_once(findings: Findings) -> None:
    example = Example(items=GOOD + GOOD, files={"templates/issue.html.j2": "<html>{{ nothing }}"})
    assert serious(findings(example)) == [("template-invalid", 1)]


def test_half_a_kind_of_block(findings: Findings) -> None:
    found = findings(Example(files={"templates/blocks/poll.html.j2": "<p>x</p>"}))
    assert [one.code for one in found] == ["template-invalid"]


def test_two_files_of_one_number_are_both_looked_at(desk: Desk) -> None:
    copy = issue_source(Example(body="TODO"))
    project = desk.open(Example(others={"content/7-copy.yaml": copy}))
    found = check_issue(project, 7)
    paths = {one.place.path for one in found if one.place and one.code == "number-duplicate"}
    assert paths == {"content/007.yaml", "content/7-copy.yaml"}
    assert any(one.code == "todo-left" for one in found)


def test_a_file_that_is_not_text(desk: Desk, tmp_path: Path) -> None:
    project = desk.open(Example())
    desk.write("content/007.yaml", b"number: 7\ntitle: \xff\xfe\n")
    assert [one.code for one in check_issue(project, 7)] == ["source-invalid"]


def test_select_and_severity_hold_for_broken_sources_too(desk: Desk) -> None:
    source = "number: 7\ntitle: [没有结束\n"
    project = desk.open(Example(source=source))
    assert check_issue(project, 7, select=["links"]) == []
    settings = {"checks": {"severity": {"source-invalid": "warning"}}}
    project = desk.open(Example(source=source, publication=settings))
    assert [one.severity.value for one in check_issue(project, 7)] == ["warning"]
