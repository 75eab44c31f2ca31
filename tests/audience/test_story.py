from __future__ import annotations

import pytest

from newsletter.audience.register import Change, Event
from newsletter.audience.story import last_word


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ([], None),
        ([Change.ADDED], None),
        ([Change.REQUESTED, Change.ASKED], 0),
        ([Change.REQUESTED, Change.ASKED, Change.CONFIRMED], None),
        ([Change.ADDED, Change.UNSUBSCRIBED, Change.REQUESTED], 1),
        ([Change.ADDED, Change.UNSUBSCRIBED, Change.CONFIRMED, Change.LIFTED], None),
        ([Change.ADDED, Change.BOUNCED, Change.UPDATED], 1),
        ([Change.ADDED, Change.UPDATED, Change.REQUESTED], None),
    ],
)
def test_what_kept_somebody_from_being_mailed(story: list[Change], expected: int | None) -> None:
    events = [Event(at=at, change=change, source="s") for at, change in enumerate(story)]
    later = Event(at=100, change=Change.FORGOTTEN, source="s")
    assert last_word([*events, later], before=99) == (
        None if expected is None else events[expected]
    )


@pytest.mark.parametrize(
    ("reason", "kept"), [("as active", False), ("as pending", True), ("bounced", True)]
)
def test_people_are_imported_as_what_they_are(reason: str, kept: bool) -> None:
    event = Event(at=1, change=Change.IMPORTED, source="import x.csv", reason=reason)
    assert (last_word([event], before=1) == event) is kept
