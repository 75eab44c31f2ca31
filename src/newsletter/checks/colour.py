"""Colours of CSS and the contrast between two of them (WCAG 2.2, relative luminance)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import tinycss2.color4


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour in sRGB: red, green, blue and alpha, each from 0 to 1."""

    red: float
    green: float
    blue: float
    alpha: float = 1.0

    def over(self, ground: Colour) -> Colour:
        """What is seen when this is painted over `ground`, which is opaque."""
        share = self.alpha
        mixed = (
            share * top + (1 - share) * below
            for top, below in zip(self._rgb, ground._rgb, strict=True)
        )
        return Colour(*mixed)

    @property
    def luminance(self) -> float:
        """Relative luminance, from 0 for black to 1 for white."""
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in self._rgb
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    @property
    def _rgb(self) -> tuple[float, float, float]:
        return self.red, self.green, self.blue

    def __str__(self) -> str:
        """As `#rrggbb`."""
        return "#" + "".join(f"{round(part * 255):02x}" for part in self._rgb)


WHITE = Colour(1, 1, 1)
BLACK = Colour(0, 0, 0)


@lru_cache(maxsize=2000)
def parse_colour(text: str) -> Colour | None:
    """A CSS colour, or None for what is none or depends on something else, such as `inherit`."""
    text = text.replace("!important", "").strip()
    try:
        found = tinycss2.color4.parse_color(text)
        if found is None or isinstance(found, str):
            return None
        srgb = found if found.space == "srgb" else found.to("srgb")
    except (NotImplementedError, ValueError, TypeError, AttributeError):
        return None
    red, green, blue = (min(1.0, max(0.0, float(part or 0))) for part in srgb.coordinates)
    return Colour(red, green, blue, float(1 if found.alpha is None else found.alpha))


def contrast(one: Colour, other: Colour) -> float:
    """The contrast ratio of two opaque colours, from 1 to 21."""
    lighter, darker = sorted((one.luminance, other.luminance), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)
