"""Header fields: what goes in comes out of an independent parser, and nothing gets out of its field."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.errors import ComposeError
from newsletter.mail import headers
from newsletter.mail.address import Address, parse_address

ADDRESS = parse_address("anna@example.org")
WORD = re.compile(rb"=\?[^?]*\?[bq]\?[^?]*\?=", re.IGNORECASE)
LINES = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]) | st.sampled_from("\t"), max_size=300
)
ASCII_LINES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=300)
EVIL = st.one_of(
    st.text(max_size=60),
    st.text(alphabet='a \t\r\n\0\x85\u2028=?utf-8bqQB_:;,<>@"\\()[].', max_size=60),
    st.binary(max_size=60).map(lambda octets: octets.decode("utf-8", "surrogateescape")),
)


def parse(field: bytes) -> EmailMessage:
    message = message_from_bytes(field + b"\r\nbody\r\n", policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def raw(field: bytes) -> str:
    """The unfolded value, decoded by the other API of the standard library."""
    (value,) = message_from_bytes(field + b"\r\nbody\r\n", policy=policy.compat32).values()
    return str(make_header(decode_header(re.sub(r"\r?\n(?=[ \t])", "", str(value)))))


def assert_on_the_wire(field: bytes, name: str) -> None:
    """One field, folded lines, encoded words no longer than RFC 2047 allows."""
    assert field.startswith(f"{name}:".encode())
    assert field.endswith(b"\r\n")
    lines = field[:-2].split(b"\r\n")
    assert all(line.startswith(b" ") and line.strip() for line in lines[1:])
    assert all(len(line) <= 998 for line in lines)
    assert b"\r" not in field.replace(b"\r\n", b"")
    assert b"\n" not in field.replace(b"\r\n", b"")
    assert b"\0" not in field
    for word in WORD.findall(field):
        assert len(word) <= 75
    assert [key.lower() for key in parse(field)] == [name.lower()]


def made_or_refused(make: Callable[[], bytes]) -> bytes | None:
    """The field, or None when it was refused in one line."""
    try:
        return make()
    except ComposeError as error:
        words = str(error)
    assert len(words.splitlines()) == 1
    return None


# Unstructured fields


@given(LINES)
@example("")
@example("微调新范式：组合、噪音、指令、自我改进等" * 5)
@example("a" * 2000)
@example("a  b   c ")
@example(" leading and trailing ")
@example("\ttabs\tinside\t")
@example("=?utf-8?q?a=0D=0ABcc:_x?=")
@example("tail =?utf-8?b?")
@example("x" * 70 + "  " + "y" * 70)
def test_a_subject_survives(subject: str) -> None:
    field = headers.field("Subject", subject)
    assert_on_the_wire(field, "Subject")
    assert parse(field)["Subject"] == subject
    assert raw(field) == subject


@given(ASCII_LINES)
def test_plain_subjects_stay_plain(subject: str) -> None:
    words = subject.split(" ")
    if "=?" in subject or "" in words or max(map(len, words)) > 60:
        return
    assert headers.field("Subject", subject).replace(b"\r\n", b"").decode() == f"Subject: {subject}"


@given(EVIL)
@example("a\r\nBcc: x@example.net")
@example("a\nBcc: x")
@example("a\rBcc: x")
@example("a\0b")
@example("a\u2028b")
@example("a\x85b")
@example("lone \ud83d surrogate")
def test_a_subject_is_refused_or_stays_in_its_field(subject: str) -> None:
    field = made_or_refused(lambda: headers.field("Subject", subject))
    if field is None:
        return
    assert_on_the_wire(field, "Subject")
    assert raw(field) == subject


@pytest.mark.parametrize(
    "char", ["\0", "\n", "\r", "\x0b", "\x1b", "\x7f", "\x85", "\u2028", "\ud800"]
)
def test_control_characters_are_named(char: str) -> None:
    with pytest.raises(ComposeError, match=f"U\\+{ord(char):04X}"):
        headers.single_line(f"a{char}b", what="the subject")


def test_lines_are_folded_before_the_77th_octet() -> None:
    words = " ".join(["word"] * 60)
    lines = headers.field("Subject", words).split(b"\r\n")
    assert max(map(len, lines)) <= 76
    assert len(lines) == 6


def test_encoded_words_never_cut_a_character() -> None:
    field = headers.field("Subject", "𝒳字é" * 40)
    for word in WORD.findall(field):
        text, charset = decode_header(word.decode())[0]
        assert isinstance(text, bytes)
        text.decode(charset or "ascii")


# Names and mailboxes


@given(LINES)
@example("王小明")
@example("O'Brien, Pat (editor)")
@example('quo"te \\ back')
@example("a" * 1500)
@example(" ".join(["Atom"] * 200))
@example("a  b")
@example("Dr. =?utf-8?q?x?=")
@example("x" * 54 + '"' * 54)
def test_a_name_survives(name: str) -> None:
    field = headers.fold("To", headers.mailbox(name, ADDRESS))
    assert_on_the_wire(field, "To")
    ((shown, spec),) = getaddresses([field[:-2].replace(b"\r\n", b"").decode().partition(":")[2]])
    assert spec == "anna@example.org"
    # Not by policy.default: some releases keep the space between two encoded words of a name.
    assert str(make_header(decode_header(shown))) == name.strip()


@given(EVIL)
@example("Anna <anna@example.net>, x")
@example("Anna\r\nBcc: x@example.net")
@example('"')
@example("\\")
def test_a_name_is_refused_or_adds_no_recipient(name: str) -> None:
    field = made_or_refused(lambda: headers.fold("To", headers.mailbox(name, ADDRESS)))
    if field is None:
        return
    assert_on_the_wire(field, "To")
    assert [address.addr_spec for address in parse(field)["To"].addresses] == ["anna@example.org"]
    if field.isascii():
        unfolded = field.decode().replace("\r\n", "").partition(":")[2]
        assert [spec for _, spec in getaddresses([unfolded])] == ["anna@example.org"]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("", "To: <anna@example.org>\r\n"),
        ("  ", "To: <anna@example.org>\r\n"),
        ("Anna", "To: Anna <anna@example.org>\r\n"),
        ("Anna Karenina", "To: Anna Karenina <anna@example.org>\r\n"),
        ("A. Karenina", 'To: "A. Karenina" <anna@example.org>\r\n'),
        ("王", "To: =?utf-8?b?546L?= <anna@example.org>\r\n"),
        ("周刊 Weekly", "To: =?utf-8?b?5ZGo5YiKIFdlZWtseQ==?= <anna@example.org>\r\n"),
    ],
)
def test_names_as_qq_wants_them(name: str, field: str) -> None:
    """`name <addr>` with one space, and base64 for everything that is not ASCII."""
    assert headers.fold("To", headers.mailbox(name, ADDRESS)).decode() == field


def test_an_address_that_needs_smtputf8_is_written_in_utf8() -> None:
    address = parse_address("用户@bücher.example")
    field = headers.fold("To", headers.mailbox("", address))
    assert field.decode() == "To: <用户@bücher.example>\r\n"


def test_a_foreign_domain_alone_needs_no_utf8() -> None:
    field = headers.fold("To", headers.mailbox("", parse_address("anna@bücher.example")))
    assert field == b"To: <anna@xn--bcher-kva.example>\r\n"


def test_the_longest_address_fits() -> None:
    address = Address("l" * 64, ".".join(["d" * 60] * 3), ".".join(["d" * 60] * 3))
    assert_on_the_wire(headers.fold("To", headers.mailbox("王", address)), "To")


# Structured fields


@given(
    st.lists(
        st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=70),
        min_size=1,
    )
)
def test_pieces_are_folded_between_and_never_inside(pieces: list[str]) -> None:
    field = headers.structured("List-Unsubscribe", *pieces)
    assert_on_the_wire(field, "List-Unsubscribe")
    unfolded = field[:-2].replace(b"\r\n", b"").decode()
    assert unfolded == "List-Unsubscribe: " + " ".join(pieces)


@pytest.mark.parametrize("piece", ["a\r\nb", "a\nb", "字", "a\0", "\x7f"])
def test_a_structured_field_is_printable_ascii(piece: str) -> None:
    with pytest.raises(ComposeError, match="printable ASCII"):
        headers.structured("Feedback-ID", piece)


@pytest.mark.parametrize("name", ["", "a b", "a:b", "Ä", "a\r\nb"])
def test_a_field_name_is_a_field_name(name: str) -> None:
    with pytest.raises(ComposeError, match="field name"):
        headers.fold(name, ["x"])


# Dates


@given(
    st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - the zone is drawn next
    st.integers(-23 * 60, 23 * 60),
)
def test_a_date_survives(moment: datetime, minutes: int) -> None:
    aware = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    assert parsedate_to_datetime(headers.date(aware)) == aware


def test_a_date_knows_no_locale() -> None:
    assert (
        headers.date(datetime(2022, 11, 7, 1, 2, 3, tzinfo=UTC))
        == "Mon, 07 Nov 2022 01:02:03 +0000"
    )


def test_a_date_needs_an_offset() -> None:
    with pytest.raises(ValueError, match="offset"):
        headers.date(datetime(2022, 11, 7))  # noqa: DTZ001
