from __future__ import annotations

import base64
import hashlib

import pytest
from dkim.canonicalization import Relaxed
from hypothesis import given
from hypothesis import strategies as st

from newsletter.mail.dkim import (
    OVERSIGNED,
    SIGNED,
    Algorithm,
    Digested,
    Tags,
    choose,
    relaxed_body,
    relaxed_field,
    signature_field,
    to_sign,
    txt_strings,
)

TAGS = Tags(algorithm=Algorithm.RSA, domain="example.org", selector="rsa-202611")
NAMES = (
    b"from",
    b"subject",
    b"date",
    b"mime-version",
    b"list-id",
    b"precedence",
    b"feedback-id",
    b"to",
    b"message-id",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
    b"content-type",
)
# What a line can be made of, weighted towards what canonicalisation is about.
LINES = st.lists(st.sampled_from([b" ", b"\t", b"a", b"B", b":", b".", b"=", b"\xe5\x91\xa8"]))
BODIES = st.lists(LINES.map(b"".join)).map(lambda lines: b"".join(line + b"\r\n" for line in lines))
VALUES = st.lists(LINES.map(b"".join), min_size=1).map(b"\r\n ".join)


class TestRelaxedField:
    def test_of_the_rfc(self) -> None:  # RFC 6376 section 3.4.5
        assert relaxed_field(b"A: X\r\n") == b"a:X\r\n"
        assert relaxed_field(b"B : Y\t\r\n\tZ  \r\n") == b"b:Y Z\r\n"

    @pytest.mark.parametrize(
        ("field", "relaxed"),
        [
            (b"Subject:\r\n", b"subject:\r\n"),
            (b"Subject: \t \r\n", b"subject:\r\n"),
            (b"Subject:a:b : c\r\n", b"subject:a:b : c\r\n"),
            (b"List-Id: =?utf-8?b?5Lit?=\r\n <a.b>\r\n", b"list-id:=?utf-8?b?5Lit?= <a.b>\r\n"),
            (b"To: \xe5\x91\xa8 <a@b>\r\n", b"to:\xe5\x91\xa8 <a@b>\r\n"),
            (b"X:a\xc2\xa0 b\r\n", b"x:a\xc2\xa0 b\r\n"),  # a no-break space is no WSP
        ],
    )
    def test_of_odd_fields(self, field: bytes, relaxed: bytes) -> None:
        assert relaxed_field(field) == relaxed

    @given(VALUES)
    def test_agrees_with_dkimpy(self, value: bytes) -> None:
        ((name, relaxed),) = Relaxed.canonicalize_headers([(b"List-Id \t", value + b"\r\n")])
        assert relaxed_field(b"List-Id \t:" + value + b"\r\n") == name + b":" + relaxed

    @given(VALUES)
    def test_does_nothing_the_second_time(self, value: bytes) -> None:
        once = relaxed_field(b"Subject: " + value + b"\r\n")
        assert relaxed_field(once) == once


class TestRelaxedBody:
    def test_of_the_rfc(self) -> None:  # RFC 6376 section 3.4.5
        assert relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"

    @pytest.mark.parametrize(
        ("body", "relaxed"),
        [
            (b"", b""),
            (b"\r\n", b""),
            (b"\r\n\r\n", b""),
            (b" \t \r\n", b""),
            (b"a", b"a\r\n"),
            (b"a \t", b"a\r\n"),
            (b"a\r\n \r\n", b"a\r\n"),
            (b"\r\na\r\n", b"\r\na\r\n"),
            (b"a  \t b\r\n", b"a b\r\n"),
            (b"\ta\r\n", b" a\r\n"),
            (b"a\r\n\r\n\r\nb\r\n", b"a\r\n\r\n\r\nb\r\n"),
        ],
    )
    def test_of_odd_bodies(self, body: bytes, relaxed: bytes) -> None:
        assert relaxed_body(body) == relaxed

    @given(BODIES)
    def test_agrees_with_dkimpy(self, body: bytes) -> None:
        assert relaxed_body(body) == Relaxed.canonicalize_body(body)

    @given(BODIES)
    def test_does_nothing_the_second_time(self, body: bytes) -> None:
        assert relaxed_body(relaxed_body(body)) == relaxed_body(body)

    @given(st.binary())
    def test_leaves_base64_alone(self, data: bytes) -> None:
        body = b"--=_b\r\n\r\n" + base64.encodebytes(data).replace(b"\n", b"\r\n") + b"--=_b--\r\n"
        assert relaxed_body(body) == body

    def test_of_a_megabyte_of_spaces_takes_no_quadratic_time(self) -> None:
        assert relaxed_body(b" " * 1_000_000 + b"a" + b"\r\n" * 500_000) == b" a\r\n"


class TestChoose:
    def test_signs_everything_that_a_reader_or_a_client_acts_on(self) -> None:
        names, picked = choose(NAMES)
        assert {name for name in NAMES if name in SIGNED} == set(names)
        assert sorted(picked) == list(range(len(NAMES)))

    def test_has_both_unsubscribe_fields_as_rfc_8058_asks(self) -> None:
        names, _ = choose(NAMES)
        assert names.count(b"list-unsubscribe") == names.count(b"list-unsubscribe-post") == 1

    def test_names_from_subject_and_date_once_more_than_they_occur(self) -> None:
        assert {b"from", b"subject", b"date"} == OVERSIGNED
        names, _ = choose(NAMES)
        assert all(names.count(name) == 2 for name in OVERSIGNED)
        assert all(names.count(name) == 1 for name in set(names) - OVERSIGNED)
        assert choose(())[0] == (b"from", b"subject", b"date")

    def test_takes_fields_of_one_name_from_the_last(self) -> None:  # RFC 6376 section 5.4.2
        names, picked = choose((b"references", b"from", b"references"))
        assert names == (b"from", b"from", b"subject", b"date", b"references", b"references")
        assert picked == (1, 2, 0)

    @pytest.mark.parametrize("name", [b"received", b"return-path", b"dkim-signature", b"x-mailer"])
    def test_leaves_alone_what_relays_add(self, name: bytes) -> None:
        assert choose((name, *NAMES))[0] == choose(NAMES)[0]

    def test_knows_no_name_twice(self) -> None:
        assert len(set(SIGNED)) == len(SIGNED)
        assert all(name == name.lower() for name in SIGNED)


def digested(names: tuple[bytes, ...] = NAMES) -> Digested:
    body_hash = base64.b64encode(hashlib.sha256(b"").digest())
    return Digested(choose(names)[0], b"from:a@b\r\n", body_hash)


class TestSignatureField:
    def test_as_it_stands_in_a_message(self) -> None:
        field = signature_field(digested((b"from", b"to")), TAGS, bytes(64))
        assert field.decode().splitlines() == [
            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org;",
            " s=rsa-202611; h=from:from:subject:date:to;",
            " bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;",
            " b=" + "A" * 72,
            " " + "A" * 14 + "==",
        ]

    @pytest.mark.parametrize("size", [64, 128, 256, 512])
    def test_has_no_line_over_78(self, size: int) -> None:
        field = signature_field(digested(SIGNED), TAGS, bytes(size))
        assert field.endswith(b"\r\n")
        assert max(map(len, field.split(b"\r\n"))) <= 78
        assert all(line[:1] == b" " for line in field.split(b"\r\n")[1:-1])

    def test_of_the_longest_names_has_no_line_over_998(self) -> None:
        domain = ".".join(["d" * 63] * 3 + ["d" * 57])
        tags = Tags(algorithm=Algorithm.ED25519, domain=domain, selector="s" * 63)
        assert max(map(len, signature_field(digested(), tags, bytes(64)).split(b"\r\n"))) < 998

    def test_leaves_out_what_would_weaken_it_or_ask_the_clock(self) -> None:
        field = signature_field(digested(), TAGS, bytes(64))
        tags = [tag.strip().partition(b"=")[0] for tag in field.partition(b":")[2].split(b";")]
        assert tags == [b"v", b"a", b"c", b"d", b"s", b"h", b"bh", b"b"]

    @given(st.binary(min_size=64, max_size=512), st.sampled_from(Algorithm))
    def test_is_what_was_signed_with_the_signature_taken_out(
        self, signature: bytes, algorithm: Algorithm
    ) -> None:
        tags = Tags(algorithm=algorithm, domain="mail.example.org", selector="s")
        field = signature_field(digested(), tags, signature)
        before, _, value = field.rpartition(b"b=")
        assert base64.b64decode(value.replace(b"\r\n ", b"")) == signature
        signed = to_sign(digested(), tags)
        assert signed == b"from:a@b\r\n" + relaxed_field(before + b"b=\r\n").removesuffix(b"\r\n")


class TestTxtStrings:
    @given(st.text("abc=; ", max_size=900))
    def test_joined_again_are_the_value(self, value: str) -> None:
        strings = txt_strings(value)
        assert "".join(strings) == value
        assert all(0 < len(string) <= 255 for string in strings)
