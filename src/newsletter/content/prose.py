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
    front = SourceText(
        path=source.path,
        text="\n".join(source.lines[opening + 1 : closing]),
        first_line=source.first_line + opening + 1,
    )
    document = parse_yaml(front, keep_problems=True)
    root, problems = document.root, list(document.problems)
    if isinstance(root, Scalar) and root.resolved is None:
        root = Mapping(line=source.first_line + opening, column=1)
    if isinstance(root, Mapping):
        sections = root.entries.get("sections")
        body = _body(source, closing + 1)
        if body is None and sections is None:
            line = source.first_line + closing
            message = "there is no text after the front matter"
            problems.append(source.problem(line, 1, message, "write it below this line"))
            body = _section("…", line)
        if body is not None and isinstance(sections, Sequence | None):
            _put_first(root, body, sections)
    return replace(document, source=source, root=root, problems=tuple(problems))


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


def _body(source: SourceText, start: int) -> Mapping | None:
    """The Markdown from line index `start` on as a section, or None when there is none."""
    lines = source.lines
    first = next((n for n in range(start, len(lines)) if lines[n].strip()), None)
    if first is None:
        return None
    return _section("\n".join(lines[first:]).rstrip() + "\n", source.first_line + first)


def _section(text: str, line: int) -> Mapping:
    item = _mapping(line, kind=_text("text", line), body=_text(text, line))
    return _mapping(line, items=Sequence(line=line, column=1, items=[item]))


def _put_first(root: Mapping, section: Mapping, others: Sequence | None) -> None:
    line = section.line
    items = [section, *(others.items if others else ())]
    root.entries["sections"] = Sequence(line=line, column=1, items=items)
    root.keys.setdefault("sections", _text("sections", line))


def _mapping(line: int, **entries: Node) -> Mapping:
    keys = {name: _text(name, line) for name in entries}
    return Mapping(line=line, column=1, keys=keys, entries=entries)


def _text(text: str, line: int) -> Scalar:
    return Scalar(line=line, column=1, text=text, resolved=text)
