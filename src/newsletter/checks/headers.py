"""The header of the message, rule by rule, on the octets that go over the wire.

The composer keeps these rules. They are checked on its output all the same, since objects can say one
thing and their bytes another, and since a relay or a plugin may come between.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator
from email.utils import getaddresses, parsedate_to_datetime
from quopri import decodestring
from typing import TYPE_CHECKING

from newsletter.checks.model import Example, Found, Severity, check
from newsletter.checks.wire import WORD
from newsletter.mail.headers import MAX_WORD_OCTETS
from newsletter.mail.wellformed import MAX_LINE_OCTETS

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked
    from newsletter.checks.wire import Field

_REQUIRED = (
    *("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"),
    *("List-Id", "List-Unsubscribe", "Precedence", "Feedback-ID"),
)
_ONCE = (*_REQUIRED, "Reply-To", "Sender", "List-Unsubscribe-Post", "List-Archive")
_GOOD = Example(body="好。")
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>")


@check(
    "header-missing",
    title="A header field is missing",
    severity=Severity.ERROR,
    passing=_GOOD,
    failing=(Example(header={"Message-ID": ""}), Example(header={"List-Id": ""})),
)
def header_missing(checked: Checked) -> Iterator[Found]:
    """From, To, Subject, Date, Message-ID and the MIME fields belong to every mail (RFC 5322, 2045);
    List-Id, List-Unsubscribe, Precedence and Feedback-ID to a mail to many.
    """
    for name in _REQUIRED:
        if not checked.headers.value(name):
            yield Found(f"there is no {name} field")


@check(
    "header-repeated",
    title="A header field is there twice",
    severity=Severity.ERROR,
    passing=_GOOD,
    failing=Example(header={"From": "a@example.org\r\nFrom: b@example.org"}),
)
def header_repeated(checked: Checked) -> Iterator[Found]:
    """RFC 5322 (3.6) allows these fields once. Gmail refuses a message with two From fields."""
    for name in _ONCE:
        count = len(checked.headers.all(name))
        if count > 1:
            yield Found(f"there are {count} {name} fields")


@check(
    "header-octets",
    title="Raw octets in a header field",
    severity=Severity.ERROR,
    passing=_GOOD,
    failing=(Example(header={"Subject": "小周刊"}), Example(header={"X-Note": "a\x00b"})),
)
def header_octets(checked: Checked) -> Iterator[Found]:
    """A header is printable ASCII; other characters stand in encoded words (RFC 2047).

    The one exception is an address that needs SMTPUTF8 (RFC 6532).
    """
    for field in checked.headers.fields:
        body = field.body.replace(b"\r\n", b"")
        odd = re.search(rb"[^\t\x20-\x7e]", body)
        address = field.name.lower() in ("to", "from", "reply-to", "list-unsubscribe")
        if odd and not (address and odd.group()[0] >= 0x80):
            yield Found(f"{field.name} has the raw octet 0x{odd.group()[0]:02X}")


@check(
    "header-line",
    title="A line of the message is malformed",
    severity=Severity.ERROR,
    passing=_GOOD,
    failing=(
        Example(header={"X-Long": "x" * 999}),
        Example(header={"X-Bare": "a\nb"}),
        Example(header={"X-Space": "a\r\n \r\n b"}),
        Example(header={"X-Dot": "a\r\n.b"}),
    ),
)
def header_line(checked: Checked) -> Iterator[Found]:
    """Lines have at most 998 octets and end with CRLF (RFC 5322, 2.1.1), and none begins with a dot,
    which SMTP doubles (RFC 5321, 4.5.2). No line of a header is empty but for white space, since some
    programs take it for the end of the header.
    """
    data = checked.message
    if data.count(b"\n") != data.count(b"\r\n") or data.count(b"\r") != data.count(b"\r\n"):
        yield Found("there are line breaks other than CRLF")
    lines = data.split(b"\r\n")
    if any(line.startswith(b".") for line in lines):
        yield Found("a line begins with a dot")
    longest = max(map(len, lines))
    if longest > MAX_LINE_OCTETS:
        yield Found(f"a line has {longest} octets; {MAX_LINE_OCTETS} are allowed")
    if re.search(rb"\r\n[ \t]+(?=\r\n)", checked.headers.head):
        yield Found("a line of the header is white space only")


@check(
    "header-encoded-word",
    title="An encoded word that some programs cannot read",
    severity=Severity.ERROR,
    passing=_GOOD,
    failing=(
        Example(header={"Subject": f"=?utf-8?b?{'5aW9' * 17}?="}),
        Example(header={"Subject": "=?utf-8?b?5aU=?= =?utf-8?b?vQ==?="}),
        Example(header={"Subject": "=?nonsense?b?5aW9?="}),
        Example(header={"Subject": "=?utf-8?b?5aW?="}),
    ),
)
def header_encoded_word(checked: Checked) -> Iterator[Found]:
    """RFC 2047: at most 75 octets a word, a charset that exists, and no character cut in two."""
    for field in checked.headers.fields:
        for match in WORD.finditer(field.body):
            if reason := _bad_word(match):
                yield Found(
                    f"{field.name}: {match.group().decode('ascii', 'replace')[:40]}… {reason}"
                )


@check(
    "header-from",
    title="From is not one mailbox",
    severity=Severity.ERROR,
    passing=_GOOD,
    failing=(
        Example(header={"From": "a@example.org, b@example.org"}),
        Example(header={"From": "=?utf-8?b?5bCP?=<weekly@example.org>"}),
    ),
)
def header_from(checked: Checked) -> Iterator[Found]:
    """One address, `name <address>` with one space between (QQ insists), and the one of newsletter.yaml."""
    for field in checked.headers.all("From"):
        addresses = _addresses(field)
        if len(addresses) != 1:
            yield Found(f"From has {len(addresses)} addresses")
        elif addresses[0] != checked.publication.sender.address:
            yield Found(
                f"From is {addresses[0]}, not the address of newsletter.yaml",
                place=checked.setting("from", "address"),
            )
        if re.search(r"\S<|\s\s<", field.value):
            yield Found("From has no single space before `<`")


@check(
    "header-to",
    title="To is not the one recipient",
    severity=Severity.ERROR,
    passing=_GOOD,
    failing=(
        Example(header={"To": "a@example.org, b@example.org"}),
        Example(header={"Bcc": "somebody@example.org"}),
    ),
)
def header_to(checked: Checked) -> Iterator[Found]:
    """A reader must see no other reader's address: one To, and neither Cc nor Bcc."""
    for field in checked.headers.all("To"):
        if len(_addresses(field)) != 1:
            yield Found(f"To has {len(_addresses(field))} addresses")
    for name in ("Cc", "Bcc"):
        if checked.headers.all(name):
            yield Found(f"there is a {name} field")


@check(
    "header-subject",
    title="The Subject is not the one that was written",
    severity=Severity.ERROR,
    passing=_GOOD,
    failing=Example(header={"Subject": "=?utf-8?b?5aW9?="}),
)
def header_subject(checked: Checked) -> Iterator[Found]:
    """Decoded as a mail program decodes it, the field must say what the issue says."""
    said = " ".join(checked.headers.decoded("Subject").split())
    if said and said != " ".join(checked.edition.subject.split()):
        yield Found(f"Subject says “{said}”, and the issue “{checked.edition.subject}”")


@check(
    "header-date",
    title="The Date is none",
    severity=Severity.ERROR,
    passing=_GOOD,
    failing=(
        Example(header={"Date": "2022-11-07 09:00"}),
        Example(header={"Date": "Tue, 07 Nov 2022 09:00:00 +0800"}),
    ),
)
def header_date(checked: Checked) -> Iterator[Found]:
    """An RFC 5322 date with an offset and the right weekday; without, mail sorts to 1970."""
    value = checked.headers.value("Date")
    if not value:
        return
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        yield Found(f"Date `{value}` cannot be read")
        return
    named = re.match(r"([A-Z][a-z]{2}),", value)
    if moment.tzinfo is None or not re.search(r"[+-]\d{4}", value):
        yield Found(f"Date `{value}` has no offset")
    elif named and named[1] != f"{moment:%a}":
        yield Found(f"Date `{value}`: that day is a {moment:%A}")


@check(
    "header-message-id",
    title="The Message-ID is malformed or gives an address away",
    severity=Severity.ERROR,
    passing=_GOOD,
    failing=(
        Example(header={"Message-ID": "7.abc@example.org"}),
        Example(header={"Message-ID": "<7.reader=example.com@example.org>"}),
    ),
)
def header_message_id(checked: Checked) -> Iterator[Found]:
    """`<…@domain>` (RFC 5322, 3.6.4). It travels further than the mail, so no address is in it."""
    value = checked.headers.value("Message-ID")
    if value and not _MESSAGE_ID.fullmatch(value):
        yield Found(f"Message-ID `{value}` is not `<…@…>`")
    for address in (one for field in checked.headers.all("To") for one in _addresses(field)):
        local, _, domain = address.partition("@")
        left = value.rpartition("@")[0]
        if local and domain and (address in value or (local in left and domain in left)):
            yield Found("the Message-ID has the recipient's address in it")


def _bad_word(match: re.Match[bytes]) -> str | None:
    charset, encoding, text = match.groups()
    if len(match.group()) > MAX_WORD_OCTETS:
        return f"has {len(match.group())} octets; {MAX_WORD_OCTETS} are allowed"
    try:
        if encoding.lower() == b"b":
            octets = b64decode(text, validate=True)
        else:
            octets = decodestring(text, header=True)
        octets.decode(charset.decode("ascii"))
    except binascii.Error:
        return "is no base64"
    except (LookupError, UnicodeDecodeError):
        return "cannot be decoded alone"
    return None


def _addresses(field: Field) -> list[str]:
    return [address for _, address in getaddresses([field.value]) if address]
