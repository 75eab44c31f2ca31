"""The only door to autocorrect, which knows where Chinese and Latin letters want a space and which
marks stand between Chinese characters. It formats; here its changes become a list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

_LONGEST_RUN = 6


@dataclass(frozen=True, slots=True)
class Change:
    """What autocorrect would do at `offset` of the text: put `new` in the place of `old`."""

    offset: int
    old: str
    new: str


@lru_cache(maxsize=4000)
def changes(text: str) -> tuple[Change, ...]:
    """What autocorrect would change in a plain text, in order."""
    from autocorrect_py import format as formatted

    return tuple(_differences(text, str(formatted(text))))


def _differences(old: str, new: str) -> Iterator[Change]:
    """The changes that lead from `old` to `new`.

    Almost all are a space more or less or one mark for another; the rest is left to difflib.
    """
    i = j = 0
    while i < len(old) and j < len(new):
        if old[i] == new[j]:
            i, j = i + 1, j + 1
        elif new[j] == " ":
            yield Change(i, "", " ")
            j += 1
        elif old[i] == " ":
            yield Change(i, " ", "")
            i += 1
        elif run := _replaced(old[i:], new[j:]):
            yield from (Change(i + n, old[i + n], new[j + n]) for n in range(run))
            i, j = i + run, j + run
        else:
            yield from _by_difflib(old[i:], new[j:], i)
            return
    if old[i:].strip() or new[j:].strip():
        yield Change(i, old[i:], new[j:])


def _replaced(old: str, new: str) -> int:
    """How many characters have each another in their place; 0 when it is not as simple as that."""
    for run in range(1, _LONGEST_RUN):
        if old[run : run + 1] == new[run : run + 1] or " " in (
            old[run : run + 1],
            new[run : run + 1],
        ):
            return run
    return 0


def _by_difflib(old: str, new: str, offset: int) -> Iterator[Change]:
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            yield Change(offset + a, old[a:b], new[c:d])
