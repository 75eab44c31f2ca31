"""One mail of a source, and what to do when it has been dealt with."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import NamedTuple

from newsletter.feedback.read import MOST_OCTETS

READ = MOST_OCTETS
"""Octets that are read of a mail; what follows is never looked at."""


def _stay() -> None:
    """The mail stays as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail.

    Attributes:
        name: where it is, as the user would name it.
        data: its octets, the first 5 MiB.
        envelope_to: whom it was sent to, where the source knows.
        settle: marks it as done; harmless twice, and when somebody else has done it.

    """

    name: str
    data: bytes
    envelope_to: str | None = None
    settle: Callable[[], None] = field(default=_stay, repr=False)


class Unread(NamedTuple):
    """A mail that could not be read, and why."""

    name: str
    why: str


Letters = Generator[Letter | Unread, None, None]


@dataclass(frozen=True, slots=True)
class Source:
    """Mails and where they come from.

    Attributes:
        label: for the record, such as `maildir`.
        letters: the mails; close it after use.

    """

    label: str
    letters: Letters
