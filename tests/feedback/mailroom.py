"""The corpus of mails that come back, with genuine tokens filled in.

A mail holds placeholders such as `{verp:li.na@example.com}`, for which this writes what a message of issue 64 to that
address has: `verp` and `verp-local`, `token` and `view-token`, `message-id`, `returned` (the header of the message) and
`returned-plain` (the same without the fields that hold tokens).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from newsletter.audience.tokens import Keyring, Purpose
from newsletter.audience.verp import encode
from newsletter.mail.address import parse_address

CORPUS = Path(__file__).with_name("corpus")
KEYRING = Keyring({1: bytes(range(32)), 2: bytes(range(32, 64))})
ISSUE = 64

_PLACEHOLDER = re.compile(r"\{([a-z-]+):([^{}\s]+)\}")
_WITH_TOKENS = re.compile(r"^(?:Return-Path|List-Unsubscribe):.*\n(?:[ \t].*\n)*", re.MULTILINE)


class Expected(NamedTuple):
    """What a mail says about one recipient; `-` stands for nothing."""

    name: str
    kind: str
    verdict: str
    refusal: str
    recipient: str
    evidence: str
    forwarded: str


def expected() -> Iterator[Expected]:
    """The lines of expected.txt."""
    for line in (CORPUS / "expected.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            yield Expected(*(column.strip() for column in line.split("|")))


def names() -> list[str]:
    return sorted(path.stem for path in CORPUS.glob("*.eml"))


def load(name: str) -> bytes:
    """A mail of the corpus as it comes in."""
    return fill((CORPUS / f"{name}.eml").read_text("utf-8")).encode()


def fill(text: str) -> str:
    """`text` with its placeholders filled in."""
    return _PLACEHOLDER.sub(lambda found: _value(found[1], found[2]), text)


def subscriber_id(address: str) -> bytes:
    return KEYRING.subscriber_id(parse_address(address).key)


def _value(what: str, address: str) -> str:
    who = subscriber_id(address)
    match what:
        case "verp" | "verp-local":
            path = encode("bounces@example.org", issue=ISSUE, subscriber_id=who, keyring=KEYRING)
            return path if what == "verp" else path.partition("@")[0]
        case "token":
            return KEYRING.token(Purpose.UNSUBSCRIBE, who)
        case "view-token":
            return KEYRING.token(Purpose.VIEW, who)
        case "message-id":
            return f"64.{KEYRING.digest('message-id', address)[:13].hex()}@example.org"
        case "returned" | "returned-plain":
            header = (CORPUS / "returned.txt").read_text("utf-8").replace("ADDRESS", address)
            return fill(header if what == "returned" else _WITH_TOKENS.sub("", header)).rstrip("\n")
    raise ValueError(f"a placeholder that nobody fills: {what}")
