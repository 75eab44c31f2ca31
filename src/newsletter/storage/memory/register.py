"""The register in memory: the whole of `audience.register.Register` and nothing on disk."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from newsletter.audience.models import Subscriber, SubscriberStatus, united
from newsletter.audience.register import (
    CONFIRMATION_PAUSE,
    CONFIRMATIONS,
    Change,
    Confirmation,
    Consent,
    Event,
    Incoming,
    Member,
    Merged,
    Origin,
    Suppression,
)
from newsletter.storage.memory.ledger import MemoryLedger
from newsletter.storage.memory.returned import Returned

ACTIVE, PENDING, GONE = (
    SubscriberStatus.ACTIVE,
    SubscriberStatus.PENDING,
    SubscriberStatus.UNSUBSCRIBED,
)


class MemoryRegister:
    """A `Register` that lives as long as the object.

    Args:
        identify: the id of an address key.
        ledger: that it shares suppressions with, and whose rows are erased with a person.

    """

    def __init__(
        self,
        *,
        identify: Callable[[str], bytes],
        ledger: MemoryLedger,
    ) -> None:
        self._identify = identify
        self._suppressed = ledger.suppressions
        self._ledger = ledger
        self._last = 0
        self._members: dict[bytes, Member] = {}  # in the order of joining
        self._events: list[tuple[bytes, Event]] = []
        self._consents: list[tuple[bytes, Consent]] = []
        self._asking: dict[bytes, _Asking] = {}
        self._allowances: dict[str, tuple[float, int]] = {}
        self.returned = Returned()

    def identify(self, key: str) -> bytes:
        """See `Register.identify`."""
        return self._identify(key)

    @contextmanager
    def together(self) -> Iterator[None]:
        """See `Register.together`."""
        tables = ("_members", "_events", "_consents", "_asking", "_allowances", "returned")
        before = {name: copy.copy(getattr(self, name)) for name in tables}
        suppressed = list(self._suppressed)
        try:
            yield
        except BaseException:
            for name, table in before.items():
                setattr(self, name, table)
            self._suppressed.restore(suppressed)
            raise

    def find(self, who: bytes) -> Member | None:
        """See `Register.find`."""
        return self._members.get(who)

    def members(
        self, *, statuses: Sequence[SubscriberStatus] = (), after: int = 0
    ) -> Iterator[Member]:
        """See `Register.members`."""
        for member in list(self._members.values()):
            wanted = not statuses or member.subscriber.status in statuses
            if wanted and member.number > after:
                yield member

    def counts(self) -> Mapping[SubscriberStatus, int]:
        """See `Register.counts`."""
        return Counter(member.subscriber.status for member in self._members.values())

    def changes(self, *, since: float) -> Mapping[Change, int]:
        """See `Register.changes`."""
        return Counter(event.change for _, event in self._events if event.at >= since)

    def save(
        self,
        subscriber: Subscriber,
        change: Change,
        origin: Origin,
        *,
        consent: Consent | None = None,
    ) -> Member:
        """See `Register.save`."""
        who = self._identify(subscriber.address.key)
        known = self._members.get(who)
        if known is None:
            self._last += 1
        number = known.number if known else self._last
        member = Member(number=number, id=who, subscriber=subscriber, updated_at=origin.at)
        self._members[who] = member
        self.note(who, change, origin)
        if consent:
            self._consents.append((who, consent))
        return member

    def leave(self, who: bytes, origin: Origin, *, address: str | None = None) -> bool:
        """See `Register.leave`."""
        changed = self._set_status(who, GONE, origin.at)
        self._drop_mail(who)
        stopped = self._stop(who, address, "unsubscribed", origin)
        if changed or stopped:
            self.note(who, Change.UNSUBSCRIBED, origin)
        return changed or stopped

    def suppress(
        self, who: bytes, *, reason: str, change: Change, origin: Origin, address: str | None = None
    ) -> bool:
        """See `Register.suppress`."""
        self.note(who, change, origin)
        return self._stop(who, address, reason, origin)

    def lift(self, who: bytes, origin: Origin) -> bool:
        """See `Register.lift`."""
        lifted = self._suppressed.lift(who, self._address(who))
        if lifted:
            self.note(who, Change.LIFTED, origin)
        return lifted

    def suppression(self, who: bytes) -> Suppression | None:
        """See `Register.suppression`."""
        return self._suppressed.find(who, None)

    def suppressions(self) -> Iterator[Suppression]:
        """See `Register.suppressions`."""
        return iter(self._suppressed)

    def note(self, who: bytes, change: Change, origin: Origin) -> None:
        """See `Register.note`."""
        event = Event(at=origin.at, change=change, source=origin.source, reason=origin.reason)
        self._events.append((who, event))

    def history(self, who: bytes) -> Sequence[Event]:
        """See `Register.history`."""
        return [event for one, event in self._events if one == who]

    def consents(self, who: bytes) -> Sequence[Consent]:
        """See `Register.consents`."""
        return [consent for one, consent in self._consents if one == who]

    def remove(self, who: bytes) -> bool:
        """See `Register.remove`."""
        self._asking.pop(who, None)
        return self._members.pop(who, None) is not None

    def forget(self, who: bytes, origin: Origin) -> bool:
        """See `Register.forget`."""
        self._suppressed.lift(who, self._address(who))
        known = self.remove(who) or bool(self.history(who)) or bool(self.consents(who))
        self._events = [(one, event) for one, event in self._events if one != who]
        self._consents = [(one, consent) for one, consent in self._consents if one != who]
        known = self.returned.forget(who) or known
        known = self._ledger.forget(who) or known
        self._stop(who, None, "forgotten", origin)
        self.note(who, Change.FORGOTTEN, origin)
        return known

    def merge(
        self,
        rows: Iterable[Incoming],
        origin: Origin,
        *,
        consent: Consent | None = None,
        overwrite: bool = False,
        dry_run: bool = False,
    ) -> Merged:
        """See `Register.merge`."""
        people: dict[bytes, list[Incoming]] = {}
        for one in rows:
            people.setdefault(self._identify(one.subscriber.address.key), []).append(one)
        added: Counter[SubscriberStatus] = Counter()
        fates: Counter[str] = Counter()
        for who, found in people.items():
            person = _gathered(found)
            fate, merged = self._judge(who, person, overwrite=overwrite)
            if fate == "added":
                added[merged.status] += 1
            else:
                fates[fate] += 1
            if not dry_run and fate in ("added", "left", "updated"):
                self._arrive(who, merged, person, fate, origin, consent)
        repeated = sum(len(found) - 1 for found in people.values())
        return Merged(added=added, duplicates=repeated, **fates)

    def _judge(self, who: bytes, person: Incoming, *, overwrite: bool) -> tuple[str, Subscriber]:
        """What becomes of an arriving person, and who they are afterwards."""
        found = person.subscriber
        member = self._members.get(who)
        suppressed = self._suppressed.find(who, found.address.key) is not None
        if member is None:
            return ("kept_out" if suppressed else "added"), found
        known = member.subscriber
        goes = found.status is GONE or person.suppress is not None
        if known.status is GONE or suppressed:
            return ("unchanged" if goes else "kept_unsubscribed"), known
        status = known.status
        if found.status is GONE or (known.status is PENDING and found.status is ACTIVE):
            status = found.status
        merged = replace(united(known, found, overwrite=overwrite), status=status)
        if goes:
            return "left", merged
        return ("unchanged" if merged == known else "updated"), merged

    def _arrive(
        self,
        who: bytes,
        merged: Subscriber,
        person: Incoming,
        fate: str,
        origin: Origin,
        consent: Consent | None,
    ) -> None:
        change, reason = Change.UPDATED, person.suppress or ""
        if fate == "added":
            change, reason = Change.IMPORTED, person.suppress or f"as {merged.status}"
        elif fate == "left":
            change = Change.SUPPRESSED if person.suppress else Change.UNSUBSCRIBED
        agreed = consent if fate == "added" and merged.status is ACTIVE else None
        told = replace(origin, reason=reason)
        self.save(merged, change, told, consent=None if person.suppress else agreed)
        if person.suppress or merged.status is GONE:
            self._stop(who, merged.address.key, person.suppress or "unsubscribed", origin)

    def ask(self, who: bytes, *, now: float) -> bool:
        """See `Register.ask`."""
        before = self._asking.get(who)
        if before and (before.asked >= CONFIRMATIONS or before.at > now - CONFIRMATION_PAUSE):
            return False
        self._asking[who] = _Asking(before.asked + 1 if before else 1, now, now, 0)
        return True

    def to_confirm(self, *, now: float, limit: int) -> Sequence[Confirmation]:
        """See `Register.to_confirm`."""
        waiting = [
            (
                asking.due,
                Confirmation(member=member, attempts=asking.attempts, requested_at=asking.at),
            )
            for who, asking in self._asking.items()
            if asking.due is not None and asking.due <= now and (member := self._members.get(who))
        ]
        return [one for _, one in sorted(waiting, key=lambda pair: pair[0])[:limit]]

    def asked(self, who: bytes, origin: Origin, *, again_at: float | None = None) -> None:
        """See `Register.asked`."""
        if again_at is not None and (asking := self._asking.get(who)):
            self._asking[who] = replace(asking, due=again_at, attempts=asking.attempts + 1)
            return
        self._drop_mail(who)
        self.note(who, Change.ASKED, origin)

    def unreachable(self, who: bytes, origin: Origin) -> None:
        """See `Register.unreachable`."""
        self._drop_mail(who)
        self.note(who, Change.UNREACHABLE, origin)

    def confirm(self, who: bytes, origin: Origin, *, consent: Consent) -> Member | None:
        """See `Register.confirm`."""
        if who not in self._members:
            return None
        changed = self._set_status(who, ACTIVE, origin.at)
        lifted = self.lift(who, origin)
        self._asking.pop(who, None)
        if changed or lifted:
            self.note(who, Change.CONFIRMED, origin)
            self._consents.append((who, consent))
        return self._members[who]

    def spend(self, bucket: str, *, limit: int, seconds: float, now: float) -> bool:
        """See `Register.spend`."""
        until, used = self._allowances.get(bucket, (0.0, 0))
        if until <= now:
            until, used = now + seconds, 0
        if used < limit:
            self._allowances[bucket] = (until, used + 1)
        return used < limit

    def tidy(self, *, pending_before: float, now: float) -> int:
        """See `Register.tidy`."""
        self._allowances = {b: kept for b, kept in self._allowances.items() if kept[0] > now}
        stale = [
            who
            for who, member in self._members.items()
            if member.subscriber.status is PENDING
            and max(member.updated_at, self._asking[who].at if who in self._asking else 0.0)
            < pending_before
        ]
        for who in stale:
            del self._members[who]
            self.note(
                who, Change.REMOVED, Origin(at=now, source="tidying", reason="never confirmed")
            )
        return len(stale)

    def close(self) -> None:
        """See `Register.close`."""

    def _set_status(self, who: bytes, status: SubscriberStatus, at: float) -> bool:
        member = self._members.get(who)
        if member is None or member.subscriber.status is status:
            return False
        person = replace(member.subscriber, status=status)
        self._members[who] = replace(member, subscriber=person, updated_at=at)
        return True

    def _drop_mail(self, who: bytes) -> None:
        if asking := self._asking.get(who):
            self._asking[who] = replace(asking, due=None)

    def _address(self, who: bytes) -> str | None:
        member = self._members.get(who)
        return member.subscriber.address.key if member else None

    def _stop(self, who: bytes, address: str | None, reason: str, origin: Origin) -> bool:
        key = None if reason == "forgotten" else address or self._address(who)
        stop = Suppression(id=who, address=key, reason=reason, source=origin.source, at=origin.at)
        return self._suppressed.add(stop)


@dataclass(frozen=True, slots=True)
class _Asking:
    """How often somebody was asked to confirm since their last answer, and the mail that waits."""

    asked: int
    at: float
    due: float | None
    attempts: int


def _gathered(found: Sequence[Incoming]) -> Incoming:
    """One person of a file: the first row; that they have left, or must not be mailed, counts from any."""
    first = found[0]
    gone = any(one.subscriber.status is GONE for one in found)
    person = replace(first.subscriber, status=GONE) if gone else first.subscriber
    suppress = max((one.suppress for one in found if one.suppress), default=None)
    return Incoming(row=first.row, subscriber=person, suppress=suppress)
