"""Runs checks over a `Checked`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from newsletter.checks.model import Finding

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked


def run_checks(
    checked: Checked, *, select: Collection[str] = (), ignore: Collection[str] = ()
) -> list[Finding]:
    """What all checks find, by file and line, findings without a place last.

    Args:
        checked: what to look at.
        select: only these codes; none for all of them.
        ignore: but not these.

    """
    from newsletter.checks.registry import all_checks

    findings = [
        finding
        if finding.snippet or not finding.place
        else replace(finding, snippet=checked.places.snippet(finding.place))
        for check in all_checks()
        if (not select or check.code in select) and check.code not in ignore
        if check.needs is None or check.needs in checked.services
        for finding in check.run(checked)
    ]
    return sorted(findings, key=_position)


def _position(finding: Finding) -> tuple[bool, str, int, int, int]:
    place = finding.place
    if place is None:
        return True, "", 0, 0, finding.severity.rank
    return False, place.path, place.line or 0, place.column or 0, finding.severity.rank
