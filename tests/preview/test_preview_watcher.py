"""Noticing saves, on a real file system."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.preview.watcher import Watcher, is_source, source_folders

Act = Callable[[], None]


def _seen(root: Path, *acts: Act, until: str) -> set[str]:
    """What the watcher reported while `acts` were done, up to the report of `until`."""

    async def run() -> set[str]:
        seen: set[str] = set()
        found = asyncio.Event()

        def note(paths: frozenset[str]) -> None:
            seen.update(paths)
            if until in seen:
                found.set()

        watcher = Watcher(root, note)
        await watcher.start()
        try:
            for act in acts:
                act()
                await asyncio.sleep(0.05)
            await asyncio.wait_for(found.wait(), 20)
        finally:
            await watcher.stop()
        return seen

    return asyncio.run(run())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "weekly"
    (folder / "content").mkdir(parents=True)
    (folder / "templates" / "blocks").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / "node_modules" / "x").mkdir(parents=True)
    (folder / "newsletter.yaml").write_text("name: x\n")
    (folder / "content" / "064.yaml").write_text("number: 64\n")
    return folder


@pytest.mark.parametrize(
    "name", ["newsletter.yaml", "content/064.yaml", "templates/blocks/x.html.j2", "list.csv"]
)
def test_a_save_is_seen(root: Path, name: str) -> None:
    assert name in _seen(root, lambda: _write(root / name), until=name)


def test_a_file_renamed_over_another_is_seen(root: Path) -> None:
    def save() -> None:
        draft = root / "content" / ".064.yaml.swp"
        draft.write_text("number: 64\ntitle: neu\n")
        os.replace(draft, root / "content" / "064.yaml")  # noqa: PTH105

    assert _seen(root, save, save, until="content/064.yaml") == {"content/064.yaml"}


def test_a_deleted_file_is_seen(root: Path) -> None:
    name = "content/064.yaml"
    assert name in _seen(root, (root / name).unlink, until=name)


def test_what_no_mail_is_made_of_is_not(root: Path) -> None:
    def clutter() -> None:
        _write(root / ".git" / "index.yaml")
        _write(root / "node_modules" / "x" / "package.json")
        _write(root / "content" / "064.yaml~")
        _write(root / "content" / ".#064.yaml")
        _write(root / "content" / "4913")
        _write(root / "notes.docx")

    last = root / "content" / "last.md"
    seen = _seen(root, clutter, lambda: _write(last), until="content/last.md")
    assert seen == {"content/last.md"}


def test_a_folder_made_later_is_watched(root: Path) -> None:
    async def run() -> set[str]:
        seen: set[str] = set()
        watcher = Watcher(root, seen.update)
        await watcher.start()
        try:
            picture = root / "assets" / "new.png"
            picture.parent.mkdir()
            await _until(lambda: _again(picture, "assets/new.png" in seen))
        finally:
            await watcher.stop()
        return seen

    assert "assets/new.png" in asyncio.run(run())


def test_a_publication_without_folders_gets_its_first(tmp_path: Path) -> None:
    async def run() -> set[str]:
        seen: set[str] = set()
        watcher = Watcher(tmp_path, seen.update)
        await watcher.start()
        try:
            issue = tmp_path / "content" / "001.md"
            issue.parent.mkdir()
            await _until(lambda: _again(issue, "content/001.md" in seen))
        finally:
            await watcher.stop()
        return seen

    assert "content/001.md" in asyncio.run(run())


def test_stopping_without_starting_is_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        await Watcher(tmp_path, lambda paths: None).stop()

    asyncio.run(run())


def test_the_folders_worth_watching(root: Path) -> None:
    assert {path.name for path in source_folders(root)} == {"content", "templates"}
    assert source_folders(root / "none") == frozenset()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("content/064.yaml", True),
        ("content/065.md", True),
        ("templates/issue.html.j2", True),
        ("a.PNG", True),
        (".newsletter.yaml.swp", False),
        ("064.yaml~", False),
        ("#064.yaml#", False),
        ("~$list.csv", False),
        ("4913", False),
        (".newsletter/newsletter.db", False),
        (".newsletter/newsletter.db-wal", False),
    ],
)
def test_is_source(name: str, expected: bool) -> None:
    assert is_source(name) is expected


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("changed\n")


def _again(path: Path, seen: bool) -> bool:
    if not seen:
        _write(path)
    return seen


async def _until(done: Callable[[], bool]) -> None:
    for _ in range(400):
        if done():
            return
        await asyncio.sleep(0.05)
