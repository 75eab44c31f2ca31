"""A probe that may ask this machine, and nothing else that is private."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from typing import Any

from web_server import Web

from newsletter.checks.online.guard import is_public
from newsletter.checks.online.probe import Limits, LinkProbe
from newsletter.checks.online.verdict import Verdict

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
QUICK = Limits(pace=0.0, patience=5.0)


def loopback_too(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.is_loopback or is_public(address)


def probe(**changes: Any) -> LinkProbe:
    return LinkProbe(**{"permit": loopback_too, "limits": QUICK, "now": lambda: NOW, **changes})


def verdict(web: Web, path: str, **changes: Any) -> Verdict:
    address = web.url(path)
    return probe(**changes).verdicts([address])[address]
