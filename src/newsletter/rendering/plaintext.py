"""The last pass over the text part: blank lines, trailing blanks, odd characters, and wrapping.

Wrapping counts display cells (Unicode Standard Annex 11) and keeps kinsoku, the rules of Chinese
typesetting for what may start and end a line. Web addresses and Latin words stay whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

NO_START = frozenset("，。、；：？！）》」』】〉〕〗｝］”’…—·～％‰℃,.;:?!)]}%")
NO_END = frozenset("（《「『【〈〔〖｛［“‘([{")
_INVISIBLE = re.compile("[\u00ad\u034f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_BLANKS = re.compile("[\u00a0\u2000-\u200a\u202f\u205f]")
_BREAKS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_WIDE = (
    "\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef"
    "\U0001f000-\U0003ffff"
)
_ENDS_ADDRESS = "，。、；：？！）》」』】”’“‘（《「『【"
_ATOM = re.compile(
    rf"[A-Za-z][A-Za-z0-9+.-]*://[^\s{_ENDS_ADDRESS}]+"  # a web address
    rf"|[^\s{_WIDE}“”‘…—]+"  # a Latin word with what is attached to it
    r"|\s+"
    r"|[\U0001f1e6-\U0001f1ff]{2}"  # a flag
    r"|[\s\S][\U0001f3fb-\U0001f3ff\ufe00-\ufe0f\u0300-\u036f\u20e3\u3099\u309a]*"
)
_PREFIX = re.compile(r"(?P<quote>(?:> ?)*)(?P<indent>\s*)(?P<mark>(?:[-*+•·]|\d{1,3}[.)])\s+)?")


def finish_text(text: str, *, width: int = 0, language: str = "zh-CN") -> str:
    """`text` as it goes into the message: one line end at the end, no two blank lines in a row.

    Args:
        text: what the templates made.
        width: wrap at this many display cells; 0 leaves wrapping to the mail program.
        language: in Chinese, Japanese and Korean, quotation marks and dashes take two cells.

    """
    text = _CONTROLS.sub("", _BLANKS.sub(" ", _BREAKS.sub("\n", text)))
    text = _INVISIBLE.sub("", text)
    lines = [line.expandtabs(4).rstrip() for line in text.split("\n")]
    if width:
        ambiguous = 2 if language.lower().partition("-")[0] in ("zh", "ja", "ko") else 1
        lines = [part for line in lines for part in wrap_line(line, width, ambiguous=ambiguous)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


def wrap_line(line: str, width: int, *, ambiguous: int = 2) -> list[str]:
    """`line` in lines of at most `width` cells, except where one piece alone is wider.

    Continuation lines are indented as the text of the first is; quotation marks (`>`) repeat.

    Args:
        line: without line ends.
        width: in display cells.
        ambiguous: cells of characters of ambiguous width, such as “ and —.

    """
    if cells(line, ambiguous) <= width:
        return [line]
    first, later = _prefixes(line, ambiguous)
    if cells(later, ambiguous) >= width:
        return [line]
    lines, current = [], ""
    start = first
    for space, piece in _pieces(line[len(first) :]):
        longer = f"{current}{space}{piece}"
        if current and cells(start + longer, ambiguous) > width:
            lines.append(start + current)
            start, current = later, piece
        else:
            current = longer if current else piece
    return [*lines, start + current]


def cells(text: str, ambiguous: int = 2) -> int:
    """How many display cells `text` takes; a control character takes none."""
    from wcwidth import wcswidth

    printable = "".join(char for char in text if char.isprintable())
    return max(0, int(wcswidth(printable, ambiguous_width=ambiguous)))


def _prefixes(line: str, ambiguous: int) -> tuple[str, str]:
    """What the first line starts with, and what the lines after it do."""
    match = _PREFIX.match(line)
    if match is None:
        return "", ""
    mark = match["mark"] or ""
    return match.group(), match["quote"] + match["indent"] + " " * cells(mark, ambiguous)


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """What must not be broken, each with the space before it."""
    atoms = [*_ATOM.findall(text), ""]
    space, piece = "", ""
    for atom, following in pairwise(atoms):
        if atom.isspace():
            if piece and following and _breaks(piece, following):
                yield space, piece
                space, piece = atom, ""
            else:
                piece += atom
            continue
        piece += atom
        if following and not following.isspace() and _breaks(piece, following):
            yield space, piece
            space, piece = "", ""
    if piece:
        yield space, piece


def _breaks(before: str, after: str) -> bool:
    """Whether a line may end after `before` and the next one start with `after`."""
    return before[-1] not in NO_END and after[0] not in NO_START
