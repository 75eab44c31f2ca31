"""The list as the preview needs it: readers to look at, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

from newsletter.audience.models import Subscriber
from newsletter.errors import AudienceError, NewsletterError
from newsletter.preview.faults import Fault, Finding, faults_of, finding
from newsletter.preview.people import People
from newsletter.project import Project

LOADED = 50_000
"""Rows that are read: about half a second. Who stands further down is found by address only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The readers of a publication.

    Attributes:
        faults: why there is no list to speak of; then `people` is empty.
        findings: rows that are no subscribers, and what else an author should know.
        whole: `people` has every row of the list.

    """

    people: People
    faults: list[Fault] = field(default_factory=list)
    findings: tuple[Finding, ...] = ()
    whole: bool = True

    def reader(self, key: str, *, project: Project) -> Subscriber | None:
        """The reader with this `address.key`, or the first who receives mail; None for nobody."""
        found = self.people.get(key)
        if found is None and key and not self.whole:
            try:
                found = project.subscriber(key)
            except NewsletterError:
                found = None
        return found or self.people.first()


def read_roster(project: Project) -> Roster:
    """Read the list of `project`; never raises, since a mail can be looked at without one."""
    name = project.publication.audience
    kept = project.publication.keeps_list
    if not (project.database if kept else project.root / name).exists():
        return Roster(people=People(()), findings=(_no_list(name),))
    try:
        rows = list(islice(project.subscribers(), LOADED + 1))
    except AudienceError as error:
        return Roster(people=People(()), faults=faults_of(error, root=project.root))
    whole = len(rows) <= LOADED
    findings = [finding(row.problem, code="list-row") for row in rows if row.problem]
    return Roster(
        people=People(row.subscriber for row in rows[:LOADED] if row.subscriber),
        findings=tuple(findings) if whole else (*findings, _long_list(name)),
        whole=whole,
    )


def _no_list(name: str) -> Finding:
    return Finding(
        code="no-list",
        severity="note",
        message=f"there is no {name} yet, so this is a sample reader",
        hint="the list is a CSV file with a column `email`, or the database (newsletter subscribers import)",
        path=None,
        line=None,
        column=None,
    )


def _long_list(name: str) -> Finding:
    return Finding(
        code="long-list",
        severity="note",
        message=f"{name} has more than {LOADED} rows; the preview searches the first {LOADED}",
        hint="further down, readers are found by their whole address",
        path=None,
        line=None,
        column=None,
    )
