"""Who must not be mailed, known to ledger and register alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from newsletter.audience.register import Suppression


class Suppressions:
    """Suppressions by id, by address, or by both."""

    def __init__(self) -> None:
        self._all: list[Suppression] = []

    def __iter__(self) -> Iterator[Suppression]:
        return iter(tuple(self._all))

    def find(self, who: bytes | None, address: str | None) -> Suppression | None:
        """The first that names this id or this address key."""
        return next((one for one in self._all if _names(one, who, address)), None)

    def add(self, new: Suppression) -> bool:
        """Remember it, unless somebody of this id or address is suppressed already; returns whether it is new."""
        known = self.find(new.id, new.address)
        if known is None:
            self._all.append(new)
        elif known.id is None and new.id is not None:
            self._all[self._all.index(known)] = replace(known, id=new.id)
        return known is None

    def lift(self, who: bytes, address: str | None) -> bool:
        """Drop what names this id or address; returns whether there was anything."""
        before = len(self._all)
        self._all = [one for one in self._all if not _names(one, who, address)]
        return len(self._all) < before

    def restore(self, kept: Iterable[Suppression]) -> None:
        """Be again what it was when `kept` was taken."""
        self._all = list(kept)


def _names(one: Suppression, who: bytes | None, address: str | None) -> bool:
    same_id = who is not None and one.id == who
    return same_id or (address is not None and one.address == address)
