"""tools/update_caniemail.py: from what `npm pack` writes to the data file."""

from __future__ import annotations

import datetime as dt
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import update_caniemail
from update_caniemail import compact, convert, newest, read

from newsletter.checks.compatibility.data import build

TOOL = Path(update_caniemail.__file__)
FEATURE: dict[str, Any] = {
    "slug": "css-float",
    "title": "float ",
    "description": "left out",
    "category": "css",
    "url": "https://www.caniemail.com/features/css-float/",
    "stats": {
        "gmail": {"ios": {"2019-02": "y", "2024-05": "a  #2"}, "android": {}},
        "outlook": {
            "windows": {"2007": "n #1", "2019": "n #1"},
            "macos": {"2019": "y", "16.80": "y"},
        },
    },
    "notes_by_num": {"1": "Not supported. ", "2": "Partial.", "3": "of an older version"},
}
DATA: dict[str, Any] = {
    "last_update_date": "2026-05-13 14:45:41 +0000",
    "nicenames": {"family": {"gmail": "Gmail"}, "platform": {"ios": "iOS"}},
    "data": [FEATURE, FEATURE | {"slug": "amp", "notes_by_num": None, "stats": {}}],
}


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        (["2019-02", "2024-05"], "2024-05"),
        (["2024-04", "2024-01"], "2024-04"),
        (["2007", "2021", "2019"], "2021"),
        (["11", "9", "10.3"], "11"),
        (["15", "14"], "15"),
        (["16.2", "16.10"], "16.10"),
        (["2011", "2016", "16.80"], "16.80"),
        (["2021-09", "5.2543.1"], "5.2543.1"),
        (["6.16.2.1519779"], "6.16.2.1519779"),
    ],
)
def test_the_newest_version_counts(versions: list[str], expected: str) -> None:
    assert newest(dict.fromkeys(versions, "y")) == expected


def test_what_is_kept_of_a_feature() -> None:
    assert compact(FEATURE) == {
        "slug": "css-float",
        "title": "float",
        "category": "css",
        "url": "https://www.caniemail.com/features/css-float/",
        "support": {
            "gmail": {"ios": "a #2"},
            "outlook": {"windows": "n #1", "macos": "y"},
        },
        "notes": {"1": "Not supported.", "2": "Partial."},
    }


def test_the_file_is_one_feature_a_line_in_order_and_can_be_read() -> None:
    text = convert(DATA, version="2.0.2", licence="MIT", date=dt.date(2026, 11, 23))
    data = json.loads(text)
    assert [feature["slug"] for feature in data["features"]] == ["amp", "css-float"]
    assert sum('"slug"' in line for line in text.splitlines()) == 2
    assert data["taken_over"] == "2026-11-23"
    assert data["data_of"] == "2026-05-13"
    assert build(data, {}).features["css-float"].answers["gmail", "ios"].notes == ("Partial.",)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "caniemail-9.9.9.tgz"
    members = {
        "data/caniemail.json": json.dumps(DATA),
        "package.json": json.dumps({"version": "9.9.9", "license": "MIT"}),
        "LICENSE": "MIT License",
    }
    with tarfile.open(path, "w:gz") as tar:
        for name, text in members.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


def test_the_archive_is_read(archive: Path) -> None:
    data, package, licence = read(archive)
    assert data == DATA
    assert package["version"] == "9.9.9"
    assert licence == "MIT License"


def test_the_tool_writes_data_and_licence(archive: Path, tmp_path: Path) -> None:
    tool = tmp_path / "tools" / TOOL.name
    tool.parent.mkdir()
    tool.write_text(TOOL.read_text("utf-8"), "utf-8")
    done = subprocess.run(
        [sys.executable, str(tool), str(archive)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert "caniemail 9.9.9, data of 2026-05-13: 2 features" in done.stdout
    folder = tmp_path / "src/newsletter/checks/compatibility/data"
    assert json.loads((folder / "caniemail.json").read_text("utf-8"))["version"] == "9.9.9"
    assert (folder / "LICENSE.caniemail").read_text("utf-8") == "MIT License"
