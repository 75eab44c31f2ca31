"""tools/node_package.py, with an npm that is not npm."""

from __future__ import annotations

from pathlib import Path

import pytest
from node_package import CannotFetch, fetched

NPM = """#!/bin/sh
# npm pack NAME@VERSION --silent --pack-destination DIR
[ "$1" = pack ] || exit 9
case "$2" in missing@*) echo "npm error 404 $2" >&2; exit 1;; esac
mkdir -p "$5/package" && echo "$2" > "$5/package/what" && tar -czf "$5/x.tgz" -C "$5" package
rm -r "$5/package"
echo "$2" >> "$0.log"
"""


@pytest.fixture
def npm(tmp_path: Path) -> str:
    program = tmp_path / "npm"
    program.write_text(NPM)
    program.chmod(0o755)
    return str(program)


def test_a_package_is_fetched_once(npm: str, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    folder = fetched("@scope/tool", "1.2.3", cache=cache, npm=npm)
    assert (folder / "what").read_text() == "@scope/tool@1.2.3\n"
    assert fetched("@scope/tool", "1.2.3", cache=cache, npm=npm) == folder
    assert Path(f"{npm}.log").read_text() == "@scope/tool@1.2.3\n"
    assert [each.name for each in cache.iterdir()] == ["@scope+tool-1.2.3"]


def test_what_npm_says_is_passed_on_and_nothing_is_kept(npm: str, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(CannotFetch, match="npm pack missing@1: npm error 404"):
        fetched("missing", "1", cache=cache, npm=npm)
    assert list(cache.iterdir()) == []


def test_without_npm_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotFetch, match="no npm here"):
        fetched("tool", "1", cache=tmp_path)
    with pytest.raises(CannotFetch, match="npm pack tool@1"):
        fetched("tool", "1", cache=tmp_path, npm=str(tmp_path / "none"))
