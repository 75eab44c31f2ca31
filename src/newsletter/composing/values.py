"""The values that differ per recipient, and how each is escaped for the place it lands in."""

from __future__ import annotations

import re
from html import escape
from urllib.parse import quote

from newsletter.audience.models import Subscriber
from newsletter.audience.tokens import Keyring, Purpose
from newsletter.config import Publication
from newsletter.errors import ComposeError
from newsletter.rendering.edition import Landing, Slot

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


class Links:
    """The personal links of a subscriber, with keyed tokens instead of addresses.

    Args:
        publication: tells where the public endpoint and the archive are.
        issue: the issue's number.
        keyring: signs the tokens.

    """

    def __init__(self, publication: Publication, *, issue: int, keyring: Keyring) -> None:
        self._publication = publication
        self._issue = issue
        self._keyring = keyring
        self.mailbox = publication.unsubscribe_address or publication.sender.address

    def unsubscribe_token(self, subscriber_id: bytes) -> str:
        """The token behind both ways out, about 34 characters."""
        return self._keyring.token(Purpose.UNSUBSCRIBE, subscriber_id)

    def unsubscribe_http(self, token: str) -> str | None:
        """The page (GET) and one-click target (POST, RFC 8058), when there is a public endpoint."""
        base = self._publication.public_url
        return f"{base}/u/{token}" if base else None

    def unsubscribe_mailto(self, token: str) -> str:
        """The way out that needs no web server (RFC 6068)."""
        return f"mailto:{quote(self.mailbox, safe='@')}?subject=unsubscribe%20{token}"

    def online(self, subscriber_id: bytes) -> str:
        """Where this issue can be read in a browser: the archive, else the subscriber's own view."""
        if self._publication.site_url:
            return f"{self._publication.site_url}/{self._issue}/"
        if self._publication.public_url:
            token = self._keyring.token(Purpose.VIEW, subscriber_id)
            return f"{self._publication.public_url}/v/{self._issue}/{token}"
        raise ComposeError(
            "a template uses online_url, but newsletter.yaml has neither site_url nor public_url"
        )


def plain_value(slot: Slot, subscriber: Subscriber, links: Links, subscriber_id: bytes) -> str:
    """The value of `slot` for `subscriber`, not yet escaped.

    Raises:
        ComposeError: nothing is known by that name.

    """
    match slot.name:
        case "name":
            value = subscriber.name
        case "email":
            value = str(subscriber.address)
        case "language":
            value = subscriber.language or ""
        case "unsubscribe_url":
            token = links.unsubscribe_token(subscriber_id)
            value = links.unsubscribe_http(token) or links.unsubscribe_mailto(token)
        case "online_url":
            value = links.online(subscriber_id)
        case name if name.startswith("fields."):
            value = _field(name.removeprefix("fields."), subscriber, slot)
        case name:
            raise ComposeError(f"a template uses the personal value {name!r}, which does not exist")
    return value or slot.fallback


def escape_for(landing: Landing, value: str) -> bytes:
    """`value` made harmless for where it lands: no markup, no line breaks, no way out of an attribute."""
    value = _CONTROL.sub(" ", value)
    if landing is Landing.HTML:
        value = escape(value, quote=True)
    elif landing is Landing.URL:
        value = quote(value, safe="")
    return value.encode("utf-8", "replace")


def _field(name: str, subscriber: Subscriber, slot: Slot) -> str:
    value = subscriber.fields.get(name)
    if value is None and not slot.fallback:
        known = ", ".join(sorted(subscriber.fields)) or "none"
        raise ComposeError(
            f"a template uses subscriber.fields.{name}, but the list has no such column"
            f" (further columns: {known}); add it or use |fallback('…')"
        )
    return value or ""
