"""The pictures of the sample publication are small, and the tool that shrinks them keeps what they show."""

from __future__ import annotations

import importlib.util
import struct
import sys
import zlib
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def png(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("theme_tools_png", root / "tools/png.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def header(path: Path) -> tuple[int, ...]:
    return struct.unpack(">IIBB", path.read_bytes()[16:26])


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def filtered_png(width: int, rows: list[tuple[int, bytes]]) -> bytes:
    """An RGB file whose rows carry these filters and these filtered bytes."""
    head = struct.pack(">IIBBBBB", width, len(rows), 8, 2, 0, 0, 0)
    data = b"".join(bytes([kind]) + row for kind, row in rows)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_the_masthead_is_twice_as_wide_as_shown_and_small(root: Path):
    path = root / "assets/masthead.png"
    width, height, depth, colour_type = header(path)
    assert (width, colour_type) == (1280, 3)
    assert 240 <= height <= 480
    assert depth <= 8
    assert path.stat().st_size < 25_000


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_divider_is_tiny_and_transparent(number: int, root: Path):
    path = root / f"assets/divider-{number}.png"
    assert path.stat().st_size < 4_000
    assert b"tRNS" in path.read_bytes()


def test_the_readme_has_its_picture(root: Path):
    width, height, *_ = header(root / "docs/images/issue-064.png")
    assert 1100 <= width <= 1300
    assert 1400 <= height <= 1600
    assert (root / "docs/images/issue-064.png").stat().st_size < 300_000


def test_few_colours_come_back_as_they_were(png: ModuleType):
    red, clear, blue = (255, 0, 0, 255), (0, 0, 0, 0), (0, 0, 255, 128)
    pixels = [red, clear, blue, red, red, blue]
    packed = png.encode(png.Bitmap(width=3, height=2, pixels=pixels), colours=16)
    assert packed.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">IIBB", packed[16:26]) == (3, 2, 2, 3)
    assert b"tRNS" in packed


def test_too_many_colours_are_reduced_and_flat_areas_keep_theirs(png: ModuleType):
    ground = (16, 49, 45, 255)
    pixels = [ground] * 600 + [(value, value, value, 255) for value in range(200)]
    packed = png.encode(png.Bitmap(width=40, height=20, pixels=pixels), colours=16)
    palette = packed[packed.index(b"PLTE") + 4 :][: 16 * 3]
    assert bytes(ground[:3]) in [palette[at : at + 3] for at in range(0, 48, 3)]


def test_every_filter_of_the_format_is_undone(png: ModuleType):
    # One red pixel, then each filter says "as predicted" and adds nothing or one step.
    rows = [
        (0, bytes([10, 20, 30, 40, 50, 60])),
        (1, bytes([10, 20, 30, 30, 30, 30])),
        (2, bytes([0, 0, 0, 0, 0, 0])),
        (3, bytes([5, 10, 15, 15, 15, 15])),
        (4, bytes([0, 0, 0, 0, 0, 0])),
    ]
    bitmap = png.decode(filtered_png(2, rows))
    assert bitmap.pixels[0::2] == [(10, 20, 30, 255)] * 5
    assert bitmap.pixels[1::2] == [(40, 50, 60, 255)] * 5


def test_other_files_are_refused(png: ModuleType, root: Path):
    with pytest.raises(ValueError, match="not a PNG"):
        png.decode(b"GIF89a")
    with pytest.raises(ValueError, match="RGB"):
        png.decode((root / "assets/masthead.png").read_bytes())
