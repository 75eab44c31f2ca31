"""The values that differ per recipient, and how each is escaped for the place it lands in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
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
        self._mailto = f"mailto:{quote(self.mailbox, safe='@')}"

    def unsubscribe_http(self, token: str) -> str | None:
        """The page (GET) and one-click target (POST, RFC 8058), when there is a public endpoint."""
        base = self._publication.public_url
        return f"{base}/u/{token}" if base else None

    def unsubscribe_mailto(self, token: str) -> str:
        """The way out that needs no web server (RFC 6068)."""
        return f"{self._mailto}?subject=unsubscribe%20{token}"

    def unsubscribe(self, token: str) -> str:
        """The way out that the body shows: the page, or else a mail."""
        return self.unsubscribe_http(token) or self.unsubscribe_mailto(token)

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


class Values:
    """The personal values of an edition's slots, each made once per recipient however often it stands there.

    Args:
        slots: of the edition.
        links: for the personal links.

    Raises:
        ComposeError: a slot asks for something that does not exist.

    """

    def __init__(self, slots: Sequence[Slot], links: Links) -> None:
        self._links = links
        wanted: dict[tuple[str, str], int] = {}
        landed: dict[tuple[int, Landing], int] = {}
        self._order: list[int] = []
        for slot in slots:
            plain = wanted.setdefault((slot.name, slot.fallback), len(wanted))
            self._order.append(landed.setdefault((plain, slot.landing), len(landed)))
        self._wanted = [(_getter(name, fallback), fallback) for name, fallback in wanted]
        self._landed = list(landed)

    def fill(self, person: Person) -> list[bytes]:
        """One escaped value per slot."""
        plain = [getter(person, self._links) or fallback for getter, fallback in self._wanted]
        escaped = [escape_for(landing, plain[index]) for index, landing in self._landed]
        return [escaped[index] for index in self._order]


class Person:
    """A recipient while a message is made: the subscriber and what is derived from the address.

    Attributes:
        subscriber: of the list.
        id: the subscriber's keyed id, 10 bytes.
        token: the unsubscribe token.

    """

    __slots__ = ("id", "subscriber", "token")

    def __init__(self, subscriber: Subscriber, *, keyring: Keyring) -> None:
        self.subscriber = subscriber
        self.id = keyring.subscriber_id(subscriber.address.key)
        self.token = keyring.token(Purpose.UNSUBSCRIBE, self.id)


Getter = Callable[[Person, Links], str]


def _getter(name: str, fallback: str) -> Getter:
    """What yields the value of that name.

    Raises:
        ComposeError: nothing is known by that name.

    """
    if name in _GETTERS:
        return _GETTERS[name]
    if name.startswith("fields."):
        return _field_getter(name.removeprefix("fields."), required=not fallback)
    raise ComposeError(f"a template uses the personal value {name!r}, which does not exist")


def _field_getter(column: str, *, required: bool) -> Getter:
    def get(person: Person, links: Links) -> str:
        value = person.subscriber.fields.get(column)
        if value is None and required:
            known = ", ".join(sorted(person.subscriber.fields)) or "none"
            raise ComposeError(
                f"a template uses subscriber.fields.{column}, but the list has no such column"
                f" (further columns: {known}); add it or use |fallback('…')"
            )
        return value or ""

    return get


_GETTERS: Mapping[str, Getter] = {
    "name": lambda person, links: person.subscriber.name,
    "email": lambda person, links: str(person.subscriber.address),
    "language": lambda person, links: person.subscriber.language or "",
    "unsubscribe_url": lambda person, links: links.unsubscribe(person.token),
    "online_url": lambda person, links: links.online(person.id),
}


def escape_for(landing: Landing, value: str) -> bytes:
    """`value` made harmless for where it lands: no markup, no line breaks, no way out of an attribute."""
    if not value.isprintable():
        value = _CONTROL.sub(" ", value)
    if landing is Landing.HTML:
        value = escape(value, quote=True)
    elif landing is Landing.URL:
        value = quote(value, safe="", errors="replace")
    return value.encode("utf-8", "replace")
