from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.checks.colour import BLACK, WHITE, Colour, contrast, parse_colour

CHANNEL = st.floats(0, 1)
COLOURS = st.builds(Colour, CHANNEL, CHANNEL, CHANNEL)


@pytest.mark.parametrize(
    ("text", "shown", "alpha"),
    [
        ("#fff", "#ffffff", 1),
        ("#0b6b58", "#0b6b58", 1),
        ("#0008", "#000000", 8 / 15),
        ("rgb(11, 107, 88)", "#0b6b58", 1),
        ("rgba(0,0,0,.5)", "#000000", 0.5),
        ("rgb(0 0 0 / 50%)", "#000000", 0.5),
        ("hsl(120, 100%, 25%)", "#008000", 1),
        ("WHITE", "#ffffff", 1),
        ("#111 !important", "#111111", 1),
        ("transparent", "#000000", 0),
    ],
)
def test_colours(text: str, shown: str, alpha: float) -> None:
    colour = parse_colour(text)
    assert colour is not None
    assert str(colour) == shown
    assert colour.alpha == pytest.approx(alpha)


@pytest.mark.parametrize(
    "text", ["", "inherit", "currentColor", "none", "url(x)", "#12", "12px", "((("]
)
def test_what_is_no_colour(text: str) -> None:
    assert parse_colour(text) is None


@given(st.text(max_size=30))
def test_any_text_is_a_colour_or_none(text: str) -> None:
    colour = parse_colour(text)
    assert colour is None or 0 <= colour.luminance <= 1


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000", "#fff", 21), ("#777", "#fff", 4.48), ("#767676", "#fff", 4.54), ("#fff", "#fff", 1)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    first, second = parse_colour(one), parse_colour(other)
    assert first is not None
    assert second is not None
    assert contrast(first, second) == pytest.approx(ratio, abs=0.01)


@given(COLOURS, COLOURS)
def test_contrast_is_the_same_both_ways_and_between_1_and_21(one: Colour, other: Colour) -> None:
    assert contrast(one, other) == contrast(other, one)
    assert 1 <= contrast(one, other) <= 21 + 1e-9


def test_a_translucent_colour_is_mixed_with_its_ground() -> None:
    half = Colour(0, 0, 0, 0.5)
    assert str(half.over(WHITE)) == "#808080"
    assert half.over(BLACK) == BLACK
    assert Colour(1, 0, 0, 0).over(WHITE) == WHITE
