"""A mistake that a template makes, before it is known where the template made it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from newsletter.errors import Place


class Mistake(Exception):
    """Raised inside a template; `environment` turns it into a TemplateError with path and line.

    Args:
        message: what is wrong, one line.
        hint: what to do about it.
        place: where, when that is known better than by the line that is running.

    """

    def __init__(
        self, message: str, *, hint: str | None = None, place: Place | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.place = place


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like `word`, or None when none is."""
    close = difflib.get_close_matches(word, sorted(set(known)), n=1, cutoff=0.6)
    return close[0] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A hint that names the nearest known word, or None when nothing is near."""
    near = nearest(word, known)
    return f"did you mean `{near}`?" if near else None
