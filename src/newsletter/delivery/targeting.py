"""A segment against a list: who of it is meant, and what of the segment looks like a mistake."""

from __future__ import annotations

from newsletter.audience.models import Subscriber
from newsletter.delivery.ledger import Campaign, Ledger
from newsletter.delivery.states import State
from newsletter.segments import Segment
from newsletter.segments.expression import Everybody, Had


class Target:
    """Tells of one subscriber after the other whether they are in a segment. Remembers nobody.

    Args:
        segment: who is meant.
        ledger: who got which issue; None where nothing was ever sent.

    Attributes:
        asked: about how many it was asked so far.
        matched: of how many of them it was true.

    """

    def __init__(self, segment: Segment, ledger: Ledger | None) -> None:
        self.segment = segment
        self.asked = 0
        self.matched = 0
        self._ledger = ledger
        self._campaigns: dict[int, Campaign | None] = {
            issue: ledger.campaign(issue) if ledger else None for issue in sorted(segment.issues)
        }
        self._unmet = {
            question
            for question in segment.questions()
            if not isinstance(question, Had | Everybody)
        }

    def __call__(self, subscriber: Subscriber) -> bool:
        """Whether they are meant."""

        def got(issue: int) -> bool:
            return self._got(subscriber, issue)

        if self._unmet:
            self._unmet = {one for one in self._unmet if not one.holds(subscriber, got)}
        matches = self.segment.matches(subscriber, got=got)
        self.asked += 1
        self.matched += matches
        return matches

    def notes(self) -> list[str]:
        """What the author of the segment should know, when the whole list has been asked about."""
        never = [issue for issue, campaign in self._campaigns.items() if campaign is None]
        return [
            *(f"issue {issue} was never sent from here, so nobody got it" for issue in never),
            *sorted(f"`{question}` is true of nobody on the list" for question in self._unmet),
        ]

    def _got(self, subscriber: Subscriber, issue: int) -> bool:
        campaign = self._campaigns[issue]
        if self._ledger is None or campaign is None:
            return False
        entry = self._ledger.entry(campaign, subscriber.address.key)
        return entry is not None and entry.state is State.ACCEPTED
