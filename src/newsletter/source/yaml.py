"""YAML as far as people need it: text stays text, and every value keeps its place.

PyYAML's libyaml parser gives the events; the tree is built here, so no constructor of PyYAML ever
runs. Only plain `true`, `false`, decimal numbers and `null` are more than text: `no`, `12:30`,
`064`, `0x1F` and dates are what was written, until a model says otherwise. Duplicate keys, tags,
merge keys and several documents are refused; a document with its aliases written out has at most
`MAX_SIZE` values, and nothing nests deeper than `MAX_DEPTH`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from newsletter.errors import Problem, SourceError
from newsletter.source.syntax import syntax_problem
from newsletter.source.text import FORBIDDEN, SourceText, character_name, shortened
from newsletter.source.tree import Location, Mapping, Node, Scalar, Sequence, YamlDocument

__all__ = ["MAX_DEPTH", "MAX_SIZE", "Location", "YamlDocument", "parse_yaml"]

MAX_DEPTH = 50
"""Deepest nesting of lists and mappings."""

MAX_SIZE = 200_000
"""Most values in a document, aliases written out; 64 characters of text count as one more."""

# All wheels of PyYAML have libyaml's parser; without it the slower one is just as strict.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,17}")
_CONSTANTS = {"true": True, "false": False, "null": None, "~": None, "": None}
_TEXT_TAG = "tag:yaml.org,2002:str"


def parse_yaml(source: SourceText, *, keep_problems: bool = False) -> YamlDocument:
    """Parse one YAML document.

    Args:
        source: the text.
        keep_problems: leave duplicate keys and refused tags in `document.problems` instead of
            raising, so that they can be reported together with what a model finds.

    Raises:
        SourceError: with the place of every duplicate key and refused tag, and of the first
            mistake of syntax.

    """
    builder = _Builder(source)
    try:
        for event in yaml.parse(source.text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        raise SourceError(problems=[*builder.problems, syntax_problem(source, error)]) from None
    except (yaml.YAMLError, ValueError) as error:
        problem = source.problem(source.first_line, 1, f"cannot be read as YAML: {error}")
        raise SourceError(problems=[*builder.problems, problem]) from None
    if builder.problems and not keep_problems:
        raise SourceError(problems=builder.problems)
    root = builder.root or Scalar(line=source.first_line, column=1, text="", resolved=None)
    return YamlDocument(source=source, root=root, problems=tuple(builder.problems))


def resolve(text: str) -> Any:
    """What an unquoted scalar means: a truth value, a decimal number, None, or the text itself."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


@dataclass(slots=True)
class _Open:
    """A list or mapping that has begun and not ended."""

    node: Sequence | Mapping
    anchor: str | None
    key: Scalar | None = None
    repeated: bool = False


@dataclass(slots=True)
class _Builder:
    """Turns parser events into the tree, collecting problems on the way."""

    source: SourceText
    root: Node | None = None
    problems: list[Problem] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, Node | None] = field(default_factory=dict)

    def take(self, event: yaml.Event) -> None:
        """Handle one event; the others carry no content."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            self._fail(
                event,
                "a second document begins here, but a file holds only one",
                "remove this line of `---`",
            )

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._check_tag(event)
        text = event.value
        hidden = FORBIDDEN.search(text)
        if hidden:
            name = character_name(hidden.group())
            self._problem(event, f"an escape here stands for invisible {name}", "delete it")
        resolved = resolve(text) if event.implicit[0] and not event.style else text
        node = Scalar(
            line=self._line(event),
            column=self._column(event),
            size=1 + len(text) // 64,
            text=text,
            resolved=resolved,
        )
        if event.anchor:
            self.anchors[event.anchor] = node
        self._add(event, node)

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        self._check_tag(event)
        if len(self.stack) >= MAX_DEPTH:
            self._fail(event, f"lists and mappings nest deeper than {MAX_DEPTH} levels here")
        self._refuse_as_key(event)
        kind = Mapping if isinstance(event, yaml.MappingStartEvent) else Sequence
        node = kind(line=self._line(event), column=self._column(event))
        if event.anchor:
            # Unfinished: an alias to it from inside would be a circle.
            self.anchors[event.anchor] = None
        self.stack.append(_Open(node, event.anchor))

    def _end(self) -> None:
        done = self.stack.pop()
        if done.anchor:
            self.anchors[done.anchor] = done.node
        self._add(None, done.node)

    def _alias(self, event: yaml.AliasEvent) -> None:
        name = event.anchor or ""
        self._refuse_as_key(event)
        target = self.anchors.get(name)
        if target is None:
            message = (
                f"alias `*{shortened(name)}` refers to the block it stands in"
                if name in self.anchors
                else f"alias `*{shortened(name)}` has no anchor before it"
            )
            self._problem(event, message, "text that begins with `*` must stand in quotes")
            target = Scalar(
                line=self._line(event), column=self._column(event), text="*" + name, resolved=None
            )
        self._add(event, target)

    def _add(self, event: yaml.Event | None, node: Node) -> None:
        """Put a finished value where it belongs: the root, a list, or a mapping's key or value."""
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        if isinstance(top.node, Sequence):
            top.node.items.append(node)
        elif top.key is None:
            self._key(event, top, node)
        else:
            if not top.repeated:
                top.node.entries[top.key.text] = node
            top.key, top.repeated = None, False
        top.node.size += node.size
        if top.node.size > MAX_SIZE:
            self._fail(event or node, f"there are more than {MAX_SIZE} values, aliases written out")

    def _key(self, event: yaml.Event | None, top: _Open, key: Node) -> None:
        assert isinstance(top.node, Mapping)
        assert isinstance(key, Scalar)
        first = top.node.keys.get(key.text)
        top.key, top.repeated = key, first is not None
        if first is not None:
            self._problem(
                key,
                f"`{shortened(key.text)}` is given twice",
                f"the first is on line {first.line}; remove one of them",
            )
            return
        if key.text == "<<":
            self._problem(key, "merge keys (`<<`) are not supported", "write the fields out")
        elif not key.text:
            self._problem(key, "a key is missing before the `:`")
        top.node.keys[key.text] = key

    def _refuse_as_key(self, event: yaml.Event) -> None:
        top = self.stack[-1] if self.stack else None
        if top and isinstance(top.node, Mapping) and top.key is None:
            self._fail(
                event,
                "a key must be plain text, not a list, mapping or alias",
                "text that begins with `{`, `[` or `*` must stand in quotes",
            )

    def _check_tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.tag and event.tag not in ("!", _TEXT_TAG):
            tag = shortened(event.tag.replace("tag:yaml.org,2002:", "!!"))
            self._problem(
                event,
                f"tag `{tag}` is not allowed",
                "write the value without it, and text that begins with `!` in quotes",
            )

    def _line(self, event: yaml.Event) -> int:
        return int(getattr(event.start_mark, "line", 0)) + self.source.first_line

    def _column(self, event: yaml.Event) -> int:
        return int(getattr(event.start_mark, "column", 0)) + 1

    def _problem(self, at: yaml.Event | Node, message: str, hint: str | None = None) -> None:
        if isinstance(at, Node):
            line, column = at.line, at.column
        else:
            line, column = self._line(at), self._column(at)
        self.problems.append(self.source.problem(line, column, message, hint))

    def _fail(self, at: yaml.Event | Node, message: str, hint: str | None = None) -> None:
        self._problem(at, message, hint)
        raise SourceError(problems=self.problems)
