"""Examples and faulty issues as publications on disk, checked through the real pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from checks_desk import Desk

from newsletter.checks.checked import Checked
from newsletter.checks.model import Example, Finding
from newsletter.checks.run import run_checks
from newsletter.checking import check_issue

Findings = Callable[[Example], list[Finding]]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def findings(desk: Desk) -> Findings:
    """What all checks find in an example."""

    def find(example: Example) -> list[Finding]:
        project = desk.open(example)
        if desk.is_doctored(example):
            checked = desk.examine(example)
            return run_checks(checked)
        return check_issue(project, desk.number, services=example.services)

    return find


@pytest.fixture
def examine(desk: Desk) -> Callable[[Example], Checked]:
    return desk.examine
