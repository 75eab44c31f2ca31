from __future__ import annotations

import subprocess
import sys

import email_validator
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.mail.address import MAX_OCTETS, Address, parse_address


def by_the_library(text: str) -> Address | None:
    """What email-validator alone makes of `text`; None when it refuses."""
    try:
        valid = email_validator.validate_email(
            text.strip(), check_deliverability=False, strict=False
        )
    except email_validator.EmailNotValidError:
        return None
    assert valid.ascii_domain is not None
    return Address(valid.local_part, valid.ascii_domain.lower(), valid.domain.lower())


def by_us(text: str) -> Address | None:
    try:
        return parse_address(text)
    except ValueError:
        return None


ATEXT = "abcxyz019.!#$%&'*+-/=?^_`{|}~"
LABEL = st.text("abcxyz019-", max_size=6) | st.sampled_from(
    ["example", "x" * 63, "x" * 64, "xn--fsqu00a", "ab--cd", "-a", "a-", "1"]
)
TOP = st.sampled_from(
    [
        "com",
        "org",
        "cn",
        "c",
        "1",
        "a1",
        "1a",
        "a-b",
        "local-net",
        *email_validator.SPECIAL_USE_DOMAIN_NAMES,
    ]
)
NEARLY_PLAIN = st.builds(
    lambda local, labels, top: f"{local}@{'.'.join([*labels, top])}",
    st.text(ATEXT, max_size=12)
    | st.sampled_from(["a" * 64, "a" * 240, "postmaster", "a..b", ".a"]),
    st.lists(LABEL, max_size=4),
    TOP,
)


class TestSameAnswersAsTheLibrary:
    @settings(deadline=None, max_examples=400)
    @given(NEARLY_PLAIN)
    @example("a@b.c")
    @example("a@b.c.")
    @example("a@b")
    @example("a@@b.com")
    @example("a@b-.com")
    @example("a@b.com\n")
    @example("-@example.com")
    @example("a" * 64 + "@example.com")
    @example("a@" + "b." * 125 + "com")
    @example("a@" + "b." * 127 + "com")
    @example("a" * (MAX_OCTETS - 12) + "@example.com")
    @example("a" * (MAX_OCTETS - 11) + "@example.com")
    def test_for_addresses_that_are_nearly_plain(self, text: str) -> None:
        assert by_us(text) == by_the_library(text)

    @settings(deadline=None, max_examples=200)
    @given(st.text(max_size=30), st.text(max_size=30))
    @example("Postmaster", "example.com")
    @example("Some.One", "EXAMPLE.com")
    @example("名字", "例子.example.org")
    @example('"a b"', "example.com")
    @example("a", "[127.0.0.1]")
    @example("a", "exam\u3002ple.com")
    @example("a\u0000b", "example.com")
    @example("a\r\nRCPT TO:<b", "example.com")
    def test_for_any_text(self, local: str, domain: str) -> None:
        text = f"{local}@{domain}"
        assert by_us(text) == by_the_library(text)

    @settings(deadline=None, max_examples=200)
    @given(st.text(max_size=20), st.text(max_size=20))
    def test_nothing_that_comes_through_can_break_an_smtp_line(
        self, local: str, domain: str
    ) -> None:
        address = by_us(f"{local}@{domain}")
        if address is not None:
            assert len(address.envelope.encode()) <= MAX_OCTETS
            assert not set(address.envelope) & set("\r\n\0 <>\t")
            assert all(char.isprintable() for char in address.envelope)
            assert address.domain.isascii()
            assert address.domain == address.domain.lower()


class TestParsing:
    def test_keeps_the_local_part_and_lowers_the_domain(self) -> None:
        address = parse_address("Ada.Lovelace@Example.ORG")
        assert address == Address("Ada.Lovelace", "example.org", "example.org")
        assert address.envelope == str(address) == "Ada.Lovelace@example.org"

    def test_ignores_white_space_around_it(self) -> None:
        assert parse_address(" \u00a0ada@example.org\u3000\r\n").envelope == "ada@example.org"

    def test_international_domain_goes_into_the_envelope_as_a_labels(self) -> None:
        address = parse_address("zhang@例子.example.org")
        assert address.envelope == "zhang@xn--fsqu00a.example.org"
        assert str(address) == "zhang@例子.example.org"
        assert not address.needs_smtputf8

    def test_international_domain_is_the_same_in_both_spellings(self) -> None:
        one = parse_address("zhang@例子.example.org")
        assert one == parse_address("zhang@xn--fsqu00a.example.org")

    def test_international_local_part_needs_smtputf8(self) -> None:
        address = parse_address("编辑部@example.net")
        assert address.needs_smtputf8
        assert address.envelope == "编辑部@example.net"

    def test_local_part_is_normalised(self) -> None:
        assert parse_address("andre\u0301@example.net").local == "andr\u00e9"

    @pytest.mark.parametrize("domain", ["example.com", "example.org", "example.net", "a.example"])
    def test_example_domains_are_accepted(self, domain: str) -> None:
        assert parse_address(f"reader@{domain}").domain == domain

    @pytest.mark.parametrize("name", email_validator.SPECIAL_USE_DOMAIN_NAMES)
    def test_special_use_domains_are_refused(self, name: str) -> None:
        for domain in (name, f"mail.{name}", f"mail.{name}".upper()):
            with pytest.raises(ValueError):
                parse_address(f"reader@{domain}")

    def test_domains_that_only_end_like_a_special_one_are_not(self) -> None:
        assert parse_address("a@my-test.latest").domain == "my-test.latest"
        assert parse_address("a@test.example.com").domain == "test.example.com"

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "@-sign"),
            ("nobody", "@-sign"),
            ("a＠example.com", "full-width"),
            ("a@", "something after"),
            ("@example.com", "something before"),
            ("a b@example.com", "SPACE"),
            ("a@localhost", "period"),
            ("a@exa_mple.com", "'_'"),
            ("Ada <ada@example.com>", "display name"),
            ("a\r\nb@example.com", "invalid characters"),
            ("a@example.com, b@example.com", "invalid characters"),
            ("a" * 250 + "@example.com", "too long"),
            ("é" * 125 + "@example.com", "too long"),
            ("a" * 2_000_000, "too long"),
        ],
    )
    def test_says_in_one_line_what_is_wrong(self, text: str, words: str) -> None:
        with pytest.raises(ValueError) as caught:
            parse_address(text)
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 300


class TestKey:
    def test_is_the_same_for_every_case(self) -> None:
        keys = {
            parse_address(text).key
            for text in ("Lin@EXAMPLE.com", "lin@example.COM", "LIN@example.com")
        }
        assert keys == {"lin@example.com"}

    def test_casefolds_beyond_ascii(self) -> None:
        assert parse_address("STRAẞE@example.com").key == parse_address("strasse@example.com").key

    def test_keeps_dots_and_plus_tags(self) -> None:
        assert parse_address("a.b+c@example.com").key == "a.b+c@example.com"


def test_a_plain_address_does_not_load_the_library() -> None:
    code = (
        "import sys; from newsletter.mail.address import parse_address; "
        "parse_address('ada@example.org'); assert 'email_validator' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
