"""The copy of an issue: which of its texts are words for readers, without the code and addresses in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.checks.model import Found
from newsletter.checks.placing import Value
from newsletter.content.cjk import is_cjk
from newsletter.errors import Place

MASK = "\ufffc"
"""Stands for each character that is not copy: neither a letter nor a mark nor a space."""

_NO_COPY = frozenset(
    [
        *("number", "date", "status", "kind", "url", "src", "download", "starts", "ends"),
        *("published", "width", "online", "code", "match"),
        *("institutions_complete", "authors_complete"),
    ]
)
_NO_COPY_BELOW = frozenset(("only", "accept"))
_ADDRESS = re.compile(
    r"(?:https?://|mailto:|www\.)[^\s<>\[\]（）《》「」“”，。；：！？、\ufffc]*[^\s<>\[\]（）《》「」“”，。；：！？、\ufffc).,;:]",
    re.IGNORECASE,
)
_FENCE = re.compile(
    r"^ {0,3}(`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}\1[^\n]*$|\Z)", re.MULTILINE | re.DOTALL
)
_CODE = re.compile(r"(?<!`)(`+)(?!`)(?:(?!\n\s*\n).)+?(?<!`)\1(?!`)", re.DOTALL)
_TARGET = re.compile(r"(?<=\])\((?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"]*\")?\)")
_SOFT_BREAK = re.compile(r"(?<=[^\x00-\x7f])[ \t]*\n[ \t]*(?=[^\x00-\x7f])")
_BREAK = re.compile(r"\n[ \t]*(?:\n|(?=[-*+>#] |\d+[.)] ))")


@dataclass(frozen=True, slots=True)
class Copy:
    """Words for readers.

    Attributes:
        value: where they stand in the issue source.
        text: the same text, letter for letter, with `MASK` for code and addresses.

    """

    value: Value
    text: str

    def place(self, offset: int) -> Place:
        """The line and column of the character at `offset`."""
        return self.value.place(offset)

    def found(self, what: str, span: tuple[int, int], *, hint: str, reach: int = 6) -> Found:
        """`what` in “the words around it”, for the characters from `span[0]` to `span[1]`; see `around`."""
        shown = around(self.text, *span, reach=reach)
        return Found(f"{what} in “{shown}”", place=self.place(span[0]), hint=hint)

    @property
    def is_chinese(self) -> bool:
        """Whether there is a CJK character in it."""
        return any(is_cjk(char) for char in self.text)

    def paragraphs(self) -> Iterator[tuple[int, str]]:
        """Each paragraph or list item with its offset."""
        start = 0
        for match in _BREAK.finditer(self.text):
            yield start, self.text[start : match.start()]
            start = match.end()
        yield start, self.text[start:]


def copy_of(values: tuple[Value, ...]) -> list[Copy]:
    """The copy among the texts of an issue source, in its order."""
    return [
        Copy(value, masked(value.text))
        for value in values
        if value.key not in _NO_COPY
        and value.location[:1] != ("number",)
        and _NO_COPY_BELOW.isdisjoint(map(str, value.location))
        and not _ADDRESS.fullmatch(value.text.strip())
        and value.text.strip()
    ]


def masked(text: str) -> str:
    """`text` with `MASK` in place of each character of code, link targets and addresses."""
    for pattern in (_FENCE, _CODE, _TARGET, _ADDRESS):
        text = pattern.sub(lambda match: re.sub(r"[^\n]", MASK, match.group()), text)
    return text


def around(text: str, start: int, end: int, *, reach: int = 6) -> str:
    """The words at a place, for a message: some characters on either side, on one line."""
    shown = text[max(0, start - reach) : end + reach].replace(MASK, "…")
    return " ".join(_SOFT_BREAK.sub("", shown).split())
