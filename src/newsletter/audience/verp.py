"""Whose bounce is it? Issue and subscriber in a return path that only the keyring can make.

A token is one octet of version, one of key id, three of the issue's number, the ten of the subscriber's id, and ten of
HMAC-SHA256: 80 bits, the least that RFC 2104 section 5 allows, since a forger can only guess by sending mail, and gains
no more than a false bounce. How it is spelt is for `mail.verp`.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

from newsletter.audience.tokens import ID_LENGTH, Keyring, Purpose
from newsletter.mail.verp import TOKEN_OCTETS, find_token, reverse_path

_VERSION = 1
_ISSUE_OCTETS = 3
_BODY_OCTETS = 2 + _ISSUE_OCTETS + ID_LENGTH
_MAC_OCTETS = TOKEN_OCTETS - _BODY_OCTETS


class Returned(NamedTuple):
    """What a return path says: the issue's number, and the id of `Keyring.subscriber_id`."""

    issue: int
    subscriber_id: bytes


def encode(mailbox: str, *, issue: int, subscriber_id: bytes, keyring: Keyring) -> str:
    """The reverse path of a message, the same at every retry.

    Args:
        mailbox: `bounce_address`, at most 23 octets before the @.
        issue: the issue's number, below 16,777,216.
        subscriber_id: 10 bytes.
        keyring: signs with its newest key.

    Raises:
        ValueError: an argument is too long.
        OverflowError: the number is.

    """
    if len(subscriber_id) != ID_LENGTH:
        raise ValueError(f"a subscriber id has {ID_LENGTH} bytes, not {len(subscriber_id)}")
    kid = keyring.signing_id
    body = bytes((_VERSION, kid)) + issue.to_bytes(_ISSUE_OCTETS, "big") + subscriber_id
    return reverse_path(mailbox, body + _mac(keyring, kid, body))


def decode(local_part: str, *, keyring: Keyring) -> Returned | None:
    """What a genuine return path says, by its local part; None for anything else at all."""
    token = find_token(local_part)
    if token is None or token[0] != _VERSION:
        return None
    body, mac = token[:_BODY_OCTETS], token[_BODY_OCTETS:]
    expected = _mac(keyring, body[1], body)
    if not expected or not hmac.compare_digest(mac, expected):
        return None
    issue, subscriber_id = body[2 : 2 + _ISSUE_OCTETS], body[-ID_LENGTH:]
    return Returned(int.from_bytes(issue, "big"), subscriber_id)


def _mac(keyring: Keyring, kid: int, body: bytes) -> bytes:
    """Empty when the keyring has no such key."""
    return (keyring.mac(body, Purpose.BOUNCE, kid=kid) or b"")[:_MAC_OCTETS]
