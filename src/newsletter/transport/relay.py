"""The relay as one URL: `smtp://host:25`, `smtps://host:465`, `smtp+starttls://user@host:587`."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from newsletter.config import Publication, read_secret
from newsletter.errors import ConfigError

HOW = "set NEWSLETTER_RELAY, or relay.url in newsletter.yaml, to smtp://host:25, smtps://host:465 or smtp+starttls://user@host:587"

NO_PASSWORD = (
    "the relay URL names a user, but there is no password;"
    " set NEWSLETTER_RELAY_PASSWORD or relay.password_file"
)


class Security(StrEnum):
    """How the connection is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    IMPLICIT = "tls"


_SCHEMES = {
    "smtp": (25, Security.NONE),
    "smtps": (465, Security.IMPLICIT),
    "smtp+starttls": (587, Security.STARTTLS),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Where and how mail is handed over."""

    host: str
    port: int
    security: Security
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        scheme = {Security.NONE: "smtp", Security.IMPLICIT: "smtps"}.get(
            self.security, "smtp+starttls"
        )
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"


def find_relay(publication: Publication, *, root: Path, environ: Mapping[str, str]) -> Relay:
    """The configured relay with its password.

    Raises:
        ConfigError: there is none, the URL is wrong, or the password is missing or unsafe.

    """
    url = environ.get("NEWSLETTER_RELAY") or publication.relay.url
    if not url:
        raise ConfigError(f"no relay is configured; {HOW}")
    relay = parse_relay(url)
    if relay.username is None:
        return relay
    password = read_secret(
        "NEWSLETTER_RELAY_PASSWORD",
        publication.relay.password_file,
        root=root,
        environ=environ,
        missing=NO_PASSWORD,
    )
    return Relay(
        host=relay.host,
        port=relay.port,
        security=relay.security,
        username=relay.username,
        password=password,
    )


def parse_relay(url: str) -> Relay:
    """Read a relay URL.

    A remote `smtp://` insists on STARTTLS unless the URL says `?tls=none`; loopback does not.

    Raises:
        ConfigError: with what is wrong.

    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:  # its words would repeat what may be a password
        raise ConfigError(f"relay: {_shown(url)} is not a relay URL; {HOW}") from None
    if parts.scheme not in _SCHEMES or not parts.hostname or port == 0:
        raise ConfigError(f"relay: {_shown(url)} is not a relay URL; {HOW}")
    if parts.password is not None:
        raise ConfigError(
            "relay: a password in the URL ends up in logs and process lists;"
            " put it into NEWSLETTER_RELAY_PASSWORD or into the file named by relay.password_file"
        )
    if parts.path.strip("/") or parts.fragment:
        raise ConfigError(f"relay: {_shown(url)} has something after the port; {HOW}")
    default_port, security = _SCHEMES[parts.scheme]
    options = parse_qs(parts.query, keep_blank_values=True)
    wants_none = options.pop("tls", None)
    if options or wants_none not in (None, ["none"]):
        raise ConfigError("relay: the only option of a relay URL is ?tls=none")
    if security is Security.NONE and not wants_none and not _is_loopback(parts.hostname):
        security = Security.STARTTLS
    elif wants_none and security is not Security.NONE:
        raise ConfigError(f"relay: {parts.scheme}:// and ?tls=none contradict each other")
    username = unquote(parts.username) if parts.username else None
    if username and security is Security.NONE and not _is_loopback(parts.hostname):
        raise ConfigError("relay: a login over an open connection would show the password; use TLS")
    return Relay(
        host=parts.hostname, port=port or default_port, security=security, username=username
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _shown(url: str) -> str:
    """The URL, quoted, without anything that could be a password."""
    head, at, tail = url.rpartition("@")
    if at:
        return repr(f"…@{tail}") if ":" in head.split("//", 1)[-1] else repr(url)
    scheme, _, rest = url.rpartition("//")
    host, colon, port = rest.partition(":")
    return repr(url) if port.isdecimal() or not colon else repr(f"{scheme}//{host}:…")
