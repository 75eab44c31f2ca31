"""When a call was signed. A service tries again for up to a day; a call that comes again later is somebody else's."""

from __future__ import annotations

OLDEST_SECONDS = 25 * 3600.0
FUTURE_SECONDS = 300.0  # clocks differ


def in_time(signed_at: float, *, now: float) -> bool:
    """Whether a signature of that time is still good; the same event changes nothing twice anyway."""
    return now - OLDEST_SECONDS <= signed_at <= now + FUTURE_SECONDS


def seconds(timestamp: str) -> float | None:
    """A time in whole seconds since the epoch, as headers have it."""
    return (
        float(timestamp)
        if timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 13
        else None
    )
