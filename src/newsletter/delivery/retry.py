"""When to try again, and when to give up: RFC 5321 section 4.5.4.1, with the habits of large senders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

MINUTE = 60.0
HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySchedule:
    """Waiting times after a deferral, in seconds.

    Attributes:
        steps: after the first, second, … attempt.
        then: after every further one.
        jitter: largest share by which a wait is stretched, so that retries do not come in one wave.
        give_up: how long after the first attempt an entry expires.

    """

    steps: tuple[float, ...] = (5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 40 * MINUTE)
    then: float = 4000.0
    jitter: float = 0.1
    give_up: float = 48 * HOUR

    def wait(self, attempts: int, *, random: Callable[[], float]) -> float:
        """Seconds to wait after `attempts` attempts; `random` gives numbers in [0, 1)."""
        step = self.steps[attempts - 1] if 0 < attempts <= len(self.steps) else self.then
        return step * (1.0 + self.jitter * random())
