from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signed import (
    BOTH,
    EDITION,
    IMAGE,
    KEYRING,
    MONDAY,
    composer,
    publication,
    signer,
    subscriber,
    verdicts,
)

from newsletter.audience.verp import decode
from newsletter.composing.compose import Composer
from newsletter.mail.dkim import Algorithm, relaxed_body
from newsletter.mail.wellformed import defects

READERS = [subscriber(f"reader{number}@example.com", f"读者 {number}") for number in range(200)]
ODD_READERS = [
    subscriber("编辑部@example.net", "编辑部"),
    subscriber("søren@xn--fsqu00a.example.org", "Søren Åkesson"),
    subscriber("o'neil+weekly@example.org", "O’Neil, “Tim” & 李雷"),
    subscriber("nobody@example.com", ""),
    subscriber("l@example.com", "很长的名字" * 40),
]

Change = Callable[[bytes], bytes]


def swap(old: bytes, new: bytes) -> Change:
    def change(data: bytes) -> bytes:
        assert data.count(old) == 1
        return data.replace(old, new)

    return change


def put_first(field: bytes) -> Change:
    return lambda data: field + b"\r\n" + data


def put_last(field: bytes) -> Change:
    return lambda data: data.replace(b"\r\n\r\n", b"\r\n" + field + b"\r\n\r\n", 1)


def cut(name: bytes) -> Change:
    pattern = re.compile(rb"^" + name + rb":.*\r\n(?:[ \t].*\r\n)*", re.MULTILINE)

    def change(data: bytes) -> bytes:
        changed, count = pattern.subn(b"", data)
        assert count == 1
        return changed

    return change


TAMPERING: dict[str, Change] = {
    "way out, web": swap(b"<https://weekly.example.org/u/", b"<https://weekly.example.com/u/"),
    "way out, mail": swap(b"<mailto:weekly@", b"<mailto:other@"),
    "way out removed": cut(b"List-Unsubscribe"),
    "one click": swap(b"List-Unsubscribe=One-Click", b"List-Unsubscribe=Two-Click"),
    "one click removed": cut(b"List-Unsubscribe-Post"),
    "another way out": put_last(b"List-Unsubscribe: <https://evil.example.com/>"),
    "from": swap(b" <weekly@example.org>", b" <weakly@example.org>"),
    "second from, first": put_first(b"From: evil@example.com"),
    "second from, last": put_last(b"From: evil@example.com"),
    "second subject, first": put_first(b"Subject: evil"),
    "second subject, last": put_last(b"Subject: evil"),
    "second date, first": put_first(b"Date: Mon, 07 Nov 2022 09:00:00 +0000"),
    "subject": swap(b"\r\nSubject: =?utf-8?b?6", b"\r\nSubject: =?utf-8?b?5"),
    "date": swap(b"\r\nDate: Mon, 07 Nov 2022", b"\r\nDate: Tue, 08 Nov 2022"),
    "to": swap(b"<ada@example.com>", b"<bob@example.com>"),
    "message-id": swap(b"\r\nMessage-ID: <64.", b"\r\nMessage-ID: <65."),
    "list-id": swap(b"<weekly.example.org>", b"<daily.example.org>"),
    "feedback-id": swap(b"\r\nFeedback-ID: 64:", b"\r\nFeedback-ID: 65:"),
    "feedback-id removed": cut(b"Feedback-ID"),
    "content-type": swap(
        b"\r\nContent-Type: multipart/alternative", b"\r\nContent-Type: text/plain"
    ),
    "a letter of the body": lambda data: data[:-700] + bytes([data[-700] ^ 1]) + data[-699:],
    "a line more": lambda data: data + b"evil\r\n",
}
HANDLING: dict[str, Change] = {
    "trace fields": put_first(b"Return-Path: <b@example.org>\r\nReceived: from a by b; now"),
    "a filter's fields": put_last(b"X-Spam-Status: No, score=-0.1"),
    "other folding": swap(b"\r\n <mailto:", b" \r\n\t \t<mailto:"),
    "other capitals of names": swap(b"\r\nMessage-ID: ", b"\r\nMESSAGE-ID:"),
    "spaces at a line's end": swap(b"\r\nPrecedence: bulk\r\n", b"\r\nPrecedence:  bulk \t\r\n"),
    "empty lines at the end": lambda data: data + b"\r\n\r\n",
}


class TestSignatures:
    def test_of_a_whole_list_are_verified_by_dkimpy(self) -> None:
        messages = [composer().message(reader) for reader in READERS]
        assert len({message.data for message in messages}) == 200
        assert [verdicts(message.data) for message in messages] == [[True, True]] * 200

    @pytest.mark.parametrize("reader", ODD_READERS, ids=str)
    def test_of_odd_readers_are_verified(self, reader: object) -> None:
        data = composer().message(reader).data  # type: ignore[arg-type]
        assert verdicts(data) == [True, True]
        assert not list(defects(data))

    def test_cover_headers_in_utf_8(self) -> None:  # RFC 6532
        message = composer().message(ODD_READERS[0])
        assert message.envelope.smtputf8
        assert "编辑部@example.net".encode() in message.data
        changed = message.data.replace("<编辑部@".encode(), "<编辑@".encode())
        assert verdicts(changed) == [False, False]

    @pytest.mark.parametrize("algorithm", Algorithm)
    def test_of_one_key_stand_alone(self, algorithm: Algorithm) -> None:
        data = composer(algorithms=[algorithm]).message(READERS[0]).data
        assert verdicts(data) == [True]
        assert data.startswith(b"DKIM-Signature: v=1; a=" + algorithm.encode())

    def test_with_every_field_there_can_be(self) -> None:
        everything = composer(
            reply_to="answers@example.org",
            site_url="https://weekly.example.org/archive",
            bounce_address="bounces@example.org",
        )
        data = everything.message(READERS[0]).data
        assert verdicts(data) == [True, True]
        assert b":reply-to:" in data
        assert b":list-archive:" in data.replace(b"\r\n ", b"")

    def test_without_public_endpoint_or_for_a_test(self) -> None:
        assert verdicts(composer(public_url=None).message(READERS[0]).data) == [True, True]
        assert verdicts(composer(test=True).message(READERS[0]).data) == [True, True]

    def test_with_pictures_in_the_message(self) -> None:
        edition = dataclasses.replace(EDITION, images=(IMAGE,))
        data = composer(edition=edition).message(READERS[0]).data
        assert verdicts(data) == [True, True]

    @settings(max_examples=25)
    @given(st.text(min_size=1, max_size=60).filter(str.isprintable))
    def test_of_any_name_are_verified(self, name: str) -> None:
        assert verdicts(composer().message(subscriber(name=name)).data) == [True, True]


class TestTampering:
    @pytest.mark.parametrize("what", TAMPERING)
    def test_breaks_every_signature(self, what: str) -> None:
        data = composer().message(subscriber()).data
        assert verdicts(data) == [True, True]
        changed = TAMPERING[what](data)
        assert changed != data
        assert verdicts(changed) == [False, False]

    @pytest.mark.parametrize("what", HANDLING)
    def test_is_not_what_relays_do(self, what: str) -> None:
        data = composer().message(subscriber()).data
        changed = HANDLING[what](data)
        assert changed != data
        assert verdicts(changed) == [True, True]


class TestSignedMessage:
    def test_is_the_unsigned_one_with_its_signatures_first(self) -> None:
        signed = composer().message(READERS[0])
        unsigned = composer(algorithms=[]).message(READERS[0])
        assert signed.data.endswith(unsigned.data)
        added = signed.data.removesuffix(unsigned.data)
        assert re.findall(rb"(?m)^[^ :]+(?=:)", added) == [b"DKIM-Signature"] * 2
        assert max(map(len, added.split(b"\r\n"))) <= 78
        assert signed.message_id == unsigned.message_id
        assert not list(defects(signed.data))

    def test_has_the_same_bytes_every_time(self) -> None:
        first, again = (composer().message(READERS[0]).data for _ in range(2))
        assert first == again

    def test_does_not_depend_on_the_clock(self) -> None:
        added = composer().message(READERS[0]).data.partition(b"From:")[0]
        assert b" t=" not in added
        assert b" x=" not in added
        assert b" l=" not in added

    def test_leaves_the_digest_of_the_edition_alone(self) -> None:
        assert composer().digest == composer(algorithms=[]).digest
        assert composer().digest == composer(bounce_address="bounces@example.org").digest

    @pytest.mark.parametrize("images", [(), (IMAGE,)])
    def test_has_a_body_that_is_relaxed_already(self, images: tuple[object, ...]) -> None:
        edition = dataclasses.replace(EDITION, images=images)  # type: ignore[arg-type]
        for reader in (*READERS[:5], *ODD_READERS):
            body = composer(edition=edition).message(reader).data.partition(b"\r\n\r\n")[2]
            assert relaxed_body(body) == body

    def test_can_be_made_by_one_signer_for_several_editions(self) -> None:
        other = dataclasses.replace(EDITION, issue=65, html=EDITION.html.replace("论文", "活动"))
        shared = signer(*BOTH)
        for edition in (EDITION, other):
            made = Composer(
                publication(), edition, keyring=KEYRING, date=MONDAY, signer=shared
            ).message(READERS[0])
            assert verdicts(made.data) == [True, True]


class TestReversePath:
    def test_is_the_from_address_without_bounce_address(self) -> None:
        assert composer().message(READERS[0]).envelope.reverse_path == "weekly@example.org"

    def test_tells_issue_and_subscriber(self) -> None:
        composing = composer(algorithms=[], bounce_address="bounces@mail.example.org")
        paths = [composing.message(reader).envelope.reverse_path for reader in READERS]
        assert len(set(paths)) == 200
        for reader, path in zip(READERS, paths, strict=True):
            local, _, domain = path.rpartition("@")
            assert domain == "mail.example.org"
            assert len(local) <= 64
            who = KEYRING.subscriber_id(reader.address.key)
            assert decode(local.upper(), keyring=KEYRING) == (64, who)

    def test_stands_in_no_header(self) -> None:
        message = composer(bounce_address="bounces@example.org").message(READERS[0])
        assert b"bounces" not in message.data
        plain = composer().message(READERS[0])
        assert message.data == plain.data
