"""What follows from a report: one pure function, and how many soft bounces are enough.

The rules as a table are in docs/bounces.md; tests/feedback/test_rules.py has a case for each of its cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from newsletter.feedback.report import Kind, Report
from newsletter.feedback.returns import Action

DAY = 86400.0
ENOUGH_ISSUES = 3
ENOUGH_DAYS = 14
BOUNCE_DAYS = 5  # how long relays try before they give up (RFC 5321 section 4.5.4.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """How one issue ended for one subscriber: it came back softly, or it was accepted and did not come back.

    Attributes:
        issue: its number.
        at: when it was sent, seconds since the epoch.
        soft: the mailbox exists, or may exist, but could not take it.

    """

    issue: int
    at: float
    soft: bool


class Decision(NamedTuple):
    """What to do, and the reason as the suppression list gives it."""

    action: Action
    reason: str = ""


def decide(
    report: Report, *, proven: bool, history: Sequence[Past] = (), stale: bool = False, now: float
) -> Decision:
    """What follows from a report.

    Args:
        report: what came back.
        proven: whether it is beyond doubt whom it is about.
        history: of that person, with this report in it, in the order of sending.
        stale: the person has come back to the list since the issue was sent.
        now: seconds since the epoch.

    """
    if report.kind is Kind.REQUEST:
        return Decision(Action.ASKED)
    if report.kind in (Kind.AUTO_REPLY, Kind.UNRELATED):
        return Decision(Action.NOTHING)
    if not proven:
        return Decision(Action.UNPROVEN)
    if report.kind is Kind.UNSUBSCRIBE:
        return Decision(Action.UNSUBSCRIBED, "unsubscribed")
    if report.kind is Kind.COMPLAINT:
        return Decision(Action.SUPPRESSED, "complaint")
    if report.verdict.about_us:
        return Decision(Action.WARNED)
    if stale:
        return Decision(Action.RECORDED)
    if report.at_once:
        return Decision(Action.SUPPRESSED, report.verdict.value)
    if not report.soft:
        return Decision(Action.RECORDED)
    if issues := worn_out(history, now=now):
        return Decision(Action.SUPPRESSED, worn_out_reason(report.verdict.value, issues))
    return Decision(Action.COUNTED)


def worn_out(history: Sequence[Past], *, now: float) -> int:
    """How many issues in a row came back softly, if that is enough; else 0.

    Enough are three issues over two weeks without an acceptance between or after them. The newest acceptances say
    nothing while a relay may still be trying.

    Args:
        history: in the order of sending.
        now: seconds since the epoch.

    """
    past = list(history)
    while past and not past[-1].soft and past[-1].at > now - BOUNCE_DAYS * DAY:
        past.pop()
    count = 0
    for one in reversed(past):
        if not one.soft:
            break
        count += 1
    if count < ENOUGH_ISSUES:
        return 0
    days = (past[-1].at - past[-count].at) / DAY
    # Three weekly issues are two weeks, whatever minute they went out at.
    return count if round(days) >= ENOUGH_DAYS else 0


def worn_out_reason(what: str, issues: int) -> str:
    """The reason for the suppression list."""
    return f"{what}, {issues} issues in a row"
