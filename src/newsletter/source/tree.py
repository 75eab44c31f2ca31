"""The tree of a YAML document: plain values that remember where they were written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from newsletter.errors import Place, Problem
from newsletter.source.spelling import position, spelling
from newsletter.source.text import SourceText

Location = tuple[str | int, ...]
"""Path to a value, such as ("sections", 0, "items", 2, "title")."""


@dataclass(slots=True, kw_only=True, eq=False)
class Node:
    """A value and where it begins: line and column of the file, counted from 1.

    `size` is the number of values in it, aliases written out, long text counting for several.
    """

    line: int
    column: int
    size: int = 1

    @property
    def value(self) -> Any:
        """The plain Python value."""
        raise NotImplementedError

    def child(self, part: str | int) -> Node | None:
        """The value that `part` names inside this one, or None."""
        return None


@dataclass(slots=True, kw_only=True, eq=False)
class Scalar(Node):
    """One text, number, truth value or nothing; `text` is what was written."""

    text: str
    resolved: Any

    @property
    def value(self) -> Any:
        """Text, a number, a truth value or None."""
        return self.resolved


@dataclass(slots=True, kw_only=True, eq=False)
class Sequence(Node):
    """A list."""

    items: list[Node] = field(default_factory=list)

    @property
    def value(self) -> Any:
        """A list."""
        return [item.value for item in self.items]

    def child(self, part: str | int) -> Node | None:
        """The entry with this index."""
        if isinstance(part, int) and 0 <= part < len(self.items):
            return self.items[part]
        return None


@dataclass(slots=True, kw_only=True, eq=False)
class Mapping(Node):
    """Keys, always text, with their values; `keys` holds where each key stands."""

    keys: dict[str, Scalar] = field(default_factory=dict)
    entries: dict[str, Node] = field(default_factory=dict)

    @property
    def value(self) -> Any:
        """A dict with text as keys."""
        return {key: node.value for key, node in self.entries.items()}

    def child(self, part: str | int) -> Node | None:
        """The value of this key."""
        return self.entries.get(part) if isinstance(part, str) else None


@dataclass(frozen=True, kw_only=True)
class YamlDocument:
    """A parsed document: its plain value, and the place of everything in it.

    Attributes:
        source: the text it was read from.
        root: the tree.
        problems: mistakes that did not keep the rest from being read, such as duplicate keys.

    """

    source: SourceText
    root: Node
    problems: tuple[Problem, ...] = ()

    @property
    def value(self) -> Any:
        """The document as dicts, lists, text, numbers, truth values and None."""
        return self.root.value

    def place(self, location: Location, *, key: bool = False) -> Place:
        """Where the value at `location` begins, or its key.

        A part that names no child is skipped, since pydantic puts the tag of a union into its
        locations; for a value that is not there this gives the nearest block around it.
        """
        node = self._position(location, key=key)
        return self.source.place(node.line, node.column)

    def known(self, location: Location) -> Location:
        """`location` without the parts that name nothing in the document, such as tags of unions."""
        path = _best_path(self.root, location)
        parts: list[str | int] = []
        node = self.root
        for child in path:
            parts.append(next(part for part in location if node.child(part) is child))
            node = child
        return tuple(parts)

    def written(self, location: Location) -> str | None:
        """The scalar at `location` as it was written, or None when there is no scalar."""
        path = _best_path(self.root, location)
        node = path[-1] if path else self.root
        return node.text if isinstance(node, Scalar) else None

    def problem(
        self, location: Location, message: str, hint: str | None = None, *, key: bool = False
    ) -> Problem:
        """A mistake at `location`, with the source line shown."""
        node = self._position(location, key=key)
        return self.source.problem(node.line, node.column, message, hint)

    def problem_in_text(
        self, location: Location, needle: str, message: str, hint: str | None = None
    ) -> Problem:
        """A mistake inside a long text: where `needle` stands in it, or else where it begins."""
        start = self._position(location, key=False)
        first = start.line - self.source.first_line
        for index, line in enumerate(self.source.lines[first:], start=start.line):
            column = line.find(needle, start.column - 1 if index == start.line else 0)
            if needle and column >= 0:
                return self.source.problem(index, column + 1, message, hint)
        return self.problem(location, message, hint)

    def problem_at(
        self, location: Location, offset: int, message: str, hint: str | None = None
    ) -> Problem:
        """A mistake at the character `offset` of the text at `location`, wherever a quote or fold put it."""
        node = self._position(location, key=False)
        text = node.text if isinstance(node, Scalar) else ""
        spelled = spelling(self.source, node, text)
        line, column = position(self.source, node, spelled, offset)
        return self.source.problem(line, column, message, hint)

    def _position(self, location: Location, *, key: bool) -> Node:
        path = _best_path(self.root, location)
        if key and path:
            parent = path[-2] if len(path) > 1 else self.root
            if isinstance(parent, Mapping) and location:
                name = location[-1]
                if isinstance(name, str) and parent.entries.get(name) is path[-1]:
                    return parent.keys[name]
        return path[-1] if path else self.root


def _best_path(root: Node, location: Location) -> list[Node]:
    """The nodes along `location`, skipping parts that name no child.

    A union's tag follows an index, and may happen to be a key as well. Of these two readings the
    one that follows more of the location, or else its last part, is right.
    """
    return _walk(root, location, after_index=False)[1]


def _walk(
    node: Node, location: Location, *, after_index: bool
) -> tuple[tuple[int, bool], list[Node]]:
    if not location:
        return (0, False), []
    part, rest = location[0], location[1:]
    child = node.child(part)
    if child is None:
        return _walk(node, rest, after_index=False)
    (count, complete), path = _walk(child, rest, after_index=isinstance(part, int))
    followed = (count + 1, complete or not rest), [child, *path]
    if not (after_index and isinstance(part, str)):
        return followed
    skipped = _walk(node, rest, after_index=False)
    return skipped if skipped[0] > followed[0] else followed
