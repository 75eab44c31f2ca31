"""Asks the web about addresses, sparingly: HEAD, then the first bytes by GET, at a pace for each host.

    probe = LinkProbe(cache=root / ".newsletter/cache/links.json")
    probe.verdicts(["https://example.org/"])

Needs the extra `links` (httpx2). A proxy of the environment is not used: behind one, nobody could see
which address is connected to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.checks.online.cache import VerdictCache
from newsletter.checks.online.verdict import NO_HOST, NOT_NOW, Kind, Verdict
from newsletter.errors import UsageError

if TYPE_CHECKING:
    from newsletter.checks.online.guard import Permit, Resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much the web is asked.

    Attributes:
        most: addresses that are asked in one run.
        seconds: for the whole run.
        patience: seconds for one answer.
        pace: seconds between two requests to one host.
        together: requests under way at once.
        hops: redirects that are followed.
        octets: of a body that are read.

    """

    most: int = 200
    seconds: float = 90.0
    patience: float = 10.0
    pace: float = 0.5
    together: int = 8
    hops: int = 8
    octets: int = 65_536


class LinkProbe:
    """Tells what became of addresses; each is asked once in the life of a probe.

    Args:
        cache: file that keeps verdicts between runs, see `cache`; None keeps none.
        limits: how much to ask.
        permit: which IP addresses may be connected to; public ones when absent. Tests allow loopback.
        resolve: looks up names, the system's way when absent.
        now: tells the time, with a zone.

    Raises:
        UsageError: the extra `links` is not installed.

    """

    def __init__(
        self,
        *,
        cache: Path | None = None,
        limits: Limits | None = None,
        permit: Permit | None = None,
        resolve: Resolve | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        try:
            from newsletter.checks.online import visit
        except ModuleNotFoundError as error:
            raise UsageError(
                f"--online needs {error.name}, which is not installed"
                " (pip install 'newsletter[links]')"
            ) from None
        self._visits = visit.Visits(
            limits=limits or Limits(), permit=permit, resolve=resolve, now=now
        )
        self._limits = limits or Limits()
        self._cache = VerdictCache(cache, now=now)
        self._told: dict[str, Verdict] = {}

    def verdicts(self, addresses: Sequence[str]) -> Mapping[str, Verdict]:
        """A verdict for each address; what there was no room or time for is unasked."""
        for address in addresses:
            if address not in self._told and (kept := self._cache.get(address)):
                self._told[address] = kept
        wanted = [address for address in dict.fromkeys(addresses) if address not in self._told]
        asked, left = wanted[: self._limits.most], wanted[self._limits.most :]
        if asked:
            found = _without_network(self._ask(asked))
            self._cache.keep(found)
            self._told |= found
        reason = f"more than {self._limits.most} are not asked in one run"
        self._told |= {address: Verdict(kind=Kind.UNASKED, reason=reason) for address in left}
        return {address: self._told[address] for address in addresses}

    def _ask(self, addresses: Sequence[str]) -> dict[str, Verdict]:
        """Run the event loop in a thread of its own: the caller may have one already."""
        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(asyncio.run, self._visits.all(addresses)).result()


def _without_network(found: dict[str, Verdict]) -> dict[str, Verdict]:
    """When no name at all is known, it is this machine that has no network, not the links."""
    hosts = {address.partition("://")[2].partition("/")[0] for address in found}
    unknown = [v for v in found.values() if v.reason in (NO_HOST, NOT_NOW)]
    if len(hosts) < 3 or len(unknown) < len(found):
        return found
    nothing = Verdict(kind=Kind.UNASKED, reason="no name can be looked up here")
    return dict.fromkeys(found, nothing)
