"""A sheet of issues with one real-world mistake each: found by its code, at its line, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from checks_desk import picture

from newsletter.checking import check_issue
from newsletter.checks.model import Finding, Severity
from newsletter.checks.registry import checks_by_code
from newsletter.checks.run import FAILED
from newsletter.project import Project
from newsletter.rendering.folders import PACKAGED_THEME

DATA = Path(__file__).parent / "data"
SHEET: list[dict[str, Any]] = yaml.safe_load((DATA / "faulty.yaml").read_text("utf-8"))
ISSUE = "content/064.yaml"
STYLES = "templates/styles/"


class Copy:
    """A copy of the weekly on disk, to be spoiled."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(DATA / "weekly", root, dirs_exist_ok=True)
        shutil.copytree(PACKAGED_THEME / "styles", root / STYLES)
        self.picture("assets/plot.png", "800x400")

    def read(self, path: str) -> str:
        return (self.root / path).read_text("utf-8")

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, "utf-8")

    def picture(self, path: str, described: str) -> None:
        (self.root / path).parent.mkdir(exist_ok=True)
        (self.root / path).write_bytes(picture(described))

    def check(self) -> list[Finding]:
        project = Project.open(self.root, environ={"NEWSLETTER_SECRET": "0123456789abcdef" * 4})
        return check_issue(project, 64)


def spoil(copy: Copy, case: dict[str, Any]) -> tuple[str, int]:
    """Make the mistake; the path and line at which it must be found."""
    path = case.get("path", ISSUE)
    mark = case.get("at")
    if "from" in case:
        text = copy.read(path)
        assert text.count(case["from"]) == 1, (
            f"{case['from']!r} is there {text.count(case['from'])}×"
        )
        spoiled = text.replace(case["from"], case["to"])
        copy.write(path, spoiled)
        if mark is None and "line" not in case:
            return path, spoiled.count("\n", 0, first_difference(text, spoiled)) + 1
    for name, text in case.get("files", {}).items():
        copy.write(name, text)
    for name, described in case.get("pictures", {}).items():
        copy.picture(name, described)
    for kind, sheet in (("sheet", "inlined.css"), ("dark", "head.css")):
        if kind in case:
            path, mark = STYLES + sheet, case[kind]
            rule = (
                mark if kind == "sheet" else f"@media (prefers-color-scheme: dark) {{\n{mark}\n}}"
            )
            copy.write(path, f"{copy.read(path)}\n{rule}\n")
    if "line" in case:
        return path, case["line"]
    lines = [n for n, line in enumerate(copy.read(path).split("\n"), 1) if mark in line]
    assert len(lines) == 1, f"{mark!r} is on lines {lines}"
    return path, lines[0]


def first_difference(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next(at for at, (first, second) in pairs if first != second)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def shown(findings: list[Finding]) -> str:
    return "\n".join(f"{one.severity} {one.code} {one.place}: {one.message}" for one in findings)


@pytest.mark.parametrize("case", SHEET, ids=lambda case: f"{case['code']}: {case['what']}")
def test_is_found_and_nothing_else(copy: Copy, case: dict[str, Any]) -> None:
    path, line = spoil(copy, case)
    findings = copy.check()
    serious = [one for one in findings if one.severity is not Severity.NOTE]
    assert {one.code for one in serious} == {case["code"]}, shown(serious)
    assert (path, line) in [(one.place.path, one.place.line) for one in serious if one.place], (
        shown(serious)
    )
    assert not [one for one in findings if one.message.startswith(FAILED)]


def test_the_sheet_is_long_enough_and_says_each_thing_once() -> None:
    assert len(SHEET) >= 60
    assert len({case["what"] for case in SHEET}) == len(SHEET)
    assert {case["code"] for case in SHEET} <= set(checks_by_code())


def test_the_weekly_itself_is_clean(copy: Copy) -> None:
    findings = copy.check()
    assert not [one for one in findings if not one.code.startswith("client-")], shown(findings)


def test_all_mistakes_of_the_sheet_that_fit_together_are_found_in_one_run(copy: Copy) -> None:
    wanted: set[str] = set()
    for case in SHEET:
        text = copy.read(ISSUE)
        fits = "from" in case and case.get("path", ISSUE) == ISSUE
        hides = case["code"] == "date-missing" or "PATS" in case.get("from", "")
        if fits and not hides and text.count(case["from"]) == 1:
            copy.write(ISSUE, text.replace(case["from"], case["to"]))
            wanted.add(case["code"])
    found = {one.code for one in copy.check()}
    assert len(wanted) > 25
    # What a broken source hides: items that cannot be read are left out of the message.
    assert len(wanted - found) <= 6, wanted - found
