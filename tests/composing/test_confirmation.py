"""The mail that asks for a confirmation: well formed, the same at every retry, and without a word of the visitor."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from signed import BOTH, KEYRING, publication, signer, verdicts

from newsletter.audience.confirming import confirmed_by
from newsletter.audience.models import Subscriber
from newsletter.audience.register import DAY, Confirmation, Member
from newsletter.audience.verp import decode
from newsletter.composing.confirmation import ConfirmationMail
from newsletter.errors import ComposeError, NewsletterError
from newsletter.mail.address import parse_address
from newsletter.mail.message import Message
from newsletter.mail.wellformed import defects
from newsletter.rendering.pages import Pages

NOW = 1_800_000_000.0
NAME = "Visitor’s own words"


def mail(root: Path, *, signed: bool = False, **settings: Any) -> ConfirmationMail:
    settled = publication(**settings)
    pages = Pages(settled, root=root)
    return ConfirmationMail(
        settled, pages, keyring=KEYRING, signer=signer(*BOTH) if signed else None
    )


def waiting(address: str = "ada@example.com") -> Confirmation:
    subscriber = Subscriber(address=parse_address(address), name=NAME)
    who = KEYRING.subscriber_id(subscriber.address.key)
    member = Member(number=1, id=who, subscriber=subscriber, updated_at=NOW)
    return Confirmation(member=member, attempts=0, requested_at=NOW)


def parsed(message: Message) -> EmailMessage:
    assert list(defects(message.data)) == []
    found = message_from_bytes(message.data, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def part(message: EmailMessage, subtype: str) -> str:
    body = message.get_body(preferencelist=(subtype,))
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize(
    ("language", "subject", "tag"),
    [
        ("zh-CN", "请确认订阅《预训练周刊》", "zh-CN"),
        ("zh-TW", "请确认订阅《预训练周刊》", "zh-TW"),
        ("en-GB", "Please confirm: 预训练周刊", "en-GB"),
        ("de", "Please confirm: 预训练周刊", "en"),
    ],
)
def test_in_the_language_of_the_publication(
    tmp_path: Path, language: str, subject: str, tag: str
) -> None:
    found = parsed(mail(tmp_path, language=language).message(waiting()))
    assert found["Subject"] == subject
    assert found["Content-Language"] == tag
    assert found["Auto-Submitted"] == "auto-generated"
    assert f'lang="{tag}"' in part(found, "html")
    assert found.keys() == [
        "From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Auto-Submitted",
        "Content-Language", "Content-Type",
    ]  # fmt: skip


def test_the_link_is_good_for_as_long_as_the_settings_say(tmp_path: Path) -> None:
    found = parsed(mail(tmp_path, signup={"expires": 2}).message(waiting()))
    text = part(found, "plain")
    (link,) = [line for line in text.splitlines() if line.startswith("https://")]
    token = link.removeprefix("https://weekly.example.org/c/")
    assert part(found, "html").count(f'href="{link}"') == 2
    assert "2 天" in text
    who = waiting().member.id
    assert confirmed_by(KEYRING, token, now=NOW + 2 * DAY) == who
    assert confirmed_by(KEYRING, token, now=NOW + 2 * DAY + 1) is None


def test_no_word_of_the_visitor_and_the_same_at_every_retry(tmp_path: Path) -> None:
    message = mail(tmp_path).message(waiting())
    assert mail(tmp_path).message(waiting()) == message
    found = parsed(message)
    assert found["To"] == "ada@example.com"
    for subtype in ("plain", "html"):
        assert NAME not in part(found, subtype)
        assert "ada@" not in part(found, subtype)
    assert mail(tmp_path).message(waiting("bob@example.com")).message_id != message.message_id


def test_a_return_path_of_its_own_and_odd_addresses(tmp_path: Path) -> None:
    plain = mail(tmp_path).message(waiting())
    assert plain.envelope.reverse_path == "weekly@example.org"
    made = mail(tmp_path, bounce_address="bounces@example.org").message(waiting("编辑部@例子.org"))
    returned = decode(made.envelope.reverse_path.partition("@")[0], keyring=KEYRING)
    assert returned is not None
    assert (returned.issue, returned.subscriber_id) == (0, waiting("编辑部@例子.org").member.id)
    assert made.envelope.smtputf8
    assert not plain.envelope.smtputf8
    assert made.envelope.forward_path == "编辑部@xn--fsqu00a.org"


def test_signed_like_the_issues(tmp_path: Path) -> None:
    made = mail(tmp_path, signed=True, reply_to="desk@example.org").message(waiting())
    assert verdicts(made.data) == [True, True]
    assert b"auto-submitted" in made.data.partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("confirm-mail.txt.j2", "Hello", "both must show"),
        ("confirm-mail.html.j2", "<html><body>x</body></html>", "both must show"),
        ("confirm-mail.html.j2", "{{ visitor }}", "'visitor' is not defined"),
        ("confirm-mail.html.j2", "", "HTML document"),
    ],
)
def test_templates_of_ones_own(tmp_path: Path, name: str, content: str, error: str) -> None:
    own = tmp_path / "templates/pages"
    own.mkdir(parents=True)
    (own / name).write_text(content, "utf-8")
    with pytest.raises(NewsletterError, match=error):
        mail(tmp_path)


def test_no_link_without_an_endpoint(tmp_path: Path) -> None:
    with pytest.raises(ComposeError, match="public_url"):
        mail(tmp_path, public_url=None)
