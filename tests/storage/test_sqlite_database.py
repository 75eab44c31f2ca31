"""The SQLite store on a disk that can be full, read-only, damaged, locked or not there at all."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from newsletter.audience.models import Subscriber
from newsletter.delivery.ledger import Campaign, Intent, Outcome
from newsletter.delivery.states import State
from newsletter.errors import LedgerError, NewsletterError
from newsletter.mail.address import Address
from newsletter.storage.sqlite import ledger_sql as sql
from newsletter.storage.sqlite.database import open_database
from newsletter.storage.sqlite.ledger import SqliteLedger

NOW = 1_700_000_000.0
NOBODY = 65534


def people(count: int) -> list[Subscriber]:
    return [
        Subscriber(address=Address(f"r{number}", "example.org", "example.org"), name="读者" * 20)
        for number in range(count)
    ]


def planned(path: Path, count: int = 10) -> SqliteLedger:
    ledger = SqliteLedger(path)
    ledger.plan(64, digest="d", subscribers=people(count), now=NOW)
    return ledger


def campaign_of(ledger: SqliteLedger) -> Campaign:
    campaign = ledger.campaign(64)
    assert campaign is not None
    return campaign


@contextmanager
def refused(path: Path, advice: str) -> Iterator[None]:
    """What the block does ends in one line that names the file and says what to do."""
    with pytest.raises(LedgerError) as caught:
        yield
    message = str(caught.value)
    assert advice in message
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert caught.value.exit_code == 1
    assert isinstance(caught.value, NewsletterError)
    assert isinstance(caught.value, OSError)


# Durability


def test_a_commit_is_on_disk_when_it_returns(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "newsletter.db")) as connection:
        settings = {
            name: connection.execute(f"PRAGMA {name}").fetchone()
            for name in ("journal_mode", "synchronous", "foreign_keys", "mmap_size", "cache_size")
        }
    assert settings["journal_mode"] == ("wal",)
    assert settings["synchronous"] == (2,), "FULL"
    assert settings["foreign_keys"] == (1,)
    assert settings["mmap_size"] in (None, (0,))
    assert settings["cache_size"] == (-8192,)


def test_everything_is_there_after_closing(tmp_path: Path) -> None:
    path = tmp_path / "state" / "newsletter.db"
    with closing(planned(path)) as ledger:
        campaign = campaign_of(ledger)
        run = ledger.begin_run(campaign, now=NOW)
        first, second, _ = ledger.claim(campaign, run=run, limit=3, now=NOW, lease=60)
        told = Outcome(id=first.id, state=State.ACCEPTED, at=NOW, stage="dot", reply="250 ok")
        dead = Outcome(id=second.id, state=State.FAILED, at=NOW, suppress="no such mailbox")
        intents = [Intent(first.id, "<m>")]
        ledger.commit(run=run, intents=intents, outcomes=[told, dead], now=NOW)
        before = ledger.counts(campaign), list(ledger.entries(campaign))
    with closing(SqliteLedger(path)) as ledger:
        assert (ledger.counts(campaign), list(ledger.entries(campaign))) == before
        assert ledger.suppression(second.subscriber.address.key) == "no such mailbox"
        assert [attempt.reply for attempt in ledger.attempts(campaign)] == ["250 ok"]
        assert ledger.begin_run(campaign, now=NOW) > run


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_sqlite_database import NOW, Intent, campaign_of, planned
ledger = planned(Path(sys.argv[1]))
campaign = campaign_of(ledger)
run = ledger.begin_run(campaign, now=NOW)
claims = ledger.claim(campaign, run=run, limit=4, now=NOW, lease=60)
ledger.commit(run=run, intents=[Intent(claims[0].id, "<m>")], outcomes=[], now=NOW)
ledger._db.execute("BEGIN IMMEDIATE")
ledger._db.execute("UPDATE entry SET state = 'accepted'")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_what_it_committed_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    here = str(Path(__file__).parent)
    killed = subprocess.run([sys.executable, "-c", KILLED, path, here], check=False)
    assert killed.returncode == -9
    with closing(SqliteLedger(path)) as ledger:
        campaign = campaign_of(ledger)
        counts = ledger.counts(campaign)
        assert counts.balanced
        assert (counts[State.IN_FLIGHT], counts[State.CLAIMED], counts[State.PENDING]) == (1, 3, 6)
        found = ledger.recover(campaign, run=ledger.begin_run(campaign, now=NOW), now=NOW)
        assert (found.in_doubt, found.released) == (1, 3)


# Files that are no ledger


def test_an_empty_file_becomes_a_ledger(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    path.touch()
    with closing(SqliteLedger(path)) as ledger:
        assert ledger.campaigns() == []


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    path.write_bytes(b"subscribers, or what is left of them\n" * 100)
    with refused(path, "not a ledger"):
        SqliteLedger(path)
    assert path.read_bytes().startswith(b"subscribers"), "it is left as it was"


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    path.mkdir()
    with refused(path, "cannot be opened"):
        SqliteLedger(path)


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    path = tmp_path / "state" / "newsletter.db"
    with refused(path, "exists"):
        SqliteLedger(path)


def test_a_damaged_ledger(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    planned(path, 2000).close()
    content = bytearray(path.read_bytes())
    content[4096 : 40 * 4096] = b"\xa5" * (39 * 4096)
    path.write_bytes(content)
    with refused(path, "damaged"), closing(SqliteLedger(path)) as ledger:
        list(ledger.entries(campaign_of(ledger)))


def test_a_ledger_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    planned(path, 2000).close()
    os.truncate(path, 20 * 4096)
    with refused(path, "damaged"), closing(SqliteLedger(path)) as ledger:
        list(ledger.entries(campaign_of(ledger)))


def test_a_ledger_of_a_newer_version(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    planned(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with refused(path, "upgrade newsletter"):
        SqliteLedger(path)
    assert path.read_bytes() == before


# Disks that refuse


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without root's power to write everything; for others it changes nothing."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture
def public_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that everybody can reach and nobody but its owner can write."""
    folder = tmp_path_factory.mktemp("public")
    above = [one for one in folder.parents if one.stat().st_uid == os.getuid() and one != Path("/")]
    modes = {one: one.stat().st_mode for one in above}
    for one in above:
        one.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    for one, mode in modes.items():
        one.chmod(mode)
    shutil.rmtree(folder)


def test_a_read_only_ledger(public_folder: Path) -> None:
    path = public_folder / "newsletter.db"
    planned(path).close()
    path.chmod(0o444)
    public_folder.chmod(0o555)
    with as_nobody(), refused(path, "give this user the right"), closing(SqliteLedger(path)):
        pass


def test_a_folder_that_cannot_be_written(public_folder: Path) -> None:
    public_folder.chmod(0o555)
    path = public_folder / "newsletter.db"
    with as_nobody(), refused(path, "is its folder writable"):
        SqliteLedger(path)
    assert list(public_folder.iterdir()) == []


def test_a_folder_that_cannot_be_made(public_folder: Path) -> None:
    public_folder.chmod(0o555)
    path = public_folder / "state" / "newsletter.db"
    with as_nobody(), refused(path, "Permission denied"):
        SqliteLedger(path)


def test_a_full_disk_stops_everything_and_breaks_nothing(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    with closing(planned(path, 50)) as ledger:
        campaign = campaign_of(ledger)
        run = ledger.begin_run(campaign, now=NOW)
        claims = ledger.claim(campaign, run=run, limit=50, now=NOW, lease=60)
        (pages,) = ledger._db.execute("PRAGMA page_count").fetchone()
        ledger._db.execute(f"PRAGMA max_page_count = {pages}")
        told = [
            Outcome(id=claim.id, state=State.FAILED, at=NOW, stage="rcpt", reply="550 " + "x" * 900)
            for claim in claims
        ]
        intents = [Intent(claim.id, f"<{claim.id}@example.org>") for claim in claims]
        with refused(path, "the disk is full"):
            ledger.commit(run=run, intents=intents, outcomes=told, now=NOW)
        assert ledger.counts(campaign)[State.CLAIMED] == 50, "not even the intents"
        with refused(path, "the disk is full"):
            ledger.plan(65, digest="d", subscribers=people(500), now=NOW)
        assert ledger.campaign(65) is None
        ledger._db.execute("PRAGMA max_page_count = 100000")
        assert len(ledger.commit(run=run, intents=intents, outcomes=told, now=NOW)) == 50
        assert ledger.counts(campaign)[State.FAILED] == 50


def test_another_program_holds_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    with closing(planned(path)) as ledger, closing(sqlite3.connect(path)) as other:
        ledger._db.execute("PRAGMA busy_timeout = 20")
        other.execute("BEGIN IMMEDIATE")
        with refused(path, "another program holds the ledger"):
            ledger.begin_run(campaign_of(ledger), now=NOW)
        assert ledger.counts(campaign_of(ledger)).balanced, "reading goes on"
        other.execute("ROLLBACK")
        assert ledger.begin_run(campaign_of(ledger), now=NOW) == 1


# Opening by several at once

OPENED_AT_ONCE = """
import sys
from pathlib import Path
from newsletter.storage.sqlite.ledger import SqliteLedger
print("ready", flush=True)
sys.stdin.readline()
SqliteLedger(Path(sys.argv[1])).close()
"""


def _piped(command: list[str]) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe, stderr=pipe)


@pytest.mark.parametrize("attempt", range(3))
def test_several_processes_make_one_ledger(tmp_path: Path, attempt: int) -> None:
    path = tmp_path / "newsletter.db"
    command = [sys.executable, "-c", OPENED_AT_ONCE, str(path)]
    with ExitStack() as stack:
        openers = [stack.enter_context(_piped(command)) for _ in range(4)]
        for opener in openers:
            assert opener.stdout is not None
            opener.stdout.readline()
        for opener in openers:
            assert opener.stdin is not None
            opener.stdin.write("go\n")
            opener.stdin.flush()
        complaints = [opener.communicate(timeout=60)[1] for opener in openers]
    assert complaints == [""] * 4
    with closing(open_database(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute(
            "SELECT count(*) FROM sqlite_master WHERE name = 'entry'"
        ).fetchone()
    assert version >= 1
    assert tables == 1


# Scale: what must never walk the whole table


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (sql.CLAIM, "entry_due"),
        (sql.NEXT_DUE, "entry_due"),
        (sql.CLAIM_LEASED, "entry_leased"),
        (sql.INTEND, "PRIMARY KEY"),
        (sql.SETTLE, "PRIMARY KEY"),
    ],
    ids=["claim", "next due", "leases", "intents", "outcomes"],
)
def test_hot_statements_use_an_index(tmp_path: Path, statement: str, index: str) -> None:
    with closing(open_database(tmp_path / "newsletter.db")) as connection:
        names = ("campaign", "run", "limit", "now", "until", "states", "intents", "outcomes")
        values: object = dict.fromkeys(names, 1) | {"intents": "[]", "outcomes": "[]"}
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
    steps = [str(row[3]) for row in plan]
    assert any(index in step for step in steps), steps
    assert not any(step.startswith("SCAN entry") for step in steps), steps
