"""How people come and go: the form, the endpoint, and what mail services report."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network

from pydantic import Field, field_validator

from newsletter.config.base import Settings
from newsletter.source.scalars import HttpUrl, Line, Whole


class SignupSettings(Settings):
    """The subscribe form and the preferences page."""

    open: bool = Field(default=True, description="whether new people may subscribe by themselves")
    ask_name: bool = Field(default=True, description="whether the form asks for a name")
    topics: Mapping[str, Line] = Field(
        default_factory=dict, description="tags that people may choose, with their labels"
    )
    languages: Mapping[str, Line] = Field(
        default_factory=dict, description="languages that people may choose, with their labels"
    )
    wording: Line | None = Field(
        default=None, description="what people agree to, kept with every consent"
    )
    privacy_url: HttpUrl | None = Field(default=None, description="the privacy notice")
    expires: float = Field(default=7, gt=0, description="days that a confirmation link is good for")
    forget: float = Field(
        default=30, gt=0, description="days after which an unconfirmed request is dropped"
    )


class WebSettings(Settings):
    """The public endpoint."""

    per_network: Whole = Field(
        default=20, ge=1, description="subscribe requests an hour from one network (/24, /56)"
    )
    answer_after: float = Field(
        default=0.25,
        ge=0,
        le=5,
        description="seconds that the subscribe form takes to answer, or a multiple of them, so that "
        "nobody can tell known addresses by the time it took",
    )
    trusted_proxies: tuple[Line, ...] = Field(
        default=("127.0.0.1/32", "::1/128"),
        description="networks whose X-Forwarded-For is believed",
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                ip_network(network)
            except ValueError:
                raise ValueError(
                    f"has {network!r}, which is no network such as 10.0.0.0/8"
                ) from None
        return value
