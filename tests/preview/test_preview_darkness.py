"""Forced dark mode."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.preview.darkness import Shade

PARTIAL = Shade(marks=True)
FULL = Shade(everything=True)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    "white", ["#fff", "#FFFFFF", "white", "rgb(255,255,255)", "hsl(0,0%,100%)"]
)
def test_white_ground_becomes_the_darkest(white: str) -> None:
    assert PARTIAL.colour(white, ground=True) == "#333333"


def test_black_text_becomes_white() -> None:
    assert PARTIAL.colour("#000000", ground=False) == "#ffffff"


def test_partial_leaves_what_suits_the_dark_already() -> None:
    assert PARTIAL.colour("#12312d", ground=True) == "#12312d"
    assert PARTIAL.colour("#ffffff", ground=False) == "#ffffff"


def test_full_turns_those_as_well() -> None:
    assert _luminance(FULL.colour("#12312d", ground=True)) > 0.4
    assert FULL.colour("#ffffff", ground=False) == "#333333"


def test_hue_stays() -> None:
    red, green, blue = (
        int(PARTIAL.colour("#a00000", ground=False)[i : i + 2], 16) for i in (1, 3, 5)
    )
    assert red > green
    assert red > blue


def test_transparency_stays() -> None:
    assert PARTIAL.colour("rgba(255,255,255,.5)", ground=True) == "rgba(51,51,51,0.5)"
    assert PARTIAL.colour("transparent", ground=True) == "transparent"


@pytest.mark.parametrize("word", ["inherit", "currentcolor", "none", "solid", "1px", "", "#12"])
def test_what_is_no_colour_stays(word: str) -> None:
    assert FULL.colour(word, ground=True) == word


@given(st.integers(0, 0xFFFFFF))
def test_full_turns_light_into_dark_and_dark_into_light(number: int) -> None:
    colour = f"#{number:06x}"
    turned = FULL.colour(colour, ground=True)
    assert re.fullmatch("#[0-9a-f]{6}", turned)
    if _luminance(colour) > 0.6:
        assert _luminance(turned) < _luminance(colour)
    if _luminance(colour) < 0.05:
        assert _luminance(turned) > _luminance(colour)


@given(st.integers(0, 0xFFFFFF))
def test_partial_makes_every_ground_dark_and_every_text_light(number: int) -> None:
    colour = f"#{number:06x}"
    assert _luminance(PARTIAL.colour(colour, ground=True)) < 0.36
    assert _luminance(PARTIAL.colour(colour, ground=False)) > 0.12


def test_declarations_by_property() -> None:
    changed: dict[str, str] = {}
    css = "color:#000000;background-color: white;border:1px solid #eeeeee;font:12px Black"
    assert PARTIAL.declarations(css, changed=changed) == (
        "color:#ffffff;background-color: #333333;border:1px solid #3d3d3d;font:12px Black"
    )
    assert changed == {"data-ogsc": "#000000", "data-ogsb": "white"}


def test_background_images_stay() -> None:
    css = "background:#ffffff url(white.png) no-repeat"
    assert PARTIAL.declarations(css, changed={}) == "background:#333333 url(white.png) no-repeat"


def test_properties_that_end_alike_stay() -> None:
    css = "-x-color:#000000;--background:#ffffff"
    assert PARTIAL.declarations(css, changed={}) == css


def test_what_does_not_change_leaves_no_mark() -> None:
    changed: dict[str, str] = {}
    PARTIAL.declarations("color:#ffffff;background:#000000", changed=changed)
    assert changed == {}


def test_attributes() -> None:
    changed: dict[str, str] = {}
    assert PARTIAL.attribute("bgcolor", " #ffffff ", changed=changed) == "#333333"
    assert PARTIAL.attribute("color", "white", changed=changed) is None
    assert PARTIAL.attribute("text", "black", changed=changed) == "#ffffff"
    assert changed == {"data-ogsb": "#ffffff", "data-ogsc": "black"}


def test_clients_other_than_outlook_leave_no_marks() -> None:
    changed: dict[str, str] = {}
    plain = Shade()
    assert plain.declarations("color:#000000", changed=changed) == "color:#ffffff"
    assert plain.attribute("bgcolor", "#ffffff", changed=changed) == "#333333"
    assert changed == {}


def test_rules_for_outlook_s_marks_stay() -> None:
    css = "@media all{p{color:#000000}}[data-ogsc] p{color:#000000}.x{background:#ffffff}"
    assert PARTIAL.sheet(css) == (
        "@media all{p{color:#ffffff}}[data-ogsc] p{color:#000000}.x{background:#333333}"
    )


def test_the_canvas_has_ground_text_and_links() -> None:
    canvas = PARTIAL.canvas()
    assert "background-color:#333333" in canvas
    assert "color:#ffffff" in canvas
    assert "a:link{color:#" in canvas
