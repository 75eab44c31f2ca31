"""How mail is handed over: the relay, pace and patience, signatures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, field_validator

from newsletter.config.base import Settings
from newsletter.source.scalars import Domain, Line, Selector, Whole


class RelaySettings(Settings):
    """Where mail is handed over. The password is never in this file."""

    url: Line | None = Field(
        default=None,
        description="smtp://host:25, smtps://host:465 or smtp+starttls://user@host:587",
    )
    password_file: Path | None = Field(
        default=None, description="file with mode 0600 that holds the password"
    )


class DomainSettings(Settings):
    """Limits for one recipient domain, instead of the built-in ones."""

    connections: Whole | None = Field(default=None, ge=1, description="messages under way at once")
    messages_per_connection: Whole | None = Field(
        default=None, ge=1, description="then another one"
    )
    rate: float | None = Field(default=None, gt=0, description="messages a minute")


class WarmUpSettings(Settings):
    """A daily cap for a sender that nobody knows yet. Days are UTC and count when something was sent."""

    start: Whole = Field(default=200, ge=1, description="messages on the first day")
    factor: float = Field(
        default=1.5, ge=1, description="each further day allows this many times more"
    )


class SendSettings(Settings):
    """How fast and how patiently to send."""

    connections: Whole = Field(default=4, ge=1, le=100, description="open connections to the relay")
    messages_per_connection: Whole = Field(default=500, ge=1, description="then a new connection")
    window: float | None = Field(
        default=None,
        ge=0,
        description="seconds one run may wait for deferred mail; else 1800 on a terminal, 0 elsewhere",
    )
    rate: float | None = Field(default=None, gt=0, description="messages a second over the relay")
    retry: tuple[float, ...] = Field(
        default=(5, 10, 20, 40), description="minutes to wait after the first, second, … deferral"
    )
    retry_then: float = Field(
        default=4000 / 60, gt=0, description="minutes after every further one"
    )
    give_up: float = Field(default=48, gt=0, description="hours after the first try, then expired")
    domains: Mapping[str, DomainSettings] = Field(
        default_factory=dict,
        description="limits by recipient domain, over the built-in polite ones",
    )
    warm_up: WarmUpSettings | None = Field(
        default=None, description="a daily cap that grows, for a sender that nobody knows yet"
    )
    due_within: float | None = Field(
        default=None,
        gt=0,
        description="days: `send --due` leaves an older issue alone that was never sent from here",
    )


class DkimKey(Settings):
    """A private key that signs, and the name that its public half has in the DNS."""

    selector: Selector = Field(description="public half at SELECTOR._domainkey.DOMAIN")
    file: Path | None = Field(
        default=None,
        description="private key in PEM, mode 0600; .newsletter/dkim/SELECTOR.pem when absent",
    )

    @property
    def path(self) -> Path:
        """Where the private key is, as the user would write it."""
        return self.file or Path(".newsletter", "dkim", f"{self.selector}.pem")


class DkimSettings(Settings):
    """Signatures made here (RFC 6376). Leave it out where the relay signs."""

    domain: Domain | None = Field(
        default=None, description="the domain that signs; that of the From address when absent"
    )
    keys: tuple[DkimKey, ...] = Field(
        min_length=1, description="each makes a signature: one RSA, or RSA and Ed25519"
    )

    @field_validator("keys")
    @classmethod
    def _distinct(cls, value: tuple[DkimKey, ...]) -> tuple[DkimKey, ...]:
        if len({key.selector.lower() for key in value}) < len(value):
            raise ValueError("must each have a selector of their own")  # RFC 8463 section 4
        return value
