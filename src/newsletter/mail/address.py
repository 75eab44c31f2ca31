"""Addresses: RFC 5321 mailboxes with internationalised domains (RFC 5890) and local parts (RFC 6531)."""

from __future__ import annotations

from dataclasses import dataclass


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

    Raises:
        ValueError: with one sentence that says what is wrong with it.
    """
    from email_validator import EmailNotValidError, validate_email

    try:
        valid = validate_email(text.strip(), check_deliverability=False, strict=False)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    domain = valid.ascii_domain or valid.domain
    return Address(valid.local_part, domain.lower(), valid.domain.lower())
