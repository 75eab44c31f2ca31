"""The mail that asks whether somebody really wants to subscribe.

It goes to an address that anybody can type, so it has no word of the visitor in it, not even a name, and it is the
same at every retry.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from newsletter.audience import verp
from newsletter.audience.confirming import TOKEN_LENGTH, confirmation_token
from newsletter.audience.register import DAY, Confirmation
from newsletter.audience.tokens import Keyring
from newsletter.config import Publication
from newsletter.errors import ComposeError
from newsletter.mail import headers
from newsletter.mail.address import Address, parse_address
from newsletter.mail.message import Envelope, Message
from newsletter.mail.stream import encode_lines
from newsletter.mail.wellformed import defects
from newsletter.rendering.pages import Pages

if TYPE_CHECKING:
    from newsletter.composing.signing import Signer

NO_ISSUE = 0
"""Stands in return paths of mail that belongs to no issue."""

_PLACE = "T0KEN" * (TOKEN_LENGTH // 5)  # as long as a token, and made of what a token is made of


class ConfirmationMail:
    """Makes the mails; the templates are rendered once.

    Args:
        publication: From address, language, the endpoint's `public_url`, how long a link is good for.
        pages: the publication's templates.
        keyring: for links, return paths and Message-IDs.
        signer: makes the DKIM signatures; None where the relay signs.

    Raises:
        ComposeError: there is no `public_url`, or the mail would not be well formed.
        TemplateError: a template is missing or wrong.

    """

    def __init__(
        self, publication: Publication, pages: Pages, *, keyring: Keyring, signer: Signer | None
    ) -> None:
        if publication.public_url is None:
            raise ComposeError("newsletter.yaml has no public_url, so no link can be made")
        self._publication = publication
        self._keyring = keyring
        self._signer = signer
        days = f"{publication.signup.expires:g}"
        link = f"{publication.public_url}/c/{_PLACE}"
        self._parts = pages.mail("confirm", confirm_url=link, days=days)
        self._language = pages.language("")
        for part in (self._parts.text, self._parts.html):
            if link not in part:
                raise ComposeError("templates/pages/confirm-mail: both must show `confirm_url`")
        self._verify()

    def message(self, confirmation: Confirmation) -> Message:
        """The mail for somebody who waits for it."""
        member = confirmation.member
        until = confirmation.requested_at + self._publication.signup.expires * DAY
        token = confirmation_token(self._keyring, member.id, until=until)
        return self._made(member.subscriber.address, member.id, token, confirmation.requested_at)

    def _made(self, address: Address, who: bytes, token: str, at: float) -> Message:
        domain = self._publication.sender.address.rpartition("@")[2]
        digest = self._keyring.digest("confirmation", address.key, repr(at))[:16].hex()
        message_id = f"<{digest}@{domain}>"
        data = self._header(address, message_id, at) + self._body(token, digest)
        if self._signer:
            data = self._signer.seal(data).fields(data) + data
        smtputf8 = address.needs_smtputf8 or not data.isascii()
        return Message(
            Envelope(self._reverse_path(who), address.envelope, smtputf8), message_id, data
        )

    def _header(self, address: Address, message_id: str, at: float) -> bytes:
        publication = self._publication
        sender = headers.mailbox(publication.sender.name, parse_address(publication.sender.address))
        fields = [headers.fold("From", sender)]
        if publication.reply_to:
            reply_to = headers.mailbox("", parse_address(publication.reply_to))
            fields.append(headers.fold("Reply-To", reply_to))
        moment = datetime.fromtimestamp(at, UTC).astimezone(publication.zone)
        return b"".join(
            [
                *fields,
                headers.fold("To", headers.mailbox("", address)),
                headers.field("Subject", self._parts.subject),
                headers.structured("Date", headers.date(moment)),
                headers.fold("Message-ID", [message_id]),
                headers.structured("MIME-Version", "1.0"),
                headers.structured("Auto-Submitted", "auto-generated"),  # RFC 3834 section 5
                headers.structured("Content-Language", self._language),
            ]
        )

    def _body(self, token: str, digest: str) -> bytes:
        boundary = f"=_{digest}"
        edge = b"--" + boundary.encode() + b"\r\n"
        opening = headers.structured(
            "Content-Type", "multipart/alternative;", f'boundary="{boundary}"'
        )
        return b"".join(
            [
                opening + b"\r\n",
                edge + _part("plain", self._parts.text.replace(_PLACE, token)),
                edge + _part("html", self._parts.html.replace(_PLACE, token)),
                edge[:-2] + b"--\r\n",
            ]
        )

    def _reverse_path(self, who: bytes) -> str:
        mailbox = self._publication.bounce_address
        if mailbox is None:
            return self._publication.sender.address
        return verp.encode(mailbox, issue=NO_ISSUE, subscriber_id=who, keyring=self._keyring)

    def _verify(self) -> None:
        probe = self._made(parse_address("probe@example.org"), bytes(10), _PLACE, 0.0)
        if found := list(defects(probe.data)):
            raise ComposeError(f"the confirmation mail is bad: {'; '.join(found)}")


def _part(subtype: str, text: str) -> bytes:
    lines = text.rstrip("\n").split("\n")
    return (
        headers.structured("Content-Type", f"text/{subtype};", "charset=utf-8")
        + headers.structured("Content-Transfer-Encoding", "base64")
        + b"\r\n"
        + encode_lines("\r\n".join([*lines, ""]).encode())
    )
