"""Is a message fit for the wire? A good one has no defect, and each rule finds its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.mail.wellformed import defects

HEAD = (
    b"From: a@example.org\r\n"
    b"To: b@example.net\r\n"
    b"Subject: one\r\n two\r\n"
    b"Date: Mon, 07 Nov 2022 01:02:03 +0000\r\n"
    b"Message-ID: <1@example.org>\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/plain\r\n"
)
GOOD = HEAD + b"\r\nHello\r\n"


def test_a_good_message_has_no_defect() -> None:
    assert list(defects(GOOD)) == []
    assert list(defects(HEAD + b"\r\n" + b"x" * 998 + b"\r\n\r\n\r\n")) == []


@pytest.mark.parametrize(
    ("bad", "defect"),
    [
        (GOOD.replace(b"Hello", b"Hel\0lo"), "NUL"),
        (GOOD.replace(b"Hello", b"Hel\nlo"), "line breaks other than CRLF"),
        (GOOD.replace(b"Hello", b"Hel\rlo"), "line breaks other than CRLF"),
        (GOOD.replace(b"\r\n", b"\n"), "line breaks other than CRLF"),
        (GOOD.removesuffix(b"\r\n"), "does not end with CRLF"),
        (GOOD.replace(b"Hello", b"x" * 999), "more than 998 octets"),
        (GOOD.replace(b"one", b"x" * 990), "more than 998 octets"),
        (GOOD.replace(b"Hello", b".Hello"), "begins with a dot"),
        (GOOD.replace(b"Hello", b"."), "begins with a dot"),
        (HEAD, "no empty line"),
        (b" " + GOOD, "begins with a continuation line"),
        (GOOD.replace(b" two", b"  \t"), "white space only"),
        (GOOD.replace(b" two", b"two"), "a line that is no field"),
        (GOOD.replace(b"Subject:", b"Sub ject:"), "a line that is no field"),
        (GOOD.replace(b"Subject:", "主题:".encode()), "a line that is no field"),
        (b"Bcc\r\n" + GOOD, "a line that is no field"),
        (b"SUBJECT: again\r\n" + GOOD, "2 Subject fields"),
        (b"from: x\r\n" + GOOD, "2 From fields"),
        (b"To: x\r\nto: y\r\n" + GOOD, "3 To fields"),
        (b"Reply-To: x\r\nReply-To: y\r\n" + GOOD, "2 Reply-To fields"),
    ],
)
def test_each_rule_finds_its_defect(bad: bytes, defect: str) -> None:
    assert any(defect in found for found in defects(bad)), list(defects(bad))


@pytest.mark.parametrize(
    "name", [b"From", b"To", b"Subject", b"Date", b"Message-ID", b"MIME-Version", b"Content-Type"]
)
def test_every_required_field_is_missed(name: bytes) -> None:
    assert any("no " in found for found in defects(GOOD.replace(name + b":", b"X-Other:")))


@given(st.binary(max_size=400))
def test_anything_can_be_looked_at(data: bytes) -> None:
    assert all(isinstance(found, str) and found for found in defects(data))
