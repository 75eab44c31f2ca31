"""From a use in the HTML part back to the line of the style sheet or template that asked for it.

The inliner has put style sheets into style attributes; the elements still have their classes, so the
rules are matched with them once more, and the last one that sets the property is the one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from lxml import etree
from lxml.cssselect import CSSSelector

from newsletter.checks.compatibility.uses import Origin, Use, Where
from newsletter.errors import Place
from newsletter.rendering.css import Declaration, Placing, Rule, read_sheet

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked

_SPACE = re.compile(r"\s+")


class Locator:
    """Finds lines for the uses of one mail.

    Args:
        checked: the issue under examination.

    """

    def __init__(self, checked: Checked) -> None:
        self._checked = checked
        self._fitting: dict[str, frozenset[etree._Element]] = {}

    def places(self, use: Use, origins: list[Origin]) -> Iterator[Place]:
        """The lines that a use comes from, each once, in the order of the mail."""
        seen: set[tuple[str, int | None]] = set()
        for origin in origins:
            place = self._place(use, origin)
            if place and (place.path, place.line) not in seen:
                seen.add((place.path, place.line))
                yield place

    def _place(self, use: Use, origin: Origin) -> Place | None:
        if origin.block is not None:
            return self._in_block(origin)
        if origin.node is None:
            return None
        if use.where is Where.INLINE:
            exact, same = self._in_sheets(use, origin.node)
            written = exact or self._in_templates(use.shown)
            return written or same or self._of_element(origin.node)
        return self._of_element(origin.node)

    def _of_element(self, node: etree._Element) -> Place | None:
        """The template line of a tag; of one that Markdown made, the line of its words."""
        places = self._checked.places
        return places.of_tag(node) or places.of_element(node)

    def _in_block(self, origin: Origin) -> Place | None:
        assert origin.block is not None
        text = self._checked.style_blocks[origin.block]
        place, _ = Placing(text, self._css, self._templates)(origin.line, origin.column)
        return None if place.path == "<style>" else place

    def _in_sheets(self, use: Use, node: etree._Element) -> tuple[Place | None, Place | None]:
        """The last declaration in a rule that fits: of this property and value, and of this property."""
        name, _, value = use.shown.partition(":")
        exact: Place | None = None
        same: Place | None = None
        for path, rule, each in self._setting.get(name.lower(), ()):
            if self._fits(rule, node):
                same = Place(path=path, line=each.line, column=each.column)
                exact = same if _even(each.value) == _even(value) else exact
        return exact, same

    def _fits(self, rule: Rule, node: etree._Element) -> bool:
        return any(node in self._nodes(selector) for selector in rule.selectors)

    def _nodes(self, selector: str) -> frozenset[etree._Element]:
        if selector not in self._fitting:
            found: Any
            try:
                found = CSSSelector(selector, translator="html")(self._checked.tree)
            except Exception:  # cssselect and lxml raise families of their own
                found = []
            self._fitting[selector] = frozenset(found)
        return self._fitting[selector]

    def _in_templates(self, shown: str) -> Place | None:
        """The line of a template that has this declaration in a style attribute."""
        name, _, value = shown.partition(":")
        wanted = re.compile(rf"{re.escape(name)}\s*:\s*{re.escape(value.strip())}", re.IGNORECASE)
        for path, text in self._templates.items():
            if match := wanted.search(text):
                line = text.count("\n", 0, match.start()) + 1
                return Place(
                    path=path, line=line, column=match.start() - text.rfind("\n", 0, match.start())
                )
        return None

    @cached_property
    def _css(self) -> dict[str, str]:
        return {path: text for path, text in self._checked.files.items() if path.endswith(".css")}

    @cached_property
    def _templates(self) -> dict[str, str]:
        return {path: text for path, text in self._checked.files.items() if path not in self._css}

    @cached_property
    def _setting(self) -> dict[str, list[tuple[str, Rule, Declaration]]]:
        """For each property the rules that set it, with their style sheet, in its order."""
        setting: dict[str, list[tuple[str, Rule, Declaration]]] = {}
        for path, text in self._css.items():
            for rule in _rules(text):
                for each in rule.declarations:
                    setting.setdefault(each.name.lower(), []).append((path, rule, each))
        return setting


@lru_cache(maxsize=16)
def _rules(text: str) -> tuple[Rule, ...]:
    """The rules of a style sheet; remembered, since a preview asks again and again."""
    return read_sheet(text, Placing(text, {})).rules


def _even(value: str) -> str:
    """A value without the differences that an inliner makes."""
    text = _SPACE.sub("", value.lower()).replace('"', "'")
    return re.sub(r"#([0-9a-f])\1([0-9a-f])\2([0-9a-f])\3(?![0-9a-f])", r"#\1\2\3", text)
