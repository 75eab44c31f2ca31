"""The returns in memory: the whole of `feedback.returns.Returns` and nothing on disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from newsletter.audience.verp import Returned
from newsletter.delivery.ledger import Ledger
from newsletter.delivery.states import State
from newsletter.feedback.returns import Record
from newsletter.mail.address import parse_address
from newsletter.storage.memory.register import MemoryRegister


class MemoryReturns:
    """A `Returns` that lives as long as the object.

    Args:
        register: of the same store.
        ledger: what was sent.

    """

    def __init__(self, register: MemoryRegister, ledger: Ledger) -> None:
        self.register = register
        self._ledger = ledger

    def first_time(self, digest: bytes, *, now: float) -> bool:
        """See `Returns.first_time`."""
        known = digest in self.register.returned.seen
        self.register.returned.seen.add(digest)
        return not known

    def record(self, record: Record) -> None:
        """See `Returns.record`."""
        report = replace(record.report, returned=None, subscriber_id=None)
        self.register.returned.add(replace(record, report=report))

    def records(self, *, after: int = 0) -> Iterator[tuple[int, Record]]:
        """See `Returns.records`."""
        kept = list(self.register.returned.records.items())
        return ((number, record) for number, record in kept if number > after)

    def about(self, who: bytes) -> Sequence[Record]:
        """See `Returns.about`."""
        kept = self.register.returned.records.values()
        return [record for record in kept if record.who == who and record.proven]

    def sent(self, message_id: str) -> Returned | None:
        """See `Returns.sent`."""
        for campaign in self._ledger.campaigns():
            taken = self._ledger.entries(campaign, states=(State.ACCEPTED, State.IN_DOUBT))
            for entry in taken:
                if entry.message_id == message_id:
                    who = self.register.identify(parse_address(entry.address).key)
                    return Returned(campaign.issue, who)
        return None

    def close(self) -> None:
        """See `Returns.close`."""
