"""Amazon SNS, which carries what SES tells: signed messages, and topics that ask whether we want them.

A signature is made with the key of a certificate whose address stands in the message itself, so what makes it genuine
is that the certificate comes over https from the host of SNS in the region of a topic that is configured.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs, urlsplit

from newsletter.feedback.providers.event import text
from newsletter.web.webhooks.signatures import verify_rsa
from newsletter.web.webhooks.timing import in_time

Fetch = Callable[[str], bytes]
"""What gets a small thing over https; raises OSError."""

MOST_CERTIFICATES = 8
FETCHES = 10  # certificates that are fetched …
FETCH_SECONDS = 60.0  # … in so many seconds: anybody may name addresses

_SIGNED = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9a-zA-Z]{1,64}\.pem")


class Kind(StrEnum):
    """What a genuine message is."""

    NOTIFICATION = "Notification"
    CONFIRMATION = "SubscriptionConfirmation"
    FAREWELL = "UnsubscribeConfirmation"


class Topics:
    """Tells whether messages come from the topics that are configured.

    Args:
        topics: their ARNs.
        fetch: gets certificates.
        clock: seconds since the epoch.

    """

    def __init__(self, topics: Sequence[str], *, fetch: Fetch, clock: Callable[[], float]) -> None:
        self._topics = frozenset(topics)
        self._fetch = fetch
        self._clock = clock
        self._certificates: dict[str, bytes] = {}
        self._fetched: list[float] = []
        self._lock = asyncio.Lock()

    async def examine(self, message: Any) -> Kind | None:
        """What a message is, if it is genuine; None for anything else at all.

        Raises:
            OSError: the certificate cannot be had now.

        """
        topic, kind = text(message, "TopicArn"), text(message, "Type")
        url = text(message, "SigningCertURL")
        if topic not in self._topics or kind not in list(Kind):
            return None
        if not self._in_time(text(message, "Timestamp")) or not _is_certificate(url, topic):
            return None
        genuine = verify_rsa(
            await self._certificate(url),
            text(message, "Signature"),
            to_sign(message),
            version=text(message, "SignatureVersion"),
            now=self._clock(),
        )
        return Kind(kind) if genuine else None

    async def confirm(self, message: Any) -> bool:
        """Tell SNS that we want the topic of a genuine confirmation; false when the address in it is not SNS's.

        Raises:
            OSError: SNS cannot be reached now.

        """
        topic, url = text(message, "TopicArn"), text(message, "SubscribeURL")
        parts = urlsplit(url) if _is_pinned(url, topic) else None
        wish = parse_qs(parts.query) if parts and parts.path in ("", "/") else {}
        if wish.get("Action") != ["ConfirmSubscription"] or wish.get("TopicArn") != [topic]:
            return False
        await asyncio.to_thread(self._fetch, url)
        return True

    async def _certificate(self, url: str) -> bytes:
        async with self._lock:
            if url not in self._certificates:
                now = self._clock()
                self._fetched = [at for at in self._fetched if at > now - FETCH_SECONDS]
                if len(self._fetched) >= FETCHES:
                    raise OSError(0, "too many certificates were asked for")
                self._fetched.append(now)
                found = await asyncio.to_thread(self._fetch, url)
                if len(self._certificates) >= MOST_CERTIFICATES:
                    self._certificates.clear()
                self._certificates[url] = found
            return self._certificates[url]

    def _in_time(self, timestamp: str) -> bool:
        try:
            at = datetime.fromisoformat(timestamp)
        except ValueError:
            return False
        return at.tzinfo is not None and in_time(at.timestamp(), now=self._clock())


def to_sign(message: Any) -> bytes:
    """The octets that SNS signs: names and values of some fields, a line each."""
    notification = text(message, "Type") == Kind.NOTIFICATION
    names = _SIGNED_NOTIFICATION if notification else _SIGNED
    lines = (
        f"{name}\n{text(message, name)}\n"
        for name in names
        if name != "Subject" or text(message, name)
    )
    return "".join(lines).encode("utf-8", "replace")


def _is_certificate(url: str, topic: str) -> bool:
    return _is_pinned(url, topic) and bool(_CERTIFICATE.fullmatch(urlsplit(url).path))


def _is_pinned(url: str, topic: str) -> bool:
    """Whether an address is on the host of SNS in the region of a topic."""
    _, partition, _, region, *_ = topic.split(":")
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return url.isascii() and (parts.scheme, parts.netloc) == ("https", f"sns.{region}.{suffix}")
