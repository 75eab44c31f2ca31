"""An issue under all checks: who it is addressed to, which checks run, and the sample itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from checks_desk import Desk

from newsletter.checking import check_issue, check_mailing, examine
from newsletter.checks.model import Example, Finding, Found, Severity, check
from newsletter.checks.registry import all_checks
from newsletter.checks.run import FAILED, _run, chosen, run_checks
from newsletter.errors import ConfigError, TemplateError, UsageError
from newsletter.mailing import Mailing
from newsletter.project import Project

ROOT = Path(__file__).resolve().parent.parent.parent
Findings = Callable[..., list[Finding]]


@pytest.mark.parametrize("number", [64, 65])
def test_the_sample_has_neither_errors_nor_warnings(number: int, tmp_path: Path) -> None:
    environ = {"NEWSLETTER_SECRET": "0123456789abcdef" * 4}
    found = check_issue(Project.open(ROOT, environ=environ), number)
    assert not [str(one) for one in found if one.severity is not Severity.NOTE]
    assert not [one for one in found if one.message.startswith(FAILED)]


class TestWhatIsLookedAt:
    def test_the_longest_recipient_of_the_list(self, desk: Desk) -> None:
        project = desk.open(Example())
        rows = "".join(f"r{n}@example.com,{'名' * n}\n" for n in (3, 20, 5))
        desk.write(
            "subscribers.csv",
            f"email,name,status\n{rows}gone@example.com,{'名' * 40},unsubscribed\n",
        )
        checked = examine(Mailing(project, project.issue(7)))
        assert f"{'名' * 20}，您好" in checked.html
        assert f"{'名' * 20}，您好" in checked.text
        assert b"r20@example.com" in checked.message

    def test_without_a_list_there_is_a_reader_all_the_same(self, desk: Desk) -> None:
        project = desk.open(Example())
        (desk.root / "subscribers.csv").unlink()
        assert "您好" in examine(Mailing(project, project.issue(7))).html
        assert [one for one in check_issue(project, 7) if one.severity == "error"] == []

    def test_templates_style_sheets_and_settings_by_path(self, desk: Desk) -> None:
        project = desk.open(
            Example(files={"templates/blocks/text.html.j2": "<p>{{ item.body }}</p>"})
        )
        files = examine(Mailing(project, project.issue(7))).files
        assert "templates/blocks/text.html.j2" in files
        assert "newsletter/theme/issue.html.j2" in files
        assert "newsletter/theme/styles/head.css" in files
        assert "newsletter.yaml" in files

    def test_other_issues_are_read_when_they_are_asked_for(self, desk: Desk) -> None:
        project = desk.open(Example(others={"content/006.yaml": "number: 6\n"}))
        checked = examine(Mailing(project, project.issue(7)))
        desk.write("content/005.md", "---\nnumber: 5\n---\n")
        desk.write("content/008.yaml", b"\xff")
        assert [(one.number, one.path) for one in checked.others] == [
            (5, "content/005.md"),
            (6, "content/006.yaml"),
        ]

    def test_how_many_readers_do_not_see_which_items(self, desk: Desk) -> None:
        items = "- {kind: text, body: 好}\n- {kind: text, body: 会员, only: {tags: [m]}}"
        project = desk.open(Example(items=items))
        desk.write(
            "subscribers.csv", "email,tags\na@example.com,m\nb@example.com,\nc@example.com,\n"
        )
        checked = examine(Mailing(project, project.issue(7)))
        hidden = frozenset({("sections", 0, "items", 1)})
        assert checked.hidden == {frozenset(): 1, hidden: 2}

    def test_a_mailing_can_be_checked_as_it_is(self, desk: Desk) -> None:
        project = desk.open(Example(body="TODO：补"))
        mailing = Mailing(project, project.issue(7), signed=False)
        assert "todo-left" in [one.code for one in check_mailing(mailing)]
        assert check_mailing(mailing, select=["links"]) == []

    def test_a_mailing_that_cannot_be_rendered_raises(self, desk: Desk) -> None:
        project = desk.open(Example(files={"templates/blocks/text.html.j2": "{{ nothing }}"}))
        with pytest.raises(TemplateError):
            check_mailing(Mailing(project, project.issue(7)))


class TestChoosing:
    def test_codes_and_families(self, findings: Findings) -> None:
        example = Example(body="TODO：见[这里](http://example.org/a)。。")

        def codes(**options: list[str]) -> list[str]:
            return sorted({one.code for one in findings(example, **options)})

        assert codes(select=["links"]) == ["link-http"]
        assert codes(select=["links", "todo-left"]) == ["link-http", "todo-left"]

    def test_newsletter_yaml_chooses_too_and_the_command_line_wins(self, desk: Desk) -> None:
        settings = {"checks": {"select": ["links", "chinese"], "ignore": ["link-http"]}}
        project = desk.open(Example(publication=settings))
        families = {one.family for one in chosen(project.publication)}
        assert families == {"links", "chinese"}
        assert "link-http" not in {one.code for one in chosen(project.publication)}
        assert {one.family for one in chosen(project.publication, select=["images"])} == {"images"}
        fewer = {one.family for one in chosen(project.publication, ignore=["chinese"])}
        assert fewer == {"links"}

    def test_severities_of_newsletter_yaml(self, findings: Findings) -> None:
        settings = {"checks": {"severity": {"link-http": "error", "todo-left": "note"}}}
        found = findings(
            Example(body="TODO：见[论文](http://example.org/a)。", publication=settings),
            select=["link-http", "todo-left"],
        )
        assert {one.code: one.severity.value for one in found} == {
            "link-http": "error",
            "todo-left": "note",
        }

    def test_checks_that_need_a_service_run_only_with_it(self, desk: Desk) -> None:
        checked = desk.examine(Example())
        needing = [one.code for one in all_checks() if one.needs]
        assert needing
        assert run_checks(checked, select=needing) == []

    @pytest.mark.parametrize(
        ("option", "words"),
        [
            ({"select": ["link-htp"]}, "--select link-htp"),
            ({"ignore": ["linkz"]}, "--ignore linkz"),
        ],
    )
    def test_a_check_that_does_not_exist(
        self, desk: Desk, option: dict[str, list[str]], words: str
    ) -> None:
        with pytest.raises(UsageError) as caught:
            check_issue(desk.open(Example()), 7, **option)
        assert str(caught.value).startswith(f"{words}: there is no check")
        assert "did you mean `link" in str(caught.value)

    @pytest.mark.parametrize(
        "settings", [{"select": ["nope"]}, {"ignore": ["nope"]}, {"severity": {"links": "note"}}]
    )
    def test_nor_in_newsletter_yaml(self, desk: Desk, settings: dict[str, object]) -> None:
        project = desk.open(Example(publication={"checks": settings}))
        with pytest.raises(ConfigError) as caught:
            check_issue(project, 7)
        assert str(caught.value).startswith(f"newsletter.yaml: `checks.{next(iter(settings))}`")

    def test_an_issue_that_does_not_exist(self, desk: Desk) -> None:
        with pytest.raises(UsageError):
            check_issue(desk.open(Example()), 8)


class TestOrder:
    def test_by_file_and_line_and_then_what_has_no_place(self, findings: Findings) -> None:
        example = Example(
            body="TODO：。。", fields="preheader: null", publication={"public_url": None}
        )
        places = [one.place for one in findings(example)]
        assert None not in places[: places.index(None)] if None in places else True
        keys = [(one.path, one.line or 0) for one in places if one]
        assert keys == sorted(keys)

    def test_a_thing_on_one_line_is_told_once(self, findings: Findings) -> None:
        found = findings(Example(body="用`a`。TODO TODO"), select=["todo-left"])
        assert len({(one.message, one.place) for one in found}) == len(found)

    def test_findings_show_their_line(self, findings: Findings) -> None:
        (found,) = findings(Example(body="TODO：补"), select=["todo-left"])
        assert "TODO：补" in (found.snippet or "")
        assert found.record() == {
            "code": "todo-left",
            "severity": "error",
            "message": "`TODO` in “TODO：补”",
            "path": "content/007.yaml",
            "line": 10,
            "column": 15,
        }


def test_a_check_with_a_mistake_of_its_own_stops_nobody(desk: Desk) -> None:
    @check("x-y", title="X", severity=Severity.ERROR, passing=Example(), failing=Example())
    def broken(checked: object) -> object:
        """Fails."""
        yield Found("first")
        raise ZeroDivisionError("by zero")

    (found,) = _run(broken, desk.read(Example()))  # type: ignore[arg-type]
    assert found.severity is Severity.NOTE
    assert found.message == f"{FAILED}: ZeroDivisionError: by zero"
