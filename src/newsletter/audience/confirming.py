"""Confirmation links: keyed tokens that say for whom, and until when.

Unlike the tokens of `audience.tokens` they expire: 30 octets in base64url, 40 characters. One octet of version and
purpose, one of key id, four of the last second (Unix time), ten of the subscriber's id, and 14 of HMAC-SHA256.
"""

from __future__ import annotations

import base64
import binascii
import hmac

from newsletter.audience.tokens import ID_LENGTH, Keyring, Purpose

TOKEN_LENGTH = 40

_VERSION = 2 << 4 | Purpose.CONFIRM
_MAC_OCTETS = 14
_UNTIL_OCTETS = 4


def confirmation_token(keyring: Keyring, subscriber_id: bytes, *, until: float) -> str:
    """A token that is good up to `until`, seconds since the epoch.

    Raises:
        ValueError: `subscriber_id` is not 10 bytes.

    """
    if len(subscriber_id) != ID_LENGTH:
        raise ValueError(f"a subscriber id has {ID_LENGTH} bytes, not {len(subscriber_id)}")
    kid = keyring.signing_id
    body = bytes((_VERSION, kid)) + int(until).to_bytes(_UNTIL_OCTETS, "big") + subscriber_id
    return base64.urlsafe_b64encode(body + _mac(keyring, kid, body)).decode("ascii")


def confirmed_by(keyring: Keyring, token: str, *, now: float) -> bytes | None:
    """The subscriber id of a genuine token that has not expired; None for anything else at all."""
    if len(token) != TOKEN_LENGTH or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    body, mac = raw[:-_MAC_OCTETS], raw[-_MAC_OCTETS:]
    expected = _mac(keyring, body[1], body)
    if body[0] != _VERSION or not expected or not hmac.compare_digest(mac, expected):
        return None
    until = int.from_bytes(body[2 : 2 + _UNTIL_OCTETS], "big")
    return body[-ID_LENGTH:] if now <= until else None


def _mac(keyring: Keyring, kid: int, body: bytes) -> bytes:
    """Empty when the keyring has no such key."""
    return (keyring.mac(body, Purpose.CONFIRM, kid=kid) or b"")[:_MAC_OCTETS]
