"""Examples and faulty issues as publications on disk, checked through the real pipeline."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pytest
from checks_desk import Desk
from web_server import Web, serving

from newsletter.checking import check_issue
from newsletter.checks.checked import Checked
from newsletter.checks.model import Example, Finding
from newsletter.checks.registry import checks_by_code
from newsletter.checks.run import run_checks

Findings = Callable[..., list[Finding]]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def findings(desk: Desk) -> Findings:
    """`findings(example, select=…)`: what all checks, or these, find in an example."""

    def find(example: Example, *, select: Collection[str] = ()) -> list[Finding]:
        if desk.is_doctored(example):
            return run_checks(desk.examine(example), select=select)
        project = desk.open(example)
        return check_issue(project, desk.number, select=select, services=example.services)

    return find


@pytest.fixture
def examine(desk: Desk) -> Callable[[Example], Checked]:
    return desk.examine


@pytest.fixture
def web() -> Iterator[Web]:
    """A small web on loopback."""
    with serving() as web:
        yield web


@pytest.fixture
def told(desk: Desk) -> Callable[..., list[str]]:
    """`told(code, body)`: what one check says about the words of an issue, nothing rendered."""

    def find(code: str, body: str | None = None, **parts: str) -> list[str]:
        checked = desk.read(Example(body=body, **parts))  # type: ignore[arg-type]
        return [finding.message for finding in checks_by_code()[code].run(checked)]

    return find
