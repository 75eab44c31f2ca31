"""What the tests of signing share: an edition, its composer, keys, and a DNS that answers from memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import dkim

from newsletter.audience.models import Subscriber
from newsletter.audience.tokens import Keyring
from newsletter.composing.compose import Composer
from newsletter.composing.signing import Signer, new_key, public_record, signing_key
from newsletter.config import Publication
from newsletter.mail.address import parse_address
from newsletter.mail.dkim import Algorithm
from newsletter.rendering.edition import Edition, EmbeddedImage, Landing, Slot

DOMAIN = "example.org"
KEYRING = Keyring({1: b"a key for the tests, 16 bytes or more"})
MONDAY = datetime(2022, 11, 7, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
SLOTS = (
    Slot(token="SLOTname0", name="name", landing=Landing.HTML, fallback="读者"),
    Slot(token="SLOTname1", name="name", landing=Landing.TEXT, fallback="读者"),
    Slot(token="SLOTway0", name="unsubscribe_url", landing=Landing.HTML),
    Slot(token="SLOTway1", name="unsubscribe_url", landing=Landing.TEXT),
)
EDITION = Edition(
    issue=64,
    subject="预训练周刊 No.64｜微调新范式：组合、噪音、指令、自我改进等",
    preheader="",
    language="zh-CN",
    html="<p>你好，SLOTname0  。</p>\n\n\n<p>"
    + "论文 " * 600
    + "</p>\n<a href='SLOTway0'>退订</a>\n",
    text="你好，SLOTname1 。\n\n" + "论文 推荐\t\n" * 200 + "退订：SLOTway1\n\n\n",
    slots=SLOTS,
)
IMAGE = EmbeddedImage(
    content_id="1@example.org",
    filename="刊 头.png",
    mime_type="image/png",
    data=bytes(range(256)) * 9,
)


def publication(**settings: Any) -> Publication:
    """A publication with the given settings over the least there can be."""
    sender = {"name": "预训练周刊", "address": f"weekly@{DOMAIN}"}
    return Publication.model_validate(
        {"name": "预训练周刊", "from": sender, "public_url": f"https://weekly.{DOMAIN}", **settings}
    )


@cache
def signer(*algorithms: Algorithm) -> Signer:
    """A signer with a key for each algorithm; the selector is the algorithm's name in lower case."""
    keys = [(one, key_of(one)) for one in algorithms]
    return Signer([signing_key(key, domain=DOMAIN, selector=one.name.lower()) for one, key in keys])


@cache
def key_of(algorithm: Algorithm) -> Any:
    """One key for the whole run, since making an RSA key takes a while."""
    return new_key(algorithm)


BOTH = (Algorithm.RSA, Algorithm.ED25519)


def composer(
    *,
    algorithms: Sequence[Algorithm] = BOTH,
    edition: Edition = EDITION,
    test: bool = False,
    **settings: Any,
) -> Composer:
    """A composer that signs with a key for each algorithm; with none, one that does not sign."""
    return Composer(
        publication(**settings),
        edition,
        keyring=KEYRING,
        date=MONDAY,
        test=test,
        signer=signer(*algorithms) if algorithms else None,
    )


def subscriber(address: str = "ada@example.com", name: str = "Ada") -> Subscriber:
    """One reader."""
    return Subscriber(address=parse_address(address), name=name)


def dns(name: bytes, timeout: int = 5) -> bytes | None:
    """The TXT record of a key made here; there is nothing else in this DNS."""
    records = {
        f"{one.name.lower()}._domainkey.{DOMAIN}.".encode(): public_record(key_of(one)).encode()
        for one in BOTH
    }
    return records.get(name)


def verdicts(data: bytes) -> list[bool]:
    """What dkimpy, which is not ours, says of each signature of a message, from the top."""
    message = dkim.DKIM(data)
    count = sum(name.lower() == b"dkim-signature" for name, _ in message.headers)
    return [_verdict(message, index) for index in range(count)]


def _verdict(message: dkim.DKIM, index: int) -> bool:
    try:
        return bool(message.verify(idx=index, dnsfunc=dns))
    except dkim.ValidationError:  # it calls a signature without its fields invalid
        return False
