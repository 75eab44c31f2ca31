"""Composed messages: what every recipient gets, what only one gets, and that nobody gets another's."""

from __future__ import annotations

import re
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signed import EDITION, IMAGE, KEYRING, MONDAY, publication

from newsletter.audience.models import Subscriber
from newsletter.audience.tokens import Keyring, Purpose
from newsletter.composing.compose import Composer
from newsletter.config import Publication
from newsletter.errors import ComposeError
from newsletter.mail.address import parse_address
from newsletter.mail.message import Message
from newsletter.mail.wellformed import defects
from newsletter.rendering.edition import Edition, Landing, Slot

ANNA = Subscriber(address=parse_address("anna@example.net"), name="安娜")
BERTA = Subscriber(address=parse_address("berta@example.net"), name="Berta")
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=60)


def composer(edition: Edition = EDITION, *, test: bool = False, **more: Any) -> Composer:
    return Composer(publication(**more), edition, keyring=KEYRING, date=MONDAY, test=test)


def parse(message: Message) -> EmailMessage:
    parsed = message_from_bytes(message.data, policy=policy.SMTP)
    assert isinstance(parsed, EmailMessage)
    for part in parsed.walk():
        assert part.defects == []
    return parsed


def body(message: Message, subtype: str) -> str:
    part = parse(message).get_body(preferencelist=(subtype,))
    assert part is not None
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()


def edition(html: str, text: str = "x", *slots: Slot, **more: Any) -> Edition:
    wishes: dict[str, Any] = {"subject": "主题", "preheader": "", "language": "zh-CN", **more}
    return Edition(issue=7, html=html, text=text, slots=slots, **wishes)


# The message as a whole


def test_a_message_is_well_formed() -> None:
    message = composer().message(ANNA)
    assert list(defects(message.data)) == []
    parsed = parse(message)
    assert parsed.get_content_type() == "multipart/alternative"
    subtypes = [part.get_content_type() for part in parsed.iter_parts()]
    assert subtypes == ["text/plain", "text/html"], "text first, richest last"
    assert max(map(len, message.data.split(b"\r\n"))) <= 76 + len("Feedback-ID: ")


def test_both_parts_are_the_edition_with_its_values() -> None:
    message = composer().message(ANNA)
    html, text = body(message, "html"), body(message, "plain")
    token = KEYRING.token(Purpose.UNSUBSCRIBE, KEYRING.subscriber_id("anna@example.net"))
    way_out = f"https://weekly.example.org/u/{token}"
    expected = EDITION.html.replace("SLOTname0", "安娜").replace("SLOTway0", way_out)
    assert html.replace("\r\n", "\n").rstrip("\n") == expected.rstrip("\n")
    expected = EDITION.text.replace("SLOTname1", "安娜").replace("SLOTway1", way_out)
    assert text.replace("\r\n", "\n").rstrip("\n") == expected.rstrip("\n")
    assert "SLOT" not in html + text


def test_the_same_recipient_gets_the_same_bytes_from_another_process() -> None:
    assert composer().message(ANNA) == composer().message(ANNA)
    shared = composer()
    first = shared.message(ANNA)
    shared.message(BERTA)
    assert shared.message(ANNA) == first, "a retry is the same message"


def test_the_preview_shows_what_is_sent() -> None:
    made = composer()
    message = made.message(ANNA)
    assert made.html(ANNA).rstrip("\n") == body(message, "html").replace("\r\n", "\n").rstrip("\n")
    assert made.text(ANNA).rstrip("\n") == body(message, "plain").replace("\r\n", "\n").rstrip("\n")


# Headers


def test_the_header_list() -> None:
    message = composer().message(ANNA)
    parsed = parse(message)
    assert [name.lower() for name in parsed] == [
        "from",
        "subject",
        "date",
        "mime-version",
        "list-id",
        "precedence",
        "feedback-id",
        "content-language",
        "to",
        "message-id",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "content-type",
    ]
    assert str(parsed["From"]) == "预训练周刊 <weekly@example.org>"
    assert str(parsed["To"]) == "安娜 <anna@example.net>"
    assert parsed["Subject"] == EDITION.subject
    assert parsedate_to_datetime(str(parsed["Date"])) == MONDAY
    assert str(parsed["List-Id"]).endswith("<weekly.example.org>")
    assert parsed["Precedence"] == "bulk"
    assert parsed["Feedback-ID"] == "64:weekly.example.org:issue:newsletter"
    assert parsed["Content-Language"] == "zh-CN"


def test_the_way_out_over_the_web() -> None:
    parsed = parse(composer().message(ANNA))
    token = KEYRING.token(Purpose.UNSUBSCRIBE, KEYRING.subscriber_id("anna@example.net"))
    assert str(parsed["List-Unsubscribe"]) == (
        f"<https://weekly.example.org/u/{token}>,"
        f" <mailto:weekly@example.org?subject=unsubscribe%20{token}>"
    )
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert KEYRING.verify(token, Purpose.UNSUBSCRIBE) == KEYRING.subscriber_id("anna@example.net")


def test_the_way_out_without_a_web_server() -> None:
    message = composer(public_url=None, unsubscribe_address="leave+me@example.org").message(ANNA)
    parsed = parse(message)
    assert re.fullmatch(
        r"<mailto:leave%2Bme@example\.org\?subject=unsubscribe%20[\w-]{34}>",
        str(parsed["List-Unsubscribe"]),
    )
    assert parsed["List-Unsubscribe-Post"] is None, "one click needs https"
    assert "mailto:leave%2Bme@example.org?subject=unsubscribe%20" in body(message, "html")


def test_the_archive_is_named_when_there_is_one() -> None:
    assert parse(composer().message(ANNA))["List-Archive"] is None
    parsed = parse(composer(site_url="https://weekly.example.org/archive").message(ANNA))
    assert parsed["List-Archive"] == "<https://weekly.example.org/archive>"


def test_answers_go_where_they_are_wanted() -> None:
    assert parse(composer().message(ANNA))["Reply-To"] is None
    assert str(parse(composer(reply_to="editors@example.org").message(ANNA))["Reply-To"]) == (
        "editors@example.org"
    )


def test_an_own_list_id() -> None:
    parsed = parse(composer(list_id="pretraining.example.org").message(ANNA))
    assert str(parsed["List-Id"]).endswith("<pretraining.example.org>")
    assert "pretraining.example.org" in str(parsed["Feedback-ID"])


def test_a_test_message_is_marked_and_has_an_id_of_its_own() -> None:
    real, trial = composer().message(ANNA), composer(test=True).message(ANNA)
    assert parse(trial)["Subject"] == f"[测试] {EDITION.subject}"
    assert parse(real)["Subject"] == EDITION.subject
    assert real.message_id != trial.message_id
    assert body(real, "html") == body(trial, "html")


@pytest.mark.parametrize("subject", ["a\r\nBcc: x@example.net", "a\0b", "a\u2028b", "\ud800"])
def test_a_subject_that_no_header_can_hold_is_refused(subject: str) -> None:
    with pytest.raises(ComposeError, match="Subject"):
        composer(edition("<p>x</p>", subject=subject))


def test_a_subject_that_looks_encoded_is_read_as_it_is() -> None:
    evil = "=?utf-8?q?a=0D=0ABcc:_x?="
    parsed = parse(composer(edition("<p>x</p>", subject=evil)).message(ANNA))
    assert parsed["Subject"] == evil
    assert parsed["Bcc"] is None


@pytest.mark.parametrize("setting", ["public_url", "site_url"])
def test_a_link_in_a_header_is_ascii(setting: str) -> None:
    with pytest.raises(ComposeError, match="printable ASCII"):
        composer(**{setting: "https://周刊.example"})


# Message-IDs, envelopes


def test_a_message_id_tells_nothing_and_never_changes() -> None:
    message = composer().message(ANNA)
    assert parse(message)["Message-ID"] == message.message_id
    assert re.fullmatch(r"<64\.[0-9a-f]{26}@example\.org>", message.message_id)
    assert "anna" not in message.message_id
    renamed = Subscriber(address=parse_address("ANNA@Example.NET"), name="Someone else")
    assert composer().message(renamed).message_id == message.message_id
    other_issue = Edition(
        issue=65, subject="x", preheader="", language="zh-CN", html="<p>x</p>", text="x"
    )
    ids = {
        message.message_id,
        composer().message(BERTA).message_id,
        composer(other_issue).message(ANNA).message_id,
        Composer(
            publication(), EDITION, keyring=Keyring({1: b"another key of 16 bytes"}), date=MONDAY
        )
        .message(ANNA)
        .message_id,
    }
    assert len(ids) == 4


def test_the_envelope() -> None:
    envelope = composer().message(ANNA).envelope
    assert (envelope.reverse_path, envelope.forward_path, envelope.smtputf8) == (
        "weekly@example.org",
        "anna@example.net",
        False,
    )


def test_an_idn_domain_needs_no_smtputf8() -> None:
    message = composer().message(Subscriber(address=parse_address("anna@bücher.example")))
    assert message.envelope.forward_path == "anna@xn--bcher-kva.example"
    assert not message.envelope.smtputf8
    assert message.data.isascii()


def test_a_local_part_beyond_ascii_needs_smtputf8() -> None:
    message = composer().message(
        Subscriber(address=parse_address("用户@bücher.example"), name="王")
    )
    assert message.envelope.forward_path == "用户@xn--bcher-kva.example"
    assert message.envelope.smtputf8
    head = message.data.partition(b"\r\n\r\n")[0]
    assert "<用户@bücher.example>".encode() in head
    assert list(defects(message.data)) == []


def test_a_sender_beyond_ascii_needs_smtputf8_for_everybody() -> None:
    sender = {"name": "周刊", "address": "周刊@example.org"}
    made = Publication.model_validate(
        {"name": "周刊", "from": sender, "list_id": "weekly.example.org"}
    )
    message = Composer(made, EDITION, keyring=KEYRING, date=MONDAY).message(ANNA)
    assert message.envelope.smtputf8


# Per-recipient isolation


@settings(max_examples=40, deadline=None)
@given(NAMES, NAMES, st.dictionaries(st.just("city"), NAMES, min_size=1))
def test_nobody_gets_what_is_anothers(one: str, other: str, fields: dict[str, str]) -> None:
    slots = (
        Slot(token="SLOTname", name="name", landing=Landing.HTML, fallback="读者"),
        Slot(token="SLOTcity", name="fields.city", landing=Landing.TEXT, fallback="某地"),
        Slot(token="SLOTmail", name="email", landing=Landing.URL),
    )
    made = composer(
        edition('<p title="SLOTname">SLOTname</p><a href="?a=SLOTmail">x</a>', "SLOTcity！", *slots)
    )
    first = Subscriber(address=parse_address("first@example.net"), name=one, fields=fields)
    second = Subscriber(
        address=parse_address("second@example.net"), name=other, fields={"city": ""}
    )
    before = made.message(first)
    after = made.message(second)
    assert made.message(first) == before
    for message, person in ((before, first), (after, second)):
        assert list(defects(message.data)) == []
        html = body(message, "html")
        name = person.name or "读者"
        assert unescape(html).count(name) >= 2
        assert html.count("<") == 4, "a name is text, whatever it holds"
        assert html.count('"') == 4
        assert person.address.local in html
    assert "second" not in body(before, "html")
    assert "first" not in body(after, "html")
    assert body(after, "plain") == "某地！\r\n"


@pytest.mark.parametrize(
    ("landing", "value", "landed"),
    [
        (Landing.HTML, "<b>&\"'", "&lt;b&gt;&amp;&quot;&#x27;"),
        (Landing.TEXT, "<b>&\"'", "<b>&\"'"),
        (Landing.URL, "a b&c=/字", "a%20b%26c%3D%2F%E5%AD%97"),
        (Landing.HTML, "a\r\nb\0c\u2028d", "a b c d"),
        (Landing.TEXT, "a\r\n.\r\nb", "a . b"),
        (Landing.URL, "a\nb", "a%20b"),
        (Landing.HTML, "lone \ud83d", "lone ?"),
        (Landing.URL, "lone \ud83d", "lone%20%3F"),
    ],
)
def test_values_are_escaped_for_where_they_land(landing: Landing, value: str, landed: str) -> None:
    part = "text" if landing is Landing.TEXT else "html"
    slot = Slot(token="SLOTx", name="fields.x", landing=landing)
    made = composer(
        edition("SLOTx" if part == "html" else "x", "SLOTx" if part == "text" else "x", slot)
    )
    person = Subscriber(address=ANNA.address, fields={"x": value})
    assert body(made.message(person), {"text": "plain"}.get(part, part)).rstrip() == landed


def test_a_fallback_takes_the_place_of_nothing() -> None:
    slot = Slot(token="SLOTx", name="name", landing=Landing.HTML, fallback="读者")
    made = composer(edition("<p>SLOTx</p>", "x", slot))
    nameless = Subscriber(address=ANNA.address)
    assert "<p>读者</p>" in body(made.message(nameless), "html")


def test_a_column_that_does_not_exist_is_named() -> None:
    slot = Slot(token="SLOTx", name="fields.town", landing=Landing.HTML)
    made = composer(edition("SLOTx", "x", slot))
    with pytest.raises(ComposeError, match=r"subscriber\.fields\.town.*city"):
        made.message(Subscriber(address=ANNA.address, fields={"city": "北京"}))


def test_a_value_that_does_not_exist_is_refused_before_anything_is_sent() -> None:
    slot = Slot(token="SLOTx", name="age", landing=Landing.HTML)
    with pytest.raises(ComposeError, match="'age'"):
        composer(edition("SLOTx", "x", slot))


def test_reading_online_needs_a_place_to_read() -> None:
    slot = Slot(token="SLOTx", name="online_url", landing=Landing.HTML)
    made = edition("SLOTx", "x", slot)
    token = KEYRING.token(Purpose.VIEW, KEYRING.subscriber_id("anna@example.net"))
    here = "https://weekly.example.org"
    assert body(composer(made).message(ANNA), "html").strip() == f"{here}/v/7/{token}"
    archive = composer(made, site_url=f"{here}/archive").message(ANNA)
    assert body(archive, "html").strip() == f"{here}/archive/7/"
    with pytest.raises(ComposeError, match="neither site_url nor public_url"):
        composer(made, public_url=None).message(ANNA)


# Pictures inside the message


def test_embedded_images_travel_with_the_html() -> None:
    made = edition(f'<img src="cid:{IMAGE.content_id}">', "x", images=(IMAGE, IMAGE))
    parsed = parse(composer(made).message(ANNA))
    text, related = parsed.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert related.get_content_type() == "multipart/related"
    html, *images = related.iter_parts()
    assert html.get_content_type() == "text/html"
    assert len(images) == 2
    for image in images:
        assert image.get_content_type() == "image/png"
        assert image["Content-ID"] == f"<{IMAGE.content_id}>"
        assert image.get_content_disposition() == "inline"
        assert image.get_filename() == "___.png"
        assert image.get_payload(decode=True) == IMAGE.data


# The digest that the ledger freezes


def test_the_digest_changes_with_whatever_everybody_gets() -> None:
    plain = composer().digest
    assert composer().digest == plain
    other_text = Edition(**{**_fields(EDITION), "text": EDITION.text + "more"})
    other_subject = Edition(**{**_fields(EDITION), "subject": "other"})
    changed = [
        composer(other_text).digest,
        composer(other_subject).digest,
        composer(public_url="https://elsewhere.example.org").digest,
        composer(public_url=None).digest,
        composer(unsubscribe_address="leave@example.org").digest,
        composer(reply_to="editors@example.org").digest,
        composer(site_url="https://weekly.example.org/archive").digest,
        Composer(
            publication(),
            EDITION,
            keyring=KEYRING,
            date=datetime(2022, 11, 8, tzinfo=MONDAY.tzinfo),
        ).digest,
    ]
    assert len({plain, *changed}) == 1 + len(changed)


def test_the_digest_does_not_depend_on_keys() -> None:
    other = Keyring({1: b"another key of 16 bytes"})
    assert Composer(publication(), EDITION, keyring=other, date=MONDAY).digest == composer().digest


def _fields(made: Edition) -> dict[str, Any]:
    return {name: getattr(made, name) for name in made.__slots__}


# Text that tries to break out


@pytest.mark.parametrize("text", [".", "\n.\n", "a\r\n.\r\nQUIT\r\n", "a\rb", "", "\n\n\n", "末"])
def test_any_text_survives_as_lines(text: str) -> None:
    message = composer(edition("<p>x</p>", text)).message(ANNA)
    assert list(defects(message.data)) == []
    expected = "\r\n".join(text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n"))
    assert body(message, "plain") == expected + "\r\n"
