"""From something in the message back to the line that its author can change.

First the issue source: every value knows where it begins, and here also where each of its characters
stands. Then the templates and style sheets that were read for the message, by what their lines say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

from lxml import etree

from newsletter.content.reader import IssueSource
from newsletter.errors import Place
from newsletter.source.spelling import position, spelling
from newsletter.source.text import SourceText
from newsletter.source.tree import Location, Node, Scalar
from newsletter.source.tree import Mapping as MappingNode
from newsletter.source.tree import Sequence as SequenceNode

_SNIPPET_CELLS = 66  # so that a terminal of 80 columns has room for line number and margin
_SHORTEST = 2
_LONG_ENOUGH = 8
_LONGEST = 60
_COMMENT = re.compile(r"\{#.*?#\}|<!--.*?-->", re.DOTALL)
_PRINTED = re.compile(r"\{[{%#].*?[}%#]\}")


@dataclass(frozen=True, kw_only=True)
class Value:
    """A text of the issue source.

    Attributes:
        location: the path to it.
        text: what it says, escapes resolved, folded lines joined.
        node: where it begins.
        source: the file.

    """

    location: Location
    text: str
    node: Node
    source: SourceText

    @property
    def key(self) -> str:
        """The last name in the path: `title`, or `authors` for one of them."""
        return next((part for part in reversed(self.location) if isinstance(part, str)), "")

    def place(self, offset: int = 0) -> Place:
        """Where the character at `offset` of `text` stands in the file."""
        return self.source.place(*position(self.source, self.node, self._spelling, offset))

    @cached_property
    def _spelling(self) -> list[int | None]:
        return spelling(self.source, self.node, self.text)


class SourceIndex:
    """Every text of an issue source."""

    def __init__(self, source: IssueSource) -> None:
        self.values = tuple(_values(source.document.root, (), source.document.source))

    def find(self, text: str, *, within: Location = ()) -> tuple[Value, int] | None:
        """The first value that has `text` in it, and the offset there.

        Args:
            text: what to look for; white space counts as written.
            within: only below this location.

        """
        text = text.strip()
        if len(text) < _SHORTEST:
            return None
        for value in self.values:
            if value.location[: len(within)] == within and (at := value.text.find(text)) >= 0:
                return value, at
        return None


def _values(node: Node, location: Location, source: SourceText) -> Iterator[Value]:
    if isinstance(node, MappingNode):
        for key, child in node.entries.items():
            yield from _values(child, (*location, key), source)
    elif isinstance(node, SequenceNode):
        for index, child in enumerate(node.items):
            yield from _values(child, (*location, index), source)
    elif isinstance(node, Scalar) and node.resolved is not None:
        yield Value(location=location, text=node.text, node=node, source=source)


class Places:
    """Finds the line of an element, a link or a phrase.

    Args:
        source: the issue source.
        files: templates and style sheets, by path as the user would type it.

    """

    def __init__(self, source: IssueSource, files: Mapping[str, str]) -> None:
        self.index = SourceIndex(source)
        self._source = source
        self._files = files

    def of_link(self, address: str) -> Place | None:
        """Where an address stands in the issue source; Markdown may have escaped parts of it."""
        for written in dict.fromkeys((address, unquote(address))):
            if found := self.index.find(written):
                return found[0].place(found[1])
        return None

    def of_element(self, node: etree._Element) -> Place | None:
        """Where an element comes from: by its address, then by its words, then by its tag.

        Few words may stand anywhere in the source, so they count only when a value or the words of a
        Markdown link are just these.
        """
        for name in ("href", "src", "alt", "title"):
            value = node.get(name, "")
            if len(value) > _SHORTEST and (found := self.of_link(value)):
                return found
            if name in node.attrib and (literal := self._of_literal(node, name)):
                return literal
        words = " ".join("".join(map(str, node.itertext())).split())
        if words and (place := self._of_words(words)):
            return place
        return self.of_tag(node)

    def _of_literal(self, node: etree._Element, name: str) -> Place | None:
        """Where a template writes this very attribute into such a tag."""
        if name not in ("href", "src"):
            return None
        value = re.escape(node.get(name, ""))
        written = re.compile(rf"""<{node.tag!s}\b[^>]*\b{name}=["']{value}["']""", re.IGNORECASE)
        for path, text in self._files.items():
            if path.endswith(".j2") and (match := written.search(text)):
                return _position(path, text, match.start())
        return None

    def _of_words(self, words: str) -> Place | None:
        for value in self.index.values:
            if value.text.strip() == words:
                return value.place()
        for written in (f"[{words}]", f"# {words}"):
            if found := self.index.find(written):
                return found[0].place(found[1])
        if _LONG_ENOUGH <= len(words) <= _LONGEST and (found := self.index.find(words)):
            return found[0].place(found[1])
        return None

    def of_tag(self, node: etree._Element) -> Place | None:
        """The template line that writes the tag of an element: the one that fits it best.

        A tag without attributes of its own says little; it counts only where there is no other.
        """
        opening = re.compile(rf"<{re.escape(str(node.tag))}\b[^>]*", re.IGNORECASE)
        ranked: list[tuple[int, Place]] = []
        for path, text in self._files.items():
            if not path.endswith(".j2"):
                continue
            plain = _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
            for match in opening.finditer(plain):
                place = _position(path, text, match.start())
                ranked.append((_likeness(match.group(), node), place))
        best = max((score for score, _ in ranked), default=0)
        places = [place for score, place in ranked if score == best > 0]
        return places[0] if places and (best > 1 or len(places) == 1) else None

    def in_files(self, text: str) -> Place | None:
        """Where `text` stands in a template or style sheet."""
        if len(text) >= _SHORTEST:
            for path, content in self._files.items():
                if (at := content.find(text)) >= 0:
                    return _position(path, content, at)
        return None

    def snippet(self, place: Place) -> str | None:
        """The line at `place`, with a caret, where the file is known."""
        if place.line is None:
            return None
        text = self._source.text
        if place.path != text.path:
            if place.path not in self._files:
                return None
            text = SourceText(path=place.path, text=self._files[place.path])
        return text.snippet(place.line, place.column or 1, cells=_SNIPPET_CELLS) or None


def _likeness(tag: str, node: etree._Element) -> int:
    """How well a tag in a template fits an element: one, and more for each attribute that agrees.

    0 when it gives one that the element does not have.
    """
    score = 1
    for name, value in re.findall(r"""([\w:-]+)=["']([^"']*)["']""", tag):
        has = node.get(name)
        if name == "style":
            continue
        if has is None:
            return 0
        fixed = _PRINTED.split(value)
        if len(fixed) == 1 and has != value:
            return 0
        if len(fixed) == 1 or (fixed[0] and has.startswith(fixed[0])):
            score += 2
    return score


def _position(path: str, text: str, at: int) -> Place:
    line_start = text.rfind("\n", 0, at) + 1
    return Place(path=path, line=text.count("\n", 0, at) + 1, column=at - line_start + 1)
