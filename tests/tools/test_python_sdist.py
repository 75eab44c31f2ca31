"""tools/python_sdist.py, with a real pip and a shelf of archives instead of a registry."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest
from python_sdist import CannotFetch, fetched

PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "shelf.item"
version = "1.2"
"""


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with shelf.item 1.2, which is all that pip can see."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    with tarfile.open(folder / "shelf_item-1.2.tar.gz", "w:gz") as tar:
        for name, text in {
            "pyproject.toml": PROJECT,
            "PKG-INFO": "Metadata-Version: 2.1\nName: shelf.item\nVersion: 1.2\n",
            "shelf_item/__init__.py": "",
            "tests/sample.txt": "a sample\n",
        }.items():
            entry = tarfile.TarInfo(f"shelf_item-1.2/{name}")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def lock_of(tmp_path: Path, digest: str) -> Path:
    lock = tmp_path / "lock.txt"
    other = "0" * 64
    lock.write_text(
        f"other==1 \\\n    --hash=sha256:{other}\n"
        f"shelf-item==1.2 \\\n    --hash=sha256:{other} \\\n    --hash=sha256:{digest}\n    # via x\n"
    )
    return lock


def test_the_locked_archive_is_fetched_once(shelf: Path, tmp_path: Path) -> None:
    archive = next(shelf.iterdir())
    lock = lock_of(tmp_path, hashlib.sha256(archive.read_bytes()).hexdigest())
    cache = tmp_path / "cache"
    folder = fetched("Shelf.Item", cache=cache, lock=lock)
    assert (folder / "tests" / "sample.txt").read_text() == "a sample\n"
    archive.unlink()
    assert fetched("shelf_item", cache=cache, lock=lock) == folder
    assert [each.name for each in cache.iterdir()] == ["shelf-item-1.2"]


def test_another_archive_of_the_same_name_is_refused(shelf: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(CannotFetch, match=r"pip download shelf-item==1.2: ERROR"):
        fetched("shelf.item", cache=cache, lock=lock_of(tmp_path, "1" * 64))
    assert list(cache.iterdir()) == []


def test_what_is_not_locked_is_not_asked_for(tmp_path: Path) -> None:
    with pytest.raises(CannotFetch, match="has no absent with hashes"):
        fetched("absent", cache=tmp_path / "cache", lock=lock_of(tmp_path, "1" * 64))
