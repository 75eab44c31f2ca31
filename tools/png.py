"""Small PNG files out of a browser's large ones: decode, reduce to a palette, encode again.

Only what `draw_assets.py` needs: 8-bit RGB or RGBA in, at most 256 colours out, on the standard library alone.
Reference: PNG (ISO/IEC 15948), chunk layout in clause 5, filters in clause 9.
"""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from dataclasses import dataclass

SIGNATURE = b"\x89PNG\r\n\x1a\n"

Colour = tuple[int, int, int, int]
"""Red, green, blue and alpha, 0 to 255 each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bitmap:
    """Pixels, row by row from the top left; `len(pixels) == width * height`."""

    width: int
    height: int
    pixels: list[Colour]


def decode(data: bytes) -> Bitmap:
    """Read an 8-bit, non-interlaced RGB or RGBA file, which is what Chromium writes.

    Raises:
        ValueError: for any other flavour of PNG.

    """
    header = _chunks(data, b"IHDR")[0]
    width, height, depth, colour_type, _, _, interlace = struct.unpack(">IIBBBBB", header)
    if depth != 8 or colour_type not in (2, 6) or interlace:
        raise ValueError("only 8-bit RGB and RGBA without interlacing can be read")
    channels = 3 if colour_type == 2 else 4
    raw = zlib.decompress(b"".join(_chunks(data, b"IDAT")))
    pixels: list[Colour] = []
    previous = bytearray(width * channels)
    for y in range(height):
        start = y * (width * channels + 1)
        row = bytearray(raw[start + 1 : start + 1 + width * channels])
        _unfilter(raw[start], row, previous, channels)
        previous = row
        for x in range(0, len(row), channels):
            alpha = row[x + 3] if channels == 4 else 255
            pixels.append((row[x], row[x + 1], row[x + 2], alpha))
    return Bitmap(width=width, height=height, pixels=pixels)


def encode(bitmap: Bitmap, *, colours: int) -> bytes:
    """Write a palette PNG with the `colours` that represent the picture best."""
    palette = _palette(bitmap.pixels, colours)
    index = {colour: at for at, colour in enumerate(palette)}
    nearest: dict[Colour, int] = {}
    for colour in set(bitmap.pixels):
        nearest[colour] = index.get(colour, -1)
        if nearest[colour] < 0:
            nearest[colour] = min(range(len(palette)), key=lambda at: _far(palette[at], colour))
    bits = next(depth for depth in (1, 2, 4, 8) if 2**depth >= len(palette))
    rows = bytearray()
    for y in range(bitmap.height):
        rows.append(0)
        row = bitmap.pixels[y * bitmap.width : (y + 1) * bitmap.width]
        rows += _packed([nearest[colour] for colour in row], bits)
    header = struct.pack(">IIBBBBB", bitmap.width, bitmap.height, bits, 3, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"PLTE", b"".join(bytes(colour[:3]) for colour in palette))]
    if any(colour[3] < 255 for colour in palette):
        chunks.append((b"tRNS", bytes(colour[3] for colour in palette)))
    chunks += [(b"IDAT", _deflated(bytes(rows))), (b"IEND", b"")]
    return SIGNATURE + b"".join(_chunk(kind, body) for kind, body in chunks)


def _deflated(data: bytes) -> bytes:
    """The smallest of what zlib's strategies make of it."""
    attempts = []
    for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_RLE):
        packer = zlib.compressobj(9, zlib.DEFLATED, 15, 9, strategy)
        attempts.append(packer.compress(data) + packer.flush())
    return min(attempts, key=len)


def _chunks(data: bytes, wanted: bytes) -> list[bytes]:
    if not data.startswith(SIGNATURE):
        raise ValueError("not a PNG file")
    found, at = [], len(SIGNATURE)
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if data[at + 4 : at + 8] == wanted:
            found.append(data[at + 8 : at + 8 + length])
        at += length + 12
    return found


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _unfilter(kind: int, row: bytearray, above: bytearray, step: int) -> None:
    """Undo one row's filter in place (clause 9.2)."""
    for x in range(len(row)):
        left = row[x - step] if x >= step else 0
        up = above[x]
        corner = above[x - step] if x >= step else 0
        guess = (0, left, up, (left + up) // 2, _paeth(left, up, corner))[kind]
        row[x] = (row[x] + guess) & 0xFF


def _paeth(left: int, up: int, corner: int) -> int:
    estimate = left + up - corner
    return min((left, up, corner), key=lambda value: abs(estimate - value))


def _packed(indices: list[int], bits: int) -> bytes:
    per_byte = 8 // bits
    packed = bytearray()
    for at in range(0, len(indices), per_byte):
        value = 0
        for offset in range(per_byte):
            index = indices[at + offset] if at + offset < len(indices) else 0
            value = (value << bits) | index
        packed.append(value)
    return bytes(packed)


def _palette(pixels: list[Colour], size: int) -> list[Colour]:
    """The most frequent colours as they are, so flat areas keep theirs; median cut for the rest."""
    counts = Counter(pixels)
    frequent = [colour for colour, _ in counts.most_common(size // 4)]
    rest = [colour for colour in counts if colour not in set(frequent)]
    boxes = [rest] if rest else []
    while boxes and len(frequent) + len(boxes) < size:
        box = max(boxes, key=lambda colours: _spread(colours) if len(colours) > 1 else -1)
        if len(box) < 2:
            break
        boxes.remove(box)
        channel = max(range(4), key=lambda c: max(p[c] for p in box) - min(p[c] for p in box))
        box.sort(key=lambda colour: colour[channel])
        boxes += [box[: len(box) // 2], box[len(box) // 2 :]]
    palette = frequent + [max(box, key=lambda colour: counts[colour]) for box in boxes]
    return sorted(palette, key=lambda colour: (colour[3], colour))


def _spread(box: list[Colour]) -> int:
    return max(max(p[c] for p in box) - min(p[c] for p in box) for c in range(4))


def _far(one: Colour, other: Colour) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
