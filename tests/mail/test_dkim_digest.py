from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.mail.compiled import CompiledMessage, HeaderSlot
from newsletter.mail.dkim import Digester, relaxed_body, relaxed_field
from newsletter.mail.stream import Base64Stream

TOP = b"--=_b\r\nContent-Transfer-Encoding: base64\r\n\r\n"
FIELDS = b"To: <a@example.org>\r\nMessage-ID: <1@example.org>\r\n"


def compiled(*runs: bytes, slots: tuple[int, ...] = (0,), between: bytes = b"") -> CompiledMessage:
    return CompiledMessage(
        [
            b"From: Weekly <weekly@example.org>\r\nSubject: Hello\r\n",
            HeaderSlot(0),
            b"Content-Type: multipart/alternative\r\n\r\n" + TOP,
            Base64Stream(runs, slots),
            between + b"--=_b--\r\n",
        ]
    )


def plain_digest(message: bytes) -> bytes:
    body = message.partition(b"\r\n\r\n")[2]
    return base64.b64encode(hashlib.sha256(relaxed_body(body)).digest())


class TestBodyPrefix:
    @given(
        st.lists(st.binary(max_size=200), min_size=2, max_size=4), st.lists(st.binary(max_size=90))
    )
    def test_begins_every_body(self, runs: list[bytes], values: list[bytes]) -> None:
        message = compiled(*runs, slots=tuple(range(len(runs) - 1)))
        for value in values:
            body = message.assemble([FIELDS], [value] * 3).partition(b"\r\n\r\n")[2]
            assert body.startswith(message.body_prefix)

    def test_ends_where_the_first_slot_begins(self) -> None:
        message = compiled(b"a" * 300, b"b" * 300)
        head = base64.encodebytes(b"a" * 300).replace(b"\n", b"\r\n")
        assert message.body_prefix == TOP + head

    def test_without_slots_is_the_whole_body(self) -> None:
        message = compiled(b"four", slots=())
        body = message.assemble([FIELDS], []).partition(b"\r\n\r\n")[2]
        assert message.body_prefix == body

    def test_goes_on_through_a_part_without_slots(self) -> None:
        message = CompiledMessage(
            [
                b"From: a\r\n",
                HeaderSlot(0),
                b"X: y\r\n\r\n--1\r\n",
                Base64Stream([b"same for all"], []),
                b"--2\r\n",
                Base64Stream([b"Dear ", b"!"], [0]),
            ]
        )
        assert message.body_prefix == b"--1\r\n" + base64.b64encode(b"same for all") + (
            b"\r\n--2\r\n" + base64.b64encode(b"Dea") + b"\r\n"
        )


class TestDigester:
    @given(st.lists(st.binary(max_size=300), min_size=2, max_size=2), st.binary(max_size=300))
    def test_with_a_prefix_hashes_what_is_hashed_without(
        self, runs: list[bytes], value: bytes
    ) -> None:
        message = compiled(*runs)
        digester = Digester(
            message.assemble([FIELDS], [b"sample"]), body_prefix=message.body_prefix
        )
        data = message.assemble([FIELDS], [value])
        assert digester.plain
        assert digester.digest(data).body_hash == plain_digest(data)

    def test_gives_each_message_its_own_hash_again_and_again(self) -> None:
        message = compiled(b"Dear ", b", hello")
        digester = Digester(message.assemble([FIELDS], [b""]), body_prefix=message.body_prefix)
        for value in (b"Ada", b"Bob", b"Ada"):
            data = message.assemble([FIELDS], [value])
            assert digester.digest(data).body_hash == plain_digest(data)

    def test_does_not_trust_the_prefix(self) -> None:
        data = compiled(b"Dear ", b"").assemble([FIELDS], [b"Ada"])
        digester = Digester(data, body_prefix=b"something else altogether")
        assert digester.digest(data).body_hash == plain_digest(data)

    @pytest.mark.parametrize(
        "between", [b"two  spaces\r\n", b"a\ttab\r\n", b"end \r\n", b"X: y;\r\n\tz\r\n"]
    )
    def test_relaxes_bodies_that_are_not_relaxed_already(self, between: bytes) -> None:
        message = compiled(b"Dear ", b", hello", between=between)
        digester = Digester(message.assemble([FIELDS], [b""]), body_prefix=message.body_prefix)
        data = message.assemble([FIELDS], [b"Ada"])
        assert not digester.plain
        assert digester.digest(data).body_hash == plain_digest(data)
        assert plain_digest(data) != base64.b64encode(
            hashlib.sha256(data.partition(b"\r\n\r\n")[2]).digest()
        )

    def test_relaxes_a_body_that_ends_in_empty_lines(self) -> None:
        data = b"From: a@example.org\r\n\r\nHello\r\n\r\n\r\n"
        digester = Digester(data)
        assert not digester.plain
        assert digester.digest(data).body_hash == plain_digest(data)

    def test_has_the_hash_of_an_empty_body(self) -> None:  # RFC 6376 section 3.4.4
        data = b"From: a@example.org\r\n\r\n"
        expected = b"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        assert Digester(data).digest(data).body_hash == expected

    def test_relaxes_fields_of_the_sample_and_fields_of_the_message(self) -> None:
        sample = b"From:  A <a@example.org>\r\nX-Other: 1\r\n\r\n"
        message = b"From:  A <a@example.org>\r\nTo: b,\r\n  c\r\nSUBJECT: s\r\n\r\n"
        digested = Digester(sample).digest(message)
        assert digested.names == (b"from", b"from", b"subject", b"subject", b"date", b"to")
        assert digested.header == b"from:A <a@example.org>\r\nsubject:s\r\nto:b, c\r\n"

    def test_signs_fields_in_whatever_order_they_come(self) -> None:
        lines = [b"Date: d\r\n", b"From: f\r\n", b"Subject: s\r\n", b"To: t\r\n"]
        forwards = b"".join(lines) + b"\r\n"
        backwards = b"".join(reversed(lines)) + b"\r\n"
        digester = Digester(forwards)
        assert digester.digest(forwards) == digester.digest(backwards)
        assert digester.digest(forwards).header == b"".join(
            relaxed_field(lines[index]) for index in (1, 2, 0, 3)
        )

    def test_wants_a_body(self) -> None:
        with pytest.raises(ValueError, match="no empty line"):
            Digester(b"From: a@example.org\r\n")
        with pytest.raises(ValueError, match="no empty line"):
            Digester(b"From: a@example.org\r\n\r\n").digest(b"From: a@example.org\r\n")
