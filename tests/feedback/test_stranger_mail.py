"""A mailbox is open to everybody: whatever comes, the reader answers, and invents nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

import mailroom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.feedback.mime import DEEPEST, MOST_PARTS, read_mail
from newsletter.feedback.read import MOST_OCTETS, read_reports
from newsletter.feedback.report import Kind, Report, Verdict
from newsletter.feedback.status import MOST_RECIPIENTS

MAILS = [mailroom.load(name) for name in mailroom.names()]
GENUINE = {
    mailroom.subscriber_id(address)
    for path in mailroom.CORPUS.glob("*.eml")
    for address in re.findall(r"\{[a-z-]+:([^{}\s]+)\}", path.read_text("utf-8"))
}
INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ud800-\udfff]")
MIB = 1024 * 1024


def everything_in(data: bytes) -> str:
    """All that a mail holds, in every way in which it can be read, in lower case and single-spaced."""
    texts = [data.decode("utf-8", "replace"), data.decode("gb18030", "replace")]
    for part in read_mail(data).parts:
        texts += [part.text(), part.content.decode("utf-8", "replace")]
        texts += [part.content.decode("gb18030", "replace")]
    found = "\n".join(texts)
    found += re.sub(r"\\x\{([0-9A-Fa-f]{1,5})\}", lambda each: chr(int(each[1], 16)), found)
    return " ".join(found.split()).lower()


def read(data: bytes) -> tuple[Report, ...]:
    """The reports of a mail, which must hold for any mail at all."""
    reports = read_reports(data, keyring=mailroom.KEYRING)
    assert 1 <= len(reports) <= MOST_RECIPIENTS
    present = everything_in(data)
    for report in reports:
        shown = (report.recipient, report.message_id, report.status, report.reporting_mta)
        assert not INVISIBLE.search(" ".join(text or "" for text in (*shown, report.diagnostic)))
        assert report.recipient is None or " ".join(report.recipient.split()).lower() in present
        assert report.subscriber_id is None or report.subscriber_id in GENUINE
        assert report.kind is not Kind.UNSUBSCRIBE or report.subscriber_id
    return reports


edits = st.tuples(
    st.integers(0, 6000),
    st.integers(0, 80),
    st.one_of(
        st.binary(max_size=20),
        st.sampled_from(
            [b"\n\n", b"\r\n", b"--", b"\x00", b"@", b">", b"=?gbk?b?", b"\xff\xfe", b"5.1.1 "]
        ),
    ),
)


@settings(max_examples=300)
@given(st.sampled_from(MAILS), st.lists(edits, min_size=1, max_size=8))
def test_damaged_mails(mail: bytes, changes: list[tuple[int, int, bytes]]) -> None:
    for place, length, inserted in changes:
        place %= len(mail) + 1
        mail = mail[:place] + inserted + mail[place + length :]
    read(mail)


@settings(max_examples=60)
@given(st.sampled_from(MAILS), st.sampled_from(MAILS), st.integers(0, 6000), st.integers(0, 6000))
def test_the_begin_of_one_and_the_end_of_another(
    one: bytes, other: bytes, at: int, to: int
) -> None:
    read(one[: at % len(one)] + other[to % len(other) :])


fields = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("From", "To", "Subject", "Delivered-To", "Auto-Submitted", "X-Failed-Recipients"),
                *("Final-Recipient", "Original-Recipient", "Action", "Status", "Diagnostic-Code"),
                *(
                    "Feedback-Type",
                    "Original-Rcpt-To",
                    "Message-ID",
                    "Return-Path",
                    "List-Unsubscribe",
                ),
                *("Content-Transfer-Encoding", "Received", "Reporting-MTA"),
            ]
        ),
        st.one_of(
            st.text(max_size=40),
            st.sampled_from(
                [
                    *(
                        "rfc822; a@example.com",
                        "utf-8; \\x{110000}@\\x{D800}",
                        "failed",
                        "delayed",
                        "5.1.1",
                    ),
                    *(
                        "smtp; 550 \x1b[31mno such user",
                        "abuse",
                        "base64",
                        "quoted-printable",
                        "<>",
                    ),
                    *(
                        "MAILER-DAEMON@example.net",
                        "退信",
                        "=?gb2312?b?zcvQxQ==?=",
                        '"a\x07 b"@example.com',
                    ),
                ]
            ),
        ),
    ),
    max_size=8,
)
kinds = st.sampled_from(
    [
        *("text/plain", "text/html; charset=gbk", "message/delivery-status", "message/rfc822"),
        *(
            "message/feedback-report",
            "message/global-delivery-status",
            "text/rfc822-headers",
            "a/b/c",
            "",
        ),
    ]
)


def entity(kind: str, header: list[tuple[str, str]], body: bytes) -> bytes:
    lines = [f"{name}: {value}" for name, value in [("Content-Type", kind), *header]]
    return "\n".join(lines).encode("utf-8", "surrogatepass") + b"\n\n" + body


def multipart(header: list[tuple[str, str]], parts: list[bytes]) -> bytes:
    body = b"".join(b"\n--=x\n" + part for part in parts) + b"\n--=x--\n"
    return entity('multipart/report; report-type=delivery-status; boundary="=x"', header, body)


leaves = st.builds(
    entity,
    kinds,
    fields,
    st.one_of(st.binary(max_size=100), st.builds(entity, kinds, fields, st.binary(max_size=60))),
)
mails = st.recursive(
    leaves, lambda parts: st.builds(multipart, fields, st.lists(parts, max_size=4)), max_leaves=8
)


@settings(max_examples=150)
@given(mails)
def test_random_mails(mail: bytes) -> None:
    read(mail)


@settings(max_examples=60)
@given(st.binary(max_size=300))
def test_random_octets(data: bytes) -> None:
    read(data)


def status_report(block: str, count: int) -> bytes:
    blocks = "".join(block.format(number) for number in range(count))
    parts = [
        b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n" + blocks.encode()
    ]
    return multipart([("From", "MAILER-DAEMON@example.net")], parts)


DAEMON = b"From: MAILER-DAEMON@example.net\nSubject: failure notice\n"
RECIPIENT = "Final-Recipient: rfc822; u{}@example.com\nAction: failed\nStatus: 5.0.0\n\n"
EXHAUSTING: dict[str, Callable[[], bytes]] = {
    "ten megabytes of fields": lambda: DAEMON + b"X-A: b\n" * (10 * MIB // 7),
    "ten megabytes in one field": lambda: DAEMON + b"X-A: " + b"b" * (10 * MIB),
    "ten megabytes of folds": lambda: DAEMON + b"X-A: b\n" + b" c\n" * (10 * MIB // 3),
    "ten thousand recipients": lambda: status_report(RECIPIENT, 10_000),
    "ten thousand failed addresses": lambda: (
        DAEMON + b"X-Failed-Recipients: " + b",".join(b"u%d@example.com" % n for n in range(10_000))
    ),
    "parts in parts": lambda: (
        DAEMON
        + b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n)
            for n in range(20_000)
        )
    ),
    "messages in messages": lambda: DAEMON + b"Content-Type: message/rfc822\n\n" * 50_000,
    "a million parts": lambda: (
        DAEMON + b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n" * MIB
    ),
    "nothing but at signs": lambda: DAEMON + b"\n" + b"a@" * MIB,
    "nothing but empty lines": lambda: DAEMON + b"\n" * (5 * MIB),
    "tags that never end": lambda: DAEMON + b"Content-Type: text/html\n\n" + b"<style" * MIB,
    "a million encoded words": lambda: b"Subject: " + b"=?utf-8?q?a?= " * (MIB // 4) + b"\n\n",
    "a million tokens": lambda: b"Subject: " + (b"A" * 34 + b" ") * (MIB // 8) + b"\n\n",
    "words that nearly match": lambda: (
        DAEMON + b"\n" + (b"connection to user " * 40 + b"\n") * 4000
    ),
}


@pytest.mark.parametrize("name", EXHAUSTING)
def test_mails_made_to_exhaust_the_reader(name: str) -> None:
    reports = read_reports(EXHAUSTING[name](), keyring=mailroom.KEYRING)
    assert 1 <= len(reports) <= MOST_RECIPIENTS
    assert len(reports) == (MOST_RECIPIENTS if "recipients" in name else len(reports))


def test_of_a_large_mail_the_begin_counts() -> None:
    bounce = mailroom.load("postfix-unknown-remote")
    begin, boundary, end = bounce.rpartition(b"\n--4N5Kq12xYz")
    (whole,) = read_reports(bounce, keyring=mailroom.KEYRING)
    (large,) = read_reports(
        begin + b"\n" + b"x" * 70 * MIB + boundary + end, keyring=mailroom.KEYRING
    )
    assert large == whole
    assert whole.verdict is Verdict.NO_SUCH_MAILBOX
    place = bounce.index(b"This is the mail system")
    late = bounce[:place] + b"x" * MOST_OCTETS + bounce[place:]
    (report,) = read_reports(late, keyring=mailroom.KEYRING)
    assert report.verdict is Verdict.DISABLED  # sender and subject are all that is left


def test_parts_end_at_a_depth_and_a_number() -> None:
    (part,) = read_mail(EXHAUSTING["parts in parts"]()).parts
    assert part.content.startswith(b"--b%d\n" % DEEPEST)
    wide = multipart([], [multipart([], [b"\nx"] * 50).replace(b"=x", b"=y")] * 50)
    assert len(read_mail(wide).parts) == MOST_PARTS
