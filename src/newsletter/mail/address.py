"""Addresses: RFC 5321 mailboxes, with domains of RFC 5890 and local parts of RFC 6531."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_OCTETS = 254  # RFC 5321 4.5.3.1.3 as corrected by RFC 3696's erratum 1690

# The plain case: a lower-case ASCII address with nothing odd about its domain. It gives the answer
# of the library for a twentieth of the price, which a list of a million notices. Capitals (the library
# lowers `Postmaster`), `--` inside a domain (IDN) and special-use names are left to the library.
_ATOM = r"[a-z0-9!#$%&'*+\-/=?^_`{|}~]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN = re.compile(
    rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@"
    rf"(?![^@]*--)(?P<domain>(?:{_LABEL}\.)+"
    rf"(?!(?:arpa|invalid|local|localhost|onion|test)\Z)(?=[^.]*[a-z]\Z){_LABEL})\Z"
)


@dataclass(frozen=True, slots=True)
class Address:
    """One address, validated and normalised. Make it with `parse_address`.

    Attributes:
        local: the part before the @, as the person wrote it (NFC).
        domain: lower-case ASCII, an IDN as its A-labels (`xn--…`), as it goes into the envelope.
        unicode_domain: the same domain as people read it.

    """

    local: str
    domain: str
    unicode_domain: str

    @property
    def envelope(self) -> str:
        """The address as it stands in MAIL FROM and RCPT TO."""
        return f"{self.local}@{self.domain}"

    @property
    def key(self) -> str:
        """What makes two spellings one subscriber: case-folded local part and ASCII domain."""
        return f"{self.local.casefold()}@{self.domain}"

    @property
    def needs_smtputf8(self) -> bool:
        """Whether only a server with SMTPUTF8 (RFC 6531) can take it."""
        return not self.local.isascii()

    def __str__(self) -> str:
        return f"{self.local}@{self.unicode_domain}"


def parse_address(text: str) -> Address:
    """Validate `text` as one bare address, without asking the network.

    White space around it is ignored. Domains that cannot receive mail (`localhost`, `.test`, …) are
    refused, the example domains of RFC 6761 are not. No control character comes through, nor more
    than 254 octets.

    Raises:
        ValueError: with one sentence that says what is wrong with it.

    """
    text = text.strip()
    if len(text) <= MAX_OCTETS and (plain := _PLAIN.match(text)):
        local, domain = plain.groups()
        if len(domain) < MAX_OCTETS:
            return Address(local, domain, domain)
    return _parse_unusual(text)


def _parse_unusual(text: str) -> Address:
    from email_validator import EmailNotValidError, validate_email

    if len(text) > 4 * MAX_OCTETS:  # a megabyte of text needs no exact diagnosis
        raise ValueError("The email address is far too long.")
    try:
        valid = validate_email(text, check_deliverability=False, strict=False)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    return Address(
        valid.local_part, (valid.ascii_domain or valid.domain).lower(), valid.domain.lower()
    )
