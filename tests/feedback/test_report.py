"""What follows from a report, and what it keeps of what it is given."""

from __future__ import annotations

import re

import pytest
import update_bounce_docs

from newsletter.feedback.report import LONGEST_DIAGNOSTIC, Kind, Report, Verdict

DEAD = {Verdict.NO_SUCH_MAILBOX, Verdict.NO_SUCH_DOMAIN}


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_bounce_is_the_end_a_step_or_nothing(verdict: Verdict) -> None:
    final = Report(kind=Kind.BOUNCE, verdict=verdict, permanent=True)
    passing = Report(kind=Kind.BOUNCE, verdict=verdict)
    elsewhere = Report(kind=Kind.BOUNCE, verdict=verdict, permanent=True, forwarded=True)
    late = Report(kind=Kind.DELAYED, verdict=verdict)
    if verdict in DEAD:
        assert final.at_once
        assert not final.soft
        assert passing.soft
        assert elsewhere.soft
    elif verdict in (Verdict.MAILBOX_FULL, Verdict.DISABLED):
        assert final.soft
        assert passing.soft
    elif not verdict.final:
        assert not final.soft
        assert not passing.soft
    for report in (passing, elsewhere, late):
        assert not report.at_once
    assert not late.soft
    assert not (verdict.about_us and (final.at_once or final.soft))


@pytest.mark.parametrize("kind", sorted(set(Kind) - {Kind.BOUNCE}))
def test_only_a_complaint_or_a_genuine_wish_is_the_end_without_a_bounce(kind: Kind) -> None:
    report = Report(kind=kind, verdict=Verdict.NO_SUCH_MAILBOX, permanent=True)
    assert report.at_once == (kind in (Kind.COMPLAINT, Kind.UNSUBSCRIBE))
    assert not report.soft


def test_text_is_one_line_that_a_terminal_can_show() -> None:
    report = Report(
        kind=Kind.BOUNCE,
        verdict=Verdict.RATE,
        diagnostic="550 \x1b[2Jno\r\n\tway\u202e" + "x" * 5000,
        reporting_mta="mx\x07.example.net",
        status=" ",
    )
    assert report.diagnostic.startswith("550 [2Jno way x")
    assert len(report.diagnostic) <= LONGEST_DIAGNOSTIC
    assert report.reporting_mta == "mx .example.net"
    assert report.status is None


@pytest.mark.parametrize(
    "name", ["a\x00@example.com", "a\nb@example.com", "a" * 400, "", "\u202ea"]
)
def test_an_address_that_would_have_to_be_changed_is_none(name: str) -> None:
    report = Report(kind=Kind.BOUNCE, verdict=Verdict.RATE, recipient=name, message_id=name * 3)
    assert report.recipient is None
    assert report.message_id is None


def test_the_page_tells_of_every_verdict() -> None:
    text = update_bounce_docs.PAGE.read_text("utf-8")
    rows = dict(re.findall(r"^\| ([a-z -]+) \|.*\| ([^|]+) \|$", text, re.MULTILINE))
    assert set(Verdict) <= set(rows)
    for verdict in Verdict:
        assert verdict.final == ("at once" in rows[verdict])
        assert verdict.soft == ("soft" in rows[verdict])
        assert verdict.about_us == ("you are warned" in rows[verdict])
