"""Opening the database: settings that make a commit durable, numbered migrations, errors in words."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from newsletter.errors import LedgerError

MINIMUM_SQLITE = (3, 35, 0)  # RETURNING, UPDATE … FROM
CACHE_KIB = 8192
PROOF = "whose database is this?"
BUSY_SECONDS = 30.0  # how long to wait for another process


def open_database(path: Path) -> sqlite3.Connection:
    """Open or make the database at `path` and bring its tables up to date.

    WAL with `synchronous=FULL`: a commit returns when the log is on disk (sqlite.org/pragma.html#pragma_synchronous).
    The connection may move between threads, but only one may use it at a time.

    Raises:
        LedgerError: it cannot be opened, is damaged, or was made by a newer version.

    """
    if sqlite3.sqlite_version_info < MINIMUM_SQLITE:
        raise LedgerError(
            f"SQLite {sqlite3.sqlite_version} is too old; the ledger needs 3.35 or newer"
        )
    with explained(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(
            path,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            _use_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA mmap_size = 0")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            _migrate(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say into one line that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise LedgerError(_explain(str(error), path)) from error
    except OSError as error:
        if isinstance(error, LedgerError):
            raise
        raise LedgerError(f"{path}: {error.strerror or error}") from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """BEGIN IMMEDIATE … COMMIT; anything raised rolls back."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk may have rolled back already, and a second ROLLBACK would hide the reason.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def nested(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """A transaction, or a savepoint inside the one that is open; errors in words."""
    with explained(path):
        if not connection.in_transaction:
            with transaction(connection):
                yield
            return
        connection.execute("SAVEPOINT part")
        try:
            yield
            connection.execute("RELEASE part")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK TO part")
                connection.execute("RELEASE part")
            raise


def prove_identity(
    connection: sqlite3.Connection, path: Path, identify: Callable[[str], bytes]
) -> None:
    """Refuse a key that is not the one whose ids are in this database; the first key is remembered.

    With another key nobody's unsubscribing would be found again.

    Raises:
        LedgerError: it is another key.

    """
    proof = identify(PROOF)
    with nested(connection, path):
        row = connection.execute("SELECT proof FROM identity").fetchone()
        if row is None:
            connection.execute("INSERT INTO identity (proof) VALUES (?)", (proof,))
        elif row[0] != proof:
            raise LedgerError(
                f"{path}: made with another key, so who has unsubscribed would not be recognised; give back the"
                " NEWSLETTER_SECRET or the .newsletter/secret that it was made with"
            )


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; while another process does the same, SQLite does not wait by itself."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _explain(message: str, path: Path) -> str:
    known = {
        "disk is full": "the disk is full; nothing more is sent. Make room and run the same command again",
        "readonly": "the ledger is read-only; give this user the right to write it and its folder",
        "malformed": "the ledger is damaged; restore it from a backup, or rescue its rows with `sqlite3 … .recover`",
        "not a database": "this file is not a ledger; move it away or restore it from a backup",
        "unable to open": "the ledger cannot be opened; is its folder writable?",
        "locked": "another program holds the ledger; close it and run the same command again",
        "disk i/o error": "the disk does not answer; nothing more is sent",
    }
    for part, advice in known.items():
        if part in message.lower():
            return f"{path}: {advice} (SQLite says: {message})"
    return f"{path}: {message}"


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Apply `migrations/NNNN_name.sql` above PRAGMA user_version, each in one transaction."""
    steps = sorted(
        (
            entry
            for entry in files(__package__).joinpath("migrations").iterdir()
            if entry.name.endswith(".sql")
        ),
        key=lambda entry: entry.name,
    )
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(steps):
        raise LedgerError(
            f"{path}: made by a newer version of newsletter (schema {version}, this one knows {len(steps)});"
            " upgrade newsletter"
        )
    if version == len(steps):
        return
    with transaction(connection):
        (version,) = connection.execute(
            "PRAGMA user_version"
        ).fetchone()  # somebody may have been faster
        for number, step in enumerate(steps, 1):
            if number > version:
                for statement in _statements(step.read_text(encoding="utf-8")):
                    connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(steps)}")


def _statements(script: str) -> Iterator[str]:
    """Single statements of a script; `executescript` would commit behind our back."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
