"""docs/segments.md: what it shows can be typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from newsletter.segments import parse_segment

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "segments.md").read_text("utf-8")
ROWS = re.findall(r"^\| `([^`]+)` \| (.*) \|$", PAGE, re.MULTILINE)
OTHERS = re.findall(r"--segment '([^']+)'|only: (\w[^\n]+)|segment: (\w[^\n]+)", PAGE)


@pytest.mark.parametrize("text", [row[0] for row in ROWS])
def test_every_row_is_a_segment(text: str) -> None:
    parse_segment(text)


def test_what_is_the_same_is_the_same() -> None:
    pairs = [(one, other.strip("`")) for one, other in ROWS if other.startswith("`")]
    assert len(pairs) == 1
    for one, other in pairs:
        assert parse_segment(one) == parse_segment(other)


def test_the_examples_in_the_text() -> None:
    texts = ["".join(found) for found in OTHERS]
    assert len(texts) == 4
    for text in texts:
        parse_segment(text, history="got" in text)
    for text in ("tag in （cv，nlp）", "name ＝ “李 雷”"):
        assert f"`{text}`" in PAGE
        parse_segment(text)
