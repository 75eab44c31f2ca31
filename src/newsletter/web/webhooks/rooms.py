"""The addresses that mail services call. A call is proved, read, and ends where the mailbox ends: in `Returning.take`.

What is not signed as it should be is refused with 401 or 403 and leaves no trace but a line of the log. A service that
gets 200 does not call again, so that is only said when everything is on disk.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from newsletter.config import (
    MailgunSettings,
    PostmarkSettings,
    SendgridSettings,
    SesSettings,
    read_secret,
)
from newsletter.errors import NewsletterError
from newsletter.feedback.fingerprint import event_fingerprint
from newsletter.feedback.providers import (
    Event,
    read_mailgun,
    read_postmark,
    read_sendgrid,
    read_ses,
)
from newsletter.feedback.providers.event import text
from newsletter.membership import Membership
from newsletter.returning import Returning
from newsletter.web.desk import RETRY_SECONDS, Desk
from newsletter.web.journal import failed, log
from newsletter.web.webhooks.signatures import (
    check_public_key,
    require_cryptography,
    verify_ecdsa,
)
from newsletter.web.webhooks.sns import Kind, Topics
from newsletter.web.webhooks.timing import in_time, seconds

SENDGRID_SIGNATURE = "x-twilio-email-event-webhook-signature"
SENDGRID_TIMESTAMP = "x-twilio-email-event-webhook-timestamp"


class _Refused(Exception):
    """A call that is not believed, or not understood; carries the status."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def routes(desk: Desk) -> list[Route]:
    """`/webhooks/NAME` for each service of newsletter.yaml.

    Raises:
        ConfigError: a secret is missing, or `cryptography` is not installed.

    """
    settings = desk.publication.webhooks
    found: list[tuple[str, Callable[[Request], Any]]] = []
    if settings.ses:
        found.append(("ses", _Ses(desk, settings.ses).call))
    if settings.sendgrid:
        found.append(("sendgrid", _Sendgrid(desk, settings.sendgrid).call))
    if settings.mailgun:
        found.append(("mailgun", _Mailgun(desk, settings.mailgun).call))
    if settings.postmark:
        found.append(("postmark", _Postmark(desk, settings.postmark).call))
    return [Route(f"/webhooks/{name}", call, methods=["POST"]) for name, call in found]


class _Hook:
    """What the services have in common."""

    name = ""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.keyring = desk.project.keyring

    async def call(self, request: Request) -> Response:
        """Answer one call."""
        try:
            events = await self.events(request, await request.body())
            if events:
                await self.desk.writer.do(lambda membership: _take(membership, self.name, events))
        except _Refused as refusal:
            log.warning("%s refused: %s", self.name, refusal)
            headers = {"WWW-Authenticate": "Basic"} if refusal.status == 401 else None
            return PlainTextResponse(f"{refusal}\n", refusal.status, headers=headers)
        except (NewsletterError, OSError) as error:
            failed(f"a call of {self.name}", error)
            headers = {"Retry-After": str(RETRY_SECONDS)}
            return PlainTextResponse("try again later\n", 503, headers=headers)
        return PlainTextResponse("taken\n")

    async def events(self, request: Request, body: bytes) -> Sequence[Event]:
        """What a call tells, if it is genuine.

        Raises:
            _Refused: it is not, or cannot be read.

        """
        raise NotImplementedError


class _Ses(_Hook):
    name = "ses"

    def __init__(self, desk: Desk, settings: SesSettings) -> None:
        super().__init__(desk)
        require_cryptography()
        self._topics = Topics(settings.topics, fetch=desk.fetch, clock=desk.clock)

    async def events(self, _request: Request, body: bytes) -> Sequence[Event]:
        message = _json(body)
        kind = await self._topics.examine(message)
        if kind is None:
            raise _Refused(403, "no genuine message of a topic that is configured")
        if kind is Kind.CONFIRMATION:
            if not await self._topics.confirm(message):
                raise _Refused(403, "no address to confirm a subscription at")
            log.info("ses: subscribed to %s", text(message, "TopicArn"))
            return ()
        if kind is Kind.FAREWELL:
            log.warning("ses: %s will not call any more", text(message, "TopicArn"))
            return ()
        inner = _json(text(message, "Message").encode("utf-8", "replace"))
        return (read_ses(inner, keyring=self.keyring, identity=text(message, "MessageId")),)


class _Sendgrid(_Hook):
    name = "sendgrid"

    def __init__(self, desk: Desk, settings: SendgridSettings) -> None:
        super().__init__(desk)
        require_cryptography()
        check_public_key(settings.public_key)
        self._public_key = settings.public_key

    async def events(self, request: Request, body: bytes) -> Sequence[Event]:
        timestamp = request.headers.get(SENDGRID_TIMESTAMP, "")
        signature = request.headers.get(SENDGRID_SIGNATURE, "")
        signed = timestamp.encode("latin-1") + body
        if not verify_ecdsa(self._public_key, signature, signed):
            raise _Refused(403, "the signature is wrong")
        _require_in_time(timestamp, self.desk.clock())
        return read_sendgrid(_json(body), keyring=self.keyring)


class _Mailgun(_Hook):
    name = "mailgun"

    def __init__(self, desk: Desk, settings: MailgunSettings) -> None:
        super().__init__(desk)
        key = read_secret(
            "NEWSLETTER_MAILGUN_KEY",
            settings.key_file,
            root=desk.project.root,
            environ=desk.project.environ,
            missing="webhooks.mailgun needs its HTTP webhook signing key; set NEWSLETTER_MAILGUN_KEY or key_file",
        )
        self._key = key.encode("utf-8", "surrogateescape")

    async def events(self, _request: Request, body: bytes) -> Sequence[Event]:
        message = _json(body)
        timestamp = text(message, "signature", "timestamp")
        token = text(message, "signature", "token")
        told = text(message, "signature", "signature")
        signed = f"{timestamp}{token}".encode("utf-8", "replace")
        mine = hmac.new(self._key, signed, hashlib.sha256).hexdigest()
        if not token or not hmac.compare_digest(mine.encode(), told.encode("utf-8", "replace")):
            raise _Refused(403, "the signature is wrong")
        _require_in_time(timestamp, self.desk.clock())
        # Only the token is signed, not what the call says: so it is good for one event.
        event = read_mailgun(message, keyring=self.keyring, identity=token)
        return (event._replace(ticket=token),)


class _Postmark(_Hook):
    name = "postmark"

    def __init__(self, desk: Desk, settings: PostmarkSettings) -> None:
        super().__init__(desk)
        password = read_secret(
            "NEWSLETTER_POSTMARK_PASSWORD",
            settings.password_file,
            root=desk.project.root,
            environ=desk.project.environ,
            missing="webhooks.postmark needs a password; set NEWSLETTER_POSTMARK_PASSWORD or password_file",
        )
        self._login = f"{settings.user}:{password}".encode("utf-8", "surrogateescape")

    async def events(self, request: Request, body: bytes) -> Sequence[Event]:
        scheme, _, told = request.headers.get("authorization", "").partition(" ")
        try:
            login = base64.b64decode(told.strip(), validate=True)
        except (binascii.Error, ValueError):
            login = b""
        if scheme.lower() != "basic" or not hmac.compare_digest(login, self._login):
            raise _Refused(401, "the password is wrong")
        identity = hashlib.sha256(body).hexdigest()
        return (read_postmark(_json(body), keyring=self.keyring, identity=identity),)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise _Refused(400, "the body is no JSON") from None


def _require_in_time(timestamp: str, now: float) -> None:
    signed_at = seconds(timestamp)
    if signed_at is None or not in_time(signed_at, now=now):
        raise _Refused(403, "the signature is too old")


def _take(membership: Membership, name: str, events: Sequence[Event]) -> None:
    """Act on each event, once."""
    returns = membership.project.returns(membership.register)
    returning = Returning(membership, returns)
    for event in events:
        if not event.reports:
            continue
        ticket = event_fingerprint(f"{name} ticket", event.ticket)
        if event.ticket and not returns.first_time(ticket, now=membership.now()):
            continue
        returning.take(event.reports, event_fingerprint(name, event.identity), source=name)
