"""A person's story read backwards: why they were not among those who should get an issue."""

from __future__ import annotations

from collections.abc import Iterable

from newsletter.audience.register import Change, Event

_GONE = frozenset(
    (
        Change.UNSUBSCRIBED,
        Change.REMOVED,
        Change.BOUNCED,
        Change.COMPLAINED,
        Change.SUPPRESSED,
        Change.FORGOTTEN,
    )
)
_THERE = frozenset((Change.ADDED, Change.IMPORTED, Change.CONFIRMED, Change.LIFTED))
_ASKED = frozenset((Change.REQUESTED, Change.ASKED, Change.UNREACHABLE))


def last_word(story: Iterable[Event], *, before: float) -> Event | None:
    """What kept somebody from being mailed at a moment; None when nothing did that is on record.

    Args:
        story: the oldest first.
        before: seconds since the epoch.

    Returns:
        The event after which they had left, or had not confirmed yet.

    """
    word: Event | None = None
    active = False
    for event in story:
        if event.at > before:
            break
        if event.change in _GONE or (event.change is Change.IMPORTED and _not_active(event)):
            word, active = event, False
        elif event.change in _THERE:
            word, active = None, True
        elif event.change in _ASKED and not active and word is None:
            word = event
    return word


def _not_active(event: Event) -> bool:
    return event.reason not in ("", "as active")
