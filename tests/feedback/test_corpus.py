"""Every mail of the corpus is understood: recipient, verdict and what names the subscriber."""

from __future__ import annotations

from collections import Counter

import mailroom
import pytest

from newsletter.feedback.read import read_reports
from newsletter.feedback.report import Kind, Report, Verdict

EXPECTED = list(mailroom.expected())


def told(name: str, report: Report) -> mailroom.Expected:
    """A report as a line of expected.txt."""
    refusal = "-"
    if report.kind is Kind.BOUNCE:
        refusal = "final" if report.permanent else "passing"
    elif report.permanent:
        refusal = "final"
    return mailroom.Expected(
        name,
        report.kind,
        report.verdict,
        refusal,
        report.recipient or "-",
        report.evidence or "-",
        "forwarded" if report.forwarded else "-",
    )


@pytest.mark.parametrize("name", mailroom.names())
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_every_mail_is_understood(name: str, line_end: str) -> None:
    data = mailroom.load(name).replace(b"\n", line_end.encode())
    reports = read_reports(data, keyring=mailroom.KEYRING)
    assert [told(name, report) for report in reports] == [
        line for line in EXPECTED if line.name == name
    ]
