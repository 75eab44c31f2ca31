"""What came back, beside the register in memory: it is forgotten and taken back with the rest of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from newsletter.feedback.returns import Record


@dataclass(slots=True)
class Returned:
    """Digests that are known, and records by their number."""

    seen: set[bytes] = field(default_factory=set)
    records: dict[int, Record] = field(default_factory=dict)
    last: int = 0

    def __copy__(self) -> Returned:
        return Returned(set(self.seen), dict(self.records), self.last)

    def add(self, record: Record) -> None:
        """Keep it under the next number."""
        self.last += 1
        self.records[self.last] = record

    def forget(self, who: bytes) -> bool:
        """Drop what is about a person; whether there was anything."""
        before = len(self.records)
        self.records = {number: one for number, one in self.records.items() if one.who != who}
        return len(self.records) < before
