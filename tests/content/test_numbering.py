"""From the number on the command line to a file, and to nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.content.numbering import number_of
from newsletter.content.reader import IssueFile, find_issue, list_issues
from newsletter.errors import SourceError, UsageError


@pytest.fixture
def content(tmp_path: Path) -> Path:
    folder = tmp_path / "content"
    folder.mkdir()
    return folder


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text("number: 1\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("64.yaml", 64),
        ("064.yaml", 64),
        ("000064.yml", 64),
        ("064.md", 64),
        ("064-any-slug.md", 64),
        ("064-微调新范式.yaml", 64),
        ("064-v1.2.yaml", 64),
        ("064-.yaml", 64),
        ("0.yaml", 0),
        ("064.YAML", 64),
        ("064.txt", None),
        ("064.yaml~", None),
        (".064.yaml.swp", None),
        ("#064.yaml#", None),
        ("064_slug.yaml", None),
        ("draft.yaml", None),
        ("-64.yaml", None),
        ("６４.yaml", None),
        ("1234567890.yaml", None),
    ],
)
def test_number_of_a_file_name(name: str, number: int | None) -> None:
    assert number_of(name) == number


@pytest.mark.parametrize("name", ["64.yaml", "064.md", "064-any-slug.yml"])
@pytest.mark.parametrize("asked", [64, "64", "064", " 64 "])
def test_finds_the_file_whatever_its_form(content: Path, name: str, asked: str | int) -> None:
    touch(content, name, "640.yaml", "6.yaml", "164.md")
    assert find_issue(content, asked, root=content.parent) == content / name


def test_two_files_for_one_number_are_both_named(content: Path) -> None:
    touch(content, "064.yaml", "64-neu.md")
    with pytest.raises(SourceError) as caught:
        find_issue(content, 64, root=content.parent)
    assert str(caught.value) == (
        "content/064.yaml: issue 64 has 2 files: content/064.yaml and content/64-neu.md "
        "(keep one of them)"
    )


def test_an_unknown_number_gets_the_nearest(content: Path) -> None:
    touch(content, *(f"{number:03}.yaml" for number in (1, 2, 60, 61, 62, 63, 70, 99)))
    with pytest.raises(UsageError) as caught:
        find_issue(content, "64", root=content.parent)
    assert str(caught.value) == "there is no issue 64 in content/ (nearest: 60, 61, 62, 63, 70)"
    assert caught.value.exit_code == 2


def test_no_issues_at_all(content: Path) -> None:
    for folder in (content, content / "missing"):
        with pytest.raises(UsageError, match=r"none at all .*`newsletter new` makes the first"):
            find_issue(folder, 1, root=content.parent)


@pytest.mark.parametrize(
    "asked",
    [
        "../x",
        "../../etc/passwd",
        "64.yaml",
        "",
        " ",
        "-1",
        "+1",
        "6 4",
        "６４",
        "٦٤",
        "64\n\x00",
        "9" * 5000,
        "1e3",
        -1,
    ],
)
def test_what_is_not_digits_is_no_number(content: Path, asked: str | int) -> None:
    touch(content, "064.yaml")
    with pytest.raises(UsageError, match="is not the number of an issue") as caught:
        find_issue(content, asked, root=content.parent)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@settings(deadline=None)
@given(st.text())
def test_no_text_finds_anything_outside(
    tmp_path_factory: pytest.TempPathFactory, asked: str
) -> None:
    root = tmp_path_factory.getbasetemp()
    try:
        found = find_issue(root / "content", asked, root=root)
    except UsageError:
        return
    pytest.fail(f"{asked!r} found {found}")


def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "publication"
    content = root / "content"
    content.mkdir(parents=True)
    touch(tmp_path, "secret.yaml")
    (content / "064.yaml").symlink_to("../../secret.yaml")
    with pytest.raises(SourceError, match=r"^content/064\.yaml: leads out of"):
        find_issue(content, 64, root=root)


def test_a_content_folder_that_is_a_link_elsewhere_is_refused(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    root = tmp_path / "publication"
    elsewhere.mkdir()
    root.mkdir()
    touch(elsewhere, "064.yaml")
    (root / "content").symlink_to(elsewhere)
    with pytest.raises(SourceError, match="leads out of"):
        find_issue(root / "content", 64, root=root)


def test_lists_by_number_then_name_with_duplicates(content: Path) -> None:
    touch(content, "065.md", "9.yaml", "064.yaml", "064-neu.md", "notes.txt", ".hidden.yaml")
    (content / "063.yaml").mkdir()
    assert list_issues(content, root=content.parent) == [
        IssueFile(number=9, path=content / "9.yaml", display="content/9.yaml"),
        IssueFile(number=64, path=content / "064-neu.md", display="content/064-neu.md"),
        IssueFile(number=64, path=content / "064.yaml", display="content/064.yaml"),
        IssueFile(number=65, path=content / "065.md", display="content/065.md"),
    ]


def test_a_missing_folder_has_no_issues(tmp_path: Path) -> None:
    assert list_issues(tmp_path / "content", root=tmp_path) == []
