"""An issue as everybody's messages: editions by who sees what, one composer for each, the same bytes for all uses.

Preview, dry run, test send and real send all get their messages here, which is why they are the same.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.composing.compose import Composer
from newsletter.content.models import Location
from newsletter.errors import AudienceError, Place, Problem

if TYPE_CHECKING:
    from newsletter.audience.models import Subscriber
    from newsletter.content.reader import IssueSource
    from newsletter.delivery.targeting import Target
    from newsletter.mail.address import Address
    from newsletter.mail.message import Message
    from newsletter.project import Project
    from newsletter.rendering.render import Renderer


class Mailing:
    """Messages of one issue.

    Args:
        project: the publication.
        source: the issue.
        test: mark messages as tests.
        signed: with the publication's DKIM keys, if it has any; without, no key need be there.
        now: today, for a draft without a date.

    """

    def __init__(
        self,
        project: Project,
        source: IssueSource,
        *,
        test: bool = False,
        signed: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.project = project
        self.source = source
        self._test = test
        self._signed = signed
        self._now = now
        self._composers: dict[frozenset[Location], Composer] = {}
        self._restricted = any(item.only for _, item in source.issue.items())

    @cached_property
    def _renderer(self) -> Renderer:
        return self.project.renderer()

    @cached_property
    def date(self) -> datetime:
        """The Date header: the issue's own date, so that preview, send and every retry agree."""
        if self.source.issue.date:
            return self.source.issue.date
        today = self._now().astimezone(self.project.publication.zone)
        return today.replace(hour=0, minute=0, second=0, microsecond=0)

    @property
    def dependencies(self) -> frozenset[Path]:
        """Every template, style sheet and picture that was read for it so far."""
        return self._renderer.dependencies

    @property
    def digest(self) -> str:
        """What the ledger freezes: SHA-256 of the edition that shows every item, and of who sees which."""
        whole = self.composer_without(frozenset()).digest
        if not self._restricted:
            return whole
        readers = [
            item.only.model_dump_json() if item.only else ""
            for _, item in self.source.issue.items()
        ]
        return hashlib.sha256("\n".join((whole, *readers)).encode()).hexdigest()

    def composer(self, subscriber: Subscriber | None = None) -> Composer:
        """The composer of the edition that `subscriber` sees, or of the one that shows every item.

        Raises:
            TemplateError, ComposeError: the issue cannot become mail.

        """
        if subscriber is None or not self._restricted:
            return self.composer_without(frozenset())
        hidden = self.source.issue.hidden_from(subscriber)
        return self.composer_without(hidden)

    def message(self, subscriber: Subscriber) -> Message:
        """The very bytes that `subscriber` gets."""
        return self.composer(subscriber).message(subscriber)

    def composer_without(self, hidden: frozenset[Location]) -> Composer:
        """The composer of the edition without these items.

        Raises:
            TemplateError, ComposeError: it cannot become mail.

        """
        composer = self._composers.get(hidden)
        if composer is None:
            composer = Composer(
                self.project.publication,
                self._renderer.render(self.source.issue, hidden=hidden),
                keyring=self.project.keyring,
                date=self.date,
                test=self._test,
                signer=self.project.signer if self._signed else None,
            )
            self._composers[hidden] = composer
        return composer


def stand_in(project: Project, *, address: Address, name: str) -> Subscriber:
    """A reader who is in no list but has its columns, since a template may use them."""
    from newsletter.audience.models import Subscriber

    try:
        known = next((row.subscriber for row in project.subscribers() if row.subscriber), None)
    except AudienceError:
        known = None  # an issue can be looked at before there is a list
    return Subscriber(
        address=address,
        name=name,
        language=project.publication.language,
        fields={column: f"（{column}）" for column in known.fields} if known else {},
    )


class Intake:
    """The list as a stream of active subscribers, counting what is left out on the way.

    An empty stream ends in AudienceError, before anything is stored; so does one in which nobody is in the segment.

    Duplicates pass: whoever stores the stream collapses them, so that a million rows need no memory here. So do those
    who are outside the segment, since whoever stores the stream asks `target` about each.

    Args:
        project: the publication.
        target: the segment that is meant, if it is not everybody.

    Attributes:
        left_out: how many rows were not active or not meant, by reason.
        problems: the bad rows.
        active: how many rows passed, duplicates included.

    """

    def __init__(self, project: Project, target: Target | None = None) -> None:
        self._project = project
        self._target = target
        self.left_out: Counter[str] = Counter()
        self.problems: list[Problem] = []
        self.active = 0

    def __iter__(self) -> Iterator[Subscriber]:
        from newsletter.audience.selection import standing, unsubscribed_keys

        kept = self._project.publication.keeps_list  # the database has one row for each address
        gone = frozenset() if kept else unsubscribed_keys(self._project.subscribers())
        for row in self._project.subscribers():
            if reason := standing(row, unsubscribed=gone):
                self.left_out[reason] += 1
                if row.problem:
                    self.problems.append(row.problem)
            elif row.subscriber is not None:
                self.active += 1
                yield row.subscriber
        if not self.active:
            raise self._nobody("has no active subscriber, so there is nobody to send to")
        if self._target is not None:
            self.left_out["outside_the_segment"] = self.active - self._target.matched
            if not self._target.matched:
                hint = "; ".join(self._target.notes()) or None
                raise self._nobody(f"nobody is in the segment {self._target.segment}", hint)

    @property
    def wanted(self) -> int:
        """How many rows were active and meant, duplicates included."""
        return self.active if self._target is None else self._target.matched

    def _nobody(self, message: str, hint: str | None = None) -> AudienceError:
        place = Place(path=self._project.publication.audience)
        problem = Problem(message=message, place=place, hint=hint)
        return AudienceError(problems=[*self.problems, problem])
