"""Which files a theme may be read from."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.rendering.folders import ThemeFolder, ThemeFolders, locate
from newsletter.rendering.mistake import Mistake


@pytest.fixture
def folders(tmp_path):
    for name in ("own/a.j2", "own/sub/b.j2", "theme/a.j2", "theme/c.j2", "secret.j2"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return ThemeFolders(
        [
            ThemeFolder(tmp_path / "own", "templates"),
            ThemeFolder(tmp_path / "theme", "newsletter/theme"),
        ]
    )


def test_the_publication_comes_first(folders):
    assert folders.load("a.j2")[1] == "own/a.j2"
    assert folders.load("c.j2")[1] == "theme/c.j2"
    assert folders.load("c.j2")[0].shown == "newsletter/theme/c.j2"
    assert folders.names() == ["a.j2", "c.j2", "sub/b.j2"]


def test_what_was_read_is_known(folders, tmp_path):
    folders.load("a.j2")
    folders.find("c.j2")
    assert folders.read == {(tmp_path / "own/a.j2").resolve()}


@pytest.mark.parametrize(
    "name", ["../secret.j2", "sub/../../secret.j2", "/etc/passwd", "..", "a\\b", "a\0"]
)
def test_names_that_lead_out_are_refused(folders, name):
    with pytest.raises(Mistake, match="is not a path inside own"):
        folders.find(name)


def test_links_that_lead_out_are_refused(folders, tmp_path):
    (tmp_path / "own/link.j2").symlink_to("../secret.j2")
    (tmp_path / "own/up").symlink_to("..")
    for name in ("link.j2", "up/secret.j2"):
        with pytest.raises(Mistake, match="leads out of the folder own"):
            folders.find(name)


def test_a_link_to_itself_is_no_file(folders, tmp_path):
    (tmp_path / "own/loop.j2").symlink_to("loop.j2")
    with pytest.raises(Mistake, match="links go in a circle"):
        folders.load("loop.j2")


def test_a_theme_that_is_a_link_is_read_through(folders, tmp_path):
    (tmp_path / "linked").symlink_to("theme")
    found = ThemeFolders([ThemeFolder(tmp_path / "linked", "newsletter/theme")])
    assert found.load("c.j2")[1] == "theme/c.j2"
    assert found.names() == ["a.j2", "c.j2"]


def test_folders_and_missing_files_are_not_found(folders):
    assert folders.find("sub") is None
    assert folders.find("nope.j2") is None
    assert folders.find("") is None


def test_a_name_that_no_system_takes_is_refused(folders):
    with pytest.raises(Mistake, match="cannot be opened: File name too long") as caught:
        folders.find("a" * 5000)
    assert len(caught.value.message) < 200


def test_a_missing_theme_is_an_empty_one(tmp_path):
    folders = ThemeFolders([ThemeFolder(tmp_path / "nowhere", "templates")])
    assert folders.find("a.j2") is None
    assert folders.names() == []


def test_the_hint_names_a_file_of_the_same_kind(folders):
    assert folders.missing("sub/bb.j2").hint == "did you mean `sub/b.j2`?"
    assert folders.missing("sub/a.j2").hint == "make templates/sub/a.j2"
    assert folders.missing("b.txt.j2").hint == "make templates/b.txt.j2"


@settings(deadline=None)
@given(st.lists(st.sampled_from(["..", ".", "a", "", "~", "up"]), max_size=6), st.booleans())
def test_no_path_leads_out(tmp_path_factory, parts, absolute):
    base = tmp_path_factory.getbasetemp() / "no-path"
    if not base.exists():
        (base / "home/a").mkdir(parents=True)
        (base / "a").write_text("outside")
        (base / "home/up").symlink_to("..")
    try:
        found = locate(base / "home", ("/" if absolute else "") + "/".join(parts))
    except Mistake:
        return
    assert found is None or found.is_relative_to((base / "home").resolve())
