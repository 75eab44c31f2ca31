"""Markdown's rules where CommonMark only thinks of languages with spaces between words.

* Emphasis: CommonMark lets punctuation before a closing `**` keep it from closing unless a space
  or punctuation follows, so `**注意：**别碰` stays as it is. Here a CJK character beside the marks
  counts like a space (the rule proposed for CommonMark in its issue 650).
* A bare link ends at the first CJK punctuation mark.
* A line end between two CJK characters is no space (CSS Text 3, segment break transformation).
* A link set tight between CJK letters gets a space on either side.

Text without CJK characters comes out as CommonMark says.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from linkify_it import LinkifyIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter, Scanned
from markdown_it.token import Token

GAP = "gap"
"""Marks, in a token's `meta`, the spaces that `space_links` has added."""


def is_cjk(char: str) -> bool:
    """Whether this is a Chinese, Japanese or Korean letter or punctuation mark; emoji are not."""
    code = ord(char)
    if code < 0x1100 or 0x1F000 <= code < 0x20000:
        return False
    if is_hangul(char):
        return True
    return code >= 0x2E80 and unicodedata.east_asian_width(char) in "WFH"


def is_hangul(char: str) -> bool:
    """Whether this is a Korean letter; Korean puts spaces between words."""
    code = ord(char)
    return (
        0x1100 <= code < 0x1200
        or 0x3130 <= code < 0x3190
        or 0xA960 <= code < 0xA980
        or 0xAC00 <= code < 0xD800
        or 0xFFA0 <= code < 0xFFE0
    )


def is_cjk_punctuation(char: str) -> bool:
    """Whether this is a full-width mark such as 。，：（）「」."""
    return is_cjk(char) and isPunctChar(char)


def _is_punctuation(char: str) -> bool:
    return isMdAsciiPunct(ord(char)) or isPunctChar(char)


def _scan(state: StateInline, *, split_word: bool) -> Scanned:
    """Length of the run of marks at the state's position, and whether it may open or close."""
    marker = state.src[state.pos]
    end = state.pos
    while end < state.posMax and state.src[end] == marker:
        end += 1
    before = state.src[state.pos - 1] if state.pos > 0 else " "
    after = state.src[end] if end < state.posMax else " "
    left = _flanks(inner=after, outer=before)
    right = _flanks(inner=before, outer=after)
    return Scanned(
        left and (split_word or not right or _is_punctuation(before)),
        right and (split_word or not left or _is_punctuation(after)),
        end - state.pos,
    )


def _flanks(*, inner: str, outer: str) -> bool:
    """Whether marks between these two characters belong to the inner one (CommonMark 6.2)."""
    if isWhiteSpace(ord(inner)):
        return False
    if not _is_punctuation(inner) or is_cjk(inner):
        return True
    return isWhiteSpace(ord(outer)) or _is_punctuation(outer) or is_cjk(outer)


def emphasis(state: StateInline, silent: bool) -> bool:
    """Inline rule for `*` and `_`, to stand in for markdown-it's own."""
    marker = state.src[state.pos]
    if silent or marker not in "*_":
        return False
    scanned = _scan(state, split_word=marker == "*")
    for _ in range(scanned.length):
        state.push("text", "", 0).content = marker
        _delimit(state, marker, scanned, length=scanned.length)
    state.pos += scanned.length
    return True


def strikethrough(state: StateInline, silent: bool) -> bool:
    """Inline rule for `~~`, to stand in for markdown-it's own."""
    marker = state.src[state.pos]
    if silent or marker != "~":
        return False
    scanned = _scan(state, split_word=True)
    if scanned.length < 2:
        return False
    if scanned.length % 2:
        state.push("text", "", 0).content = marker
    for _ in range(scanned.length // 2):
        state.push("text", "", 0).content = marker * 2
        _delimit(state, marker, scanned, length=0)
    state.pos += scanned.length
    return True


def _delimit(state: StateInline, marker: str, scanned: Scanned, *, length: int) -> None:
    state.delimiters.append(
        Delimiter(
            marker=ord(marker),
            length=length,
            token=len(state.tokens) - 1,
            end=-1,
            open=scanned.can_open,
            close=scanned.can_close,
        )
    )


class Linkify(LinkifyIt):  # type: ignore[misc]
    """Finds bare https, http and mailto links, each at most up to the first CJK mark."""

    def __init__(self) -> None:
        super().__init__(
            {"ftp:": None, "//": None},
            {"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False},
        )

    def _validate_http(self, text: str, pos: int) -> int:
        return int(super()._validate_http(_until_cjk_punctuation(text, pos), 0))

    def _validate_mailto(self, text: str, pos: int) -> int:
        return int(super()._validate_mailto(_until_cjk_punctuation(text, pos), 0))


def _until_cjk_punctuation(text: str, start: int) -> str:
    """The part of `text` from `start` up to a space or CJK punctuation mark."""
    end = start
    while end < len(text) and not text[end].isspace() and not is_cjk_punctuation(text[end]):
        end += 1
    return text[start:end]


def joins(tokens: Sequence[Token], index: int) -> bool:
    """Whether the soft line break at `index` stands between CJK characters and is no space.

    Beside a link it stays one, so that the link is not set tight.
    """
    before = _visible(tokens, range(index - 1, -1, -1), through_links=False)[-1:]
    after = _visible(tokens, range(index + 1, len(tokens)), through_links=False)[:1]
    return all(char and is_cjk(char) and not is_hangul(char) for char in (before, after))


def space_links(state: StateCore) -> None:
    """Core rule: a space between a link and a CJK letter that touches it."""
    for block in state.tokens:
        if block.type == "inline" and block.children:
            gaps = set(_gaps(block.children))
            if gaps:
                block.children = list(_with_spaces(block.children, gaps))


def _gaps(tokens: Sequence[Token]) -> Iterator[int]:
    """Indexes of the tokens that need a space before them."""
    for index, token in enumerate(tokens):
        if token.type == "link_open":
            # The space goes outside of marks that begin together with the link.
            gap = index
            while gap > 0 and tokens[gap - 1].nesting == 1:
                gap -= 1
            outer = _visible(tokens, range(gap - 1, -1, -1), through_links=True)[-1:]
        elif token.type == "link_close":
            gap = index + 1
            while gap < len(tokens) and tokens[gap].nesting == -1:
                gap += 1
            outer = _visible(tokens, range(gap, len(tokens)), through_links=True)[:1]
        else:
            continue
        if outer and is_cjk(outer) and not isPunctChar(outer):
            yield gap


def _with_spaces(tokens: Sequence[Token], gaps: set[int]) -> Iterator[Token]:
    for index, token in enumerate(tokens):
        if index in gaps:
            yield Token("text", "", 0, content=" ", level=token.level, meta={GAP: True})
        yield token


def _visible(tokens: Sequence[Token], order: Iterable[int], *, through_links: bool) -> str:
    """The nearest text in this order, through marks of emphasis; empty at a break or image."""
    for index in order:
        token = tokens[index]
        if token.type in ("image", "softbreak", "hardbreak"):
            return ""
        if token.type.startswith("link_") and not through_links:
            return ""
        if token.content:
            return token.content
    return ""
