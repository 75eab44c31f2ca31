"""Mistakes and findings in the one shape that the page draws: code, severity, message, place."""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from newsletter.errors import NewsletterError, Problem
from newsletter.preview.sources import excerpt

_PLACE = re.compile(
    r"(?P<path>[^\s:][^:\n]*):(?P<line>\d+)(?::(?P<column>\d+))?: (?P<rest>.*)", re.DOTALL
)


class Fault(TypedDict):
    """A mistake that stops rendering, for the overlay."""

    message: str
    hint: str | None
    path: str | None
    line: int | None
    column: int | None
    snippet: str | None


class Finding(TypedDict):
    """Something worth a look that stops no rendering; `severity` is error, warning or note."""

    code: str
    severity: str
    message: str
    hint: str | None
    path: str | None
    line: int | None
    column: int | None


def faults_of(error: Exception, *, root: Path) -> list[Fault]:
    """Every mistake that `error` carries, each with the lines around its place."""
    if not isinstance(error, NewsletterError):
        trace = "".join(traceback.format_exception(error)[-4:])
        name = f"{type(error).__name__}: {error}"
        return [_fault(Problem(message=name, snippet=trace), root)]
    if error.problems:
        return [_fault(problem, root) for problem in error.problems]
    return [_from_text(str(error), root)]


def finding(problem: Problem, *, code: str, severity: str = "warning") -> Finding:
    """`problem` as a finding."""
    place = problem.place
    return Finding(
        code=code,
        severity=severity,
        message=problem.message,
        hint=problem.hint,
        path=place.path if place else None,
        line=place.line if place else None,
        column=place.column if place else None,
    )


def from_record(record: Mapping[str, Any]) -> Finding:
    """A finding as `check --format json` prints it; what is left out is None."""
    return Finding(
        code=str(record["code"]),
        severity=str(record["severity"]),
        message=str(record["message"]),
        hint=record.get("hint"),
        path=record.get("path"),
        line=record.get("line"),
        column=record.get("column"),
    )


def _fault(problem: Problem, root: Path) -> Fault:
    place = problem.place
    snippet = problem.snippet
    if not snippet and place and place.line:
        snippet = excerpt(root, place.path, place.line).marked(place.line) or None
    return Fault(
        message=problem.message,
        hint=problem.hint,
        path=place.path if place else None,
        line=place.line if place else None,
        column=place.column if place else None,
        snippet=snippet,
    )


def _from_text(message: str, root: Path) -> Fault:
    """An error that carries no problems may still begin with `path:line: `."""
    match = _PLACE.fullmatch(message)
    if match is None:
        return Fault(message=message, hint=None, path=None, line=None, column=None, snippet=None)
    line = int(match["line"])
    return Fault(
        message=match["rest"],
        hint=None,
        path=match["path"],
        line=line,
        column=int(match["column"]) if match["column"] else None,
        snippet=excerpt(root, match["path"], line).marked(line) or None,
    )
