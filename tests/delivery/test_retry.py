"""Waiting times: 5, 10, 20, 40 minutes, then every 4000 seconds, a little stretched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.retry import RetrySchedule


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 300), (2, 600), (3, 1200), (4, 2400), (5, 4000), (6, 4000), (40, 4000)],
)
def test_the_steps(attempts: int, seconds: float) -> None:
    assert RetrySchedule().wait(attempts, random=lambda: 0.0) == seconds


def test_an_attempt_that_never_was() -> None:
    assert RetrySchedule().wait(0, random=lambda: 0.0) == 4000


@given(st.integers(1, 100), st.floats(0, 1, exclude_max=True))
def test_jitter_only_stretches(attempts: int, chance: float) -> None:
    schedule = RetrySchedule()
    plain = schedule.wait(attempts, random=lambda: 0.0)
    assert plain <= schedule.wait(attempts, random=lambda: chance) <= plain * 1.1


def test_own_steps() -> None:
    schedule = RetrySchedule(steps=(1.0,), then=2.0, jitter=0.0)
    assert [schedule.wait(n, random=lambda: 0.5) for n in (1, 2, 3)] == [1.0, 2.0, 2.0]


def test_giving_up_after_two_days() -> None:
    assert RetrySchedule().give_up == 48 * 3600
