"""What follows from each kind of report: every cell of the table in docs/bounces.md."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.feedback.report import Kind, Report, Verdict
from newsletter.feedback.returns import Action
from newsletter.feedback.rules import DAY, Past, decide, worn_out

NOW = 1_700_000_000.0
SUPPRESSED, COUNTED, WARNED, RECORDED = (
    Action.SUPPRESSED,
    Action.COUNTED,
    Action.WARNED,
    Action.RECORDED,
)
# Verdict: what follows when it is permanent, passing, only a delay, and permanent but of another address.
BOUNCES = {
    Verdict.NO_SUCH_MAILBOX: (SUPPRESSED, COUNTED, RECORDED, COUNTED),
    Verdict.NO_SUCH_DOMAIN: (SUPPRESSED, COUNTED, RECORDED, COUNTED),
    Verdict.MAILBOX_FULL: (COUNTED, COUNTED, RECORDED, COUNTED),
    Verdict.DISABLED: (COUNTED, COUNTED, RECORDED, COUNTED),
    Verdict.POLICY: (WARNED, WARNED, WARNED, WARNED),
    Verdict.RATE: (WARNED, WARNED, WARNED, WARNED),
    Verdict.CONTENT: (WARNED, WARNED, WARNED, WARNED),
    Verdict.NETWORK: (RECORDED, RECORDED, RECORDED, RECORDED),
}
OTHERS = [
    (Kind.COMPLAINT, Verdict.COMPLAINT, SUPPRESSED, Action.UNPROVEN),
    (Kind.UNSUBSCRIBE, Verdict.UNSUBSCRIBE, Action.UNSUBSCRIBED, Action.UNPROVEN),
    (Kind.REQUEST, Verdict.NOT_A_BOUNCE, Action.ASKED, Action.ASKED),
    (Kind.AUTO_REPLY, Verdict.AUTO_REPLY, Action.NOTHING, Action.NOTHING),
    (Kind.UNRELATED, Verdict.NOT_A_BOUNCE, Action.NOTHING, Action.NOTHING),
]
CHANGES = (Action.SUPPRESSED, Action.UNSUBSCRIBED, Action.COUNTED)


def past(text: str, *, days: Sequence[float]) -> list[Past]:
    """`sas` for soft, accepted, soft, sent so many days ago."""
    return [
        Past(issue=number, at=NOW - ago * DAY, soft=letter == "s")
        for number, (letter, ago) in enumerate(zip(text, days, strict=True), 1)
    ]


@pytest.mark.parametrize("verdict", BOUNCES)
def test_bounces(verdict: Verdict) -> None:
    reports = (
        Report(kind=Kind.BOUNCE, verdict=verdict, permanent=True),
        Report(kind=Kind.BOUNCE, verdict=verdict),
        Report(kind=Kind.DELAYED, verdict=verdict),
        Report(kind=Kind.BOUNCE, verdict=verdict, permanent=True, forwarded=True),
    )
    decided = tuple(decide(report, proven=True, now=NOW).action for report in reports)
    assert decided == BOUNCES[verdict]
    for report in reports:
        assert decide(report, proven=False, now=NOW).action is Action.UNPROVEN
        stale = decide(report, proven=True, stale=True, now=NOW).action
        assert stale is (WARNED if verdict.about_us else RECORDED)


@pytest.mark.parametrize(("kind", "verdict", "proven", "unproven"), OTHERS)
def test_all_else(kind: Kind, verdict: Verdict, proven: Action, unproven: Action) -> None:
    report = Report(kind=kind, verdict=verdict, permanent=True)
    assert decide(report, proven=True, now=NOW).action is proven
    assert decide(report, proven=True, stale=True, now=NOW).action is proven
    assert decide(report, proven=False, now=NOW).action is unproven


@pytest.mark.parametrize(
    ("outcomes", "days", "enough"),
    [
        ("sss", (14, 7, 0), 3),
        ("sss", (13.6, 7, 0), 3),  # a Monday at nine and one at six in the evening
        ("sss", (13.4, 7, 0), 0),
        ("ss", (60, 0), 0),
        ("ssss", (3, 2, 1, 0), 0),
        ("sass", (21, 14, 7, 0), 0),
        ("asss", (21, 14, 7, 0), 3),
        ("sasss", (28, 21, 14, 7, 0), 3),
        ("sssa", (22, 15, 8, 1), 3),  # may yet come back
        ("sssa", (28, 21, 14, 7), 0),
        ("sssaa", (28, 21, 14, 6, 1), 0),
        ("ssas", (16, 8, 2, 0), 0),  # accepted in between, however fresh
        ("aaaa", (21, 14, 7, 0), 0),
        ("", (), 0),
    ],
)
def test_soft_bounces_wear_out(outcomes: str, days: tuple[float, ...], enough: int) -> None:
    history = past(outcomes, days=days)
    assert worn_out(history, now=NOW) == enough
    report = Report(kind=Kind.BOUNCE, verdict=Verdict.MAILBOX_FULL)
    decision = decide(report, proven=True, history=history, now=NOW)
    assert decision.action is (SUPPRESSED if enough else COUNTED)
    assert decision.reason == ("mailbox full, 3 issues in a row" if enough else "")


@given(
    kind=st.sampled_from(Kind),
    verdict=st.sampled_from(Verdict),
    permanent=st.booleans(),
    forwarded=st.booleans(),
    stale=st.booleans(),
    soft=st.lists(st.booleans(), max_size=6),
)
@settings(max_examples=200)
def test_what_is_not_proven_or_speaks_of_us_changes_nothing(
    kind: Kind, verdict: Verdict, permanent: bool, forwarded: bool, stale: bool, soft: list[bool]
) -> None:
    report = Report(kind=kind, verdict=verdict, permanent=permanent, forwarded=forwarded)
    history = [
        Past(issue=number, at=NOW - (40 - 7 * number) * DAY, soft=one)
        for number, one in enumerate(soft)
    ]
    unproven = decide(report, proven=False, history=history, stale=stale, now=NOW)
    assert unproven.action not in CHANGES
    if verdict.about_us and kind is Kind.BOUNCE:
        about_us = decide(report, proven=True, history=history, stale=stale, now=NOW)
        assert about_us.action is Action.WARNED
