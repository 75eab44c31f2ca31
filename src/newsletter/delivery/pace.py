"""Pace: how much of the relay and of each recipient domain a run may use, and how refusals shrink that.

Large providers publish no limits but punish haste. The defaults are what careful senders keep to; newsletter.yaml
overrides them under `send.domains`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.delivery.ledger import Claim

FIRST_PAUSE = 60.0
LONGEST_PAUSE = 1800.0
SMALLEST_SHARE = 1 / 16
RECOVERY = 1 / 64  # of the full share, for each message accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainPolicy:
    """Limits for one recipient domain.

    Attributes:
        connections: messages under way at the same time.
        messages_per_connection: how many of this domain one connection carries.
        rate: messages a minute, or None.

    """

    connections: int | None = None
    messages_per_connection: int | None = None
    rate: float | None = None


POLITE: Mapping[str, DomainPolicy] = {
    "qq.com": DomainPolicy(connections=4, messages_per_connection=8),
    "foxmail.com": DomainPolicy(connections=4, messages_per_connection=8),
    "163.com": DomainPolicy(connections=4, messages_per_connection=7),
    "126.com": DomainPolicy(connections=4, messages_per_connection=7),
    "gmail.com": DomainPolicy(connections=5, messages_per_connection=50),
    "outlook.com": DomainPolicy(connections=5, messages_per_connection=50),
    "hotmail.com": DomainPolicy(connections=5, messages_per_connection=50),
    "yahoo.com": DomainPolicy(connections=5, messages_per_connection=20),
}

FREE = DomainPolicy()


class Bucket:
    """A token bucket: `rate` tokens a second, at most one second's worth saved up."""

    __slots__ = ("_level", "_rate", "_then")

    def __init__(self, rate: float, *, now: float) -> None:
        self._rate = rate
        self._level = max(1.0, rate)
        self._then = now

    def wait(self, now: float, *, share: float = 1.0) -> float:
        """Seconds until a token is there; `share` slows the filling."""
        rate = self._rate * share
        self._level = min(max(1.0, self._rate), self._level + (now - self._then) * rate)
        self._then = now
        return 0.0 if self._level >= 1.0 else (1.0 - self._level) / rate

    def take(self) -> None:
        """Use a token; call it only after `wait` said 0."""
        self._level -= 1.0


class Lane:
    """The entries of one domain that wait at hand, and how fast they may go.

    Args:
        domain: ASCII, lower case.
        policy: its limits.
        connections: how many the whole run has; what a domain without a limit shrinks from.
        now: seconds on any steady clock, the same for all methods.

    """

    __slots__ = (
        "_bucket",
        "_pauses",
        "_top",
        "domain",
        "paused_until",
        "policy",
        "queue",
        "share",
        "under_way",
    )

    def __init__(self, domain: str, *, policy: DomainPolicy, connections: int, now: float) -> None:
        self.domain = domain
        self.policy = policy
        self.queue: deque[Claim] = deque()
        self.under_way = 0
        self.share = 1.0
        self.paused_until = 0.0
        self._top = policy.connections
        if self._top is None:
            # Each connection can have a message under way and one more in the pipeline.
            self._top = 2 * connections
        self._bucket = Bucket(policy.rate / 60.0, now=now) if policy.rate else None
        self._pauses = 0

    def wait(self, now: float) -> float:
        """Seconds until the next entry may go; infinite while too many are under way."""
        if self.paused_until > now:
            return self.paused_until - now
        if self.under_way >= max(1, int((self._top or 1) * self.share)):
            return math.inf
        return self._bucket.wait(now, share=self.share) if self._bucket else 0.0

    def take(self) -> Claim:
        """The next entry; call it only after `wait` said 0."""
        if self._bucket:
            self._bucket.take()
        self.under_way += 1
        return self.queue.popleft()

    def accepted(self) -> None:
        """The domain is content: its share grows slowly."""
        if self.share < 1.0:
            self.share = min(1.0, self.share + RECOVERY)
            if self.share == 1.0:
                self._pauses = 0

    def refused(self, now: float) -> float:
        """The domain wants less of us: halve its share and pause it; returns until when."""
        if self.paused_until <= now:  # several messages under way may be refused for one reason
            self.share = max(SMALLEST_SHARE, self.share / 2)
            self.paused_until = now + min(LONGEST_PAUSE, FIRST_PAUSE * 2**self._pauses)
            self._pauses += 1
        return self.paused_until

    @property
    def pristine(self) -> bool:
        """Whether nothing would be forgotten if this lane were made anew."""
        return (
            not (self.queue or self.under_way or self.paused_until or self._bucket)
            and self.share == 1.0
        )


class Pace:
    """All lanes of a run, taken from in turn.

    Args:
        connections: how many connections the run has.
        rate: messages a second over the whole relay, or None.
        domains: policies by domain.

    """

    def __init__(
        self,
        *,
        connections: int,
        rate: float | None = None,
        domains: Mapping[str, DomainPolicy] = POLITE,
    ) -> None:
        self._connections = connections
        self._domains = domains
        self._bucket = Bucket(rate, now=0.0) if rate else None
        self._lanes: dict[str, Lane] = {}
        self._turn: deque[Lane] = deque()
        self.held = 0

    def lane(self, domain: str, *, now: float) -> Lane:
        """The lane of a domain, made when needed."""
        lane = self._lanes.get(domain)
        if lane is None:
            policy = self._domains.get(domain, FREE)
            lane = Lane(domain, policy=policy, connections=self._connections, now=now)
            self._lanes[domain] = lane
        return lane

    def add(self, claim: Claim, *, now: float) -> None:
        """Put an entry at the end of its lane."""
        lane = self.lane(claim.subscriber.address.domain, now=now)
        if not lane.queue:
            self._turn.append(lane)
        lane.queue.append(claim)
        self.held += 1

    def pick(self, carried: dict[str, int], *, now: float) -> Claim | float:
        """An entry that may go now, or how many seconds to wait.

        Infinite means until something under way is settled; negative means that this connection has carried all it
        may, and a new one could go on.

        Args:
            carried: how many messages of each domain the asking connection has taken; counted here.
            now: seconds on the steady clock.

        """
        if self._bucket and (wait := self._bucket.wait(now)):
            return wait
        soonest = math.inf
        worn = False
        for _ in range(len(self._turn)):
            lane = self._turn[0]
            self._turn.rotate(-1)
            if wait := lane.wait(now):
                soonest = min(soonest, wait)
                continue
            most = lane.policy.messages_per_connection
            if most is not None:
                if carried.get(lane.domain, 0) >= most:
                    worn = True
                    continue
                carried[lane.domain] = carried.get(lane.domain, 0) + 1
            if self._bucket:
                self._bucket.take()
            claim = lane.take()
            self.held -= 1
            if not lane.queue:
                self._turn.pop()  # rotated to the end a moment ago
            return claim
        return -1.0 if worn else soonest

    def settled(self, domain: str, *, accepted: bool, refused: bool, now: float) -> list[Claim]:
        """Count an outcome; returns the entries at hand that must wait because their domain is paused."""
        lane = self.lane(domain, now=now)
        lane.under_way -= 1
        if accepted:
            lane.accepted()
        if refused:
            lane.refused(now)
            return self.withdraw(lane)
        if lane.pristine:
            del self._lanes[domain]
        return []

    def withdraw(self, lane: Lane, *, keep: int = 0) -> list[Claim]:
        """Take back what waits in a lane, except the first `keep`."""
        taken = [lane.queue.pop() for _ in range(len(lane.queue) - keep)]
        self.held -= len(taken)
        if taken and not lane.queue:
            self._turn.remove(lane)
        return taken[::-1]
