"""Mistakes in the shape of the page, with the lines around them."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.errors import AudienceError, ConfigError, Place, Problem, SourceError
from newsletter.preview.faults import faults_of, finding, from_record
from newsletter.preview.sources import excerpt


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "weekly"
    (folder / "content").mkdir(parents=True)
    (folder / "content" / "064.yaml").write_text("one\ntwo\nthree\nfour\nfive\n", "utf-8")
    (folder / ".newsletter").mkdir()
    (folder / ".newsletter" / "key.txt").write_text("secret\n")
    (folder / ".env.yaml").write_text("secret\n")
    (folder / "secret").write_text("secret\n")
    (tmp_path / "outside.yaml").write_text("outside\n")
    (folder / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    return folder


def test_every_problem_of_an_error(root: Path) -> None:
    error = SourceError(
        problems=[
            Problem(message="a", place=Place(path="content/064.yaml", line=3, column=2), hint="do"),
            Problem(message="b", snippet="as given", place=Place(path="x.yaml", line=1)),
            Problem(message="c"),
        ]
    )
    first, second, third = faults_of(error, root=root)
    assert (first["path"], first["line"], first["column"]) == ("content/064.yaml", 3, 2)
    assert first["hint"] == "do"
    assert first["snippet"] == "  1 │ one\n  2 │ two\n→ 3 │ three\n  4 │ four\n  5 │ five"
    assert second["snippet"] == "as given"
    assert third == {
        "message": "c",
        "hint": None,
        "path": None,
        "line": None,
        "column": None,
        "snippet": None,
    }


def test_an_error_of_one_sentence_may_begin_with_its_place(root: Path) -> None:
    (fault,) = faults_of(AudienceError("content/064.yaml:2:7: bad quote\nmore"), root=root)
    assert (fault["path"], fault["line"], fault["column"]) == ("content/064.yaml", 2, 7)
    assert fault["message"] == "bad quote\nmore"
    assert fault["snippet"] is not None
    assert "→ 2 │ two" in fault["snippet"]


def test_an_error_without_a_place(root: Path) -> None:
    (fault,) = faults_of(ConfigError("no relay: set one"), root=root)
    assert fault["message"] == "no relay: set one"
    assert fault["path"] is None


def test_a_bug_shows_its_trace(root: Path) -> None:
    try:
        {}["missing"]
    except KeyError as error:
        (fault,) = faults_of(error, root=root)
    assert fault["message"] == "KeyError: 'missing'"
    assert fault["snippet"] is not None
    assert "test_preview_faults.py" in fault["snippet"]


def test_findings() -> None:
    told = finding(Problem(message="m", place=Place(path="a.css", line=4)), code="not-inlined")
    assert told == {
        "code": "not-inlined",
        "severity": "warning",
        "message": "m",
        "hint": None,
        "path": "a.css",
        "line": 4,
        "column": None,
    }
    assert finding(Problem(message="m"), code="x", severity="note")["path"] is None


def test_findings_from_records() -> None:
    told = from_record({"code": "c", "severity": "error", "message": "m", "line": 3, "more": "x"})
    assert told == {
        "code": "c",
        "severity": "error",
        "message": "m",
        "hint": None,
        "path": None,
        "line": 3,
        "column": None,
    }


def test_lines_around_a_place(root: Path) -> None:
    found = excerpt(root, "content/064.yaml", 4, around=1)
    assert (found.first, found.lines) == (3, ("three", "four", "five"))
    assert excerpt(root, "content/064.yaml", 1).lines == ("one", "two", "three")
    assert excerpt(root, "content/064.yaml", 400).lines == ()


def test_the_packaged_theme_can_be_read(root: Path) -> None:
    assert excerpt(root, "newsletter/theme/issue.txt.j2", 1).lines


@pytest.mark.parametrize(
    "path",
    [
        "../outside.yaml",
        "content/../../outside.yaml",
        "link.yaml",
        "/etc/hosts",
        "secret",
        ".newsletter/key.txt",
        ".env.yaml",
        "newsletter/theme/../project.py",
        "content",
        "content/none.yaml",
        "a\0b.yaml",
        "",
    ],
)
def test_nothing_else_can_be_read(root: Path, path: str) -> None:
    assert excerpt(root, path, 1).lines == ()
