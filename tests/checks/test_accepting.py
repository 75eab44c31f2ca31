"""Findings that the author lets stand, with a reason, in the issue or in one item."""

from __future__ import annotations

from collections.abc import Callable

from newsletter.checks.model import Example, Finding

Findings = Callable[..., list[Finding]]
TODO = "- {kind: text, body: 'TODO：补上数据。'%s}\n"


def codes(found: list[Finding]) -> list[str]:
    return [one.code for one in found if not one.code.startswith("client-")]


def accept(*entries: str) -> str:
    return f"accept: [{', '.join(entries)}]"


def test_an_item_accepts_what_is_on_its_own_lines(findings: Findings) -> None:
    items = TODO % ", accept: [{code: todo-left, reason: 讲的就是它}]" + TODO % ""
    found = findings(Example(items=items))
    assert codes(found) == ["todo-left"]
    assert found[-1].place is not None or found[0].place is not None
    (left,) = [one for one in found if one.code == "todo-left"]
    assert left.place is not None
    assert left.place.line == 11


def test_an_issue_accepts_everywhere(findings: Findings) -> None:
    fields = accept("{code: todo-left, reason: 讲的就是它}")
    assert codes(findings(Example(items=TODO % "" + TODO % "", fields=fields))) == []


def test_an_issue_accepts_what_has_no_place(findings: Findings) -> None:
    example = Example(header={"List-Archive": "<https://x.org>", "Precedence": "first-class"})
    assert "header-precedence" in codes(findings(example))
    fields = accept("{code: header-precedence, reason: 中继要求如此}")
    example = Example(header=example.header, fields=fields)
    assert "header-precedence" not in codes(findings(example))


def test_match_is_a_part_of_the_message(findings: Findings) -> None:
    items = "- kind: text\n  body: |\n    TODO：甲。\n\n    FIXME：乙。\n"
    both = findings(Example(items=items))
    assert codes(both) == ["todo-left", "todo-left"]
    fields = accept("{code: todo-left, reason: 讲的就是它, match: FIXME}")
    (left,) = [
        one for one in findings(Example(items=items, fields=fields)) if one.code == "todo-left"
    ]
    assert "TODO" in left.message


def test_an_acceptance_that_fits_nothing_is_a_note_at_its_line(findings: Findings) -> None:
    fields = accept(
        "{code: todo-left, reason: 早就改好了}", "{code: link-http, match: a.org, reason: 旧}"
    )
    found = [one for one in findings(Example(fields=fields)) if one.code == "acceptance-unused"]
    assert [one.message for one in found] == [
        "nothing here is `todo-left`, so there is nothing to accept",
        "nothing here is `link-http` with “a.org”, so there is nothing to accept",
    ]
    assert [one.place.line for one in found if one.place] == [6, 6]
    assert all(one.severity == "note" for one in found)


def test_a_code_that_does_not_exist_is_told_so(findings: Findings) -> None:
    found = findings(Example(fields=accept("{code: todo-lef, reason: 写错}")))
    assert [one.message for one in found if one.code == "acceptance-unused"] == [
        "there is no check `todo-lef` to accept"
    ]


def test_nothing_is_said_of_acceptances_whose_check_did_not_run(findings: Findings) -> None:
    example = Example(fields=accept("{code: link-dead, reason: 只有联网才知道}"))
    assert codes(findings(example)) == []
    example = Example(fields=accept("{code: todo-left, reason: 没跑}"))
    assert codes(findings(example, select=["links", "acceptance-unused"])) == []


def test_the_note_itself_can_be_ignored(findings: Findings) -> None:
    example = Example(
        fields=accept("{code: todo-left, reason: 早就改好了}"),
        publication={"checks": {"ignore": ["acceptance-unused"]}},
    )
    assert codes(findings(example)) == []


def test_an_acceptance_of_an_item_does_not_reach_the_next_section(findings: Findings) -> None:
    items = (
        TODO % ", accept: [{code: todo-left, reason: 讲的就是它}]" + "sections_end_here"
    ).replace("sections_end_here", "")
    source = (
        "number: 7\ntitle: 立冬前后的几篇新论文\ndate: 2022-11-07T09:00:00+08:00\nstatus: ready\n"
        "preheader: 本期读几篇讲微调的新论文，周三上午还有一场线上报告，欢迎报名参加。\nsections:\n"
        "  - title: 甲\n    items:\n      "
        + items
        + "  - title: TODO 乙\n    items:\n      - kind: divider\n"
        "  - items:\n      - {kind: text, body: 这一期读几篇讲微调的新论文，每篇写一段简介，说清楚它解决了什么问题。}\n"
    )
    found = findings(Example(source=source))
    assert "todo-left" in codes(found)


def test_a_reason_is_required(findings: Findings) -> None:
    found = findings(Example(fields="accept: [{code: todo-left}]"))
    assert "source-invalid" in codes(found)
    assert any("reason" in one.message for one in found)


def test_accepting_changes_nothing_about_the_mail(examine: Callable[..., object]) -> None:
    plain = examine(Example())
    fields = accept("{code: todo-left, reason: 讲的就是它}")
    assert examine(Example(fields=fields)).message == plain.message  # type: ignore[attr-defined]
