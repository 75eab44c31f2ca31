"""What the checks say about an issue, as records for the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from newsletter.mailing import Mailing

Inspector = Callable[[Mailing], Iterable[Mapping[str, Any]]]
"""Looks an issue over and yields records of code, severity (error, warning or note), message, path, line
and column, as `check --format json` prints them, and hint."""


def inspect(mailing: Mailing) -> list[dict[str, Any]]:
    """Every finding of `newsletter check`, without asking the network.

    Raises:
        NewsletterError: the issue cannot become mail, or the settings name no such check.

    """
    from newsletter.checking import check_mailing

    return [{**finding.record(), "hint": finding.hint} for finding in check_mailing(mailing)]
