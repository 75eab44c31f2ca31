"""The prose form of an issue: YAML front matter between `---` lines, then Markdown."""

from __future__ import annotations

from dataclasses import replace

from newsletter.errors import SourceError
from newsletter.source.text import SourceText
from newsletter.source.tree import Mapping, Node, Scalar, Sequence, YamlDocument
from newsletter.source.yaml import parse_yaml

_FENCE = "---"


def parse_prose(source: SourceText) -> YamlDocument:
    """Parse a prose issue into the document that the structured form would have.

    The Markdown becomes `sections[0].items[0].body` of a `text` item, placed at its first line
    that says something; sections of the front matter follow. Without Markdown there are only these.

    Raises:
        SourceError: the front matter is missing, not closed or not YAML.

    """
    opening, closing = _fences(source)
    lines = source.lines
    front = SourceText(
        path=source.path,
        text="\n".join(lines[opening + 1 : closing]),
        first_line=source.first_line + opening + 1,
    )
    document = parse_yaml(front, keep_problems=True)
    root = document.root
    if isinstance(root, Scalar) and root.resolved is None:
        root = Mapping(line=source.first_line + opening, column=1)
    if isinstance(root, Mapping):
        _add_body(root, source, closing + 1)
    return replace(document, source=source, root=root)


def _fences(source: SourceText) -> tuple[int, int]:
    """Indexes of the lines that open and close the front matter."""
    lines = source.lines
    opening = next((n for n, line in enumerate(lines) if line.strip()), 0)
    if lines[opening].rstrip() != _FENCE:
        problem = source.problem(
            source.first_line + opening,
            1,
            "a Markdown issue begins with its front matter",
            "put `---`, then number:, title: and so on, then `---` before the text",
        )
        raise SourceError(problems=[problem])
    for index in range(opening + 1, len(lines)):
        if lines[index].rstrip() == _FENCE:
            return opening, index
    problem = source.problem(
        source.first_line + opening,
        1,
        "the front matter is never closed",
        "put a line of `---` between it and the text",
    )
    raise SourceError(problems=[problem])


def _add_body(root: Mapping, source: SourceText, start: int) -> None:
    """Put the Markdown from line index `start` on in front of the sections."""
    lines = source.lines
    first = next((n for n in range(start, len(lines)) if lines[n].strip()), None)
    sections = root.entries.get("sections")
    if sections is not None and not isinstance(sections, Sequence):
        return
    if first is None:
        return
    line = source.first_line + first
    text = "\n".join(lines[first:]).rstrip() + "\n"
    item = _mapping(line, kind=_text("text", line), body=_text(text, line))
    section = _mapping(line, items=Sequence(line=line, column=1, items=[item]))
    items = [section, *(sections.items if sections else ())]
    root.entries["sections"] = Sequence(line=line, column=1, items=items)
    root.keys.setdefault("sections", _text("sections", line))


def _mapping(line: int, **entries: Node) -> Mapping:
    keys = {name: _text(name, line) for name in entries}
    return Mapping(line=line, column=1, keys=keys, entries=entries)


def _text(text: str, line: int) -> Scalar:
    return Scalar(line=line, column=1, text=text, resolved=text)
