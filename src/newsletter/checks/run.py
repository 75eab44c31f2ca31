"""Runs checks over a `Checked`: which of them, how severe, and what the author has accepted."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from newsletter.checks.model import Check, Finding, Severity
from newsletter.errors import NewsletterError

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked
    from newsletter.config import Publication

FAILED = "this check has a mistake of its own and says nothing"
"""How the message of a check that failed begins."""


def run_checks(
    checked: Checked,
    *,
    select: Collection[str] = (),
    ignore: Collection[str] = (),
    before: Iterable[Finding] = (),
) -> list[Finding]:
    """What all checks find, by file and line, findings without a place last.

    newsletter.yaml's `checks:` holds; what the issue accepts is left out.

    Args:
        checked: what to look at.
        select: only these codes or families, instead of those of newsletter.yaml.
        ignore: nor these, besides those of newsletter.yaml.
        before: what was found while the issue was read and rendered.

    """
    from newsletter.checks.acceptance import settle

    publication = checked.publication
    running = [
        check
        for check in chosen(publication, select=select, ignore=ignore)
        if check.needs is None or check.needs in checked.services
    ]
    codes = {check.code for check in running}
    found = [finding for finding in before if finding.code in codes]
    for check in running:
        found += _run(check, checked)
    graded = grade(dict.fromkeys(found), publication)  # a thing on one line may be there twice
    left = settle(graded, checked.source, ran=codes)
    return sorted((_shown(finding, checked) for finding in left), key=_position)


def _run(check: Check, checked: Checked) -> list[Finding]:
    """What one check finds. A mistake of ours in it must not keep an issue from being sent."""
    try:
        return list(check.run(checked))
    except NewsletterError:
        raise
    except Exception as error:
        words = f"{FAILED}: {type(error).__name__}: {' '.join(str(error).split())}"
        return [Finding(code=check.code, severity=Severity.NOTE, message=words)]


def chosen(
    publication: Publication, *, select: Collection[str] = (), ignore: Collection[str] = ()
) -> list[Check]:
    """The checks that run for a publication, in the order of the documentation."""
    from newsletter.checks.registry import all_checks

    settings = publication.checks
    wanted = frozenset(select or settings.select)
    unwanted = frozenset((*settings.ignore, *ignore))
    return [
        check
        for check in all_checks()
        if (not wanted or not wanted.isdisjoint((check.code, check.family)))
        and unwanted.isdisjoint((check.code, check.family))
    ]


def grade(findings: Iterable[Finding], publication: Publication) -> list[Finding]:
    """`findings` with the severities that newsletter.yaml gives them."""
    severities = publication.checks.severity
    return [
        replace(finding, severity=Severity(severities[finding.code]))
        if finding.code in severities
        else finding
        for finding in findings
    ]


def _shown(finding: Finding, checked: Checked) -> Finding:
    if finding.snippet or not finding.place:
        return finding
    return replace(finding, snippet=checked.places.snippet(finding.place))


def _position(finding: Finding) -> tuple[bool, str, int, int, int]:
    place = finding.place
    if place is None:
        return True, "", 0, 0, finding.severity.rank
    return False, place.path, place.line or 0, place.column or 0, finding.severity.rank
