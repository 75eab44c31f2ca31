"""What comes back: the mailbox for bounces, and the calls of mail services."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from newsletter.config.base import Settings
from newsletter.source.scalars import Line

_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]{3,30}:\d{12}:[\w.-]{1,256}", re.ASCII)


def _topic(value: str) -> str:
    if not _TOPIC.fullmatch(value):
        raise ValueError(
            "is not the ARN of a topic such as arn:aws:sns:eu-west-1:123456789012:bounces"
        )
    return value


def _public_key(value: str) -> str:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not a public key in base64, as SendGrid shows it") from None
    return value


class BounceSettings(Settings):
    """The mailbox that bounces come to, where it is on an IMAP server."""

    password_file: Path | None = Field(
        default=None, description="file with mode 0600 that holds its password"
    )
    move_to: Line | None = Field(
        default=None,
        min_length=1,
        description="folder for mails that are done, instead of marking them as seen",
    )


class SesSettings(Settings):
    """Amazon SES, through topics of SNS that call `/webhooks/ses`."""

    topics: tuple[Annotated[Line, AfterValidator(_topic)], ...] = Field(
        min_length=1, description="ARNs of the topics that are believed"
    )


class SendgridSettings(Settings):
    """SendGrid's signed event webhook, which calls `/webhooks/sendgrid`."""

    public_key: Annotated[Line, AfterValidator(_public_key)] = Field(
        min_length=1, description="verification key, as SendGrid shows it"
    )


class MailgunSettings(Settings):
    """Mailgun's webhooks, which call `/webhooks/mailgun`."""

    key_file: Path | None = Field(
        default=None, description="file with mode 0600 that holds the HTTP webhook signing key"
    )


class PostmarkSettings(Settings):
    """Postmark's webhooks, which call `/webhooks/postmark` with a password."""

    user: Line = Field(default="newsletter", min_length=1, description="name in the webhook's URL")
    password_file: Path | None = Field(
        default=None, description="file with mode 0600 that holds the password in the webhook's URL"
    )


class WebhookSettings(Settings):
    """Mail services that tell of bounces and complaints by calling the public endpoint; each off until it is here."""

    ses: SesSettings | None = Field(default=None, description="Amazon SES")
    sendgrid: SendgridSettings | None = Field(default=None, description="SendGrid")
    mailgun: MailgunSettings | None = Field(default=None, description="Mailgun")
    postmark: PostmarkSettings | None = Field(default=None, description="Postmark")
