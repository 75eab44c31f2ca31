"""Forced dark mode: what clients do to colours when they take no notice of `prefers-color-scheme`.

The arithmetic is that of Outlook on the web (`getDarkColor` in microsoft/roosterjs): in CIE L*a*b*
the lightness is turned over and squeezed into the range above the lightness of #333333, hue and
chroma stay. Gmail's is not public and looks much the same. Real clients differ in detail; a mail
that survives both of these survives them.
"""

from __future__ import annotations

import re
from functools import lru_cache

from tinycss2.color3 import RGBA, parse_color

_BASE = 21.247  # L* of #333333, the darkest ground
_DECLARATION = re.compile(
    r"(?P<property>(?<![\w-])(?:color|background(?:-color)?|border(?:-[a-z]+)*|outline(?:-color)?"
    r"|text-decoration(?:-color)?))(?P<colon>\s*:\s*)(?P<value>[^;{}]+)",
    re.IGNORECASE,
)
_RULE = re.compile(r"(?P<selector>[^{}]*)\{(?P<body>[^{}]*)\}")
_COLOUR = re.compile(
    r"url\([^)]*\)|#[0-9a-f]{3,8}\b|(?:rgb|hsl)a?\([^)]*\)|(?<![\w.#-])[a-z]+(?![\w(-])",
    re.IGNORECASE,
)
_MARKS = {"color": "data-ogsc", "text": "data-ogsc", "background": "data-ogsb"}


class Shade:
    """Turns light colours into dark ones.

    Args:
        everything: turn every colour over; otherwise only light grounds and dark text, and what was
            dark stays.
        marks: leave `data-ogsc` where text and `data-ogsb` where a ground was changed, each with
            the colour as it was, for the author's rules to answer, as Outlook.com does.

    """

    def __init__(self, *, everything: bool = False, marks: bool = False) -> None:
        self._everything = everything
        self._marks = marks

    def canvas(self) -> str:
        """CSS for what the mail leaves to the client: ground, text and links."""
        ground, text = self._turned(RGBA(1, 1, 1, 1)), self._turned(RGBA(0, 0, 0, 1))
        link = self._turned(RGBA(0, 0, 0.93, 1))
        return f"html{{background-color:{ground};color:{text}}}a:link{{color:{link}}}"

    def sheet(self, css: str) -> str:
        """A style sheet; rules for `[data-ogsc]` or `[data-ogsb]` are the author's own and stay."""

        def rule(match: re.Match[str]) -> str:
            if "data-ogs" in match["selector"]:
                return match[0]
            return f"{match['selector']}{{{self.declarations(match['body'], changed={})}}}"

        return _RULE.sub(rule, css)

    def declarations(self, css: str, *, changed: dict[str, str]) -> str:
        """Declarations of a style attribute or rule; the marks they call for go into `changed`."""

        def declaration(match: re.Match[str]) -> str:
            name = match["property"].lower()
            ground = name.startswith(("background", "border", "outline"))
            value = _COLOUR.sub(lambda word: self.colour(word[0], ground=ground), match["value"])
            mark = _MARKS.get(name.removesuffix("-color"))
            if value != match["value"] and mark and self._marks:
                changed[mark] = match["value"].strip()
            return f"{match['property']}{match['colon']}{value}"

        return _DECLARATION.sub(declaration, css)

    def attribute(self, name: str, value: str, *, changed: dict[str, str]) -> str | None:
        """The value of `bgcolor`, `color` or `text`, or None when it stays."""
        ground = name == "bgcolor"
        new = self.colour(value.strip(), ground=ground)
        if new == value.strip():
            return None
        if self._marks:
            changed[_MARKS["background" if ground else name]] = value.strip()
        return new

    def colour(self, text: str, *, ground: bool) -> str:
        """One colour; whatever is not a colour comes back as it is."""
        colour = parse_color(text) if not text.lower().startswith("url(") else None
        if not isinstance(colour, RGBA) or not colour.alpha:
            return text
        light = _lightness(colour) > 50
        if self._everything or light == ground:
            return self._turned(colour)
        return text

    def _turned(self, colour: RGBA) -> str:
        return _turn(float(colour[0]), float(colour[1]), float(colour[2]), float(colour[3]))


def _lightness(colour: RGBA) -> float:
    return _to_lab(float(colour[0]), float(colour[1]), float(colour[2]))[0]


@lru_cache(maxsize=1024)
def _turn(red: float, green: float, blue: float, alpha: float) -> str:
    lightness, a, b = _to_lab(red, green, blue)
    rgb = _from_lab((100 - lightness) * (100 - _BASE) / 100 + _BASE, a, b)
    channels = [round(min(1.0, max(0.0, channel)) * 255) for channel in rgb]
    if alpha < 1:
        return "rgba({},{},{},{:g})".format(*channels, alpha)
    return "#{:02x}{:02x}{:02x}".format(*channels)


def _to_lab(red: float, green: float, blue: float) -> tuple[float, float, float]:
    """SRGB (0 to 1) to CIE L*a*b* under D65."""
    r, g, b = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in (red, green, blue)
    )
    x = (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047
    y = 0.2126729 * r + 0.7151522 * g + 0.0721750 * b
    z = (0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883
    fx, fy, fz = (
        t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in (x, y, z)
    )
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def _from_lab(lightness: float, a: float, b: float) -> tuple[float, float, float]:
    fy = (lightness + 16) / 116
    x, y, z = (
        t**3 if t**3 > 216 / 24389 else (116 * t - 16) * 27 / 24389
        for t in (fy + a / 500, fy, fy - b / 200)
    )
    x, z = x * 0.95047, z * 1.08883
    linear = (
        3.2404542 * x - 1.5371385 * y - 0.4985314 * z,
        -0.9692660 * x + 1.8760108 * y + 0.0415560 * z,
        0.0556434 * x - 0.2040259 * y + 1.0572252 * z,
    )
    red, green, blue = (
        12.92 * channel if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055
        for channel in linear
    )
    return red, green, blue
