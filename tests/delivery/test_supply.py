"""The supply: entries a little ahead of need, never more than allowed, and no rest for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from newsletter.audience.models import Subscriber
from newsletter.delivery.ledger import Claim
from newsletter.delivery.pace import DomainPolicy, Pace
from newsletter.delivery.supply import LONGEST_LANE, SHORTEST_WAIT, Supply
from newsletter.errors import LedgerError
from newsletter.mail.address import Address

T = TypeVar("T")


def claim(number: int, domain: str = "example.org") -> Claim:
    return Claim(number, Subscriber(address=Address(f"r{number}", domain, domain)), 0, None)


@dataclass
class Store:
    """Entries with the time at which each is due, and how often somebody asked."""

    due: dict[int, tuple[Claim, float]] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)
    looked: int = 0
    postponed: list[int] = field(default_factory=list)
    breaks: bool = False

    @classmethod
    def of(cls, count: int, domain: str = "example.org") -> Store:
        return cls({number: (claim(number, domain), 0.0) for number in range(count)})

    def defer(self, one: Claim, seconds: float) -> None:
        self.due[one.id] = one, asyncio.get_running_loop().time() + seconds

    async def claim(self, limit: int) -> list[Claim]:
        await asyncio.sleep(0)
        self.asked.append(limit)
        if self.breaks:
            raise LedgerError("the disk is full")
        now = asyncio.get_running_loop().time()
        ready = [number for number, (_, due) in self.due.items() if due <= now][:limit]
        return [self.due.pop(number)[0] for number in ready]

    async def seconds_to_next(self) -> float | None:
        self.looked += 1
        now = asyncio.get_running_loop().time()
        return min((max(due - now, 0.0) for _, due in self.due.values()), default=None)

    async def postpone(self, claims: Sequence[Claim], seconds: float) -> None:
        for one in claims:
            self.postponed.append(one.id)
            self.defer(one, seconds)


@dataclass
class Counter:
    """A supply with its store."""

    supply: Supply
    store: Store
    carried: dict[str, int] = field(default_factory=dict)

    async def next(self) -> Claim | None:
        return await self.supply.next(self.carried)

    def now(self) -> Claim | None:
        return self.supply.now(self.carried)

    def settle(self, one: Claim, *, accepted: bool = True, refused: bool = False) -> None:
        self.supply.settled(one, accepted=accepted, refused=refused)

    async def drain(self) -> list[int]:
        """Take and settle until there is nothing more."""
        taken = []
        while one := await self.next():
            taken.append(one.id)
            self.settle(one)
        return taken


def serve(
    body: Callable[[Counter], Awaitable[T]],
    store: Store,
    *,
    batch: int = 8,
    limit: int | None = None,
    patience: float = 0.0,
    **pace: object,
) -> T:
    async def run() -> T:
        supply = Supply(
            store,
            pace=Pace(connections=4, **pace),  # type: ignore[arg-type]
            batch=batch,
            limit=limit,
            patience=patience,
        )
        async with asyncio.timeout(20):
            return await body(Counter(supply, store))

    return asyncio.run(run())


def test_everything_is_handed_out_once_and_in_order() -> None:
    store = Store.of(50)
    assert serve(Counter.drain, store) == list(range(50))
    assert store.due == {}


def test_nothing_to_do_ends_at_once() -> None:
    async def body(counter: Counter) -> None:
        assert not await counter.supply.available()
        assert await counter.next() is None
        assert counter.now() is None
        assert counter.supply.finished

    store = Store()
    serve(body, store)
    assert len(store.asked) <= 2


def test_entries_are_claimed_in_small_batches_ahead_of_need() -> None:
    async def body(counter: Counter) -> None:
        assert await counter.supply.available()
        for _ in range(5):
            one = counter.now()
            assert one is not None
            counter.settle(one)
        for _ in range(20):  # turns of the loop: a claim needs a few, however fast the machine
            await asyncio.sleep(0)
        assert counter.now() is not None, "the next batch is there before the first is used up"

    store = Store.of(100)
    serve(body, store)
    assert store.asked[0] == 8
    assert sum(store.asked) <= 24


def test_a_few_calls_for_many_entries() -> None:
    store = Store.of(800)
    serve(Counter.drain, store, batch=100)
    assert len(store.asked) <= 800 / 50 + 60


def test_nothing_at_hand_is_told_at_once() -> None:
    async def body(counter: Counter) -> None:
        assert counter.now() is None

    serve(body, Store.of(3))


@pytest.mark.parametrize("limit", [0, 1, 7, 8, 9, 20])
def test_no_more_than_the_limit(limit: int) -> None:
    store = Store.of(15)
    assert len(serve(Counter.drain, store, limit=limit)) == min(limit, 15)
    assert len(store.due) == 15 - min(limit, 15), "what is not sent is not claimed"


def test_several_connections_share_the_work() -> None:
    async def body(counter: Counter) -> list[list[int]]:
        return await asyncio.gather(*[counter.drain() for _ in range(4)])

    shares = serve(body, Store.of(60))
    assert sorted(number for share in shares for number in share) == list(range(60))


def test_a_run_without_patience_leaves_deferred_entries() -> None:
    async def body(counter: Counter) -> list[int]:
        counter.store.defer(claim(9), 30.0)
        return await counter.drain()

    store = Store.of(3)
    assert serve(body, store) == [0, 1, 2]
    assert list(store.due) == [9]


def test_a_patient_run_waits_for_deferred_entries() -> None:
    async def body(counter: Counter) -> list[int]:
        counter.store.defer(claim(9), 0.15)
        return await counter.drain()

    store = Store.of(3)
    assert serve(body, store, patience=5.0) == [0, 1, 2, 9]


def test_patience_has_an_end() -> None:
    async def body(counter: Counter) -> list[int]:
        counter.store.defer(claim(9), 60.0)
        return await counter.drain()

    assert serve(body, Store.of(1), patience=5.0) == [0]


def test_an_entry_under_way_may_come_back() -> None:
    """The last message is still on its way: its deferral may be due within this run."""

    async def body(counter: Counter) -> list[int]:
        one = await counter.next()
        assert one is not None
        waiting = asyncio.create_task(counter.drain())
        await asyncio.sleep(0.05)
        assert not waiting.done()
        counter.store.defer(one, 0.02)
        counter.settle(one, accepted=False)
        return await waiting

    assert serve(body, Store.of(1), patience=5.0) == [0]


def test_an_entry_that_comes_back_behind_a_claim_is_not_left(monkeypatch: Any) -> None:
    """The claim found nothing, and before its answer was read the last message came back, due at once."""

    async def body(counter: Counter) -> list[int]:
        one = await counter.next()
        assert one is not None
        claim_once = counter.store.claim

        async def crossed(limit: int) -> list[Claim]:
            found = await claim_once(limit)
            if counter.supply._under_way:
                counter.store.defer(one, 0.0)
                counter.settle(one, accepted=False)
            return found

        monkeypatch.setattr(counter.store, "claim", crossed)
        return await counter.drain()

    assert serve(body, Store.of(1)) == [0]


def test_waiting_is_no_busy_loop() -> None:
    async def body(counter: Counter) -> None:
        counter.store.defer(claim(1), 3600.0)
        waiting = [asyncio.create_task(counter.drain()) for _ in range(4)]
        await asyncio.sleep(0.4)
        for task in waiting:
            task.cancel()

    store = Store()
    serve(body, store, patience=7200.0)
    assert len(store.asked) <= 3


def test_no_busy_loop_when_the_ledger_says_now_and_gives_nothing() -> None:
    """Such as a clock that stands still, or states that were not asked for."""

    class Stubborn(Store):
        async def claim(self, limit: int) -> list[Claim]:
            self.asked.append(limit)
            return []

    async def body(counter: Counter) -> float:
        loop = asyncio.get_running_loop()
        counter.store.defer(claim(1), -5.0)
        waiting = [asyncio.create_task(counter.drain()) for _ in range(4)]
        began = loop.time()
        await asyncio.sleep(0.4)
        for task in waiting:
            task.cancel()
        return loop.time() - began

    store = Stubborn()
    seconds = serve(body, store, patience=7200.0)
    assert len(store.asked) <= 4 + seconds / SHORTEST_WAIT


def test_no_busy_loop_while_the_last_messages_are_under_way() -> None:
    async def body(counter: Counter) -> None:
        taken = [await counter.next() for _ in range(3)]
        waiting = [asyncio.create_task(counter.drain()) for _ in range(4)]
        await asyncio.sleep(0.2)
        for one in taken:
            assert one is not None
            counter.settle(one)
        await asyncio.gather(*waiting)

    store = Store.of(3)
    serve(body, store)
    assert len(store.asked) <= 12


def test_closing_wakes_everybody() -> None:
    async def body(counter: Counter) -> None:
        counter.store.defer(claim(1), 3600.0)
        waiting = [asyncio.create_task(counter.next()) for _ in range(3)]
        looking = asyncio.create_task(counter.supply.available())
        ending = asyncio.create_task(counter.supply.ended())
        await asyncio.sleep(0.05)
        counter.supply.close()
        assert await asyncio.gather(*waiting) == [None] * 3
        assert not await looking
        await ending
        assert counter.now() is None

    serve(body, Store(), patience=7200.0)


def test_a_broken_ledger_closes_the_supply() -> None:
    async def body(counter: Counter) -> None:
        assert await counter.next() is None
        assert counter.supply.closed

    serve(body, Store(breaks=True))


# Pace


def test_a_refusing_domain_waits_and_the_others_go_on() -> None:
    async def body(counter: Counter) -> list[int]:
        for number in range(10, 14):
            counter.store.due[number] = claim(number, "busy.example"), 0.0
        taken = []
        while one := await counter.next():
            taken.append(one.id)
            busy = one.subscriber.address.domain == "busy.example"
            counter.settle(one, accepted=not busy, refused=busy)
        return taken

    store = Store.of(4)
    taken = serve(body, store)
    assert [number for number in taken if number < 10] == [0, 1, 2, 3]
    assert len([number for number in taken if number >= 10]) == 1
    assert sorted(store.postponed) == sorted({10, 11, 12, 13} - set(taken))


def test_postponed_entries_do_not_count_against_the_limit() -> None:
    async def body(counter: Counter) -> list[int]:
        taken = []
        while one := await counter.next():
            taken.append(one.id)
            busy = one.subscriber.address.domain == "busy.example"
            counter.settle(one, accepted=not busy, refused=busy)
        return taken

    store = Store.of(3, "busy.example")
    for number in range(10, 20):
        store.due[number] = claim(number), 0.0
    assert len(serve(body, store, batch=3, limit=4)) == 4


def test_a_connection_that_has_carried_enough_of_a_domain_is_worn() -> None:
    async def body(counter: Counter) -> None:
        assert await counter.next() is not None
        assert await counter.next() is not None
        assert await counter.next() is None, "a new connection could go on"
        assert not counter.supply.finished
        counter.carried.clear()
        assert await counter.next() is not None

    policy = {"example.org": DomainPolicy(messages_per_connection=2)}
    serve(body, Store.of(5), domains=policy)


def test_messages_under_way_to_a_domain_are_limited() -> None:
    async def body(counter: Counter) -> None:
        first, second = await counter.next(), await counter.next()
        assert first is not None
        assert second is not None
        assert counter.now() is None
        third = asyncio.create_task(counter.next())
        await asyncio.sleep(0.05)
        assert not third.done()
        counter.settle(first)
        assert await third is not None

    serve(body, Store.of(5), domains={"example.org": DomainPolicy(connections=2)})


def test_our_own_pace_does_not_end_a_run() -> None:
    """Without patience for others, a slow domain's entries still go out in this run."""
    count = LONGEST_LANE + 40
    store = Store.of(count)
    policy = {"example.org": DomainPolicy(rate=60 * 400.0)}
    taken = serve(Counter.drain, store, batch=count, domains=policy)
    assert sorted(taken) == list(range(count))
    assert store.postponed
