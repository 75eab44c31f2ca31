"""kill -9 in the middle of a send to 2,000 readers, then the same command again, twenty times at random moments.

Nobody is missing from the union of accepted and in_doubt, nobody has got it twice, and the equation always holds. What
the readers have got is what smtp-sink(1) has written down, one file for each message whose dot has come.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from small_publication import write_publication
from smtp_sink import SmtpSink

from newsletter.delivery.ledger import Counts
from newsletter.delivery.recorder import FLUSH_ROWS
from newsletter.delivery.states import State
from newsletter.storage.sqlite.ledger import SqliteLedger

READERS = 2000
KILLS = 20
CONNECTIONS = 4
UNDER_WAY = 2 * CONNECTIONS  # one body on the wire and one more message in the pipeline
SEED = int(os.environ.get("KILL_SEED", "64"))
SETTINGS = f"send: {{connections: {CONNECTIONS}, messages_per_connection: 300}}\n"


@dataclass(slots=True)
class Victim:
    """The command, run again and again in one publication."""

    root: Path
    sink: SmtpSink
    chance: random.Random
    sent: list[int] = field(default_factory=list)
    doubts: list[int] = field(default_factory=list)

    def start(self) -> subprocess.Popen[bytes]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        relay = {"NEWSLETTER_RELAY": f"smtp://127.0.0.1:{self.sink.port}"}
        return subprocess.Popen(
            [sys.executable, "-m", "newsletter", "send", "1", "--yes"],
            cwd=self.root,
            env={**kept, **relay, "NEWSLETTER_SECRET": "a secret of the kill test"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def start_and_kill(self, *, while_sending: bool) -> None:
        """One run that does not see its end: killed after so many messages, or on its way to the first."""
        before = self.received()
        enough = before + (self.chance.randrange(1, 2 * READERS // KILLS) if while_sending else 1)
        until = time.monotonic() + (60.0 if while_sending else self.chance.uniform(0.05, 0.8))
        sender = self.start()
        while sender.poll() is None and self.received() < enough and time.monotonic() < until:
            time.sleep(0.001)
        sender.kill()
        sender.communicate()
        self.look()

    def received(self) -> int:
        """How many messages smtp-sink has begun to write down."""
        return sum(1 for _ in self.sink.folder.iterdir())

    def finish(self) -> str:
        """One run that does; what it complained about."""
        sender = self.start()
        _, err = sender.communicate(timeout=60)
        self.look()
        return err.decode()

    def look(self) -> None:
        """What must hold at every moment."""
        counts = self.counts()
        if counts is None:
            return  # killed before it had planned anything
        assert counts.balanced
        assert counts.planned == READERS
        doubt = counts[State.IN_FLIGHT] + counts[State.IN_DOUBT] - sum(self.doubts)
        assert doubt <= UNDER_WAY + FLUSH_ROWS, f"{doubt} in doubt after one kill"
        self.doubts.append(doubt)
        self.sent.append(counts[State.ACCEPTED])

    def counts(self) -> Counts | None:
        path = self.root / ".newsletter" / "newsletter.db"
        if not path.exists():
            return None
        with closing(SqliteLedger(path)) as ledger:
            campaign = ledger.campaign(1)
            return ledger.counts(campaign) if campaign else None

    def names(self, *states: State) -> set[str]:
        with closing(SqliteLedger(self.root / ".newsletter" / "newsletter.db")) as ledger:
            campaign = ledger.campaign(1)
            assert campaign is not None
            return {entry.address for entry in ledger.entries(campaign, states=states)}


def test_killed_twenty_times(start_sink: Callable[..., SmtpSink], tmp_path: Path) -> None:
    root = write_publication(tmp_path / "weekly", READERS, settings=SETTINGS)
    victim = Victim(root, start_sink(), random.Random(SEED))
    for kill in range(KILLS):
        victim.start_and_kill(while_sending=bool(kill % 5))
    complaints = victim.finish()
    print(f"seed {SEED}: accepted after each kill {victim.sent}, in doubt by each {victim.doubts}")
    received: Counter[str] = victim.sink.received()
    accepted, doubtful = victim.names(State.ACCEPTED), victim.names(State.IN_DOUBT)
    everybody = {f"reader{number}@example.net" for number in range(READERS)}
    assert accepted | doubtful == everybody, "nobody is forgotten"
    assert set(received.values()) == {1}, "nobody gets it twice"
    assert accepted <= set(received), "accepted means received"
    assert "Traceback" not in complaints
    assert sum(sent > 0 for sent in victim.sent) >= KILLS // 2, "most kills hit a send under way"
    assert len(set(victim.sent)) >= KILLS // 2
    again = victim.finish()
    assert victim.sink.received() == received, "and nobody is resent by itself"
    assert all(f"in doubt: {address}" in again for address in doubtful)
