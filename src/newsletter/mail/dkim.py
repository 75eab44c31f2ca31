"""DKIM (RFC 6376): which octets are hashed, and how the signature field is written. Holds no key, asks no clock.

Always `c=relaxed/relaxed`. Three tags are left out on purpose. `l=` would let anybody append to a signed body. `t=`
and `x=` would have to come from the clock, and then a retry would not send the same bytes; the issue's own date may
lie in the future, where section 3.5 forbids `t=` to be.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from newsletter.mail import headers

# Everything a reader or a mail client acts on (section 5.4.1), RFC 8058's two fields included; in the order of h=.
SIGNED = (
    b"from",
    b"reply-to",
    b"subject",
    b"date",
    b"to",
    b"cc",
    b"message-id",
    b"in-reply-to",
    b"references",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
    b"content-language",
    b"list-id",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
    b"list-archive",
    b"list-help",
    b"list-owner",
    b"list-post",
    b"list-subscribe",
    b"feedback-id",
    b"precedence",
    b"auto-submitted",
)
# Named once more than they occur, so that a second one breaks the signature (section 8.15).
OVERSIGNED = frozenset({b"from", b"subject", b"date"})

_HEADER_END = b"\r\n\r\n"
_FIELD = re.compile(rb"[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*")
_WSP = re.compile(rb"[ \t]+")
_TXT_OCTETS = 255  # of one string in a TXT record (RFC 1035 section 3.3)
_WORD = 72  # octets of a piece of h= or b=: a line with it stays within 78


class Algorithm(StrEnum):
    """The `a=` tag: RFC 8301 for RSA, RFC 8463 for Ed25519."""

    RSA = "rsa-sha256"
    ED25519 = "ed25519-sha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """Who signs and how: `a=`, `d=` and `s=`."""

    algorithm: Algorithm
    domain: str
    selector: str


def relaxed_field(field: bytes) -> bytes:
    """One header field with its CRLF in the relaxed form of section 3.4.2."""
    name, _, value = field.partition(b":")
    value = _WSP.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return name.rstrip(b" \t").lower() + b":" + value + b"\r\n"


def relaxed_body(body: bytes) -> bytes:
    """A body with CRLF line ends in the relaxed form of section 3.4.4."""
    body = _WSP.sub(b" ", body).replace(b" \r\n", b"\r\n").removesuffix(b" ")
    end = len(body)
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    return body[:end] + b"\r\n" if end else b""


@lru_cache(maxsize=64)
def choose(names: tuple[bytes, ...]) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
    """Which fields of a header to sign.

    Args:
        names: of all fields in their order, lower case.

    Returns:
        The names for `h=`, and the index of each field that is hashed, in the same order; of fields that
        share a name the last comes first (section 5.4.2). Over-signed names have no index.

    """
    listed: list[bytes] = []
    picked: list[int] = []
    for name in SIGNED:
        found = [index for index, other in enumerate(names) if other == name]
        picked += reversed(found)
        listed += [name] * (len(found) + (name in OVERSIGNED))
    return tuple(listed), tuple(picked)


@dataclass(frozen=True, slots=True)
class Digested:
    """What a signature covers, made once for all signatures of a message.

    Attributes:
        names: for `h=`.
        header: the chosen fields, relaxed, each with its CRLF.
        body_hash: for `bh=`, in base64.

    """

    names: tuple[bytes, ...]
    header: bytes
    body_hash: bytes


class Digester:
    """Digests messages that are made alike: what they share is canonicalised and hashed once.

    Args:
        sample: one of the messages. The others may differ from it in header fields, and in the body only
            inside base64, where relaxing changes nothing because it has no white space.
        body_prefix: octets with which the body of every message begins.

    """

    __slots__ = ("_known", "_plain", "_prefix", "_started")

    def __init__(self, sample: bytes, *, body_prefix: bytes = b"") -> None:
        head, body = _parted(sample)
        self._known = {field: relaxed_field(field) for field in _FIELD.findall(head)}
        self._plain = relaxed_body(body) == body
        self._prefix = body_prefix
        self._started = hashlib.sha256(body_prefix)

    @property
    def plain(self) -> bool:
        """Whether bodies are hashed as they stand, being relaxed already."""
        return self._plain

    def digest(self, message: bytes) -> Digested:
        """What a signature of `message` covers.

        Raises:
            ValueError: it has no empty line between header and body.

        """
        end = _header_end(message)
        known = self._known
        relaxed = [
            known.get(field) or relaxed_field(field) for field in _FIELD.findall(message[:end])
        ]
        names, picked = choose(tuple([field[: field.index(b":")] for field in relaxed]))
        header = b"".join([relaxed[index] for index in picked])
        return Digested(names, header, b64encode(self._body_digest(message, end + 2)))

    def _body_digest(self, message: bytes, start: int) -> bytes:
        if not self._plain:
            return hashlib.sha256(relaxed_body(message[start:])).digest()
        if not message.startswith(
            self._prefix, start
        ):  # never trusted, since a wrong hash is silent
            return hashlib.sha256(memoryview(message)[start:]).digest()
        sha = self._started.copy()
        sha.update(memoryview(message)[start + len(self._prefix) :])
        return sha.digest()


def to_sign(digested: Digested, tags: Tags) -> bytes:
    """The octets that are signed: the header, then the signature field with an empty `b=` (section 3.7)."""
    _, opening = _opening(tags, digested.names)
    return b"%b%b bh=%b; b=" % (digested.header, opening, digested.body_hash)


def signature_field(digested: Digested, tags: Tags, signature: bytes) -> bytes:
    """The DKIM-Signature field with its CRLF, folded so that no line is longer than 78 where names allow."""
    opening, _ = _opening(tags, digested.names)
    encoded = b64encode(signature)
    lines = [encoded[at : at + _WORD] for at in range(0, len(encoded), _WORD)]
    return b"%b bh=%b;\r\n b=%b\r\n" % (opening, digested.body_hash, b"\r\n ".join(lines))


def txt_strings(value: str) -> list[str]:
    """`value` as the strings of one TXT record, which verifiers join again without spaces (section 3.6.2.2)."""
    return [value[at : at + _TXT_OCTETS] for at in range(0, len(value), _TXT_OCTETS)]


@lru_cache(maxsize=64)
def _opening(tags: Tags, names: tuple[bytes, ...]) -> tuple[bytes, bytes]:
    """The signature field up to `bh=`, folded; and the same relaxed, without its line end."""
    words = [
        "v=1;",
        f"a={tags.algorithm};",
        "c=relaxed/relaxed;",
        f"d={tags.domain};",
        f"s={tags.selector};",
    ]
    raw = headers.fold("DKIM-Signature", words + _packed(names))
    return raw, relaxed_field(raw)[:-2]


def _packed(names: Sequence[bytes]) -> list[str]:
    """`h=` in pieces that a line can hold; a colon ends each piece but the last."""
    words = ["h="]
    for name in names:
        if len(words[-1]) + len(name) + 1 > _WORD:
            words.append("")
        words[-1] += name.decode("ascii") + ":"
    words[-1] = words[-1].removesuffix(":") + ";"
    return words


def _header_end(message: bytes) -> int:
    """Where the last header field ends, its CRLF included."""
    at = message.find(_HEADER_END)
    if at < 0:
        raise ValueError("the message has no empty line between header and body")
    return at + 2


def _parted(message: bytes) -> tuple[bytes, bytes]:
    end = _header_end(message)
    return message[:end], message[end + 2 :]
