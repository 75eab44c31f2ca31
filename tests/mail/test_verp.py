from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.mail.verp import (
    LONGEST_MAILBOX,
    MAX_LOCAL_PART,
    TOKEN_LENGTH,
    TOKEN_OCTETS,
    find_token,
    reverse_path,
)

TOKENS = st.binary(min_size=TOKEN_OCTETS, max_size=TOKEN_OCTETS)


class TestReversePath:
    @given(TOKENS)
    def test_comes_back_in_any_case(self, token: bytes) -> None:
        local, _, domain = reverse_path("bounces@example.org", token).rpartition("@")
        assert domain == "example.org"
        assert local.startswith("bounces+")
        assert local == local.lower()
        assert find_token(local) == find_token(local.upper()) == find_token(local.title()) == token

    @given(TOKENS)
    def test_is_of_letters_and_digits_that_no_server_quotes(self, token: bytes) -> None:
        local = reverse_path("b@example.org", token).partition("@")[0]
        assert len(local) == 2 + TOKEN_LENGTH
        assert set(local[2:]) <= set("abcdefghijklmnopqrstuvwxyz234567")

    def test_has_64_octets_at_most(self) -> None:
        local = reverse_path("b" * LONGEST_MAILBOX + "@example.org", bytes(25)).partition("@")[0]
        assert len(local) == MAX_LOCAL_PART == 64
        with pytest.raises(ValueError, match="more than 23 octets"):
            reverse_path("b" * (LONGEST_MAILBOX + 1) + "@example.org", bytes(25))

    @pytest.mark.parametrize("size", [0, 24, 26])
    def test_wants_25_octets(self, size: int) -> None:
        with pytest.raises(ValueError, match="has 25 octets"):
            reverse_path("bounces@example.org", bytes(size))


class TestFindToken:
    @pytest.mark.parametrize(
        "around",
        [
            "{}",  # the token alone
            "other+{}",
            "prvs=1234abcdef=bounces+{}",  # BATV
            "SRS0=HHH=TT=example.org=bounces+{}",  # a forwarder's SRS
            "news+bounces+{}",
        ],
    )
    def test_reads_what_servers_on_the_way_made_of_it(self, around: str) -> None:
        token = bytes(range(25))
        spelt = reverse_path("b@example.org", token).partition("@")[0].partition("+")[2]
        assert find_token(around.format(spelt)) == token

    @pytest.mark.parametrize(
        "local",
        [
            "",
            "bounces",
            "bounces+",
            "bounces+" + "a" * 39,
            "bounces+" + "a" * 41,
            "bounces+" + "a" * 32 + "=" * 8,
            "bounces+" + "a" * 39 + "1",  # 0, 1, 8 and 9 are not in the alphabet
            "bounces+" + "a" * 39 + "8",
            "bounces+" + "a" * 39 + " ",
            "bounces+" + "a" * 39 + "\n",
            "bounces+" + "a" * 39 + "ſ",  # its capital is an S
            "bounces+" + "ı" * 40,
            "bounces-" + "a" * 40,
        ],
    )
    def test_finds_nothing_where_nothing_is(self, local: str) -> None:
        assert find_token(local) is None

    @given(st.text(max_size=80))
    def test_takes_any_text(self, text: str) -> None:
        token = find_token(text)
        assert token is None or len(token) == TOKEN_OCTETS
