"""Whose is it? What in a mail names the subscriber that another mail once went to.

A token in the return path first, since only the keyring makes one and it is where the bounce was sent to; then the
same token, an unsubscribe token or the Message-ID in the headers of the mail that came back. An address is no witness:
anybody can write one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from newsletter.audience.tokens import TOKEN_LENGTH, Keyring, Purpose
from newsletter.audience.verp import Returned, decode
from newsletter.feedback.mime import Fields, Mail, read_fields
from newsletter.feedback.report import Evidence
from newsletter.feedback.status import addresses_in
from newsletter.mail.address import parse_address

MOST_VALUES = 100

_ENVELOPE = (
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "x-delivered-to",
    "apparently-to",
    "to",
    "cc",
)
_REVERSE_PATHS = ("return-path", "original-mail-from", "x-envelope-from", "x-original-mail-from")
_RETURNED_KINDS = (
    "message/rfc822",
    "text/rfc822-headers",
    "message/global",
    "message/global-headers",
    "message/rfc822-headers",
)
_FOR = re.compile(r"\bfor\s+<?([^\s<>;]{1,320})")
_TOKEN = re.compile(rf"(?<![\w-])[\w-]{{{TOKEN_LENGTH}}}(?![\w-])", re.ASCII)
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,400}@[^<>\s]{1,400}>")
_QUOTE_MARKS = re.compile(r"^(?:>+ ?| {1,8}(?=[A-Z][\w-]{1,40}: ))", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """What a mail knows about the message that it is about.

    Attributes:
        keyring: tells whether an address is the subscriber's.
        returned: issue and subscriber of a genuine return path.
        subscriber_id: from that, or from a genuine unsubscribe token.
        message_id: of the returned message, with its angle brackets.
        sent_to: the address in the To of the returned message.

    """

    keyring: Keyring = field(repr=False)
    returned: Returned | None = None
    subscriber_id: bytes | None = None
    message_id: str | None = None
    sent_to: str | None = None

    def nobody(self) -> Witness:
        """The same mail, for a recipient that its tokens do not mean."""
        return Witness(keyring=self.keyring)

    @property
    def evidence(self) -> Evidence | None:
        """The best of these, or None."""
        if self.returned:
            return Evidence.VERP
        if self.subscriber_id:
            return Evidence.TOKEN
        return Evidence.MESSAGE_ID if self.message_id else None

    def means(self, address: str) -> bool:
        """Whether the address is the subscriber's: by the token, or else by the To of the returned message."""
        if self.subscriber_id is None:
            return self.sent_to is not None and address.lower() == self.sent_to.lower()
        try:
            return self.keyring.subscriber_id(parse_address(address).key) == self.subscriber_id
        except ValueError:
            return False


def find_witness(
    mail: Mail, *, keyring: Keyring, envelope_to: str | None = None, reported: Fields | None = None
) -> Witness:
    """Everything in the mail that can name a subscriber.

    Args:
        mail: as it came.
        keyring: knows its own tokens.
        envelope_to: the recipient that the mail was handed over for, where the caller knows.
        reported: the fields of a feedback report (RFC 5965), which name the return path too.

    """
    header = returned_fields(mail)
    verp = _first_verp(_envelope(mail, envelope_to), keyring) or _first_verp(
        [*header.every(*_REVERSE_PATHS), *(reported or Fields()).every(*_REVERSE_PATHS)], keyring
    )
    unsubscribe = header.every("list-unsubscribe")
    message_id = _MESSAGE_ID.search(header.first("message-id"))
    return Witness(
        keyring=keyring,
        returned=verp,
        subscriber_id=verp.subscriber_id if verp else find_token(unsubscribe, keyring=keyring),
        message_id=message_id[0] if message_id else None,
        sent_to=next(addresses_in(header.first("to")), None),
    )


def find_token(texts: Iterable[str], *, keyring: Keyring) -> bytes | None:
    """The subscriber id of the first genuine unsubscribe token in `texts`."""
    for text in texts:
        for found in _TOKEN.finditer(text):
            if subscriber_id := keyring.verify(found[0], Purpose.UNSUBSCRIBE):
                return subscriber_id
    return None


def without_tokens(text: str) -> str:
    """`text` with an ellipsis for whatever may be a token."""
    return _TOKEN.sub("…", text)


def has_returned_message(mail: Mail) -> bool:
    """Whether another mail, or its header, is attached."""
    return next(mail.of_kind(*_RETURNED_KINDS), None) is not None


def returned_fields(mail: Mail) -> Fields:
    """The header of the mail that came back: attached, or else quoted in the text."""
    for part in mail.of_kind(*_RETURNED_KINDS):
        header = part.header()
        if header.items:
            return header
    # Old systems quote the mail in their text. What stands there as a field is one of its fields, or says nothing.
    return read_fields(_QUOTE_MARKS.sub("", mail.prose).encode("utf-8", "replace"))


def _envelope(mail: Mail, envelope_to: str | None) -> Iterator[str]:
    if envelope_to:
        yield envelope_to
    yield from mail.header.every(*_ENVELOPE)[:MOST_VALUES]
    for value in mail.header.every("received")[:MOST_VALUES]:
        if found := _FOR.search(value):
            yield found[1]


def _first_verp(values: Iterable[str], keyring: Keyring) -> Returned | None:
    for value in values:
        for address in addresses_in(value):
            if returned := decode(address.rpartition("@")[0], keyring=keyring):
                return returned
    return None
