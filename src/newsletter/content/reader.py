"""Issue sources on disk: finding one by its number, and reading either form into an `Issue`.

The structured form (`.yaml`) is the model as it is. The prose form (`.md`) is YAML front matter
between `---` lines and then Markdown, which becomes one section with one `text` item; sections of
the front matter follow it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from newsletter.content.models import BUILT_IN_KINDS, Issue, Location
from newsletter.content.numbering import IssueFile, find_issue, list_issues, number_of
from newsletter.content.prose import parse_prose
from newsletter.errors import Place, Problem, SourceError
from newsletter.source.text import SourceText, read_source, shortened
from newsletter.source.validation import in_order, suggestion, validate
from newsletter.source.yaml import YamlDocument, parse_yaml

__all__ = ["IssueFile", "IssueSource", "find_issue", "is_prose", "list_issues", "read_issue"]

# A template that asks a block for one of these gets a method of the model.
_TAKEN = frozenset(name for name in dir(BaseModel) if not name.startswith("_"))


@dataclass(frozen=True, kw_only=True)
class IssueSource:
    """An issue with the file it came from.

    Attributes:
        path: the file.
        text: its content; `text.path` is the file as the user would type it.
        issue: what it says.
        document: where it says so; `document.place(location)` holds for both forms.

    """

    path: Path
    text: SourceText
    issue: Issue
    document: YamlDocument

    @property
    def display(self) -> str:
        """The file as the user would type it, such as content/064.yaml."""
        return self.text.path

    def place(self, location: Location, *, key: bool = False) -> Place:
        """Where the value at `location` stands, or its key."""
        return self.document.place(location, key=key)


def read_issue(path: Path, *, root: Path, kinds: frozenset[str], zone: ZoneInfo) -> IssueSource:
    """Read an issue source.

    Args:
        path: a .yaml, .yml or .md file below `root`.
        root: the publication's folder.
        kinds: the publication's own kinds of block, beyond the built-in ones.
        zone: for dates and times that carry no offset.

    Raises:
        SourceError: with every mistake of the file, in its order.

    """
    text = read_source(path, root=root)
    document = parse_prose(text) if is_prose(path) else parse_yaml(text, keep_problems=True)
    problems = [
        *_wrong_blocks(document, kinds),
        *_wrong_number(document, number_of(path.name)),
    ]
    try:
        issue = validate(Issue, document, context={"zone": zone})
    except SourceError as error:
        problems = [*error.problems, *problems]
    if problems:
        raise SourceError(problems=in_order(problems))
    return IssueSource(path=path, text=text, issue=issue, document=document)


def is_prose(path: Path) -> bool:
    """Whether this file is in the prose form."""
    return path.suffix.lower() == ".md"


def _wrong_blocks(document: YamlDocument, kinds: frozenset[str]) -> Iterator[Problem]:
    """Blocks of unknown kind, and fields that a publication's own block cannot have."""
    for location, item in _items(document.value):
        kind = item.get("kind")
        if isinstance(kind, dict | list):
            continue
        if kind in kinds:
            yield from _taken_names(document, location, item)
        elif kind is not None and kind not in BUILT_IN_KINDS:
            yield from _unknown_kind(document, (*location, "kind"), kinds)


def _unknown_kind(
    document: YamlDocument, location: Location, kinds: frozenset[str]
) -> Iterator[Problem]:
    written = document.written(location)
    if written is not None:
        known = [*BUILT_IN_KINDS, *sorted(kinds)]
        close, listed = suggestion(written, known), f"kinds: {', '.join(known)}"
        hint = f"{close} {listed}" if close else listed
        yield document.problem(location, f"`{shortened(written)}` is not a kind of block", hint)


def _taken_names(
    document: YamlDocument, location: Location, item: dict[str, Any]
) -> Iterator[Problem]:
    for name in item:
        if name in _TAKEN or name.startswith("_"):
            message = f"a field of a block cannot be called `{name}`"
            yield document.problem((*location, name), message, "choose another name", key=True)


def _items(value: Any) -> Iterator[tuple[Location, dict[str, Any]]]:
    """Everything that stands where an item stands and has fields, whatever else is wrong."""
    for s, section in _fields_in(value, "sections"):
        for i, item in _fields_in(section, "items"):
            yield ("sections", s, "items", i), item
        for g, group in _fields_in(section, "groups"):
            for i, item in _fields_in(group, "items"):
                yield ("sections", s, "groups", g, "items", i), item


def _fields_in(value: Any, name: str) -> Iterable[tuple[int, dict[str, Any]]]:
    entries = value.get(name) if isinstance(value, dict) else None
    if isinstance(entries, list):
        yield from ((n, entry) for n, entry in enumerate(entries) if isinstance(entry, dict))


def _wrong_number(document: YamlDocument, expected: int | None) -> Iterator[Problem]:
    value = document.value
    number = value.get("number") if isinstance(value, dict) else None
    if expected is None or isinstance(number, bool) or not isinstance(number, int | str):
        return
    written = str(number).strip()
    if written.isascii() and written.isdigit() and int(written[-9:]) != expected:
        message = f"`number` is {written}, but the name of the file says {expected}"
        yield document.problem(("number",), message, "rename the file or change the number")
