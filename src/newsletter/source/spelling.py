"""Where each character of a value stands in the file, through quotes, escapes, folds and block scalars."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from newsletter.source.text import SourceText

if TYPE_CHECKING:
    from newsletter.source.tree import Node

_LEAD = re.compile(r"(?:[&!][^\s]*\s+)*")
_HEADER = re.compile(r"[|>][-+0-9]*[^\n]*\n")


def spelling(source: SourceText, node: Node, text: str) -> list[int | None]:
    """For each character of a value, its offset in `source.text`; None from where that is unknown.

    Walks both side by side: white space may differ, and an escape is one more character.

    Args:
        source: the file.
        node: where the value begins.
        text: what it says, escapes resolved, folded lines joined.

    """
    raw, at = source.text, _start(source, node, text)
    offsets: list[int | None] = []
    for char in text:
        if char.isspace():
            offsets.append(min(at, len(raw) - 1))
            continue
        while at < len(raw) and raw[at] != char and (raw[at].isspace() or raw[at] in "\\'"):
            at += 1
        if at >= len(raw) or raw[at] != char:
            break
        offsets.append(at)
        at += 1
    return offsets + [None] * (len(text) - len(offsets))


def position(
    source: SourceText, node: Node, spelled: Sequence[int | None], offset: int
) -> tuple[int, int]:
    """Line and column in the file of a character of a value, both counted from 1.

    Args:
        source: the file.
        node: where the value begins, which is the answer when the character cannot be found.
        spelled: what `spelling` gave.
        offset: of the character in the value; at its end, the place behind the last character.

    """
    beyond = offset >= len(spelled) > 0
    at = spelled[-1 if beyond else offset] if spelled else None
    if at is None:
        return node.line, node.column
    at += beyond
    before = source.text[:at]
    return before.count("\n") + source.first_line, at - (before.rfind("\n") + 1) + 1


def _start(source: SourceText, node: Node, text: str) -> int:
    """Where in the file the text itself begins, behind quotes, anchors and `|`."""
    index = node.line - source.first_line
    at = sum(len(line) + 1 for line in source.lines[:index]) + node.column - 1
    raw = source.text
    if node.column == 1 and raw.startswith(text.rstrip("\n"), at):
        return at  # the body of a prose issue
    at = at + len(_LEAD.match(raw, at).group())  # type: ignore[union-attr]
    if header := _HEADER.match(raw, at):
        return header.end()
    return at + 1 if raw[at : at + 1] in ("'", '"') else at
