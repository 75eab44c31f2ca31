"""The command line with one promise broken on purpose, to see that the sweep notices.

python careless.py FAULT send 1 --yes
"""

from __future__ import annotations

import asyncio
import sys

from newsletter.cli import main
from newsletter.delivery.ledger import Intent
from newsletter.delivery.recorder import Recorder
from newsletter.storage.sqlite import database, ledger, ledger_sql

LATE = 0.05  # seconds


def body_before_intent() -> None:
    """Let a body go, and write its intent down a little later."""
    honest = Recorder.intend

    def intend(self: Recorder, intent: Intent) -> asyncio.Future[bool]:
        loop = asyncio.get_running_loop()
        loop.call_later(LATE, honest, self, intent)
        granted: asyncio.Future[bool] = loop.create_future()
        granted.set_result(True)
        return granted

    Recorder.intend = intend  # type: ignore[method-assign]


def resend_what_is_in_flight() -> None:
    """Take the dead run's messages for unsent."""
    ledger_sql.RECOVER_IN_FLIGHT = ledger_sql.RECOVER_IN_FLIGHT.replace("'in_doubt'", "'pending'")


def no_sync() -> None:
    """Hope that the disk keeps what nobody asked it to keep."""
    honest = database.open_database

    def open_database(path):  # type: ignore[no-untyped-def]
        connection = honest(path)
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    ledger.open_database = open_database  # type: ignore[attr-defined]


FAULTS = {
    fault.__name__: fault for fault in (body_before_intent, resend_what_is_in_flight, no_sync)
}

if __name__ == "__main__":
    FAULTS[sys.argv[1]]()
    sys.exit(main(sys.argv[2:]))
