"""Every store of this project, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ledger_watch import Watched

from newsletter.delivery.ledger import Ledger
from newsletter.storage.memory.ledger import MemoryLedger
from newsletter.storage.sqlite.ledger import SqliteLedger

Make = Callable[[], Ledger]


@pytest.fixture(params=["memory", "sqlite"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Watched]:
    """A new ledger under watch."""
    made: Ledger = (
        MemoryLedger() if request.param == "memory" else SqliteLedger(tmp_path / "newsletter.db")
    )
    yield Watched(made)
    made.close()
