"""Base64 bodies with slots: static runs are encoded once, and a recipient's body is a join of bytes.

RFC 2045 section 6.8 says that line breaks in base64 carry no meaning and lines hold at most 76 characters. A static
run whose length is a multiple of 3 octets keeps its encoded form wherever it stands, so each run is encoded in the
three ways it can be cut (0, 1 or 2 octets lent to the personal value before it), and only a personal value with the few
octets around it is encoded per recipient.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass

LINE_OCTETS = 57  # make 76 characters


@dataclass(frozen=True, slots=True)
class _Cut:
    """A run with its first octets lent: what was lent, the encoded middle, and what is left for the next value."""

    lent: bytes
    encoded: bytes
    rest: bytes


def encode_lines(data: bytes) -> bytes:
    """Base64 in lines of at most 76 characters, each with its CRLF; nothing for no data."""
    if len(data) <= LINE_OCTETS:
        return b2a_base64(data, newline=False) + b"\r\n" if data else b""
    return b"".join(
        b2a_base64(data[i : i + LINE_OCTETS], newline=False) + b"\r\n"
        for i in range(0, len(data), LINE_OCTETS)
    )


class Base64Stream:
    """An encoded body with `slots` between its static `runs`.

    Args:
        runs: static octets; one more than there are slots. Runs may be empty.
        slots: for each gap, the index of the value that fills it.

    """

    __slots__ = ("_cuts", "_first", "_slots", "static")

    def __init__(self, runs: Sequence[bytes], slots: Sequence[int]) -> None:
        if len(runs) != len(slots) + 1:
            raise ValueError("there must be one run more than slots")
        self._slots = tuple(slots)
        self._first = _cut(runs[0], 0)
        self._cuts = tuple(tuple(_cut(run, lend) for lend in range(3)) for run in runs[1:])
        self.static = sum(map(len, runs))

    @property
    def slotted(self) -> bool:
        """Whether there is a slot at all."""
        return bool(self._slots)

    @property
    def prefix(self) -> bytes:
        """The octets with which every filled body begins; without slots, all of it."""
        rest = b"" if self._slots else encode_lines(self._first.rest)
        return self._first.encoded + rest

    def fill(self, values: Sequence[bytes], out: list[bytes]) -> None:
        """Append the encoded body with `values[slot]` in each gap to `out`."""
        out.append(self._first.encoded)
        carry = self._first.rest
        for slot, cuts in zip(self._slots, self._cuts, strict=True):
            chunk = carry + values[slot]
            lend = -len(chunk) % 3
            cut = cuts[lend]
            chunk += cut.lent
            if len(cut.lent) < lend:  # a run too short to complete the group joins the next value
                carry = chunk
                continue
            out.append(encode_lines(chunk))
            out.append(cut.encoded)
            carry = cut.rest
        out.append(encode_lines(carry))


def _cut(run: bytes, lend: int) -> _Cut:
    """Cut `run` after `lend` octets, and again so that the middle is a multiple of 3 octets."""
    whole = max(len(run) - lend, 0) // 3 * 3
    middle = run[lend : lend + whole]
    return _Cut(run[:lend], encode_lines(middle), run[lend + whole :])
