"""`newsletter check` as people and programs read it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from wcwidth import wcswidth

Run = Callable[..., "subprocess.CompletedProcess[str]"]
BROKEN = """\
number: 2
title: 第二期
date: 2022-11-14T09:00:00+08:00
status: ready
preheader: 本期读几篇讲微调的新论文，周三上午还有一场线上报告，欢迎报名参加。
sections:
  - title: 本期内容
    items:
      - kind: text
        body: 会议在 11月9日（周二）举行，请[点击这里](https://hub.example.org/a?b=1)报名，名额有限，先到先得。。
      - kind: text
        lable: 写错的字段
        body: 这一期读几篇讲微调的新论文，每篇写一段简介，说清楚它解决了什么问题、用了什么办法、效果怎么样。
"""


@pytest.fixture
def broken(publication: Path) -> Path:
    """The publication with a second issue that has mistakes of every severity."""
    (publication / "content" / "002.yaml").write_text(BROKEN, "utf-8")
    return publication


def test_a_new_publication_has_nothing_to_mend(call: Run, publication: Path) -> None:
    done = call("check", "1", cwd=publication)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("issue 1: ")
    assert "error" not in done.stdout
    assert "warning" not in done.stdout


class TestText:
    def test_each_finding_with_its_place_line_and_advice(self, run: Run, broken: Path) -> None:
        done = run("check", "2", cwd=broken)
        assert done.returncode == 1
        lines = done.stdout.splitlines()
        at = lines.index("error   weekday-wrong  content/002.yaml:10:19")
        assert (
            lines[at + 1]
            == "  11月9日（周二）: 2022-11-09 is a Wednesday → write 周三, or another day"
        )
        assert lines[at + 2].startswith(
            "     10 |         body: 会议在 11月9日（周二）举行，请[点击这里]("
        )
        caret = lines[at + 3].index("^")
        before = lines[at + 2].partition("11月9日")[0]
        assert wcswidth(before) == caret
        assert "error   source-invalid  content/002.yaml:12:9" in lines
        assert any(
            line.startswith("warning punctuation-doubled  content/002.yaml:10:") for line in lines
        )

    def test_fits_80_columns(self, call: Run, broken: Path) -> None:
        done = call("check", "2", "--notes", cwd=broken)
        assert max(wcswidth(line) for line in done.stdout.splitlines()) <= 80

    def test_ends_with_a_count_and_the_next_command(self, call: Run, broken: Path) -> None:
        *_, count, command = call("check", "2", cwd=broken).stdout.splitlines()
        assert count.startswith("issue 2: 2 errors, 2 warnings, ")
        assert count.endswith("notes (--notes shows the notes)")
        assert command == "next: newsletter check --explain weekday-wrong"

    def test_notes_are_counted_and_shown_on_demand(self, call: Run, broken: Path) -> None:
        assert "\nnote " not in call("check", "2", cwd=broken).stdout
        shown = call("check", "2", "--notes", cwd=broken).stdout
        assert "\nnote " in shown
        assert "--notes" not in shown

    def test_a_check_that_is_asked_for_by_name_is_shown(self, call: Run, broken: Path) -> None:
        done = call("check", "1", "--select", "date-off-schedule,client-partial", cwd=broken)
        assert done.returncode == 0
        assert "note    client-partial" in done.stdout

    def test_all_issues(self, call: Run, broken: Path) -> None:
        done = call("check", "--all", cwd=broken)
        assert done.returncode == 1
        assert "\nissue 2: 2 errors" in done.stdout
        assert "issue 1: " in done.stdout


class TestForPrograms:
    def test_json(self, call: Run, broken: Path) -> None:
        done = call("check", "2", "--format", "json", cwd=broken)
        assert done.returncode == 1
        told = json.loads(done.stdout)
        assert list(told) == ["findings"]
        fields = ["code", "severity", "message", "path", "line", "column"]
        assert all(list(one) == fields for one in told["findings"])
        (found,) = [one for one in told["findings"] if one["code"] == "weekday-wrong"]
        assert found == {
            "code": "weekday-wrong",
            "severity": "error",
            "message": "11月9日（周二）: 2022-11-09 is a Wednesday",
            "path": "content/002.yaml",
            "line": 10,
            "column": 19,
        }
        assert {one["severity"] for one in told["findings"]} == {"error", "warning", "note"}

    def test_json_of_a_good_issue(self, call: Run, publication: Path) -> None:
        done = call("check", "1", "--format", "json", "--select", "dates", cwd=publication)
        assert (done.returncode, json.loads(done.stdout)) == (0, {"findings": []})

    def test_annotations_of_github_actions(self, call: Run, broken: Path) -> None:
        lines = call("check", "2", "--format", "github", cwd=broken).stdout.splitlines()
        assert (
            "::error file=content/002.yaml,line=10,col=19,title=weekday-wrong::11月9日（周二）: 2022-11-09"
            " is a Wednesday (write 周三, or another day)"
        ) in lines
        assert all(line.startswith(("::error ", "::warning ")) for line in lines)

    def test_annotations_escape_what_would_end_them(self) -> None:
        from newsletter.checks.model import Finding, Severity
        from newsletter.cli.findings import as_github
        from newsletter.errors import Place

        finding = Finding(
            code="x-y",
            severity=Severity.NOTE,
            message="100%\nzwei",
            place=Place(path="a,b:c.yaml", line=3),
        )
        assert list(as_github([finding])) == [
            "::notice file=a%2Cb%3Ac.yaml,line=3,title=x-y::100%25%0Azwei"
        ]


class TestChoosing:
    def test_select_and_ignore(self, call: Run, broken: Path) -> None:
        done = call(
            "check", "2", "--select", "dates,chinese", "--ignore", "weekday-wrong", cwd=broken
        )
        assert done.returncode == 0
        assert "punctuation-doubled" in done.stdout
        assert "source-invalid" not in done.stdout

    def test_settings_of_the_publication(self, call: Run, broken: Path) -> None:
        with (broken / "newsletter.yaml").open("a", encoding="utf-8") as file:
            file.write(
                "checks:\n  ignore: [broken, weekday-wrong]\n  severity: {link-text-vague: error}\n"
            )
        done = call("check", "2", cwd=broken)
        assert done.returncode == 1
        assert "error   link-text-vague" in done.stdout
        assert "weekday-wrong" not in done.stdout

    @pytest.mark.parametrize("option", ["--select", "--ignore"])
    def test_a_check_that_does_not_exist(self, call: Run, publication: Path, option: str) -> None:
        done = call("check", "1", option, "weekday-wrogn", cwd=publication)
        assert done.returncode == 2
        assert "did you mean `weekday-wrong`?" in done.stderr


class TestExplaining:
    def test_one_check(self, call: Run, tmp_path: Path) -> None:
        done = call("check", "--explain", "weekday-wrong", cwd=tmp_path)
        assert done.returncode == 0
        assert done.stdout.startswith(
            "weekday-wrong  error, Dates\nA weekday that does not fit its date.\n"
        )
        assert "nearest to the\ndate of the issue" in done.stdout
        assert "  wrong:  报告在 11月9日（周二）举行。" in done.stdout
        assert done.stdout.endswith("accept: [{code: weekday-wrong, reason: …}]\n")

    def test_every_check_can_be_explained(self) -> None:
        from newsletter.checks.registry import all_checks
        from newsletter.cli.check import _shown_examples

        for check in all_checks():
            assert all(len(line) <= 120 for line in _shown_examples(check))

    def test_a_check_that_does_not_exist(self, call: Run, tmp_path: Path) -> None:
        done = call("check", "--explain", "weekday", cwd=tmp_path)
        assert done.returncode == 2
        assert "there is no check `weekday` (did you mean `weekday-wrong`?)" in done.stderr


class TestUsage:
    @pytest.mark.parametrize("words", [[], ["1", "--all"]])
    def test_one_issue_or_all(self, call: Run, publication: Path, words: list[str]) -> None:
        done = call("check", *words, cwd=publication)
        assert done.returncode == 2
        assert "say which issue, or --all" in done.stderr

    def test_an_issue_that_does_not_exist(self, call: Run, publication: Path) -> None:
        done = call("check", "9", cwd=publication)
        assert done.returncode == 2
        assert "issue 9" in done.stderr

    def test_codes_are_completed(self, run: Run, publication: Path) -> None:
        shell = {
            "_NEWSLETTER_COMPLETE": "bash_complete",
            "COMP_WORDS": "newsletter check 1 --select weekday-wrong,link-ht",
            "COMP_CWORD": "4",
        }
        done = run(cwd=publication, env=shell)
        assert done.stdout.split() == ["plain,weekday-wrong,link-http"]
