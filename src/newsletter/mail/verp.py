"""VERP: a return path of its own for every message, so that a bounce tells whose it is without being read.

    bounces+aea…7q@example.org      bounce_address, `+`, 25 octets in base32

Mail servers change the case of local parts and rewrite return paths (BATV puts something before them, SRS before and
after), so the token is spelt in base32 and stands last in the local part, which has at most 64 octets (RFC 5321
section 4.5.3.1.1). What the octets mean, and which are genuine, is for whoever has the keys.
"""

from __future__ import annotations

from base64 import b32decode, b32encode
from binascii import Error

TOKEN_OCTETS = 25
TOKEN_LENGTH = 40  # TOKEN_OCTETS in base32; no padding
MAX_LOCAL_PART = 64
LONGEST_MAILBOX = MAX_LOCAL_PART - TOKEN_LENGTH - len("+")


def reverse_path(mailbox: str, token: bytes) -> str:
    """`mailbox` with `token` in its local part.

    Raises:
        ValueError: the token has not 25 octets, or the local part of `mailbox` more than 23.

    """
    local, _, domain = mailbox.rpartition("@")
    if len(token) != TOKEN_OCTETS:
        raise ValueError(f"a token has {TOKEN_OCTETS} octets, not {len(token)}")
    if len(local.encode()) > LONGEST_MAILBOX:
        raise ValueError(f"{mailbox}: more than {LONGEST_MAILBOX} octets before the @")
    return f"{local}+{b32encode(token).decode('ascii').lower()}@{domain}"


def find_token(local_part: str) -> bytes | None:
    """The token in a local part, in capitals or not; None when none can be there."""
    token = local_part.rpartition("+")[2]
    if len(token) != TOKEN_LENGTH or not token.isascii():
        return None
    try:
        return b32decode(token.upper())
    except Error:
        return None
