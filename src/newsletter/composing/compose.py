"""One edition, ready to be turned into each recipient's message."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from newsletter.audience import verp
from newsletter.audience.models import Subscriber
from newsletter.audience.tokens import Keyring
from newsletter.composing.values import Links, Person, Values
from newsletter.config import Publication
from newsletter.errors import ComposeError
from newsletter.mail import headers
from newsletter.mail.address import parse_address
from newsletter.mail.compiled import CompiledMessage, HeaderSlot
from newsletter.mail.message import Envelope, Message
from newsletter.mail.stream import Base64Stream
from newsletter.mail.wellformed import defects
from newsletter.rendering.edition import Edition, EmbeddedImage

if TYPE_CHECKING:
    from newsletter.composing.signing import Signer

TEST_MARK = "[测试] "


class Composer:
    """Builds messages of one edition. The same subscriber always gets the same bytes.

    Args:
        publication: sender, list identity, links.
        edition: what to send; its tokens become slots.
        keyring: for tokens and Message-IDs.
        date: the Date header, aware; the issue's own date, so that every retry says the same.
        test: mark the subject with `[测试]` and give Message-IDs of their own.
        signer: makes the DKIM signatures; None where the relay signs.

    Raises:
        ComposeError: the message would not be well formed.

    """

    def __init__(
        self,
        publication: Publication,
        edition: Edition,
        *,
        keyring: Keyring,
        date: datetime,
        test: bool = False,
        signer: Signer | None = None,
    ) -> None:
        self.publication = publication
        self.edition = edition
        self._keyring = keyring
        self._label = "test message" if test else "message"
        self._links = Links(publication, issue=edition.issue, keyring=keyring)
        self._values = Values(edition.slots, self._links)
        self._domain = publication.sender.address.rpartition("@")[2]
        self._compiled = _compile(publication, edition, date=date, test=test)
        self._smtputf8 = not self._probe().isascii()  # such as a sender's address
        self._seal = (
            signer.seal(self._probe(), body_prefix=self._compiled.body_prefix) if signer else None
        )
        self._verify()

    def message(self, subscriber: Subscriber) -> Message:
        """The message for `subscriber`."""
        address = subscriber.address
        person = Person(subscriber, keyring=self._keyring)
        digest = self._keyring.digest(self._label, str(self.edition.issue), address.key)
        message_id = f"<{self.edition.issue}.{digest[:13].hex()}@{self._domain}>"
        fields = (
            headers.fold("To", headers.mailbox(subscriber.name, address))
            + headers.fold("Message-ID", [message_id])
            + self._way_out(person.token),
        )
        values = self._values.fill(person)
        data = self._compiled.assemble(fields, values)
        if self._seal:
            data = self._seal.fields(data) + data
        smtputf8 = self._smtputf8 or address.needs_smtputf8
        envelope = Envelope(self._reverse_path(person.id), address.envelope, smtputf8)
        return Message(envelope, message_id, data)

    @property
    def digest(self) -> str:
        """SHA-256 over everything that is the same for all recipients, in hex."""
        sha = hashlib.sha256(self._probe())
        sha.update(f"{self.publication.public_url}\n{self._links.mailbox}".encode())
        for slot in self.edition.slots:
            sha.update(f"{slot.name}\n{slot.landing}\n{slot.fallback}\n".encode())
        return sha.hexdigest()

    def html(self, subscriber: Subscriber) -> str:
        """The HTML part as `subscriber` gets it."""
        return self._fill(self.edition.html, subscriber)

    def text(self, subscriber: Subscriber) -> str:
        """The plain-text part as `subscriber` gets it."""
        return self._fill(self.edition.text, subscriber)

    def _reverse_path(self, subscriber_id: bytes) -> str:
        """Where this message's bounce goes; with `bounce_address` it tells whose it is."""
        mailbox = self.publication.bounce_address
        if mailbox is None:
            return self.publication.sender.address
        issue = self.edition.issue
        return verp.encode(mailbox, issue=issue, subscriber_id=subscriber_id, keyring=self._keyring)

    def _way_out(self, token: str) -> bytes:
        """List-Unsubscribe (RFC 2369) and List-Unsubscribe-Post (RFC 8058)."""
        mailto = f"<{self._links.unsubscribe_mailto(token)}>"
        http = self._links.unsubscribe_http(token)
        if not http:
            return headers.structured("List-Unsubscribe", mailto)
        return headers.structured("List-Unsubscribe", f"<{http}>,", mailto) + headers.structured(
            "List-Unsubscribe-Post", "List-Unsubscribe=One-Click"
        )

    def _fill(self, text: str, subscriber: Subscriber) -> str:
        values = self._values.fill(Person(subscriber, keyring=self._keyring))
        for slot, value in zip(self.edition.slots, values, strict=True):
            text = text.replace(slot.token, value.decode())
        return text

    def _probe(self) -> bytes:
        """A message to nobody: every slot holds its own token."""
        fields = headers.fold("To", ["<probe@example.org>"]) + headers.fold("Message-ID", ["<p@x>"])
        fields += self._way_out("probe")
        return self._compiled.assemble(
            (fields,), [slot.token.encode() for slot in self.edition.slots]
        )

    def _verify(self) -> None:
        """Fill every slot with its own token: the result must be well formed and decode to the edition."""
        from email import policy
        from email.parser import BytesParser

        data = self._probe()
        if self._seal:
            data = self._seal.fields(data) + data
        if found := list(defects(data)):
            raise ComposeError(
                f"issue {self.edition.issue} makes a bad message: {'; '.join(found)}"
            )
        parsed = BytesParser(policy=policy.SMTP).parsebytes(data)
        for subtype, source in (("plain", self.edition.text), ("html", self.edition.html)):
            part = parsed.get_body(preferencelist=(subtype,))
            decoded = part.get_payload(decode=True) if part else None
            if decoded != _wire_text(source):
                raise ComposeError(f"the text/{subtype} part did not survive its encoding")


def _wire_text(text: str) -> bytes:
    """UTF-8 with CRLF line ends, the last line ended too."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")
    return "\r\n".join([*lines, ""]).encode()


def _compile(
    publication: Publication, edition: Edition, *, date: datetime, test: bool
) -> CompiledMessage:
    boundary = f"=_{edition.digest[:32]}"
    pieces: list[bytes | HeaderSlot | Base64Stream] = [
        _common_header(publication, edition, date=date, test=test),
        HeaderSlot(0),
        headers.structured("Content-Type", "multipart/alternative;", f'boundary="{boundary}"'),
        b"\r\n--" + boundary.encode() + b"\r\n",
        *_text_part("plain", edition.text, edition),
        b"--" + boundary.encode() + b"\r\n",
        *_html_part(edition, f"{boundary}.r"),
        b"--" + boundary.encode() + b"--\r\n",
    ]
    return CompiledMessage(pieces)


def _common_header(
    publication: Publication, edition: Edition, *, date: datetime, test: bool
) -> bytes:
    """The fields that are the same for every recipient."""
    sender = headers.mailbox(publication.sender.name, parse_address(publication.sender.address))
    subject = (TEST_MARK if test else "") + edition.subject
    fields = [
        headers.fold("From", sender),
        headers.field("Subject", subject),
        headers.structured("Date", headers.date(date)),
        headers.structured("MIME-Version", "1.0"),
        headers.fold(
            "List-Id",
            [*headers.display_name(publication.name), f"<{publication.list_identifier}>"],
        ),
        headers.structured("Precedence", "bulk"),
        headers.structured(
            "Feedback-ID", f"{edition.issue}:{publication.list_identifier}:issue:newsletter"
        ),
        headers.structured("Content-Language", edition.language),
    ]
    if publication.reply_to:
        reply_to = headers.mailbox("", parse_address(publication.reply_to))
        fields.insert(1, headers.fold("Reply-To", reply_to))
    if publication.site_url:
        fields.append(headers.structured("List-Archive", f"<{publication.site_url}>"))
    return b"".join(fields)


def _html_part(edition: Edition, boundary: str) -> list[bytes | HeaderSlot | Base64Stream]:
    """The HTML alone, or with its embedded images in multipart/related (RFC 2387)."""
    html = _text_part("html", edition.html, edition)
    if not edition.images:
        return html
    edge = b"--" + boundary.encode()
    opening = headers.structured(
        "Content-Type", "multipart/related;", 'type="text/html";', f'boundary="{boundary}"'
    )
    images = b"".join(edge + b"\r\n" + _image_part(image) for image in edition.images)
    return [opening + b"\r\n" + edge + b"\r\n", *html, images + edge + b"--\r\n"]


def _text_part(
    subtype: str, text: str, edition: Edition
) -> list[bytes | HeaderSlot | Base64Stream]:
    head = headers.structured("Content-Type", f"text/{subtype};", "charset=utf-8")
    head += headers.structured("Content-Transfer-Encoding", "base64")
    runs, slots = _split(_wire_text(text), [slot.token for slot in edition.slots])
    return [head + b"\r\n", Base64Stream(runs, slots)]


def _image_part(image: EmbeddedImage) -> bytes:
    name = re.sub(r"[^A-Za-z0-9._-]", "_", image.filename)
    return (
        headers.structured("Content-Type", f"{image.mime_type};", f'name="{name}"')
        + headers.structured("Content-Transfer-Encoding", "base64")
        + headers.structured("Content-ID", f"<{image.content_id}>")
        + headers.structured("Content-Disposition", "inline;", f'filename="{name}"')
        + b"\r\n"
        + _encoded(image.data)
    )


def _encoded(data: bytes) -> bytes:
    out: list[bytes] = []
    Base64Stream([data], []).fill([], out)
    return b"".join(out)


def _split(data: bytes, tokens: Sequence[str]) -> tuple[list[bytes], list[int]]:
    """Cut `data` at every token: the runs between, and which token stood in each gap."""
    if not tokens:
        return [data], []
    index = {token.encode(): i for i, token in enumerate(tokens)}
    pieces = re.split(b"(" + b"|".join(map(re.escape, index)) + b")", data)
    return pieces[::2], [index[token] for token in pieces[1::2]]
