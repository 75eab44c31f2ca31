"""Every check has examples, passes its passing ones and fails its failing ones."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from newsletter.checks.model import Check, Example, Finding
from newsletter.checks.registry import FAMILIES, all_checks

Findings = Callable[..., list[Finding]]
CHECKS = all_checks()


def cases(kind: str) -> list[object]:
    return [
        pytest.param(check, example, id=f"{check.code}-{number}")
        for check in CHECKS
        for number, example in enumerate(getattr(check, kind), 1)
    ]


def alone(check: Check) -> tuple[str, ...]:
    """What to run to see what one check says; an acceptance says something about the others."""
    return () if check.family == "acceptance" else (check.code,)


@pytest.mark.parametrize(("check", "example"), cases("passing"))
def test_passes(check: Check, example: Example, findings: Findings) -> None:
    found = findings(example, select=alone(check))
    assert not [finding for finding in found if finding.code == check.code]


@pytest.mark.parametrize(("check", "example"), cases("failing"))
def test_fails(check: Check, example: Example, findings: Findings) -> None:
    found = findings(example, select=alone(check))
    own = [finding for finding in found if finding.code == check.code]
    assert own, f"found only {sorted({finding.code for finding in found})}"
    for finding in own:
        assert finding.message
        assert "\n" not in finding.message + (finding.hint or "")
        assert not finding.message.endswith(".")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_has_examples_and_words(check: Check) -> None:
    assert check.passing
    assert check.failing
    assert re.fullmatch("[a-z]+(-[a-z0-9]+)+", check.code)
    assert check.title[0].isupper()
    assert not check.title.endswith(".")
    assert len(check.explanation) > len(check.title)
    assert check.family in {family.rpartition(".")[2] for family in FAMILIES}


def test_codes_are_unique() -> None:
    codes = [check.code for check in CHECKS]
    assert sorted(set(codes)) == sorted(codes)


def test_families_and_codes_are_told_apart() -> None:
    assert not {check.code for check in CHECKS} & {check.family for check in CHECKS}


def test_what_examples_leave_out_is_beyond_reproach(findings: Findings) -> None:
    found = [one for one in findings(Example()) if not one.code.startswith("client-")]
    assert found == []
