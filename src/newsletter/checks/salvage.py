"""What is left of a broken issue source: the same issue without what has mistakes.

So that `check` shows the wrong weekday in the third section although the first has an unknown field.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from newsletter.content.models import BUILT_IN_KINDS, Issue
from newsletter.content.prose import parse_prose
from newsletter.content.reader import IssueSource, is_prose
from newsletter.errors import SourceError
from newsletter.source.text import read_source
from newsletter.source.tree import Location, Mapping, Node, Scalar, Sequence, YamlDocument
from newsletter.source.yaml import parse_yaml

_ROUNDS = 50
_NEEDED = {"number": 0, "title": "标题"}


def salvage(path: Path, *, root: Path, kinds: frozenset[str], zone: ZoneInfo) -> IssueSource | None:
    """The issue in `path` without the fields and items that have mistakes; None when nothing is left.

    Args:
        path: the file.
        root: the publication's folder.
        kinds: the publication's own kinds of block.
        zone: for dates without an offset.

    """
    try:
        text = read_source(path, root=root)
        document = parse_prose(text) if is_prose(path) else parse_yaml(text, keep_problems=True)
    except SourceError:
        return None
    document = replace(document, problems=())
    _drop_unknown_kinds(document.root, kinds)
    for _ in range(_ROUNDS):
        value = document.value
        if not isinstance(value, dict):
            return None
        try:
            issue = Issue.model_validate(value, context={"zone": zone})
        except ValidationError as error:
            # pydantic counts only the entries without mistakes, so a list of wrong ones seems empty.
            mistakes = [
                mistake["loc"]
                for mistake in error.errors(include_url=False, include_context=False)
                if mistake["type"] != "too_short" or not mistake["input"]
            ]
            if not _drop(document, mistakes):
                return None
        else:
            return IssueSource(path=path, text=text, issue=issue, document=document)
    return None


def _drop_unknown_kinds(root: Node, kinds: frozenset[str]) -> None:
    for sequence in _sequences(root, "items"):
        sequence.items = [
            item
            for item in sequence.items
            if not isinstance(kind := item.child("kind"), Scalar)
            or kind.text in BUILT_IN_KINDS
            or kind.text in kinds
        ]


def _sequences(node: Node, name: str) -> list[Sequence]:
    """Every list that is the value of a key of this name."""
    found: list[Sequence] = []
    children = node.items if isinstance(node, Sequence) else []
    if isinstance(node, Mapping):
        children = list(node.entries.values())
        listed = node.entries.get(name)
        found += [listed] if isinstance(listed, Sequence) else []
    return found + [one for child in children for one in _sequences(child, name)]


def _drop(document: YamlDocument, locations: list[Location]) -> bool:
    """Take the smallest thing that can go for each mistake; whether anything changed."""
    before = repr(document.value)
    marked = [(document.known(location), location) for location in locations]
    # Found before anything goes, since indexes change then.
    paths = [(_path(document.root, known), known, location) for known, location in marked]
    for path, known, location in paths:
        if len(path) == 1:
            _supply(document.root, location[-1:])
        else:
            _drop_last(path, str(known[-1]))
    return repr(document.value) != before


def _path(root: Node, location: Location) -> list[Node]:
    """The nodes from the root to the one at `location`."""
    path = [root]
    for part in location:
        child = path[-1].child(part)
        if child is None:
            break
        path.append(child)
    return path


def _drop_last(path: list[Node], name: str) -> None:
    """Take the last node of a path out of the one before it."""
    parent, node = path[-2:]
    if isinstance(parent, Sequence):
        parent.items = [item for item in parent.items if item is not node]
    elif isinstance(parent, Mapping) and len(path) == 2 and name in _NEEDED:
        _supply(parent, (name,))
    elif isinstance(parent, Mapping):
        parent.entries.pop(name, None)
        if len(path) == 2 and name == "date":
            parent.entries.pop("status", None)  # a date that cannot be read is not a missing one


def _supply(root: Node, missing: Location) -> None:
    """Put something in place of what an issue cannot do without."""
    if isinstance(root, Mapping) and missing and missing[0] in _NEEDED:
        name = str(missing[0])
        value = _NEEDED[name]
        root.entries[name] = Scalar(line=root.line, column=root.column, text="", resolved=value)
