"""Verdicts that are kept between runs, in a JSON file: `.newsletter/cache/links.json`.

It may be deleted at any time. A file that cannot be read counts as empty.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from newsletter.checks.online.verdict import Kind, Verdict

FORMAT = 1
FRESH = {
    Kind.FINE: timedelta(days=7),
    Kind.MOVED: timedelta(days=7),
    Kind.DEAD: timedelta(hours=1),
    Kind.PRIVATE: timedelta(hours=1),
}
"""How long a verdict holds; others are not kept."""

MOST = 5000
"""Addresses that are kept, the latest ones."""


class VerdictCache:
    """Verdicts by address.

    Args:
        path: of the file; it and its folder are made when need be. None keeps nothing.
        now: tells the time, with a zone.

    """

    def __init__(self, path: Path | None, *, now: Callable[[], datetime]) -> None:
        self._path = path
        self._now = now
        self._kept = _read(path) if path else {}

    def get(self, address: str) -> Verdict | None:
        """The verdict on an address, if there is one that still holds."""
        verdict = self._kept.get(address)
        if verdict is None or verdict.at is None or verdict.kind not in FRESH:
            return None
        age = self._now() - verdict.at
        return verdict if timedelta(0) <= age <= FRESH[verdict.kind] else None

    def keep(self, verdicts: Mapping[str, Verdict]) -> None:
        """Take over new verdicts and write the file, in whole or not at all.

        A folder that cannot be written to is no reason to fail: they are only not kept.
        """
        lasting = {address: v for address, v in verdicts.items() if v.kind in FRESH and v.at}
        if not lasting or self._path is None:
            return
        self._kept |= lasting
        latest = sorted(self._kept.items(), key=lambda item: str(item[1].at), reverse=True)
        self._kept = dict(latest[:MOST])
        text = json.dumps(
            {"format": FORMAT, "links": {a: _record(v) for a, v in sorted(self._kept.items())}},
            ensure_ascii=False,
            indent=1,
        )
        try:
            _write(self._path, text)
        except OSError:
            return


def _read(path: Path) -> dict[str, Verdict]:
    try:
        data = json.loads(path.read_text("utf-8"))
        if data["format"] != FORMAT:
            return {}
        return {str(address): _verdict(record) for address, record in data["links"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _verdict(record: Mapping[str, Any]) -> Verdict:
    verdict = Verdict(
        kind=Kind(record["kind"]),
        reason=str(record["reason"]),
        media=str(record["media"]),
        at=datetime.fromisoformat(record["at"]),
    )
    if verdict.at is None or verdict.at.tzinfo is None:
        raise ValueError("a time without a zone")
    return replace(verdict, moved_to=str(record["moved_to"])) if record["moved_to"] else verdict


def _record(verdict: Verdict) -> dict[str, str | None]:
    return {
        "kind": verdict.kind.value,
        "reason": verdict.reason,
        "moved_to": verdict.moved_to,
        "media": verdict.media,
        "at": verdict.at.isoformat() if verdict.at else None,
    }


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
