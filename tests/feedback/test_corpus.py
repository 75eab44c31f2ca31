"""Every mail of the corpus is understood: recipient, verdict and what names the subscriber."""

from __future__ import annotations

import re
from collections import Counter

import mailroom
import pytest

from newsletter.audience.tokens import Keyring
from newsletter.feedback.read import read_reports
from newsletter.feedback.report import Evidence, Kind, Report, Verdict

EXPECTED = list(mailroom.expected())
NAMES = mailroom.names()
SYSTEMS = ("postfix", "exim", "sendmail", "qmail", "exchange", "office365", "gmail", "yahoo")
PROVIDERS = ("qq", "163", "ses")


def told(name: str, report: Report) -> mailroom.Expected:
    """A report as a line of expected.txt."""
    refusal = "passing" if report.kind is Kind.BOUNCE else "-"
    return mailroom.Expected(
        name,
        report.kind,
        report.verdict,
        "final" if report.permanent else refusal,
        report.recipient or "-",
        report.evidence or "-",
        "forwarded" if report.forwarded else "-",
    )


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("name", NAMES)
def test_every_mail_is_understood(name: str, line_end: bytes) -> None:
    data = mailroom.load(name).replace(b"\n", line_end)
    reports = read_reports(data, keyring=mailroom.KEYRING)
    assert [told(name, report) for report in reports] == [
        line for line in EXPECTED if line.name == name
    ]


def test_the_corpus_is_large_and_broad() -> None:
    kinds = Counter(line.kind for line in EXPECTED)
    assert kinds[Kind.BOUNCE] >= 60
    assert kinds[Kind.COMPLAINT] >= 10
    assert set(kinds) == set(Kind)
    assert {line.verdict for line in EXPECTED} == set(Verdict)
    for system in (*SYSTEMS, *PROVIDERS):
        verdicts = {line.verdict for line in EXPECTED if line.name.startswith(f"{system}-")}
        assert len(verdicts) >= 3, system


@pytest.mark.parametrize("name", NAMES)
def test_a_token_names_its_own_subscriber_and_no_other(name: str) -> None:
    source = (mailroom.CORPUS / f"{name}.eml").read_text("utf-8")
    genuine = re.findall(r"\{(?:verp|verp-local|token|returned):([^{}\s]+)\}", source)
    subscribers = {mailroom.subscriber_id(address) for address in genuine}
    for report in read_reports(mailroom.load(name), keyring=mailroom.KEYRING):
        if report.subscriber_id is None:
            assert report.evidence not in (Evidence.VERP, Evidence.TOKEN)
        else:
            assert {report.subscriber_id} == subscribers
        if report.evidence is Evidence.VERP:
            assert report.returned == (mailroom.ISSUE, report.subscriber_id)


@pytest.mark.parametrize("name", NAMES)
def test_tokens_of_another_publication_are_worth_nothing(name: str) -> None:
    for report in read_reports(mailroom.load(name), keyring=Keyring({1: bytes(32)})):
        assert report.subscriber_id is None
        assert report.kind is not Kind.UNSUBSCRIBE


def test_the_envelope_names_the_subscriber_where_no_header_does() -> None:
    data = mailroom.load("postfix-address-only")
    path = mailroom.fill("{verp:sun.li@example.com}")
    (report,) = read_reports(data, keyring=mailroom.KEYRING, envelope_to=path.upper())
    assert report.evidence is Evidence.VERP
    assert report.subscriber_id == mailroom.subscriber_id("sun.li@example.com")
    (report,) = read_reports(data, keyring=mailroom.KEYRING, envelope_to="bounces@example.org")
    assert report.evidence is Evidence.ADDRESS


def test_a_received_field_may_be_the_only_one_that_tells() -> None:
    data = mailroom.load("postfix-address-only")
    path = mailroom.fill("{verp:sun.li@example.com}")
    received = f"Received: from x.example by y.example with ESMTP\n\tfor <{path}>; Mon\n"
    (report,) = read_reports(received.encode() + data, keyring=mailroom.KEYRING)
    assert report.evidence is Evidence.VERP


def test_words_and_codes_come_with_the_verdict() -> None:
    (report,) = read_reports(mailroom.load("gmail-no-such-user"), keyring=mailroom.KEYRING)
    assert report.status == "5.1.1"
    assert report.reporting_mta == "googlemail.com"
    assert report.diagnostic.startswith("550-5.1.1 The email account that you tried to reach")
    assert report.message_id == mailroom.fill("<{message-id:xu.fang@example.com}>")


def test_no_report_passes_a_token_on() -> None:
    for name in NAMES:
        data = mailroom.load(name)
        tokens = re.findall(r"unsubscribe (\S{34})", data.decode())
        for report in read_reports(data, keyring=mailroom.KEYRING):
            assert not [token for token in tokens if token in repr(report)]
