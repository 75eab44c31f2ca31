"""A MIME message built once and filled per recipient: static bytes, header fields, base64 bodies with slots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.mail.stream import Base64Stream


@dataclass(frozen=True, slots=True)
class HeaderSlot:
    """A place in the header that takes whole fields: `values[index]` with their CRLF."""

    index: int


class CompiledMessage:
    """A sequence of static bytes, header slots and streams; `assemble` joins them for one recipient.

    Args:
        pieces: in the order of the message. Neighbouring static bytes are joined here.

    """

    __slots__ = ("_pieces",)

    def __init__(self, pieces: Sequence[bytes | HeaderSlot | Base64Stream]) -> None:
        merged: list[bytes | HeaderSlot | Base64Stream] = []
        for piece in pieces:
            if isinstance(piece, bytes) and merged and isinstance(merged[-1], bytes):
                merged[-1] += piece
            else:
                merged.append(piece)
        self._pieces = tuple(merged)

    @property
    def body_prefix(self) -> bytes:
        """The octets after the header with which every assembled body begins."""
        out: list[bytes] = []
        for piece in self._pieces:
            if isinstance(piece, bytes):
                out.append(piece)
            elif isinstance(piece, Base64Stream):
                out.append(piece.prefix)
                if piece.slotted:
                    break
        return b"".join(out).partition(b"\r\n\r\n")[2]

    def assemble(self, fields: Sequence[bytes], values: Sequence[bytes]) -> bytes:
        """The whole message.

        Args:
            fields: header fields for the header slots, each ending in CRLF.
            values: personal values for the streams, escaped for where they land.

        """
        out: list[bytes] = []
        for piece in self._pieces:
            if isinstance(piece, bytes):
                out.append(piece)
            elif isinstance(piece, HeaderSlot):
                out.append(fields[piece.index])
            else:
                piece.fill(values, out)
        return b"".join(out)
