from __future__ import annotations

import base64
import hashlib
import hmac
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.audience.tokens import (
    ID_LENGTH,
    SECRET_FILE,
    TOKEN_LENGTH,
    Keyring,
    Purpose,
)
from newsletter.errors import ConfigError

ONE = Keyring({1: b"first key, 16 bytes or more"})
TWO = Keyring({1: b"first key, 16 bytes or more", 2: b"second key, 16 bytes or more"})
ALPHABET = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def raw(token: str) -> bytes:
    return base64.urlsafe_b64decode(token + "==")


class TestToken:
    @given(st.binary(min_size=ID_LENGTH, max_size=ID_LENGTH), st.sampled_from(Purpose))
    def test_comes_back_as_the_subscriber_it_was_made_for(
        self, who: bytes, purpose: Purpose
    ) -> None:
        token = ONE.token(purpose, who)
        assert len(token) == TOKEN_LENGTH == 34
        assert set(token) <= ALPHABET
        assert ONE.verify(token, purpose) == who

    def test_is_the_same_every_time(self) -> None:
        who = ONE.subscriber_id("ada@example.org")
        assert ONE.token(Purpose.VIEW, who) == ONE.token(Purpose.VIEW, who)

    def test_holds_purpose_key_id_and_subscriber_and_no_address(self) -> None:
        who = ONE.subscriber_id("ada@example.org")
        data = raw(ONE.token(Purpose.UNSUBSCRIBE, who))
        assert data[0] == 0x10 | Purpose.UNSUBSCRIBE
        assert data[1] == 1
        assert data[2:12] == who
        assert b"ada" not in data

    def test_has_the_mac_that_its_description_promises(self) -> None:
        who = bytes(range(10))
        key = hmac.digest(b"first key, 16 bytes or more", b"newsletter:1:token:VIEW", "sha256")
        body = bytes([0x12, 1]) + who
        mac = hmac.new(key, body, hashlib.sha256).digest()[:13]
        assert raw(ONE.token(Purpose.VIEW, who)) == body + mac

    def test_needs_an_id_of_ten_bytes(self) -> None:
        with pytest.raises(ValueError, match="10 bytes"):
            ONE.token(Purpose.VIEW, b"short")

    @pytest.mark.parametrize("purpose", Purpose)
    def test_is_worthless_for_another_purpose(self, purpose: Purpose) -> None:
        token = ONE.token(purpose, bytes(10))
        for other in Purpose:
            assert (ONE.verify(token, other) is not None) == (other is purpose)

    def test_of_another_keyring_is_refused(self) -> None:
        stranger = Keyring({1: b"another key, 16 bytes or more"})
        assert ONE.verify(stranger.token(Purpose.VIEW, bytes(10)), Purpose.VIEW) is None


class TestForgery:
    @given(st.integers(0, 33), st.sampled_from(sorted(ALPHABET)))
    def test_one_changed_character_is_refused(self, at: int, char: str) -> None:
        token = ONE.token(Purpose.UNSUBSCRIBE, bytes(range(10)))
        changed = token[:at] + char + token[at + 1 :]
        assert (ONE.verify(changed, Purpose.UNSUBSCRIBE) is not None) == (changed == token)

    @given(st.text(max_size=40) | st.text("".join(ALPHABET), min_size=34, max_size=34))
    def test_any_other_text_is_refused(self, text: str) -> None:
        assert ONE.verify(text, Purpose.UNSUBSCRIBE) is None

    @given(st.binary(min_size=25, max_size=25))
    def test_any_other_bytes_are_refused(self, data: bytes) -> None:
        token = base64.urlsafe_b64encode(data).rstrip(b"=").decode()
        assert ONE.verify(token, Purpose.UNSUBSCRIBE) is None

    def test_every_other_spelling_of_the_same_bytes_is_refused(self) -> None:
        # 34 characters hold 204 bits and a token 200: fifteen other last characters mean the same.
        token = ONE.token(Purpose.VIEW, bytes(range(10)))
        same = [
            token[:-1] + char for char in sorted(ALPHABET) if raw(token[:-1] + char) == raw(token)
        ]
        assert len(same) == 16
        assert [spelling for spelling in same if ONE.verify(spelling, Purpose.VIEW)] == [token]

    def test_padding_white_space_and_the_standard_alphabet_are_refused(self) -> None:
        whos = (bytes([n]) * 10 for n in range(256))
        token = next(t for who in whos if "-" in (t := ONE.token(Purpose.VIEW, who)))
        for spelling in (
            token + "==",
            token + "\n",
            " " + token[1:],
            token.replace("-", "+"),
            token[:-1],
            token + "A",
            "",
        ):
            assert ONE.verify(spelling, Purpose.VIEW) is None


class TestSubscriberAndDigest:
    def test_subscriber_id_is_ten_bytes_that_only_the_key_can_make(self) -> None:
        who = ONE.subscriber_id("ada@example.org")
        assert len(who) == ID_LENGTH
        assert who != ONE.subscriber_id("bob@example.org")
        assert who != Keyring({1: b"another key, 16 bytes or more"}).subscriber_id(
            "ada@example.org"
        )

    def test_digest_tells_parts_and_labels_apart(self) -> None:
        digests = [
            ONE.digest("message", "64", "ada"),
            ONE.digest("message", "6", "4ada"),
            ONE.digest("message", "64ada"),
            ONE.digest("message", "64", "ada", ""),
            ONE.digest("message6", "4", "ada"),
            ONE.digest("test message", "64", "ada"),
        ]
        assert len(set(digests)) == len(digests)
        assert {len(digest) for digest in digests} == {32}

    def test_repr_shows_no_key(self) -> None:
        assert repr(TWO) == "<Keyring with key ids [1, 2]>"
        assert "first" not in repr(TWO)


class TestRotation:
    def test_the_newest_key_signs_and_all_verify(self) -> None:
        old = ONE.token(Purpose.UNSUBSCRIBE, bytes(10))
        new = TWO.token(Purpose.UNSUBSCRIBE, bytes(10))
        assert raw(new)[1] == 2
        assert (
            TWO.verify(old, Purpose.UNSUBSCRIBE)
            == TWO.verify(new, Purpose.UNSUBSCRIBE)
            == bytes(10)
        )
        assert ONE.verify(new, Purpose.UNSUBSCRIBE) is None

    def test_subscribers_and_messages_keep_their_names(self) -> None:
        assert ONE.subscriber_id("ada@example.org") == TWO.subscriber_id("ada@example.org")
        assert ONE.digest("message", "1") == TWO.digest("message", "1")

    @pytest.mark.parametrize("keys", [{}, {0: bytes(16)}, {256: bytes(16)}, {1: bytes(15)}])
    def test_impossible_keys_are_refused(self, keys: dict[int, bytes]) -> None:
        with pytest.raises(ConfigError):
            Keyring(keys)


class TestEnvironment:
    def test_secret_from_the_environment_needs_no_file(self, tmp_path: Path) -> None:
        environ = {"NEWSLETTER_SECRET": "一共十六个字符才算够长的密钥啊啊"}
        one = Keyring.load(tmp_path / "state", environ=environ)
        two = Keyring.load(tmp_path / "elsewhere", environ=environ)
        assert one.subscriber_id("a") == two.subscriber_id("a")
        assert list(tmp_path.iterdir()) == []

    def test_short_secret_is_refused_and_not_shown(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="at least 16 characters") as caught:
            Keyring.load(tmp_path, environ={"NEWSLETTER_SECRET": "fifteen letters"})
        assert "fifteen" not in str(caught.value)

    def test_empty_secret_counts_as_unset(self, tmp_path: Path) -> None:
        Keyring.load(tmp_path, environ={"NEWSLETTER_SECRET": ""})
        assert (tmp_path / SECRET_FILE).exists()


class TestKeyFile:
    def test_is_made_on_first_use_for_its_owner_only(self, tmp_path: Path) -> None:
        state = tmp_path / "deep" / "state"
        first = Keyring.load(state, environ={})
        assert stat.S_IMODE((state / SECRET_FILE).stat().st_mode) == 0o600
        assert [path.name for path in state.iterdir()] == [SECRET_FILE]
        assert first.subscriber_id("a") == Keyring.load(state, environ={}).subscriber_id("a")

    def test_has_32_random_bytes(self, tmp_path: Path) -> None:
        for name in ("one", "two"):
            Keyring.load(tmp_path / name, environ={})
        keys = [(tmp_path / name / SECRET_FILE).read_text() for name in ("one", "two")]
        assert keys[0] != keys[1]
        assert all(len(bytes.fromhex(key.removeprefix("1:"))) == 32 for key in keys)

    def test_is_not_made_when_it_must_exist(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"secret: .*No such file"):
            Keyring.load(tmp_path, environ={}, create=False)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
    def test_that_others_can_reach_is_refused(self, tmp_path: Path, mode: int) -> None:
        Keyring.load(tmp_path, environ={})
        (tmp_path / SECRET_FILE).chmod(mode)
        with pytest.raises(ConfigError, match="chmod 600"):
            Keyring.load(tmp_path, environ={})

    def test_may_hold_several_keys(self, tmp_path: Path) -> None:
        path = tmp_path / SECRET_FILE
        path.write_text(f"3:{'ab' * 32}\n\n7:{'cd' * 16}\r\n")
        path.chmod(0o600)
        keyring = Keyring.load(tmp_path, environ={})
        assert raw(keyring.token(Purpose.VIEW, bytes(10)))[1] == 7
        assert keyring.subscriber_id("a") == Keyring({3: b"\xab" * 32}).subscriber_id("a")

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "empty"),
            (b"\n\n", "empty"),
            (b"secretsecretsecret\n", ":1: not a key"),
            (b"1:" + b"ab" * 32 + b"\n2:zz\n", ":2: not a key"),
            (b"1:" + b"ab" * 15, ":1: not a key"),
            (b"0:" + b"ab" * 32, ":1: not a key"),
            (b"256:" + b"ab" * 32, ":1: not a key"),
            (b"1:" + b"ab" * 32 + b"\n1:" + b"cd" * 32, ":2: key id 1 stands there twice"),
            (b"\xff\xfe\x00", ":1: not a key"),
        ],
    )
    def test_damage_is_told_by_line_and_without_the_key(
        self, tmp_path: Path, content: bytes, words: str
    ) -> None:
        path = tmp_path / SECRET_FILE
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(ConfigError) as caught:
            Keyring.load(tmp_path, environ={})
        assert words in str(caught.value)
        assert "abab" not in str(caught.value)
        assert "secretsecret" not in str(caught.value)
        assert path.read_bytes() == content

    def test_that_cannot_be_made_says_what_to_do(self, tmp_path: Path) -> None:
        (tmp_path / "state").write_text("a file where the folder should be")
        with pytest.raises(ConfigError, match="or set NEWSLETTER_SECRET"):
            Keyring.load(tmp_path / "state", environ={})

    def test_of_many_processes_at_once_one_wins_and_all_agree(self, tmp_path: Path) -> None:
        code = (
            "import sys; from pathlib import Path; from newsletter.audience.tokens import Keyring;"
            "sys.stdin.read(); k = Keyring.load(Path(sys.argv[1]), environ={});"
            "print(k.subscriber_id('a').hex())"
        )
        racers = [
            subprocess.Popen(
                [sys.executable, "-c", code, str(tmp_path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ,
            )
            for _ in range(6)
        ]
        for racer in racers:  # all are ready before the first may start
            assert racer.stdin is not None
            racer.stdin.close()
            racer.stdin = None
        assert len({racer.communicate()[0] for racer in racers}) == 1
        assert [path.name for path in tmp_path.iterdir()] == [SECRET_FILE]
