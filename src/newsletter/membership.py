"""The life of a subscriber: asking, confirming, changing, leaving, being forgotten.

The web, the command line and what mail servers send back all come through here, so that each way ends in the same rows
and the same story. With `audience: database` the register is the list. With a CSV file the file is the list: people who
confirm are written to its end, people who leave are suppressed in the database and the file is left alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.audience.csvedit import append_subscriber, change_subscriber
from newsletter.audience.models import Subscriber, SubscriberStatus
from newsletter.audience.register import Change, Consent, Origin, Register

if TYPE_CHECKING:
    from newsletter.delivery.ledger import Ledger
    from newsletter.project import Project

_FORMULA = ("=", "+", "-", "@")
_STANDARD_WORDING = "I want to receive {name} by mail."


class Membership:
    """Subscribers of one publication, with everything that may happen to them.

    Args:
        project: the publication.
        register: its store; whoever opened it closes it.
        ledger: where people of a list in a file are known from, by their id.
        clock: seconds since the epoch.

    """

    def __init__(
        self,
        project: Project,
        register: Register,
        ledger: Ledger,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.project = project
        self.register = register
        self.ledger = ledger
        self._clock = clock

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock()

    def identify(self, subscriber: Subscriber) -> bytes:
        """The id of `subscriber`, as tokens carry it."""
        return self.register.identify(subscriber.address.key)

    @property
    def wording(self) -> str:
        """What people agree to when they subscribe."""
        publication = self.project.publication
        return publication.signup.wording or _STANDARD_WORDING.format(name=publication.name)

    def person(self, who: bytes) -> Subscriber | None:
        """Who this id belongs to: from the register, else as the newest send knew them; the status is today's."""
        member = self.register.find(who)
        found = member.subscriber if member else self._planned(who)
        if found and self.register.suppression(who):
            return replace(found, status=SubscriberStatus.UNSUBSCRIBED)
        return found

    def request(self, subscriber: Subscriber, *, source: str) -> bool:
        """Somebody wants to subscribe; a confirmation mail is queued where one is due.

        Nothing that the caller may show depends on the answer: it would tell who is subscribed.

        Returns:
            Whether a mail is queued now.

        """
        now = self.now()
        who = self.identify(subscriber)
        origin = Origin(at=now, source=source)
        if subscriber.address.local.startswith(_FORMULA):
            return False  # no mailbox begins so, but a formula in a spreadsheet does
        subscriber = replace(subscriber, name=subscriber.name.lstrip("".join(_FORMULA) + " "))
        with self.register.together():
            member = self.register.find(who)
            if self._receives(subscriber, who):
                return False
            if member is None:
                waiting = replace(
                    subscriber, status=SubscriberStatus.PENDING, joined=self._today(now)
                )
                self.register.save(waiting, Change.REQUESTED, origin)
            queued = self.register.ask(who, now=now)
            if queued and member is not None:
                self.register.note(who, Change.REQUESTED, origin)
        return queued

    def confirm(
        self, who: bytes, *, source: str, network: str = "", wording: str = ""
    ) -> Subscriber | None:
        """The address is real and its owner wants the mail; harmless twice. None when nobody asked for it.

        `wording` is what they agreed to, in the language in which they read it.
        """
        now = self.now()
        words = wording or self.wording
        consent = Consent(at=now, how="double opt-in", wording=words, network=network)
        member = self.register.find(who)
        if member is None:
            # A list in a file keeps its members there: whoever left it may come back by the link they asked for.
            known = self._planned(who)
            if known is None:
                return None
            self.register.save(known, Change.UPDATED, Origin(at=now, source=source))
        member = self.register.confirm(who, Origin(at=now, source=source), consent=consent)
        if member is None:
            return None
        if not self.project.publication.keeps_list:
            self._write_down(member.subscriber)
            self.register.remove(who)
        return member.subscriber

    def leave(
        self, who: bytes, *, source: str, reason: str = "", address: str | None = None
    ) -> bool:
        """Unsubscribe; harmless twice. `address` is the address key, where the caller knows it.

        Returns:
            Whether it changed anything.

        """
        if address is None and self.register.find(who) is None and (known := self._planned(who)):
            # It belongs into the suppression, so that people can read whom it is about.
            address = known.address.key
        origin = Origin(at=self.now(), source=source, reason=reason)
        return self.register.leave(who, origin, address=address)

    def lift(self, who: bytes, *, key: str, source: str, reason: str) -> bool:
        """Mail somebody again who must not be mailed, since the operator has reason to.

        The suppression goes, and whoever is `unsubscribed` on the list is active again.

        Args:
            who: the id.
            key: the address key.
            source: who says so.
            reason: why; for who had unsubscribed it is kept as what they agreed to.

        Returns:
            Whether it changed anything.

        """
        now = self.now()
        origin = Origin(at=now, source=source, reason=reason)
        with self.register.together():
            lifted = self.register.lift(who, origin)
            member = self.register.find(who)
            if member and member.subscriber.status is SubscriberStatus.UNSUBSCRIBED:
                consent = Consent(at=now, how="operator", wording=reason)
                active = _reactivated(member.subscriber)
                self.register.save(active, Change.UPDATED, origin, consent=consent)
                lifted = True
            if self._in_file:
                listed = self.project.subscriber(key)
                if listed and listed.status is SubscriberStatus.UNSUBSCRIBED:
                    lifted = self._change_file(key, _reactivated) or lifted
        return lifted

    def update(
        self, who: bytes, change: Callable[[Subscriber], Subscriber], *, source: str
    ) -> bool:
        """Let a subscriber change name, language or tags; false when they are not in the list."""
        origin = Origin(at=self.now(), source=source)
        if not self.project.publication.keeps_list:
            known = self._planned(who)
            if known is None or not self._change_file(known.address.key, change):
                return False
            self.register.note(who, Change.UPDATED, origin)
            return True
        with self.register.together():
            member = self.register.find(who)
            if member is None:
                return False
            self.register.save(change(member.subscriber), Change.UPDATED, origin)
        return True

    def add(self, subscriber: Subscriber, *, source: str, reason: str = "") -> bool:
        """The operator adds somebody who has agreed elsewhere; false when the address is there already.

        A suppression stays: see `Register.lift`.
        """
        now = self.now()
        who = self.identify(subscriber)
        origin = Origin(at=now, source=source, reason=reason)
        subscriber = replace(subscriber, joined=subscriber.joined or self._today(now))
        agreed = subscriber.status is SubscriberStatus.ACTIVE
        consent = Consent(at=now, how="operator", wording=reason) if agreed else None
        if not self.project.publication.keeps_list:
            if self._in_file and self.project.subscriber(subscriber.address.envelope) is not None:
                return False
            self._write_down(subscriber)
            self.register.note(who, Change.ADDED, origin)
            return True
        with self.register.together():
            if self.register.find(who) is not None:
                return False
            self.register.save(subscriber, Change.ADDED, origin, consent=consent)
        return True

    def forget(self, who: bytes, *, key: str, source: str) -> bool:
        """Erase a person everywhere: register, ledger, logs, and the file where that is the list.

        Args:
            who: the id.
            key: the address key, for what is known by address only.
            source: what asked for it.

        Returns:
            Whether anything was known of them.

        """
        from newsletter.delivery.sendlog import forget_address

        known = self.register.forget(who, Origin(at=self.now(), source=source))
        known = forget_address(self.project.state_dir / "log", key) or known
        if not self.project.publication.keeps_list:
            known = self._change_file(key, lambda _: None) or known
        return known

    def _receives(self, subscriber: Subscriber, who: bytes) -> bool:
        """Whether this address is an active subscriber already."""
        if self.register.suppression(who):
            return False
        if self._in_file:
            # To its end, whoever is looked for: the time it takes must not tell who is in it.
            key = subscriber.address.key
            rows = self.project.subscribers()
            known = [
                row.subscriber
                for row in rows
                if row.subscriber and row.subscriber.address.key == key
            ]
        else:
            member = self.register.find(who) if self.project.publication.keeps_list else None
            known = [member.subscriber] if member else []
        return any(one.status is SubscriberStatus.ACTIVE for one in known)

    @property
    def _in_file(self) -> bool:
        publication = self.project.publication
        return not publication.keeps_list and (self.project.root / publication.audience).exists()

    def _planned(self, who: bytes) -> Subscriber | None:
        """The subscriber as the newest send froze them."""
        for campaign in sorted(self.ledger.campaigns(), key=lambda one: -one.planned_at):
            if found := self.ledger.reader(campaign, who):
                return found
        return None

    def _write_down(self, subscriber: Subscriber) -> None:
        """Put an active subscriber into the file: a new row, or the status of the one that is there."""
        path = Path(self.project.publication.audience)
        root = self.project.root
        found = change_subscriber(
            path,
            subscriber.address.key,
            lambda row: replace(row, status=subscriber.status),
            root=root,
        )
        if not found:
            append_subscriber(path, subscriber, root=root)

    def _change_file(self, key: str, change: Callable[[Subscriber], Subscriber | None]) -> bool:
        path = Path(self.project.publication.audience)
        return change_subscriber(path, key, change, root=self.project.root) > 0

    def _today(self, now: float) -> date:
        return datetime.fromtimestamp(now, UTC).astimezone(self.project.publication.zone).date()


def _reactivated(subscriber: Subscriber) -> Subscriber:
    if subscriber.status is not SubscriberStatus.UNSUBSCRIBED:
        return subscriber
    return replace(subscriber, status=SubscriberStatus.ACTIVE)


@contextmanager
def open_membership(
    project: Project, *, clock: Callable[[], float] = time.time
) -> Iterator[Membership]:
    """The membership of a publication on its own database; one thread at a time may use it.

    Raises:
        LedgerError, ConfigError: the database or the key cannot be used.

    """
    with closing(project.register()) as register, closing(project.ledger()) as ledger:
        yield Membership(project, register, ledger, clock=clock)
