"""Confirmation links: for one person, up to a moment, and by nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.audience.confirming import TOKEN_LENGTH, confirmation_token, confirmed_by
from newsletter.audience.tokens import Keyring, Purpose

OLD, NEW = b"an old key of 32 octets, or more", b"a new key of 32 octets, or more!"
KEYS = Keyring({1: OLD})
WHO = bytes(range(10))
UNTIL = 1_800_000_000.0


def test_a_token_says_who_until_its_last_second() -> None:
    token = confirmation_token(KEYS, WHO, until=UNTIL)
    assert len(token) == TOKEN_LENGTH
    assert confirmed_by(KEYS, token, now=UNTIL) == WHO
    assert confirmed_by(KEYS, token, now=UNTIL + 1) is None


def test_keys_rotate() -> None:
    token = confirmation_token(KEYS, WHO, until=UNTIL)
    assert confirmed_by(Keyring({1: OLD, 2: NEW}), token, now=0) == WHO
    assert confirmed_by(Keyring({2: NEW}), token, now=0) is None


@pytest.mark.parametrize("length", [0, 9, 11])
def test_an_id_has_ten_octets(length: int) -> None:
    with pytest.raises(ValueError, match="10 bytes"):
        confirmation_token(KEYS, bytes(length), until=UNTIL)


def test_tokens_of_other_purposes_confirm_nothing() -> None:
    for purpose in Purpose:
        assert confirmed_by(KEYS, KEYS.token(purpose, WHO), now=0) is None


@given(st.integers(0, TOKEN_LENGTH - 1), st.sampled_from("AZaz09-_+/=é \n"))
def test_no_changed_letter_comes_through(place: int, letter: str) -> None:
    token = confirmation_token(KEYS, WHO, until=UNTIL)
    changed = token[:place] + letter + token[place + 1 :]
    assert (confirmed_by(KEYS, changed, now=0) == WHO) is (changed == token)


@given(st.text(max_size=60))
def test_no_text_is_a_token(text: str) -> None:
    assert confirmed_by(KEYS, text, now=0) is None
