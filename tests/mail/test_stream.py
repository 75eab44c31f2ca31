"""Base64 bodies with slots: any runs and any values decode to the joined text, in lines a mail may have."""

from __future__ import annotations

from base64 import b64decode
from itertools import zip_longest

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.mail.compiled import CompiledMessage, HeaderSlot
from newsletter.mail.stream import LINE_OCTETS, Base64Stream, encode_lines

RUNS = st.lists(st.binary(max_size=200), min_size=1, max_size=8)
SHORT_RUNS = st.lists(st.binary(max_size=4), min_size=1, max_size=12)
VALUES = st.lists(st.binary(max_size=130), min_size=3, max_size=3)


def joined(runs: list[bytes], slots: list[int], values: list[bytes]) -> bytes:
    filled = [values[slot] for slot in slots]
    return b"".join(part for pair in zip_longest(runs, filled, fillvalue=b"") for part in pair)


def fill(stream: Base64Stream, values: list[bytes]) -> bytes:
    out: list[bytes] = []
    stream.fill(values, out)
    return b"".join(out)


def assert_lines(encoded: bytes) -> None:
    """RFC 2045 6.8: at most 76 characters a line; padding only at the very end."""
    assert encoded == b"" or encoded.endswith(b"\r\n")
    lines = encoded.split(b"\r\n")
    assert all(0 < len(line) <= 76 for line in lines[:-1])
    assert encoded.replace(b"\r\n", b"").count(b"\n") == 0
    assert b"=" not in encoded.replace(b"\r\n", b"").rstrip(b"=")


@given(RUNS | SHORT_RUNS, VALUES, st.data())
def test_any_runs_and_values_decode_to_the_joined_text(
    runs: list[bytes], values: list[bytes], data: st.DataObject
) -> None:
    slots = data.draw(st.lists(st.integers(0, 2), min_size=len(runs) - 1, max_size=len(runs) - 1))
    encoded = fill(Base64Stream(runs, slots), values)
    assert_lines(encoded)
    assert b64decode(encoded, validate=False) == joined(runs, slots, values)


@given(st.integers(0, 7), st.integers(0, 7), st.integers(0, 7), st.integers(0, 7))
def test_every_alignment(first: int, value: int, middle: int, last: int) -> None:
    runs = [b"a" * first, b"b" * middle, b"c" * last]
    values = [b"v" * value]
    encoded = fill(Base64Stream(runs, [0, 0]), values)
    assert_lines(encoded)
    assert b64decode(encoded) == joined(runs, [0, 0], values)


@given(st.lists(st.binary(max_size=90), min_size=4, max_size=4), VALUES, VALUES)
def test_filling_leaves_the_stream_as_it_was(
    runs: list[bytes], one: list[bytes], other: list[bytes]
) -> None:
    stream = Base64Stream(runs, [0, 1, 2])
    first = fill(stream, one)
    fill(stream, other)
    assert fill(stream, one) == first


@given(st.binary(max_size=500))
@example(b"")
@example(b"x" * LINE_OCTETS)
@example(b"x" * (LINE_OCTETS + 1))
def test_a_stream_without_slots(data: bytes) -> None:
    encoded = fill(Base64Stream([data], []), [])
    assert_lines(encoded)
    assert b64decode(encoded) == data
    assert b64decode(encode_lines(data)) == data


def test_chinese_text_cut_inside_a_character() -> None:
    text = "亲爱的读者，您好。".encode()
    for cut in range(len(text) + 1):
        stream = Base64Stream([text[:cut], text[cut:]], [0])
        assert b64decode(fill(stream, ["王".encode()])) == text[:cut] + "王".encode() + text[cut:]


def test_most_of_a_large_body_is_encoded_once() -> None:
    stream = Base64Stream([b"x" * 60_000, b"y" * 60_000], [0])
    one: list[bytes] = []
    other: list[bytes] = []
    stream.fill([b"Anna"], one)
    stream.fill([b"Otto"], other)
    shared = sum(len(a) for a in one if any(a is b for b in other))
    assert shared > 0.99 * sum(map(len, one))


def test_runs_and_slots_must_fit() -> None:
    with pytest.raises(ValueError, match="one run more than slots"):
        Base64Stream([b"a"], [0])
    assert Base64Stream([b"ab", b"c"], [0]).static == 3


# A message of static pieces, header slots and streams


def test_a_compiled_message_is_joined() -> None:
    compiled = CompiledMessage(
        [
            b"From: a\r\n",
            b"Subject: b\r\n",
            HeaderSlot(0),
            b"\r\n",
            Base64Stream([b"Hi ", b"!"], [0]),
        ]
    )
    head, _, body = compiled.assemble((b"To: c\r\n",), [b"Anna"]).partition(b"\r\n\r\n")
    assert head == b"From: a\r\nSubject: b\r\nTo: c"
    assert b64decode(body) == b"Hi Anna!"


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=6), st.binary(max_size=20))
def test_neighbours_do_not_change_the_message(static: list[bytes], field: bytes) -> None:
    whole = CompiledMessage([b"".join(static), HeaderSlot(0), Base64Stream([b"x"], [])])
    pieces = CompiledMessage([*static, HeaderSlot(0), Base64Stream([b"x"], [])])
    assert whole.assemble([field], []) == pieces.assemble([field], [])
