"""Header fields as bytes: RFC 5322 folding, RFC 2047 encoded words, RFC 6532 for addresses that need it.

Written by hand because the standard library's `email` turns some crafted values into headers of their own when it
flattens them again; here a value that holds a line break or a NUL is refused before it becomes bytes.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime

from newsletter.errors import ComposeError
from newsletter.mail.address import Address

MAX_WORD_OCTETS = 75  # RFC 2047 section 2
MAX_WORD_PAYLOAD = 45  # octets of UTF-8 that fit: (75 - len("=?utf-8?b??=")) // 4 * 3
MAX_LINE = 76

_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
_PLAIN = re.compile(r"[\x20-\x7e\t]*\Z")
# Words that survive folding as they are: short enough for a line, one space between, none around.
_WORDS = re.compile(r"[!-~]{1,60}( [!-~]{1,60})*\Z")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,60}"
_ATOMS = re.compile(rf"{_ATOM}( {_ATOM})*\Z")
_FIELD_NAME = re.compile(r"[!-9;-~]+\Z")


def single_line(value: str, *, what: str) -> str:
    """Return `value` if it can stand in a header; `what` names it in the error.

    Raises:
        ComposeError: it holds a line break, a NUL, another control character, or half of a character.

    """
    if found := _FORBIDDEN.search(value):
        raise ComposeError(
            f"{what} holds U+{ord(found.group()):04X}, which no header can; remove it: {value!r}"
        )
    return value


def field(name: str, value: str) -> bytes:
    """An unstructured field such as Subject, encoded and folded, with its CRLF.

    Text that looks like an encoded word, or would lose spaces, is itself encoded, so that it is read as what it is.
    """
    single_line(value, what=name)
    if _WORDS.match(value) and "=?" not in value:
        return fold(name, value.split(" "))
    return fold(name, list(_encoded_words(value)))


def structured(name: str, *pieces: str) -> bytes:
    """A field of ASCII pieces that may be folded between, never inside (RFC 5322 2.2.3).

    Raises:
        ComposeError: a piece is not printable ASCII.

    """
    for piece in pieces:
        if not _PLAIN.match(piece):
            raise ComposeError(
                f"{name} cannot hold {piece!r}: only printable ASCII may stand there"
            )
    return fold(name, list(pieces))


def fold(name: str, words: list[str]) -> bytes:
    """Join `words` with spaces, breaking lines before the 77th octet where there is a space to break at."""
    if not _FIELD_NAME.match(name):
        raise ComposeError(f"{name!r} is not a header field name")
    lines = [name + ":"]
    for word in words:
        line = lines[-1]
        fits = len(line.encode()) + 1 + len(word.encode()) <= MAX_LINE
        # A line of white space alone would end the header for some parsers, so an empty word never starts one.
        if fits or not word or (len(lines) == 1 and line == name + ":"):
            lines[-1] = f"{line} {word}"
        else:
            lines.append(f" {word}")
    return (
        "\r\n".join(line.rstrip(" ") if len(line) > 1 else line for line in lines) + "\r\n"
    ).encode()


def display_name(name: str) -> list[str]:
    """A display name as words: atoms, one quoted string, or base64 encoded words."""
    if _ATOMS.match(name) and "=?" not in name:
        return name.split(" ")
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    if _PLAIN.match(name) and "=?" not in name and len(escaped) < MAX_LINE - 20:
        return [f'"{escaped}"']
    return list(_encoded_words(name))


def mailbox(name: str, address: Address) -> list[str]:
    """`name <address>` as words for `fold`; one space between the two, as QQ insists.

    An address that needs SMTPUTF8 is written in UTF-8 (RFC 6532); every other is ASCII.
    """
    single_line(name, what="the name of a mailbox")
    angle = f"<{address}>" if address.needs_smtputf8 else f"<{address.envelope}>"
    name = name.strip()
    return [*display_name(name), angle] if name else [angle]


def date(moment: datetime) -> str:
    """An RFC 5322 date-time; `moment` must be aware."""
    if moment.tzinfo is None:
        raise ValueError("a Date needs an offset")
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    clock = moment.strftime("%H:%M:%S %z")
    return f"{days[moment.weekday()]}, {moment.day:02d} {months[moment.month - 1]} {moment.year:04d} {clock}"


def _encoded_words(text: str) -> Iterator[str]:
    """Split `text` into encoded words, never inside a character (RFC 2047 section 5)."""
    chunk = b""
    for char in text:
        octets = char.encode()
        if len(chunk) + len(octets) > MAX_WORD_PAYLOAD:
            yield f"=?utf-8?b?{b64encode(chunk).decode()}?="
            chunk = b""
        chunk += octets
    if chunk:
        yield f"=?utf-8?b?{b64encode(chunk).decode()}?="
