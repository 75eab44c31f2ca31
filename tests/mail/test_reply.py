"""Replies: whatever way they are cut, the same replies come out, and what is no reply is told."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.mail.reply import MAX_REPLY_LINE, MAX_REPLY_LINES, Reply, ReplyError, ReplyParser

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
REPLIES = st.lists(
    st.tuples(st.integers(200, 599), st.lists(TEXTS, min_size=1, max_size=4)), max_size=6
)


def wire(code: int, lines: list[str], *, end: str = "\r\n") -> bytes:
    *first, last = lines
    said = [f"{code}-{line}{end}" for line in first] + [f"{code} {last}{end}"]
    return "".join(said).encode()


@given(REPLIES, st.lists(st.integers(0, 400), max_size=12), st.sampled_from(["\r\n", "\n"]))
def test_replies_however_they_are_cut(
    replies: list[tuple[int, list[str]]], cuts: list[int], end: str
) -> None:
    octets = b"".join(wire(code, lines, end=end) for code, lines in replies)
    points = sorted({0, len(octets), *(cut for cut in cuts if cut < len(octets))})
    parser = ReplyParser()
    found = [reply for start, stop in pairwise(points) for reply in parser.feed(octets[start:stop])]
    assert found == [Reply(code, "\n".join(lines)) for code, lines in replies]


@given(st.binary(max_size=300))
def test_anything_is_replies_or_an_error(octets: bytes) -> None:
    parser = ReplyParser()
    try:
        found = list(parser.feed(octets))
    except ReplyError:
        return
    assert all(200 <= reply.code <= 599 for reply in found)


@pytest.mark.parametrize(
    "octets",
    [
        b"hello\r\n",
        b"\r\n",
        b"25\r\n",
        b"150 no\r\n",
        b"650 no\r\n",
        b"2500 no\r\n",
        b"250_no\r\n",
        b"250-a\r\n550 b\r\n",
        b"250-a\r\nhello\r\n",
        b"x" * (MAX_REPLY_LINE + 1),
        b"250 " + b"x" * MAX_REPLY_LINE + b"\r\n",
        b"250-a\r\n" * (MAX_REPLY_LINES + 1),
        "２５０ ok\r\n".encode(),
    ],
    ids=lambda octets: repr(octets[:20]),
)
def test_what_is_no_reply(octets: bytes) -> None:
    with pytest.raises(ReplyError):
        list(ReplyParser().feed(octets))


def test_replies_before_the_garbage_are_told_first() -> None:
    parser = ReplyParser()
    stream = parser.feed(b"250 ok\r\nrubbish\r\n")
    assert next(stream) == Reply(250, "ok")
    with pytest.raises(ReplyError, match="rubbish"):
        next(stream)


@pytest.mark.parametrize("octets", [b"250\r\n", b"250 \r\n"])
def test_a_bare_code_is_a_reply(octets: bytes) -> None:
    assert list(ReplyParser().feed(octets)) == [Reply(250, "")]


def test_octets_that_are_no_utf8_are_kept_as_marks() -> None:
    (reply,) = ReplyParser().feed(b"550 caf\xe9\r\n")
    assert reply.text == "caf\ufffd"


def test_control_characters_do_not_reach_a_terminal() -> None:
    """A server's words are shown by `newsletter log`; they must not move the cursor."""
    (reply,) = ReplyParser().feed(b"550 \x1b[2Jgone\x00\x07\ttab\r\n")
    assert reply.text == "\ufffd[2Jgone\ufffd\ufffd\ttab"


@pytest.mark.parametrize(
    ("text", "enhanced"),
    [
        ("5.1.1 unknown", "5.1.1"),
        ("5.7.26", "5.7.26"),
        ("2.0.0\nmore", "2.0.0"),
        ("unknown 5.1.1", None),
        ("5.1.1unknown", None),
        ("3.1.1 no such class", None),
        ("5.1 short", None),
        ("5.1234.1 long", None),
        ("", None),
    ],
)
def test_enhanced_codes(text: str, enhanced: str | None) -> None:
    assert Reply(550, text).enhanced == enhanced


@pytest.mark.parametrize("code", range(200, 600, 7))
def test_a_reply_is_exactly_one_of_four(code: int) -> None:
    reply = Reply(code, "")
    kinds = [reply.positive, reply.intermediate, reply.transient, reply.permanent]
    assert kinds.index(True) == code // 100 - 2
    assert sum(kinds) == 1


def test_a_reply_as_one_line() -> None:
    assert str(Reply(550, "5.1.1 no\n5.1.1 such user")) == "550 5.1.1 no / 5.1.1 such user"
    assert str(Reply(250, "")) == "250"
