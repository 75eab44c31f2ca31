"""Every fault that smtp-sink(1) can make ends in the state of the table in docs/architecture.md.

Each of the readers has a domain of its own, so that a paused domain holds up nobody else.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from smtp_sink import SmtpSink

from newsletter.audience.models import Subscriber
from newsletter.delivery import sender as sender_module
from newsletter.delivery.ledger import Claim, Entry
from newsletter.delivery.options import SendOptions, Tally
from newsletter.delivery.sender import Sender
from newsletter.delivery.sendlog import SendLog
from newsletter.delivery.states import State
from newsletter.errors import NewsletterError, RelayError, RelayRefused
from newsletter.mail.address import parse_address
from newsletter.mail.message import Envelope, Message
from newsletter.storage.sqlite.ledger import SqliteLedger
from newsletter.transport import wire
from newsletter.transport.exchange import Stage
from newsletter.transport.relay import Relay, Security
from newsletter.transport.smtp import SmtpTransport

READERS = [Subscriber(address=parse_address(f"reader@d{number}.example")) for number in range(8)]
ALL = len(READERS)
StartSink = Callable[..., SmtpSink]


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "MAX_BACK_OFF", 0.02)
    monkeypatch.setattr(wire, "QUIT_TIMEOUT", 0.2)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended."""

    states: Counter[State]
    entries: list[Entry]
    received: Counter[str]
    stopped: NewsletterError | None


def compose(claim: Claim, *, size: int = 2000) -> Message:
    address = claim.subscriber.address.envelope
    head = f"Message-ID: <{claim.id}@example.org>\r\nTo: <{address}>\r\n\r\n".encode()
    body = (b"x" * 76 + b"\r\n") * (size // 78 + 1)
    return Message(
        Envelope("weekly@example.org", address), f"<{claim.id}@example.org>", head + body
    )


def send(
    sink: SmtpSink,
    folder: Path,
    *,
    make: Callable[[Claim], Message] = compose,
    connections: int = 2,
    dumps_refused: bool = False,
    **more: Any,
) -> Ended:
    """One run to all readers; what must hold after every run is looked at here.

    smtp-sink dumps a message at its dot, and only then refuses it: `dumps_refused`.
    """
    options = SendOptions(connections=connections, connect_tries=2, **more)

    async def run(ledger: SqliteLedger) -> Tally:
        campaign = ledger.campaign(64) or ledger.plan(64, digest="d", subscribers=READERS, now=1.0)
        number = ledger.begin_run(campaign, now=1.0)
        ledger.recover(campaign, run=number, now=1.0)
        relay = Relay(host="127.0.0.1", port=sink.port, security=Security.NONE)
        sender = Sender(
            ledger=ledger,
            campaign=campaign,
            run=number,
            transport=SmtpTransport(relay),
            compose=make,
            log=SendLog(folder / "064.jsonl"),
            options=options,
            total=ALL,
        )
        async with asyncio.timeout(40):
            return await sender.run()

    with closing(SqliteLedger(folder / "newsletter.db")) as ledger:
        tally = asyncio.run(run(ledger))
        campaign = ledger.campaign(64)
        assert campaign is not None
        entries = list(ledger.entries(campaign))
        assert ledger.counts(campaign).balanced
        assert [ledger.suppression(one.address.key) for one in READERS] == [None] * ALL
    received = sink.received()
    assert set(received.values()) <= {1}, f"received twice: {received}"
    known = {entry.address for entry in entries if entry.state in (State.ACCEPTED, State.IN_DOUBT)}
    assert dumps_refused or set(received) <= known, "the sink has a message that we deny"
    states = Counter(entry.state for entry in entries)
    assert not states[State.CLAIMED]
    assert not states[State.IN_FLIGHT]
    return Ended(states, entries, received, tally.stopped)


# Nothing wrong


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-p",),
        ("-8",),
        ("-a",),
        ("-E",),
        ("-N",),
        ("-C", "-F"),
        ("-e",),
        ("-P",),
        # With pipelining, smtp-sink answers the next command before the delayed one.
        ("-p", "-W", "MAIL:1"),
        ("-p", "-W", "RCPT:1"),
        ("-p", "-W", "DATA:1"),
        ("-p", "-W", ".:1"),
        ("-p", "-W", ".:1:50"),
        ("-w", "1"),
        ("-H", "1"),
        ("-W", "CONNECT:1"),
        ("-W", "EHLO:1"),
        ("-W", "QUIT:1"),
        ("-T", "1024"),
    ],
    ids=" ".join,
)
def test_slow_or_poor_servers_get_everything(
    start_sink: StartSink, tmp_path: Path, options: tuple[str, ...]
) -> None:
    ended = send(start_sink(*options), tmp_path, connections=8)
    assert ended.states == {State.ACCEPTED: ALL}
    assert len(ended.received) == ALL
    assert ended.stopped is None


@pytest.mark.parametrize("option", ["-f", "-r", "-q", "-Q"])
@pytest.mark.parametrize("command", ["RSET", "QUIT", "NOOP", "VRFY"])
def test_errors_after_an_acceptance_are_ignored(
    start_sink: StartSink, tmp_path: Path, option: str, command: str
) -> None:
    ended = send(start_sink(option, command), tmp_path)
    assert ended.states == {State.ACCEPTED: ALL}
    assert ended.stopped is None


# -f: 5yz


def test_hard_connect(start_sink: StartSink, tmp_path: Path) -> None:
    ended = send(start_sink("-f", "CONNECT"), tmp_path)
    assert ended.states == {State.PENDING: ALL}
    assert isinstance(ended.stopped, RelayRefused)


def test_hard_ehlo_leaves_helo(start_sink: StartSink, tmp_path: Path) -> None:
    ended = send(start_sink("-f", "EHLO"), tmp_path)
    assert ended.states == {State.ACCEPTED: ALL}


def test_hard_ehlo_and_helo(start_sink: StartSink, tmp_path: Path) -> None:
    ended = send(start_sink("-f", "EHLO,HELO"), tmp_path)
    assert ended.states == {State.PENDING: ALL}
    assert isinstance(ended.stopped, RelayRefused)


@pytest.mark.parametrize("command", ["MAIL", "."])
def test_hard_refusals_of_sender_or_content_stop_the_run(
    start_sink: StartSink, tmp_path: Path, command: str
) -> None:
    ended = send(start_sink("-f", command), tmp_path, dumps_refused=command == ".")
    assert isinstance(ended.stopped, RelayRefused)
    assert "3 messages" in str(ended.stopped)
    assert 3 <= ended.states[State.FAILED] <= 4
    assert ended.states[State.PENDING] == ALL - ended.states[State.FAILED]


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_hard_refusals_of_recipients(start_sink: StartSink, tmp_path: Path, command: str) -> None:
    ended = send(start_sink("-f", command), tmp_path)
    assert ended.states == {State.FAILED: ALL}
    assert ended.stopped is None
    assert {entry.reply for entry in ended.entries} == {"500 5.3.0 Error: command failed"}


def test_hard_refusals_in_other_words(start_sink: StartSink, tmp_path: Path) -> None:
    ended = send(start_sink("-f", "RCPT", "-B", "550 Connection frequency limited"), tmp_path)
    assert ended.states == {State.DEFERRED: ALL}


# -r: 4yz


@pytest.mark.parametrize("command", ["CONNECT", "EHLO"])
def test_soft_greeting(start_sink: StartSink, tmp_path: Path, command: str) -> None:
    ended = send(start_sink("-r", command), tmp_path)
    assert ended.states == {State.PENDING: ALL}
    assert ended.stopped is not None
    assert ended.stopped.exit_code == 75
    assert {entry.attempts for entry in ended.entries} == {0}


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "."])
def test_soft_refusals(start_sink: StartSink, tmp_path: Path, command: str) -> None:
    ended = send(start_sink("-r", command), tmp_path, dumps_refused=command == ".")
    assert ended.states == {State.DEFERRED: ALL}
    assert ended.stopped is None
    assert all(entry.next_attempt_at for entry in ended.entries)
    assert {entry.attempts for entry in ended.entries} == {1}


# -q: a disconnect without a word, and -Q: 421


@pytest.mark.parametrize("option", ["-q", "-Q"])
@pytest.mark.parametrize("command", ["CONNECT", "EHLO"])
def test_disconnected_while_greeting(
    start_sink: StartSink, tmp_path: Path, option: str, command: str
) -> None:
    ended = send(start_sink(option, command), tmp_path)
    assert ended.states == {State.PENDING: ALL}
    assert isinstance(ended.stopped, RelayError)
    assert ended.stopped.exit_code == 75


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_disconnected_in_every_envelope(
    start_sink: StartSink, tmp_path: Path, command: str
) -> None:
    """Nobody is in doubt, and a relay that always does this counts as away."""
    ended = send(start_sink("-q", command), tmp_path)
    assert set(ended.states) <= {State.PENDING, State.DEFERRED}
    assert isinstance(ended.stopped, RelayError)
    assert ended.stopped.exit_code == 75


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "."])
def test_421_at_every_stage(start_sink: StartSink, tmp_path: Path, command: str) -> None:
    ended = send(start_sink("-Q", command), tmp_path, dumps_refused=command == ".")
    assert ended.states == {State.DEFERRED: ALL}
    assert all(entry.reply.startswith("421 ") for entry in ended.entries)


def test_disconnected_at_every_dot(start_sink: StartSink, tmp_path: Path) -> None:
    sink = start_sink("-q", ".")
    ended = send(sink, tmp_path)
    assert ended.states == {State.IN_DOUBT: ALL}
    again = send(sink, tmp_path)
    assert again.states == {State.IN_DOUBT: ALL}, "nobody is resent by itself"


def test_disconnected_when_reset(start_sink: StartSink, tmp_path: Path) -> None:
    ended = send(start_sink("-f", "RCPT", "-q", "RSET"), tmp_path)
    assert ended.states == {State.FAILED: ALL}


# -A: 550 in the middle of the body, and then deaf


@pytest.mark.parametrize("delay", ["0", "1"])
@pytest.mark.parametrize("size", [2000, 16_000_000])
def test_aborted_bodies(start_sink: StartSink, tmp_path: Path, delay: str, size: int) -> None:
    """A refusal is a refusal, whether it comes before the body, in the middle of it, or behind it."""
    big = lambda claim: compose(claim, size=size)  # noqa: E731
    ended = send(start_sink("-A", delay), tmp_path, make=big, connections=1)
    assert ended.received == {}
    assert set(ended.states) <= {State.FAILED, State.DEFERRED, State.PENDING}
    assert ended.states[State.FAILED] >= 3
    failed = [entry for entry in ended.entries if entry.state is State.FAILED]
    assert {entry.reply for entry in failed} == {"550 This violates SMTP"}
    if delay != "0":  # behind the 354 it counts as an answer to DATA, later as one to the content
        assert isinstance(ended.stopped, RelayRefused)
        assert ended.states[State.FAILED] == 3


# -W: slower than we wait


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "."])
def test_slower_than_our_patience(
    start_sink: StartSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    stage = Stage.DOT if command == "." else Stage[command]
    monkeypatch.setitem(wire.TIMEOUTS, stage, 0.2)  # type: ignore[arg-type]
    ended = send(start_sink("-p", "-W", f"{command}:9"), tmp_path, connections=8)
    if command == ".":
        assert ended.states == {State.IN_DOUBT: ALL}
        assert len(ended.received) == ALL
    else:
        assert set(ended.states) <= {State.PENDING, State.DEFERRED}
        assert ended.received == {}


# A relay that goes away in the middle


def test_a_relay_that_goes_away(start_sink: StartSink, tmp_path: Path) -> None:
    ended = send(start_sink("-M", "3"), tmp_path, connections=1, messages_per_connection=1)
    assert isinstance(ended.stopped, RelayError)
    assert ended.stopped.exit_code == 75
    assert 1 <= len(ended.received) <= 3
    assert ended.states[State.ACCEPTED] <= len(ended.received)
    assert ended.states[State.PENDING] >= ALL - 4
    rest = send(start_sink(), tmp_path)
    assert rest.states[State.PENDING] == 0
    assert rest.states[State.ACCEPTED] >= ALL - 2
