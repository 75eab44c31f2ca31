"""Random lives of a ledger: both stores go through the same calls, agree after each, and break no promise.

Besides comparing the stores, the machine keeps its own account of what a server may have: a second body for one entry
is granted only when every earlier one was surely not delivered, or when a person said so.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from ledger_watch import NOW, Watched, person, register_on, stop

from newsletter.delivery.ledger import Campaign, Claim, Intent, Outcome
from newsletter.delivery.states import SENDABLE, State
from newsletter.storage.memory.ledger import MemoryLedger
from newsletter.storage.sqlite.ledger import SqliteLedger

NAMES = ("a", "b", "c", "d", "e", "f")
SPELLINGS = st.sampled_from([*NAMES, *(name.upper() for name in NAMES)])
LISTS = st.lists(SPELLINGS, min_size=1, max_size=8)
SURELY_NOT = (State.PENDING, State.DEFERRED, State.FAILED)
ANY_END = (*SURELY_NOT, State.ACCEPTED, State.IN_DOUBT)


@dataclass(slots=True)
class Work:
    """A claim in a sender's hands, in both stores, and how far it came."""

    issue: int
    run: int
    claims: tuple[Claim, Claim]
    granted: bool | None = None  # None until the intent is asked for
    settled: bool = False

    @property
    def who(self) -> tuple[int, str]:
        return self.issue, self.claims[0].subscriber.address.key


class LedgerMachine(RuleBasedStateMachine):
    """Senders, persons and clocks at work on one ledger, kept twice."""

    @initialize(first=LISTS, second=LISTS)
    def plan(self, first: list[str], second: list[str]) -> None:
        self.folder = tempfile.TemporaryDirectory()
        # One is under watch; the other does the same, or they disagree.
        stored: Any = SqliteLedger(Path(self.folder.name) / "newsletter.db")
        kept = MemoryLedger()
        self.stores: tuple[Any, Any] = (Watched(kept), stored)
        self.registers = (register_on(kept), register_on(stored))
        self.now = NOW
        self.runs: Counter[int] = Counter()
        self.work: list[Work] = []
        self.maybe_there: Counter[tuple[int, str]] = Counter()  # bodies a server may have
        self.allowed: Counter[tuple[int, str]] = Counter()  # resent because a person said so
        for issue, names in ((64, first), (65, second)):
            listed = [person(name, name=str(at)) for at, name in enumerate(names)]
            self.both("plan", issue, digest="d", subscribers=listed, now=self.now)
            self.begin(issue)

    def both(self, name: str, *words: Any, **more: Any) -> Any:
        """The same call on both stores, with the same answer."""
        mine, theirs = (getattr(store, name)(*words, **more) for store in self.stores)
        assert mine == theirs, f"{name}: {mine} in memory, {theirs} in SQLite"
        return mine

    def campaign(self, issue: int) -> Campaign:
        found: Campaign = self.both("campaign", issue)
        return found

    def begin(self, issue: int) -> None:
        campaign = self.campaign(issue)
        self.runs[issue] = self.both("begin_run", campaign, now=self.now)
        self.both("recover", campaign, run=self.runs[issue], now=self.now)

    # Time, in both directions, and the world outside.

    @rule(seconds=st.sampled_from([0.5, 30.0, 400.0, 5000.0, -100.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(issue=st.sampled_from([64, 65]))
    def crash_and_restart(self, issue: int) -> None:
        """The old run's sender may live on, frozen, with its claims in its hands."""
        self.begin(issue)

    @rule(name=st.sampled_from(NAMES))
    def suppress(self, name: str) -> None:
        for register in self.registers:
            stop(register, f"{name}@example.org", "complaint")

    @rule(issue=st.sampled_from([64, 65]), names=LISTS)
    def list_changes(self, issue: int, names: list[str]) -> None:
        active = [person(name) for name in names]
        self.both("reconcile", self.campaign(issue), active=active, now=self.now)

    @rule(issue=st.sampled_from([64, 65]), names=LISTS, wanted=st.sets(st.sampled_from(NAMES)))
    def segment_is_added(self, issue: int, names: list[str], wanted: set[str]) -> None:
        self.both(
            "extend",
            self.campaign(issue),
            subscribers=[person(name, name=name) for name in names],
            chosen=lambda subscriber: subscriber.name in wanted,
            now=self.now,
            why="a segment",
        )

    @rule(issue=st.sampled_from([64, 65]), ago=st.sampled_from([0.0, 1000.0]))
    def give_up(self, issue: int, ago: float) -> None:
        self.both("expire", self.campaign(issue), first_before=self.now - ago, now=self.now)

    @rule(
        issue=st.sampled_from([64, 65]),
        state=st.sampled_from([State.ACCEPTED, State.FAILED, State.PENDING]),
        names=st.lists(st.sampled_from(NAMES), max_size=2),
    )
    def resolve(self, issue: int, state: State, names: list[str]) -> None:
        campaign = self.campaign(issue)
        addresses = [f"{name}@example.org" for name in names]
        if state is State.PENDING:
            for entry in self.stores[0].entries(campaign, states=[State.IN_DOUBT]):
                key = entry.address.casefold()
                self.allowed[issue, key] += not addresses or key in addresses
        self.both(
            "resolve", campaign, state=state, addresses=addresses, now=self.now, why="she said so"
        )

    # Senders.

    @rule(
        issue=st.sampled_from([64, 65]),
        limit=st.integers(1, 4),
        lease=st.sampled_from([20.0, 900.0]),
        states=st.sampled_from([(), (State.PENDING,), (State.DEFERRED,), tuple(SENDABLE)]),
    )
    def claim(self, issue: int, limit: int, lease: float, states: tuple[State, ...]) -> None:
        run = self.runs[issue]
        wishes = {"run": run, "limit": limit, "now": self.now, "lease": lease, "states": states}
        mine, theirs = (store.claim(self.campaign(issue), **wishes) for store in self.stores)
        assert len(mine) == len(theirs)
        for pair in zip(mine, theirs, strict=True):
            assert pair[0].subscriber == pair[1].subscriber
            assert pair[0].attempts == pair[1].attempts
            self.work.append(Work(issue, run, pair))

    @precondition(lambda self: any(not one.settled for one in self.work))
    @rule(data=st.data(), ask=st.booleans(), tell=st.booleans())
    def commit(self, data: st.DataObject, ask: bool, tell: bool) -> None:
        """Intents, outcomes, or both at once, for some of what one run has in its hands."""
        unsettled = [one for one in self.work if not one.settled]
        run = data.draw(st.sampled_from(sorted({(one.issue, one.run) for one in unsettled})))
        held = [one for one in unsettled if (one.issue, one.run) == run]
        chosen = data.draw(st.lists(st.sampled_from(held), unique_by=id, max_size=4))
        asking = [one for one in chosen if ask and one.granted is None]
        telling = []
        for one in chosen if tell else ():
            if one.granted is False:
                continue  # a refused intent is no outcome
            ends = ANY_END if one.granted else SURELY_NOT
            telling.append((one, data.draw(st.sampled_from(ends)), data.draw(st.booleans())))
        self._commit(run[1], asking, telling)

    def _commit(
        self, run: int, asking: list[Work], telling: list[tuple[Work, State, bool]]
    ) -> None:
        granted = []
        for side, store in enumerate(self.stores):
            intents = [Intent(one.claims[side].id, f"<{one.who}>") for one in asking]
            outcomes = [
                self._outcome(one.claims[side].id, state, suppress)
                for one, state, suppress in telling
            ]
            told = store.commit(run=run, intents=intents, outcomes=outcomes, now=self.now)
            granted.append([one.claims[side].id in told for one in asking])
        assert granted[0] == granted[1]
        for one, yes in zip(asking, granted[0], strict=True):
            one.granted = yes
            self.maybe_there[one.who] += yes
        for one, state, _ in telling:
            one.settled = True
            self.maybe_there[one.who] -= bool(one.granted) and state in SURELY_NOT

    def _outcome(self, entry: int, state: State, suppress: bool) -> Outcome:
        return Outcome(
            id=entry,
            state=state,
            at=self.now,
            stage="dot",
            reply=f"it is {state}",
            charged=state is not State.PENDING,
            next_attempt_at=self.now + 300.0 if state is State.DEFERRED else None,
            message_id="<m>",
            suppress="no such mailbox" if suppress and state is State.FAILED else None,
        )

    @precondition(lambda self: self.work)
    @rule(data=st.data())
    def postpone(self, data: st.DataObject) -> None:
        """What a sender gives back it lets go of."""
        one = data.draw(st.sampled_from(self.work))
        one.settled = one.settled or one.granted is None
        for side, store in enumerate(self.stores):
            ids = [one.claims[side].id]
            store.postpone(ids, run=one.run, until=self.now + 60, now=self.now)

    @rule(issue=st.sampled_from([64, 65]))
    def release(self, issue: int) -> None:
        for one in self.work:
            if (one.issue, one.run) == (issue, self.runs[issue]) and one.granted is None:
                one.settled = True
        self.both("release", self.campaign(issue), run=self.runs[issue], now=self.now)

    # Promises.

    @invariant()
    def stores_agree(self) -> None:
        for campaign in self.both("campaigns"):
            for report in ("counts", "next_due"):
                self.both(report, campaign)
            mine, theirs = (
                [replace(entry, id=0) for entry in store.entries(campaign)] for store in self.stores
            )
            assert mine == theirs
            histories = [list(store.attempts(campaign)) for store in self.stores]
            key = repr  # entries recovered by one statement may come in any order
            assert sorted(histories[0], key=key) == sorted(histories[1], key=key)
        self.both("accepted_by_day")
        for name in NAMES:
            self.both("suppression", f"{name}@example.org")

    @invariant()
    def nobody_gets_it_twice(self) -> None:
        for who, count in self.maybe_there.items():
            assert count <= 1 + self.allowed[who], f"{who} was granted {count} bodies"

    def teardown(self) -> None:
        if hasattr(self, "stores"):
            for store in (*self.registers, *self.stores):
                store.close()
            self.folder.cleanup()


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
