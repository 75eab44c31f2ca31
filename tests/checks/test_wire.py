"""Header fields and parts from octets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.checks.wire import Wire

MESSAGE = (
    b"From: =?utf-8?b?5bCP?=\r\n =?utf-8?b?5ZGo?= <a@example.org>\r\n"
    b"Subject: =?utf-8?q?a=20b?=\r\nX-Two: 1\r\nx-two: 2\r\n"
    b'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\none\r\ntwo\r\n"
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    b"PHA+5aW9PC9wPg==\r\n--b--\r\n"
)


def test_fields_in_order_with_their_folds() -> None:
    wire = Wire(MESSAGE)
    assert [field.name for field in wire.fields] == [
        "From",
        "Subject",
        "X-Two",
        "x-two",
        "Content-Type",
    ]
    assert b"\r\n " in wire.fields[0].body
    assert wire.value("from") == "=?utf-8?b?5bCP?= =?utf-8?b?5ZGo?= <a@example.org>"


def test_encoded_words_are_decoded() -> None:
    assert Wire(MESSAGE).decoded("From") == "小周 <a@example.org>"
    assert Wire(MESSAGE).decoded("Subject") == "a b"


def test_fields_of_one_name() -> None:
    assert [field.value for field in Wire(MESSAGE).all("X-TWO")] == ["1", "2"]
    assert Wire(MESSAGE).value("Bcc") == ""
    assert Wire(MESSAGE).decoded("Bcc") == ""


def test_bodies() -> None:
    assert Wire(MESSAGE).body("plain") == "one\ntwo"
    assert Wire(MESSAGE).body("html") == "<p>好</p>"
    assert Wire(b"Subject: x\r\n\r\nhello\r\n").body("html") is None


@pytest.mark.parametrize("value", [b"=?utf-8?b?5aU?=", b"=?nope?q?x?=", b"\xff\xfe", b""])
def test_what_cannot_be_decoded_stays(value: bytes) -> None:
    assert isinstance(Wire(b"Subject: " + value + b"\r\n\r\n").decoded("Subject"), str)


@given(st.binary(max_size=300))
def test_any_octets_can_be_read(data: bytes) -> None:
    wire = Wire(data)
    assert all(field.name for field in wire.fields)
    for name in ("From", "Subject"):
        wire.decoded(name)
    wire.body("plain")
