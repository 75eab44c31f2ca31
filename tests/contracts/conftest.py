"""Every store of this project, one after the other, and a register that its ledger shares suppressions with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from ledger_watch import Watched, register_on, stop

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


@pytest.fixture
def suppress(ledger: Watched) -> Iterator[Callable[[str, str], None]]:
    """`suppress("a@example.org", "complaint")`, by a register on the same store."""
    with closing(register_on(ledger.ledger)) as register:
        yield lambda address, reason: stop(register, address, reason)
