"""Text to tokens, each with its place. Full-width punctuation counts as its ASCII twin: Chinese keyboards type it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

MAX_TOKENS = 1000
"""Most tokens of a segment; `!=` counts twice, since it is printed as `not` and `=`."""

MAX_WORD = 200
"""Most characters of a word or of a text in quotation marks."""

_TWINS = dict(zip("（）＝，、！＜＞～", "()=,,!<>~", strict=True))
_DIGRAPHS = {"≤": "<=", "≥": ">=", "≠": "!="}
_SIGNS = frozenset("()=,!<>~")
_DOUBLE, _SINGLE = '"“”＂', "'‘’＇"
# Whoever begins with a straight quotation mark can have curly ones inside.
_CLOSING = dict.fromkeys(_DOUBLE, _DOUBLE) | dict.fromkeys(_SINGLE, _SINGLE)
_CLOSING |= {'"': '"', "'": "'"}


class SegmentError(ValueError):
    """What is wrong with a segment, and where.

    Args:
        message: one clause without a full stop.
        text: the whole segment.
        offset: the character of `text` at which it went wrong, counted from 0.
        hint: what to do about it.

    """

    def __init__(self, message: str, *, text: str, offset: int, hint: str | None = None) -> None:
        super().__init__(f"{message} ({hint})" if hint else message)
        self.message = message
        self.hint = hint
        self.offset = offset
        before = text[:offset]
        self.line = before.count("\n") + 1
        self.column = offset - (before.rfind("\n") + 1) + 1


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    TEXT = "text in quotation marks"
    SIGN = "sign"
    END = "the end"


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a text without its quotation marks, or a sign in ASCII, and where it begins."""

    kind: Kind
    text: str
    offset: int

    def is_sign(self, *signs: str) -> bool:
        """Whether it is one of these signs."""
        return self.kind is Kind.SIGN and self.text in signs

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these words, in any case and without quotation marks."""
        return self.kind is Kind.WORD and self.text.casefold() in words


def tokenize(text: str) -> list[Token]:
    """The tokens of `text`, the last of them the end.

    Raises:
        SegmentError: a quotation mark is never closed, a character is invisible, or it is too long.

    """
    tokens: list[Token] = []
    size = 0
    for token in _scan(text):
        tokens.append(token)
        size += 2 if token.is_sign("!=") else 1
        if size > MAX_TOKENS:
            raise SegmentError("this segment is too long", text=text, offset=token.offset)
        if len(token.text) > MAX_WORD:
            message = f"a value has at most {MAX_WORD} characters"
            raise SegmentError(message, text=text, offset=token.offset)
    return [*tokens, Token(Kind.END, "", len(text.rstrip()))]


def is_plain(word: str) -> bool:
    """Whether `word` can stand without quotation marks."""
    unbroken = word.isprintable() and not any(map(_ends_word, word))
    return unbroken and bool(word) and word[0] not in _SINGLE


def quoted(value: str) -> str:
    """`value` in quotation marks."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _scan(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        char = text[at]
        if char.isspace():
            at += 1
        elif char in _CLOSING:
            value, end = _quotation(text, at)
            yield Token(Kind.TEXT, value, at)
            at = end
        elif sign := _sign(text, at):
            written, length = sign
            yield Token(Kind.SIGN, written, at)
            at += length
        else:
            end = at + 1
            while end < len(text) and not _ends_word(text[end]):
                end += 1
            _refuse(text, at, end, visible=str.isprintable)
            yield Token(Kind.WORD, text[at:end], at)
            at = end


def _ends_word(char: str) -> bool:
    return (
        char.isspace() or _TWINS.get(char, char) in _SIGNS or char in _DIGRAPHS or char in _DOUBLE
    )


def _sign(text: str, at: int) -> tuple[str, int] | None:
    """The sign that begins here in ASCII, and how many characters it takes; None for none."""
    if text[at] in _DIGRAPHS:
        return _DIGRAPHS[text[at]], 1
    first, second = (_TWINS.get(char, char) for char in (text[at : at + 2] + "  ")[:2])
    if first not in _SIGNS:
        return None
    if first in "!<>=" and second == "=":
        return ("=" if first == "=" else f"{first}="), 2
    if first == "!":
        hint = "write `not`, or `!=`"
        raise SegmentError("`!` says nothing by itself", text=text, offset=at, hint=hint)
    return first, 1


def _quotation(text: str, start: int) -> tuple[str, int]:
    """What stands between the quotation mark at `start` and the one that closes it, and the offset behind that."""
    closing = _CLOSING[text[start]]
    parts: list[str] = []
    at = start + 1
    while at < len(text) and text[at] not in closing:
        if text[at] == "\\" and text[at + 1 : at + 2] in ("\\", *_DOUBLE, *_SINGLE):
            at += 1
        parts.append(text[at])
        at += 1
    if at >= len(text):
        message = "this quotation mark is never closed"
        raise SegmentError(message, text=text, offset=start, hint='end the text with `"`')
    _refuse(text, start, at, visible=_stands_in_a_line)
    return "".join(parts), at + 1


def _stands_in_a_line(char: str) -> bool:
    return unicodedata.category(char) not in ("Cc", "Cs", "Zl", "Zp")


def _refuse(text: str, start: int, end: int, *, visible: Callable[[str], bool]) -> None:
    """Refuse what somebody cannot have meant to write in a word or between quotation marks."""
    for offset in range(start, end):
        if not visible(text[offset]):
            message = f"invisible character U+{ord(text[offset]):04X}"
            raise SegmentError(message, text=text, offset=offset, hint="delete it")
