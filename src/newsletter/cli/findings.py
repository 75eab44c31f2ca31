"""Findings as people and programs read them: on a terminal, as JSON, as annotations of GitHub Actions."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from newsletter.checks.model import Finding

_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}
_LEVELS = {"error": "error", "warning": "warning", "note": "notice"}
_MARGIN = "  "


def as_json(findings: Iterable[Finding]) -> str:
    """One JSON object with all findings."""
    return json.dumps(
        {"findings": [finding.record() for finding in findings]}, ensure_ascii=False, indent=2
    )


def as_github(findings: Iterable[Finding]) -> Iterator[str]:
    """Workflow commands of GitHub Actions, which shows them beside the lines."""
    for finding in findings:
        place = finding.place
        values = {
            "file": place.path if place else None,
            "line": place.line if place else None,
            "col": place.column if place else None,
            "title": finding.code,
        }
        written = ",".join(f"{name}={_property(value)}" for name, value in values.items() if value)
        message = f"{finding.message} ({finding.hint})" if finding.hint else finding.message
        yield f"::{_LEVELS[finding.severity]} {written}::{_data(message)}"


def as_text(findings: Iterable[Finding]) -> Iterator[str]:
    """Lines for a terminal: errors and warnings with their source line, notes in short."""
    for finding in findings:
        yield heading(finding)
        hint = f" → {finding.hint}" if finding.hint else ""
        yield from wrapped(f"{_MARGIN}{finding.message}{hint}")
        if finding.snippet and finding.severity != "note":
            for line in finding.snippet.splitlines():
                yield click.style(_clipped(f"{_MARGIN}{line}"), dim=True)
        yield ""


def heading(finding: Finding) -> str:
    """Severity, code and place, in one line."""
    severity = click.style(f"{finding.severity:<8}", fg=_COLOURS[finding.severity], bold=True)
    place = f"  {finding.place}" if finding.place else ""
    return f"{severity}{click.style(finding.code, bold=True)}{place}"


def counted(findings: Sequence[Finding]) -> str:
    """Such as `1 error, 2 warnings, 3 notes`; empty when there are none."""
    counts = Counter(finding.severity.value for finding in findings)
    return ", ".join(
        f"{counts[name]} {name}{'' if counts[name] == 1 else 's'}"
        for name in _COLOURS
        if counts[name]
    )


def wrapped(line: str) -> list[str]:
    """A line in lines that fit the terminal, indented like the first."""
    from newsletter.rendering.plaintext import wrap_line

    return wrap_line(line, _width(), ambiguous=1)


def _clipped(line: str) -> str:
    """A line of source, cut where the terminal ends."""
    from wcwidth import wcwidth

    room = _width()
    for at, char in enumerate(line):
        room -= max(wcwidth(char), 0)
        if room < 0:
            return line[: at - 1] + "…"
    return line


def _width() -> int:
    return max(40, shutil.get_terminal_size().columns - 1)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: object) -> str:
    return _data(str(value)).replace(":", "%3A").replace(",", "%2C")
