"""Keyed tokens: the opaque part of unsubscribe links, and all else that must not be guessable.

A token is 25 bytes in base64url without padding, 34 characters: one byte of version and purpose,
one byte of key id, the 10 bytes of the subscriber's id, and 13 bytes of HMAC-SHA256 (RFC 2104,
truncated as its section 5 allows). It holds no address, and it is the same at every retry.

Keys come from `NEWSLETTER_SECRET` or from a key file of lines `kid:hex`. The highest key id signs,
all verify. The lowest is the identity key: it names subscribers and messages, so it never retires.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path

from newsletter.errors import ConfigError

SECRET_VARIABLE = "NEWSLETTER_SECRET"
SECRET_FILE = "secret"
ID_LENGTH = 10
TOKEN_LENGTH = 34

_VERSION = 1
_MAC_LENGTH = 13
_RAW_LENGTH = 2 + ID_LENGTH + _MAC_LENGTH
_LEAST_CHARACTERS = 16
_LEAST_BYTES = 16
_NEW_BYTES = 32


class Purpose(IntEnum):
    """What a token lets its bearer do; a token for one purpose is worthless for every other."""

    UNSUBSCRIBE = 1
    VIEW = 2
    CONFIRM = 3
    PREFERENCES = 4
    BOUNCE = 5  # stands in return paths only: see `audience.verp`


class Keyring:
    """The keys of one publication; signs and verifies tokens, and names subscribers and messages.

    Args:
        keys: key id (1 to 255) to key, at least 16 bytes each.

    """

    __slots__ = ("_identity", "_signing", "_token_keys", "_unique")

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        if not keys or not all(1 <= kid <= 255 for kid in keys):
            raise ConfigError("a keyring needs at least one key, with ids from 1 to 255")
        if any(len(key) < _LEAST_BYTES for key in keys.values()):
            raise ConfigError(f"a key must have at least {_LEAST_BYTES} bytes")
        self._signing = max(keys)
        self._token_keys = {
            (kid, purpose): _Mac(_subkey(key, f"token:{purpose.name}"))
            for kid, key in keys.items()
            for purpose in Purpose
        }
        self._identity = _Mac(_subkey(keys[min(keys)], "subscriber-id"))
        self._unique = _Mac(_subkey(keys[min(keys)], "digest"))

    def __repr__(self) -> str:
        ids = sorted({kid for kid, _ in self._token_keys})
        return f"<Keyring with key ids {ids}>"

    @classmethod
    def load(cls, state_dir: Path, *, environ: Mapping[str, str], create: bool = True) -> Keyring:
        """The keys from `NEWSLETTER_SECRET`, or else from `state_dir/secret`, made on first use.

        An empty variable counts as unset.

        Raises:
            ConfigError: the secret is too short; the file is damaged, can be read by others, or
                cannot be made; with `create=False` also when there is none.

        """
        secret = environ.get(SECRET_VARIABLE)
        if secret:
            if len(secret) < _LEAST_CHARACTERS:
                raise ConfigError(
                    f"{SECRET_VARIABLE} must have at least {_LEAST_CHARACTERS} characters "
                    f"(it has {len(secret)}); unset it to use a key file instead"
                )
            return cls({1: secret.encode("utf-8", "surrogateescape")})
        path = state_dir / SECRET_FILE
        try:
            if create and not path.exists():
                _make_key_file(path)
            return cls(_read_key_file(path))
        except OSError as error:
            raise ConfigError(
                f"{path}: the key file cannot be used: {error.strerror} (or set {SECRET_VARIABLE})"
            ) from error

    def subscriber_id(self, key: str) -> bytes:
        """The 10 bytes that stand for the subscriber with this `Address.key`; no way leads back."""
        return self._identity(key.encode())[:ID_LENGTH]

    def token(self, purpose: Purpose, subscriber_id: bytes) -> str:
        """A token of 34 URL-safe characters, signed with the newest key.

        Raises:
            ValueError: `subscriber_id` is not 10 bytes.

        """
        if len(subscriber_id) != ID_LENGTH:
            raise ValueError(f"a subscriber id has {ID_LENGTH} bytes, not {len(subscriber_id)}")
        kid = self._signing
        body = bytes((_VERSION << 4 | purpose, kid)) + subscriber_id
        mac = self._token_keys[kid, purpose](body)
        return _encode(body + mac[:_MAC_LENGTH])

    def verify(self, token: str, purpose: Purpose) -> bytes | None:
        """The subscriber id inside a genuine token for `purpose`; None for anything else at all."""
        raw = _decode(token)
        if raw is None or raw[0] != (_VERSION << 4 | purpose):
            return None
        mac_of = self._token_keys.get((raw[1], purpose))
        if mac_of is None:
            return None
        body, mac = raw[:-_MAC_LENGTH], raw[-_MAC_LENGTH:]
        expected = mac_of(body)[:_MAC_LENGTH]
        return body[2:] if hmac.compare_digest(mac, expected) else None

    @property
    def signing_id(self) -> int:
        """The id of the newest key, which signs."""
        return self._signing

    def mac(self, body: bytes, purpose: Purpose, *, kid: int) -> bytes | None:
        """32 bytes that key `kid` makes of `body` for `purpose`; None when there is no such key.

        For tokens of another form than `token` has. Compare them in constant time.
        """
        mac_of = self._token_keys.get((kid, purpose))
        return mac_of(body) if mac_of else None

    def digest(self, label: str, *parts: str) -> bytes:
        """32 bytes that only this keyring can make from `label` and `parts`, the same every time.

        Parts are length-prefixed, so ("ab", "c") and ("a", "bc") differ. For Message-IDs.
        """
        message = b"".join(
            len(data).to_bytes(4, "big") + data
            for data in (part.encode() for part in (label, *parts))
        )
        return self._unique(message)


class _Mac:
    """HMAC-SHA256 (RFC 2104) of one key, with both pads hashed once.

    `hmac.digest` lets go of Python's lock for every call, and another thread takes it; at a few thousand
    messages a second that costs more than the hash.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
        self._inner = hashlib.sha256(bytes(octet ^ 0x36 for octet in block))
        self._outer = hashlib.sha256(bytes(octet ^ 0x5C for octet in block))

    def __call__(self, message: bytes) -> bytes:
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()


def _subkey(key: bytes, label: str) -> bytes:
    return hmac.digest(key, b"newsletter:1:" + label.encode(), "sha256")


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _decode(token: str) -> bytes | None:
    """The 25 bytes of a token in its one canonical spelling, or None."""
    if len(token) != TOKEN_LENGTH or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == _RAW_LENGTH and _encode(raw) == token else None


def _make_key_file(path: Path) -> None:
    """Write a key file whole or not at all; when two processes race, the first one's key stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(f"1:{secrets.token_hex(_NEW_BYTES)}\n")
            stream.flush()
            os.fsync(stream.fileno())
        # A hard link, unlike a rename, never replaces a key that is already in use.
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _read_key_file(path: Path) -> dict[int, bytes]:
    with path.open(encoding="ascii", errors="replace") as stream:
        mode = os.fstat(stream.fileno()).st_mode
        if stat.S_IMODE(mode) & 0o077:
            raise ConfigError(f"{path}: others can read this key file; run: chmod 600 {path}")
        lines = stream.read().splitlines()
    keys: dict[int, bytes] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        kid, key = _parse_key_line(line, where=f"{path}:{number}")
        if kid in keys:
            raise ConfigError(f"{path}:{number}: key id {kid} stands there twice")
        keys[kid] = key
    if not keys:
        raise ConfigError(f"{path}: the key file is empty; restore it, or old links stop working")
    return keys


def _parse_key_line(line: str, *, where: str) -> tuple[int, bytes]:
    # The line itself never goes into a message: it is a secret.
    kid, _, hexadecimal = line.strip().partition(":")
    try:
        key = bytes.fromhex(hexadecimal)
        number = int(kid) if kid.isascii() and kid.isdigit() else 0
    except ValueError:
        number, key = 0, b""
    if not 1 <= number <= 255 or len(key) < _LEAST_BYTES:
        raise ConfigError(
            f"{where}: not a key; a line is `kid:hex` with a kid from 1 to 255 "
            f"and at least {_LEAST_BYTES} bytes"
        )
    return number, key
