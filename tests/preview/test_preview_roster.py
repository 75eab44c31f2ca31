"""The list as the preview reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.preview import roster
from newsletter.preview.roster import read_roster
from newsletter.project import Project


@pytest.fixture
def project(publication: Path) -> Project:
    return Project.open(publication, environ={})


def test_a_whole_list(project: Project) -> None:
    read = read_roster(project)
    assert len(read.people) == 5
    assert read.whole
    assert read.faults == []
    assert read.findings == ()


def test_bad_rows_are_findings(project: Project) -> None:
    with (project.root / "subscribers.csv").open("a", encoding="utf-8") as stream:
        stream.write("nobody,坏,active,,\n")
    (finding,) = read_roster(project).findings
    assert (finding["code"], finding["line"], finding["severity"]) == ("list-row", 7, "warning")


def test_no_list_is_worth_a_word(project: Project) -> None:
    (project.root / "subscribers.csv").unlink()
    read = read_roster(project)
    assert read.people.first() is None
    assert read.faults == []
    assert [finding["code"] for finding in read.findings] == ["no-list"]


def test_a_list_that_cannot_be_read_says_why(project: Project) -> None:
    (project.root / "subscribers.csv").write_text("name\n林\n", "utf-8")
    read = read_roster(project)
    assert read.people.first() is None
    assert "email" in read.faults[0]["message"]


def test_readers_by_key(project: Project) -> None:
    read = read_roster(project)
    for key, name in {"bo@example.com": "王", "": "林晓雨", "who@example.com": "林晓雨"}.items():
        found = read.reader(key, project=project)
        assert found is not None
        assert found.name == name


def test_of_a_long_list_the_rest_is_found_by_address(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster, "LOADED", 2)
    read = read_roster(project)
    assert len(read.people) == 2
    assert not read.whole
    assert [finding["code"] for finding in read.findings] == ["long-list"]
    found = read.reader("long@example.net", project=project)
    assert found is not None
    assert found.name.startswith("Wolfe")
    first = read.reader("not an address", project=project)
    assert first is not None
    assert first.name == "林晓雨"
