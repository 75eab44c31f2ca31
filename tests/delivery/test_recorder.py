"""The recorder: group commit, order, and what happens to everybody when the ledger fails."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from newsletter.delivery import recorder as module
from newsletter.delivery.ledger import Intent, Outcome
from newsletter.delivery.recorder import FLUSH_ROWS, Recorder
from newsletter.delivery.sendlog import SendLog
from newsletter.delivery.states import State
from newsletter.errors import LedgerError

NOW = 1_700_000_000.0


@dataclass
class Book:
    """A ledger that only writes down what it is asked, and may be slow or break."""

    commits: list[tuple[list[int], list[int]]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    breaks_at: int | None = None
    gate: threading.Event | None = None
    entered: threading.Event = field(default_factory=threading.Event)

    def commit(
        self, *, run: int, intents: Sequence[Intent], outcomes: Sequence[Outcome], now: float
    ) -> set[int]:
        assert (run, now) == (7, NOW)
        self.threads.add(threading.get_ident())
        self.entered.set()
        if self.gate is not None:
            assert self.gate.wait(20)
        self.order.append("commit")
        if len(self.commits) == self.breaks_at:
            raise LedgerError("the disk is full")
        self.commits.append(([one.id for one in intents], [one.id for one in outcomes]))
        return {one.id for one in intents} - self.refused

    def ask(self, word: str) -> str:
        self.threads.add(threading.get_ident())
        self.order.append(word)
        return word


@dataclass
class Desk:
    """A recorder at work, and what it complained about."""

    recorder: Recorder
    book: Book
    log: Path
    complaints: list[BaseException]


def outcome(number: int) -> Outcome:
    return Outcome(id=number, state=State.ACCEPTED, at=NOW, stage="dot", reply="250 ok")


def intent(number: int) -> Intent:
    return Intent(number, f"<{number}@example.org>")


def at_work(
    body: Callable[[Desk], Awaitable[None]],
    tmp_path: Path,
    book: Book | None = None,
    *,
    company: int = 1,
    log: Path | None = None,
) -> Desk:
    """Run `body` with a recorder that is closed afterwards."""
    path = log or tmp_path / "log" / "064.jsonl"
    desks: list[Desk] = []

    async def run() -> None:
        complaints: list[BaseException] = []
        kept: Any = book or Book()
        made = Recorder(
            kept,
            run=7,
            log=SendLog(path),
            clock=lambda: NOW,
            failed=complaints.append,
            company=company,
        )
        desks.append(Desk(made, kept, path, complaints))
        made.start()
        async with asyncio.timeout(20):
            await body(desks[0])
            await made.close()

    asyncio.run(run())
    return desks[0]


def test_an_intent_is_answered_when_it_is_committed(tmp_path: Path) -> None:
    async def body(desk: Desk) -> None:
        desk.recorder.hurry()
        assert await desk.recorder.intend(intent(1)) is True
        assert desk.book.commits == [([1], [])]

    at_work(body, tmp_path)


def test_a_refused_intent_is_told(tmp_path: Path) -> None:
    async def body(desk: Desk) -> None:
        answers = [desk.recorder.intend(intent(number)) for number in range(3)]
        assert await asyncio.gather(*answers) == [True, False, True]

    at_work(body, tmp_path, Book(refused={1}))


def test_intents_that_wait_together_share_a_commit(tmp_path: Path) -> None:
    """While one commit is being written, the next one fills."""
    book = Book(gate=threading.Event())

    async def body(desk: Desk) -> None:
        first = desk.recorder.intend(intent(0))
        await asyncio.to_thread(book.entered.wait, 20)
        rest = [desk.recorder.intend(intent(number)) for number in range(1, 40)]
        assert book.gate is not None
        book.gate.set()
        assert all(await asyncio.gather(first, *rest))

    at_work(body, tmp_path, book)
    assert [sorted(intents) for intents, _ in book.commits if intents] == [[0], [*range(1, 40)]]


def test_an_intent_waits_a_moment_for_company(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GATHER_SECONDS", 3600.0)

    async def body(desk: Desk) -> None:
        answers = [desk.recorder.intend(intent(number)) for number in range(4)]
        assert all(await asyncio.gather(*answers))

    desk = at_work(body, tmp_path, company=4)
    assert [intents for intents, _ in desk.book.commits] == [[0, 1, 2, 3]]


def test_whoever_waits_is_not_kept_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GATHER_SECONDS", 3600.0)

    async def body(desk: Desk) -> None:
        answer = desk.recorder.intend(intent(0))
        desk.recorder.hurry()
        assert await answer

    at_work(body, tmp_path, company=100)


def test_nobody_waits_forever_for_company(tmp_path: Path) -> None:
    async def body(desk: Desk) -> None:
        assert await desk.recorder.intend(intent(0))

    at_work(body, tmp_path, company=100)


def test_outcomes_wait_for_a_few_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FLUSH_SECONDS", 3600.0)
    monkeypatch.setattr(module, "JOIN_SECONDS", 3600.0)

    async def body(desk: Desk) -> None:
        for number in range(FLUSH_ROWS - 1):
            desk.recorder.record(outcome(number), "a@example.org")
        await asyncio.sleep(0.05)
        assert desk.book.commits == []
        desk.recorder.record(outcome(FLUSH_ROWS), "a@example.org")
        while not desk.book.commits:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        assert len(desk.book.commits[0][1]) == FLUSH_ROWS

    at_work(body, tmp_path)


def test_outcomes_do_not_wait_forever(tmp_path: Path) -> None:
    async def body(desk: Desk) -> None:
        desk.recorder.record(outcome(1), "a@example.org")
        while not desk.book.commits:  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    desk = at_work(body, tmp_path)
    assert desk.book.commits == [([], [1])]


def test_closing_flushes_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FLUSH_SECONDS", 3600.0)

    async def body(desk: Desk) -> None:
        for number in range(3):
            desk.recorder.record(outcome(number), f"{number}@example.org")

    desk = at_work(body, tmp_path)
    assert [number for _, outcomes in desk.book.commits for number in outcomes] == [0, 1, 2]


def test_a_call_sees_everything_before_it(tmp_path: Path) -> None:
    """A claim must not take again what has its outcome waiting."""

    async def body(desk: Desk) -> None:
        desk.recorder.record(outcome(1), "a@example.org")
        answer = desk.recorder.intend(intent(2))
        assert await desk.recorder.call(lambda: desk.book.ask("claim")) == "claim"
        assert answer.done()

    desk = at_work(body, tmp_path)
    assert desk.book.order[:2] == ["commit", "claim"]
    assert desk.book.commits == [([2], [1])]


def test_an_intent_never_comes_after_its_outcome(tmp_path: Path) -> None:
    """A refused envelope has its outcome before its intent is answered; both are committed, in order."""
    book = Book(gate=threading.Event())

    async def body(desk: Desk) -> None:
        for number in range(30):
            answer = desk.recorder.intend(intent(number))
            desk.recorder.record(outcome(number), "a@example.org")
            if not number:
                await asyncio.to_thread(book.entered.wait, 20)
        assert book.gate is not None
        book.gate.set()
        assert await answer

    at_work(body, tmp_path, book)
    seen: set[int] = set()
    for intents, outcomes in book.commits:
        seen.update(intents)
        assert seen.issuperset(outcomes)
    assert seen == set(range(30))


def test_everything_happens_in_one_thread_that_is_not_ours(tmp_path: Path) -> None:
    async def body(desk: Desk) -> None:
        await asyncio.gather(*[desk.recorder.intend(intent(number)) for number in range(5)])
        await desk.recorder.call(lambda: desk.book.ask("x"))

    desk = at_work(body, tmp_path)
    assert len(desk.book.threads) == 1
    assert threading.get_ident() not in desk.book.threads


# Failure


def test_a_failing_ledger_fails_every_waiting_intent_and_says_so_once(tmp_path: Path) -> None:
    book = Book(breaks_at=0, gate=threading.Event())

    async def body(desk: Desk) -> None:
        first = desk.recorder.intend(intent(0))
        await asyncio.to_thread(book.entered.wait, 20)
        waiting = [desk.recorder.intend(intent(number)) for number in range(1, 9)]
        desk.recorder.record(outcome(3), "a@example.org")
        called = asyncio.create_task(desk.recorder.call(lambda: desk.book.ask("claim")))
        await asyncio.sleep(0)
        assert book.gate is not None
        book.gate.set()
        assert not any(await asyncio.gather(first, *waiting))
        with pytest.raises(LedgerError, match="the disk is full"):
            await called
        assert await desk.recorder.intend(intent(99)) is False
        with pytest.raises(LedgerError, match="the disk is full"):
            await desk.recorder.call(lambda: desk.book.ask("claim"))
        desk.recorder.record(outcome(4), "a@example.org")
        assert desk.recorder.broken

    desk = at_work(body, tmp_path, book)
    assert book.commits == []
    assert book.order == ["commit"], "nothing is tried after the failure"
    assert [str(error) for error in desk.complaints] == ["the disk is full"]


def test_a_failing_call_ends_recording_too(tmp_path: Path) -> None:
    def broken() -> None:
        raise LedgerError("the ledger is damaged")

    async def body(desk: Desk) -> None:
        with pytest.raises(LedgerError, match="damaged"):
            await desk.recorder.call(broken)
        assert await desk.recorder.intend(intent(1)) is False

    desk = at_work(body, tmp_path)
    assert [str(error) for error in desk.complaints] == ["the ledger is damaged"]


def test_an_outcome_that_failed_is_not_in_the_log(tmp_path: Path) -> None:
    async def body(desk: Desk) -> None:
        desk.recorder.record(outcome(1), "a@example.org")
        while not desk.complaints:  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    desk = at_work(body, tmp_path, Book(breaks_at=0))
    assert not desk.log.exists()


# The log


def test_every_outcome_is_a_line_of_the_log(tmp_path: Path) -> None:
    async def body(desk: Desk) -> None:
        told = Outcome(
            id=5,
            state=State.FAILED,
            at=NOW,
            stage="rcpt",
            reply="550 没有这个人\n\u2028",
            code=550,
            message_id="<5@example.org>",
            seconds=0.12345,
        )
        desk.recorder.record(told, "用户@例子.example")

    desk = at_work(body, tmp_path)
    (line,) = desk.log.read_text(encoding="utf-8").split("\n")[:-1]
    assert json.loads(line) == {
        "at": "2023-11-14T22:13:20.000+00:00",
        "address": "用户@例子.example",
        "message_id": "<5@example.org>",
        "stage": "rcpt",
        "code": 550,
        "reply": "550 没有这个人\n\u2028",
        "state": "failed",
        "seconds": 0.1235,
    }


def test_the_log_is_appended_to(tmp_path: Path) -> None:
    async def body(desk: Desk) -> None:
        desk.recorder.record(outcome(1), "a@example.org")

    first = at_work(body, tmp_path)
    at_work(body, tmp_path)
    assert len(first.log.read_text(encoding="utf-8").splitlines()) == 2


def test_a_log_that_cannot_be_written_ends_the_run_and_takes_back_nothing(tmp_path: Path) -> None:
    """The ledger is the record: what it has granted stays granted, what happens is recorded."""

    async def body(desk: Desk) -> None:
        desk.recorder.record(outcome(1), "a@example.org")
        answer = desk.recorder.intend(intent(2))
        await desk.recorder.call(lambda: desk.book.ask("claim"))
        assert await answer
        desk.recorder.record(outcome(2), "a@example.org")
        assert not desk.recorder.broken

    desk = at_work(body, tmp_path, log=Path("/dev/full"))
    assert [number for _, outcomes in desk.book.commits for number in outcomes] == [1, 2]
    (complaint,) = desk.complaints
    assert isinstance(complaint, LedgerError)
    assert "/dev/full: the log cannot be written" in str(complaint)
