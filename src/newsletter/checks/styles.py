"""How an element looks: inline style, attributes and the rules left in the head, in light and in dark.

No browser: only what is needed for colours, sizes and visibility, with the cascade as CSS has it
(CSS Cascade 4, section 6): a rule loses to the style attribute, unless it is `!important`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from lxml import etree

from newsletter.checks.colour import BLACK, WHITE, Colour, parse_colour
from newsletter.checks.rules import fitting, rules_of, specificity
from newsletter.errors import Place
from newsletter.rendering.css import declarations_of

_PROPERTIES = frozenset(
    [
        *("color", "background", "background-color", "font", "font-size", "line-height"),
        *("display", "visibility", "max-height", "opacity", "mso-hide", "font-family"),
        *("padding", "padding-top", "padding-bottom", "height", "font-weight"),
    ]
)
_LINK = Colour(0, 0, 0.933)
_ABSOLUTE = {"px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 37.8, "mm": 3.78}
_RELATIVE = {"em": 1.0, "rem": 1.0, "%": 0.01}
_KEYWORDS = {"xx-small": 9, "x-small": 10, "small": 13, "medium": 16, "large": 18, "x-large": 24}
_HEADINGS = {"h1": 32, "h2": 24, "h3": 18.72, "h4": 16, "h5": 13.28, "h6": 10.72, "small": 13.3}
_LENGTH = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(px|pt|pc|in|cm|mm|em|rem|%)?")


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that holds for an element, and the element that it was set on."""

    value: str
    node: etree._Element


class Styles:
    """The looks of one document.

    Args:
        tree: the document.
        blocks: the text of its style blocks.
        files: style sheets by path, to find the line that a value comes from.
        dark: as in a mail program that asks for the author's dark colours.

    """

    def __init__(
        self,
        tree: etree._Element,
        *,
        blocks: Sequence[str],
        files: Mapping[str, str],
        dark: bool = False,
    ) -> None:
        self._tree = tree
        self._blocks = blocks
        self._files = files
        self._dark = dark
        self._own: dict[etree._Element, dict[str, str]] = {}

    @cached_property
    def has_dark(self) -> bool:
        """Whether there are rules for the dark."""
        return any(rule.dark for block in self._blocks for rule in rules_of(block))

    @cached_property
    def _forced(self) -> dict[etree._Element, tuple[dict[str, str], dict[str, str]]]:
        """What the head's rules say of each element: without and with `!important`."""
        found: dict[etree._Element, tuple[dict[str, str], dict[str, str]]] = {}
        rules = [rule for block in self._blocks for rule in rules_of(block)]
        applying = [rule for rule in rules if self._dark or not rule.dark]
        for rule in sorted(applying, key=lambda rule: specificity(rule.selector)):
            for node in fitting(self._tree, rule.selector):
                plain, important = found.setdefault(node, ({}, {}))
                for declaration in rule.declarations:
                    if declaration.name.lower() in _PROPERTIES:
                        wins = important if declaration.important else plain
                        wins[declaration.name.lower()] = declaration.value
        return found

    def own(self, node: etree._Element) -> Mapping[str, str]:
        """What is set on an element itself."""
        if node not in self._own:
            plain, important = self._forced.get(node, ({}, {}))
            inline = {
                declaration.name.lower(): declaration.value
                for declaration in declarations_of(node.get("style") or "")
            }
            self._own[node] = {**_attributes(node), **plain, **inline, **important}
        return self._own[node]

    def setting(self, node: etree._Element, *names: str) -> Setting | None:
        """The value of the first of `names` that is set, on the element or the nearest around it."""
        for one in _line(node):
            own = self.own(one)
            for name in names:
                if name in own and own[name].lower() not in ("inherit", "unset"):
                    return Setting(own[name], one)
        return None

    def hidden(self, node: etree._Element) -> bool:
        """Whether readers do not see an element, nor what is in it."""
        for one in _line(node):
            own = self.own(one)
            if "none" in own.get("display", "") or own.get("visibility") == "hidden":
                return True
            if own.get("mso-hide") == "all" or own.get("opacity") == "0":
                return True
            if own.get("max-height", "").strip() in ("0", "0px"):
                return True
        return False

    def colour(self, node: etree._Element) -> tuple[Colour, Setting | None]:
        """The colour of an element's words, and where it is set."""
        for one in _line(node):
            if one.tag == "a" and "color" not in self.own(one) and one.get("href"):
                return _LINK, None
            if found := parse_colour(self.own(one).get("color", "")):
                return found, Setting(self.own(one)["color"], one)
        return BLACK, None

    def ground(self, node: etree._Element) -> tuple[Colour, Setting | None]:
        """The colour behind an element, and where the uppermost of its layers is set."""
        layers: list[tuple[Colour, Setting]] = []
        for one in _line(node):
            own = self.own(one)
            for name in ("background-color", "background"):
                if name in own and (colour := _colour_in(own[name])) and colour.alpha > 0:
                    layers.append((colour, Setting(own[name], one)))
                    break
            if layers and layers[-1][0].alpha >= 1:
                break
        seen = WHITE
        for colour, _ in reversed(layers):
            seen = colour.over(seen)
        return seen, layers[0][1] if layers else None

    def font_size(self, node: etree._Element) -> float:
        """The size of an element's letters in CSS pixels."""
        own = self.own(node)
        parent = node.getparent()
        base = self.font_size(parent) if parent is not None else 16.0
        written = own.get("font-size") or _size_in(own.get("font", ""))
        if not written:
            size = _HEADINGS.get(str(node.tag))
            return float(size) if size else base
        return length(written, base=base) or base

    def line_height(self, node: etree._Element) -> float:
        """The height of an element's lines in CSS pixels."""
        size = self.font_size(node)
        found = self.setting(node, "line-height")
        if found is None or found.value == "normal":
            return 1.4 * size
        if re.fullmatch(r"\d+(\.\d*)?|\.\d+", found.value):
            return float(found.value) * size
        return length(found.value, base=self.font_size(found.node)) or 1.4 * size

    def padding(self, node: etree._Element) -> tuple[float, float]:
        """The padding of an element above and below, in CSS pixels."""
        own = self.own(node)
        size = self.font_size(node)
        sides = own.get("padding", "").split()
        top = length(own.get("padding-top") or (sides[0] if sides else "0"), base=size)
        last = sides[2] if len(sides) > 2 else (sides[0] if sides else "0")
        bottom = length(own.get("padding-bottom") or last, base=size)
        return top or 0.0, bottom or 0.0

    def place(self, setting: Setting | None, *names: str) -> Place | None:
        """The line of a style sheet that gave a value to an element.

        Args:
            setting: the value and the element.
            names: the properties that may have given it.

        """
        if setting is None:
            return None
        best: tuple[tuple[int, ...], Place] | None = None
        for path, text in self._files.items():
            if not path.endswith(".css"):
                continue
            for order, rule in enumerate(rules_of(text)):
                if rule.dark and not self._dark:
                    continue
                for declaration in rule.declarations:
                    if declaration.name.lower() not in names or not _same(
                        declaration.value, setting.value
                    ):
                        continue
                    if setting.node in fitting(self._tree, rule.selector):
                        rank = (rule.dark, *specificity(rule.selector), order)
                        place = Place(path=path, line=declaration.line, column=declaration.column)
                        if best is None or rank > best[0]:
                            best = (rank, place)
        return best[1] if best else None


def _line(node: etree._Element) -> Iterator[etree._Element]:
    """An element and everything around it, from the inside."""
    one: etree._Element | None = node
    while one is not None:
        yield one
        one = one.getparent()


def _attributes(node: etree._Element) -> dict[str, str]:
    """What the attributes of old HTML set."""
    found = {}
    if ground := node.get("bgcolor"):
        found["background-color"] = ground
    if node.tag == "font" and node.get("color"):
        found["color"] = node.get("color", "")
    return found


def _colour_in(value: str) -> Colour | None:
    """The colour of a `background` or `background-color`."""
    if found := parse_colour(value):
        return found
    words = re.findall(r"#[0-9a-fA-F]{3,8}\b|[a-z]+\([^()]*\)|[a-zA-Z]+", value)
    return next((colour for word in words if (colour := parse_colour(word))), None)


def length(text: str, *, base: float) -> float | None:
    """A length in CSS pixels; `base` is what em and percent refer to."""
    text = text.strip().lower()
    if text in _KEYWORDS:
        return float(_KEYWORDS[text])
    match = _LENGTH.match(text)
    if match is None:
        return None
    number, unit = float(match[1]), match[2] or "px"
    return number * _ABSOLUTE[unit] if unit in _ABSOLUTE else number * _RELATIVE[unit] * base


def _size_in(font: str) -> str | None:
    match = re.search(r"(?:^|\s)([\d.]+(?:px|pt|em|rem|%))", font)
    return match[1] if match else None


def _same(one: str, other: str) -> bool:
    first, second = _colour_in(one), _colour_in(other)
    if first and second:
        return first == second
    return one.replace(" ", "").lower() == other.replace(" ", "").lower()
