from __future__ import annotations

import base64
import hmac
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.audience.tokens import Keyring, Purpose
from newsletter.audience.verp import Returned, decode, encode

ONE = Keyring({1: b"first key, 16 bytes or more"})
TWO = Keyring({1: b"first key, 16 bytes or more", 2: b"second key, 16 bytes or more"})
ADA = ONE.subscriber_id("ada@example.org")


def local(issue: int = 64, who: bytes = ADA, keyring: Keyring = ONE) -> str:
    path = encode("bounces@example.org", issue=issue, subscriber_id=who, keyring=keyring)
    return path.rpartition("@")[0]


def raw(local_part: str) -> bytes:
    return base64.b32decode(local_part.rpartition("+")[2].upper())


def spelt(data: bytes) -> str:
    return "bounces+" + base64.b32encode(data).decode().lower()


class TestReturnPath:
    @given(st.integers(0, 999_999), st.binary(min_size=10, max_size=10))
    def test_comes_back_as_issue_and_subscriber(self, issue: int, who: bytes) -> None:
        assert decode(local(issue, who), keyring=ONE) == Returned(issue, who)

    @given(st.randoms())
    def test_comes_back_whatever_became_of_its_case(self, chance: random.Random) -> None:
        mixed = "".join(chance.choice((char.lower(), char.upper())) for char in local())
        assert decode(mixed, keyring=ONE) == (64, ADA)

    def test_is_the_same_at_every_retry_and_another_for_each(self) -> None:
        assert local() == local()
        assert len({local(), local(65), local(who=bytes(10))}) == 3

    def test_holds_no_address(self) -> None:
        assert "ada" not in local().partition("+")[2]
        assert raw(local())[:15] == bytes((1, 1, 0, 0, 64)) + ADA

    def test_has_the_mac_that_its_description_promises(self) -> None:
        key = hmac.digest(b"first key, 16 bytes or more", b"newsletter:1:token:BOUNCE", "sha256")
        body, mac = raw(local())[:15], raw(local())[15:]
        assert mac == hmac.digest(key, body, "sha256")[:10]

    def test_fits_the_local_part_of_rfc_5321(self) -> None:
        path = encode("b" * 23 + "@example.org", issue=1, subscriber_id=ADA, keyring=ONE)
        assert len(path.rpartition("@")[0]) == 64

    def test_refuses_what_has_no_room(self) -> None:
        with pytest.raises(ValueError, match="10 bytes"):
            local(who=b"short")
        with pytest.raises(OverflowError):
            local(issue=1 << 24)
        with pytest.raises(ValueError, match="more than 23"):
            encode("b" * 24 + "@example.org", issue=1, subscriber_id=ADA, keyring=ONE)


class TestForgery:
    def test_of_ten_thousand_guesses_finds_nothing(self) -> None:
        chance = random.Random(64)
        body = raw(local())[:15]  # everything but the MAC is known to the forger
        guesses = (spelt(body + chance.randbytes(10)) for _ in range(10_000))
        assert not [guess for guess in guesses if decode(guess, keyring=ONE)]

    @given(st.binary(min_size=25, max_size=25))
    def test_with_any_octets_finds_nothing(self, data: bytes) -> None:
        assert decode(spelt(data), keyring=ONE) is None

    @given(st.text(max_size=80))
    def test_with_any_text_finds_nothing(self, text: str) -> None:
        assert decode(text, keyring=ONE) is None

    @given(st.integers(0, 199))
    def test_one_changed_bit_is_refused(self, bit: int) -> None:
        changed = bytearray(raw(local()))
        changed[bit // 8] ^= 1 << bit % 8
        assert decode(spelt(bytes(changed)), keyring=ONE) is None

    def test_of_another_keyring_is_refused(self) -> None:
        stranger = Keyring({1: b"another key, 16 bytes or more"})
        assert decode(local(keyring=stranger), keyring=ONE) is None

    @pytest.mark.parametrize("purpose", Purpose)
    def test_an_unsubscribe_token_is_no_return_path_nor_the_other_way(
        self, purpose: Purpose
    ) -> None:
        token = base64.urlsafe_b64decode(ONE.token(purpose, ADA) + "==")
        assert decode(spelt(token), keyring=ONE) is None
        returned = base64.urlsafe_b64encode(raw(local())).rstrip(b"=").decode()
        assert ONE.verify(returned, purpose) is None


class TestRotation:
    def test_the_newest_key_signs_and_all_are_read(self) -> None:
        old, new = local(), local(keyring=TWO)
        assert raw(new)[1] == TWO.signing_id == 2
        assert decode(old, keyring=TWO) == decode(new, keyring=TWO) == (64, ADA)
        assert decode(new, keyring=ONE) is None

    def test_a_mac_needs_a_key(self) -> None:
        assert ONE.mac(b"body", Purpose.BOUNCE, kid=2) is None
        assert len(ONE.mac(b"body", Purpose.BOUNCE, kid=1) or b"") == 32
