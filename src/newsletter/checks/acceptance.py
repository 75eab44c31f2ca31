"""Findings that the author of an issue has looked at and lets stand, each with a reason.

    accept:                                # of the issue, or of one item
      - code: link-earlier
        match: https://example.org/survey  # only where the message says this; may be left out
        reason: the second part of last week's survey

An item's acceptances hold for findings on its own lines. One that fits no finding is itself a note,
so that they do not outlive what they were for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from newsletter.checks.model import Example, Finding, Found, Severity, check
from newsletter.content.models import Acceptance, Block, Issue
from newsletter.content.reader import IssueSource
from newsletter.errors import Place
from newsletter.source.tree import Location, Mapping, Node
from newsletter.source.tree import Sequence as SequenceNode

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked

_TODO = "- {kind: text, body: 'TODO：这里还要补一段。'%s}"


@check(
    "acceptance-unused",
    title="An accepted finding is not there any more",
    severity=Severity.NOTE,
    passing=Example(
        items=_TODO % ", accept: [{code: todo-left, reason: 这一节讲的就是代码里的 TODO}]"
    ),
    failing=Example(body="好。", fields="accept: [{code: todo-left, reason: 没有用的一条}]"),
)
def acceptance_unused(checked: Checked) -> Iterator[Found]:
    """An entry of `accept:` fits no finding: what it was for has been mended, or its code or
    `match` is not spelled as the finding is. Remove it, so that it cannot hide the next one.
    """
    yield from ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One acceptance: what it says, where it stands, and the item it holds for; () for the issue."""

    acceptance: Acceptance
    owner: Location
    place: Place

    def fits(self, finding: Finding, owner: Location) -> bool:
        wanted = self.acceptance
        return (
            finding.code == wanted.code
            and (not self.owner or owner == self.owner)
            and (wanted.match is None or wanted.match in finding.message)
        )


def settle(
    findings: Sequence[Finding], source: IssueSource, *, ran: Collection[str]
) -> list[Finding]:
    """`findings` without the accepted ones, and with a note for each acceptance that fits none.

    Args:
        findings: of this issue.
        source: the issue.
        ran: codes of the checks that ran; about others nothing can be said.

    """
    entries = list(_entries(source))
    if not entries:
        return list(findings)
    owner_of = _Owners(source)
    used: set[int] = set()
    left: list[Finding] = []
    for finding in findings:
        fitting = [
            n for n, entry in enumerate(entries) if entry.fits(finding, owner_of(finding.place))
        ]
        used.update(fitting)
        if not fitting:
            left.append(finding)
    unused = (entry for n, entry in enumerate(entries) if n not in used)
    return left + [_note(entry, ran) for entry in unused if _certain(entry, ran)]


def _certain(entry: _Entry, ran: Collection[str]) -> bool:
    """Whether it is known that this entry is of no use: its check ran, or there is no such check."""
    from newsletter.checks.registry import checks_by_code

    code = entry.acceptance.code
    return acceptance_unused.code in ran and (code in ran or code not in checks_by_code())


def _note(entry: _Entry, ran: Collection[str]) -> Finding:
    wanted = entry.acceptance
    what = f"`{wanted.code}`" + (f" with “{wanted.match}”" if wanted.match else "")
    message = f"nothing here is {what}, so there is nothing to accept"
    if wanted.code not in ran:
        message = f"there is no check `{wanted.code}` to accept"
    return Finding(
        code=acceptance_unused.code,
        severity=acceptance_unused.severity,
        message=message,
        place=entry.place,
        hint="remove it, or correct its code or match",
    )


def _entries(source: IssueSource) -> Iterator[_Entry]:
    owners: list[tuple[Location, Issue | Block]] = [((), source.issue), *source.issue.items()]
    for owner, model in owners:
        for index, acceptance in enumerate(model.accept):
            place = source.place((*owner, "accept", index))
            yield _Entry(acceptance=acceptance, owner=owner, place=place)


class _Owners:
    """Tells which item of the source a line belongs to."""

    def __init__(self, source: IssueSource) -> None:
        self._path = source.display
        starts = sorted(_starts(source.document.root, ()), key=lambda start: start[0])
        self._positions = [position for position, _ in starts]
        self._owners = [owner for _, owner in starts]

    def __call__(self, place: Place | None) -> Location:
        if place is None or place.path != self._path or place.line is None:
            return ()
        at = bisect_right(self._positions, (place.line, place.column or 1)) - 1
        return self._owners[at] if at >= 0 else ()


def _starts(node: Node, location: Location) -> Iterator[tuple[tuple[int, int], Location]]:
    """Where each item begins, and each thing that is no item: what comes after an item ends it."""
    inside = len(location) >= 2 and location[-2] == "items"
    yield (node.line, node.column), location if inside else ()
    if inside:
        return
    if isinstance(node, Mapping):
        for key, child in node.entries.items():
            if key in node.keys:
                yield (node.keys[key].line, node.keys[key].column), ()
            yield from _starts(child, (*location, key))
    elif isinstance(node, SequenceNode):
        for index, child in enumerate(node.items):
            yield from _starts(child, (*location, index))
