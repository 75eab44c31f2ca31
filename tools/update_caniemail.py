"""Write the data behind the compatibility checks from the npm package `caniemail`.

    npm pack caniemail@2.0.2
    python tools/update_caniemail.py caniemail-2.0.2.tgz

caniemail.com tests what mail programs make of HTML and CSS. Of each feature this keeps what the checks need: slug,
title, category, address, the newest answer of every mail program, and the notes that those answers refer to. A new
feature makes a test fail until checks/compatibility/features.py maps it or says why it is ignored.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "src/newsletter/checks/compatibility/data"
_DATE = re.compile(r"\d{4}-\d{2}")
_YEAR = re.compile(r"20\d\d")


def newest(versions: Mapping[str, str]) -> str:
    """The newest of several versions of one mail program.

    Versions are months (`2024-01`), numbers (`16.80`), or years (`2019`). Where years or months and
    numbers are mixed, as for Outlook on a Mac, the order of the file is the order of time.
    """
    names = list(versions)
    months = [name for name in names if _DATE.fullmatch(name)]
    years = [name for name in names if _YEAR.fullmatch(name)]
    if len(months) == len(names) or len(years) == len(names):
        return max(names)
    if months or years:
        return names[-1]
    return max(names, key=lambda name: [int(part) for part in re.findall(r"\d+", name)])


def compact(feature: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of one feature."""
    support = {
        family: {
            platform: " ".join(versions[newest(versions)].split())
            for platform, versions in platforms.items()
            if versions
        }
        for family, platforms in feature["stats"].items()
    }
    used = {
        number
        for platforms in support.values()
        for state in platforms.values()
        for number in re.findall(r"#(\d+)", state)
    }
    notes = feature["notes_by_num"] or {}
    return {
        "slug": feature["slug"],
        "title": feature["title"].strip(),
        "category": feature["category"],
        "url": feature["url"],
        "support": support,
        "notes": {n: notes[n].strip() for n in sorted(used, key=int) if n in notes},
    }


def convert(data: Mapping[str, Any], *, version: str, licence: str, date: dt.date) -> str:
    """The data file: one feature a line, so that an update can be read as a difference.

    Args:
        data: caniemail.json as npm has it.
        version: of the npm package.
        licence: of the npm package.
        date: on which it was taken over.

    """
    head = {
        "source": "caniemail.com, by way of the npm package caniemail",
        "version": version,
        "licence": licence,
        "data_of": data["last_update_date"][:10],
        "taken_over": date.isoformat(),
        "clients": data["nicenames"]["family"],
        "platforms": data["nicenames"]["platform"],
    }
    lines = [f"{_json(key)}: {_json(value)}," for key, value in head.items()]
    features = sorted((compact(feature) for feature in data["data"]), key=lambda f: f["slug"])
    rows = ",\n".join(_json(feature) for feature in features)
    return "{\n" + "\n".join(lines) + '\n"features": [\n' + rows + "\n]\n}\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def read(archive: Path) -> tuple[dict[str, Any], dict[str, Any], str]:
    """The data, package.json and the licence's text, from what `npm pack` wrote."""
    with tarfile.open(archive) as tar:

        def text(name: str) -> str:
            member = tar.extractfile(f"package/{name}")
            if member is None:
                raise SystemExit(f"{archive}: {name} is not a file")
            return member.read().decode()

        return (
            json.loads(text("data/caniemail.json")),
            json.loads(text("package.json")),
            text("LICENSE"),
        )


def main() -> None:
    """Write data file and licence, and say what they are."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("archive", type=Path, help="what `npm pack caniemail@VERSION` wrote")
    archive = parser.parse_args().archive
    data, package, licence = read(archive)
    today = dt.datetime.now(dt.UTC).date()
    text = convert(data, version=package["version"], licence=package["license"], date=today)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "caniemail.json").write_text(text, encoding="utf-8")
    (FOLDER / "LICENSE.caniemail").write_text(licence, encoding="utf-8")
    print(f"caniemail {package['version']}, data of {data['last_update_date'][:10]}:", end=" ")
    print(f"{len(data['data'])} features, {len(text):,} characters")


if __name__ == "__main__":
    main()
