"""The publication as it stands on disk right now, and the messages made of it.

A `Studio` is asked from several threads and does one thing at a time. What it has made it keeps
until something is saved; what went well last stays behind, for the page to show under a mistake.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from newsletter.audience.models import Subscriber
from newsletter.composing.compose import Composer
from newsletter.content.models import Issue
from newsletter.content.reader import IssueSource
from newsletter.errors import AudienceError, NewsletterError
from newsletter.preview.anatomy import Anatomy
from newsletter.preview.faults import Fault, Finding, faults_of, finding
from newsletter.preview.people import People, Person, sample_reader
from newsletter.project import Project
from newsletter.rendering.edition import Edition
from newsletter.rendering.render import Renderer

Location = tuple[str | int, ...]
Clock = Callable[[], datetime]
KEPT = 24


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One reader's message of one issue, as it was at one moment.

    Attributes:
        id: names the bytes; the same bytes have the same id.
        sample: the reader is invented, since there is no list.
        site_url: where hosted images would be.

    """

    id: str
    source: IssueSource
    edition: Edition
    reader: Subscriber
    sample: bool
    site_url: str | None
    anatomy: Anatomy
    findings: tuple[Finding, ...] = ()

    @property
    def issue(self) -> Issue:
        """The issue as its author wrote it."""
        return self.source.issue


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What there is to see: a snapshot, or mistakes with the last good snapshot behind them."""

    snapshot: Snapshot | None = None
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueEntry:
    """One line of the index; `issue` is None for a source with mistakes."""

    number: int
    path: str
    issue: Issue | None


class Studio:
    """Makes messages of a project that somebody is working on.

    Args:
        project: opened once already; it is opened anew after each change.
        clock: the time, aware, for issues without a date.

    """

    def __init__(self, project: Project, *, clock: Clock) -> None:
        self.root = project.root
        self._environ = project.environ
        self._clock = clock
        self._lock = Lock()
        self._project = project
        self._stale = False
        self._renderer: Renderer | None = None
        self._people: People | None = None
        self._list_findings: tuple[Finding, ...] = ()
        self._sources: dict[int, IssueSource] = {}
        self._composers: dict[tuple[int, frozenset[Location]], Composer] = {}
        self._snapshots: OrderedDict[str, Snapshot] = OrderedDict()
        self._last_good: dict[int, str] = {}

    def forget(self) -> None:
        """Something was saved: what is asked for next is made anew."""
        self._stale = True

    def publication(self) -> tuple[Project, list[IssueEntry], list[Fault]]:
        """The project, its issues by number, newest first, and what is wrong with its settings."""
        with self._lock:
            faults = self._refresh()
            entries = [self._entry(number, path) for number, path in self._numbers().items()]
        return self._project, sorted(entries, key=lambda entry: -entry.number), faults

    def sight(self, number: int, reader: str = "") -> Sight:
        """The message of issue `number` for the reader with this `address.key`."""
        with self._lock:
            faults = self._refresh()
            list_faults = self._read_list() if not faults else []
            try:
                if not faults:
                    snapshot = self._keep(self._make(number, reader))
                    return Sight(snapshot=snapshot, faults=list_faults)
            except Exception as error:  # a bug in a filter must not take the page away
                faults = [*list_faults, *faults_of(error, root=self.root)]
            behind = self._snapshots.get(self._last_good.get(number, ""))
            return Sight(snapshot=behind, faults=faults)

    def snapshot(self, snapshot_id: str) -> Snapshot | None:
        """A snapshot made before, while it is still kept."""
        return self._snapshots.get(snapshot_id)

    def people(self, words: str, number: int | None) -> tuple[list[Person], int]:
        """Readers for the picker: see `People.search`."""
        with self._lock:
            faults = self._refresh() or self._read_list()
            people = self._people
            issue = None
            if number is not None and not faults:
                entry = self._numbers().get(number)
                issue = self._entry(number, entry).issue if entry else None
        return people.search(words, issue=issue) if people else ([], 0)

    def _refresh(self) -> list[Fault]:
        """Read the settings again when something was saved."""
        if not self._stale:
            return []
        self._stale = False
        self._renderer = None
        self._people = None
        self._sources.clear()
        self._composers.clear()
        try:
            self._project = Project.open(self.root, environ=self._environ)
        except NewsletterError as error:
            self._stale = True
            return faults_of(error, root=self.root)
        return []

    def _read_list(self) -> list[Fault]:
        if self._people is not None:
            return []
        path = self.root / self._project.publication.audience
        if not path.exists():
            self._people, self._list_findings = People(()), (_no_list(path.name),)
            return []
        try:
            rows = list(self._project.subscribers())
        except AudienceError as error:
            self._people, self._list_findings = People(()), ()
            return faults_of(error, root=self.root)
        self._people = People(row.subscriber for row in rows if row.subscriber)
        bad = [row.problem for row in rows if row.problem]
        self._list_findings = tuple(finding(problem, code="list-row") for problem in bad)
        return []

    def _numbers(self) -> dict[int, str]:
        return {file.number: file.display for file in self._project.issues()}

    def _entry(self, number: int, path: str) -> IssueEntry:
        try:
            return IssueEntry(number=number, path=path, issue=self._source(number).issue)
        except NewsletterError:
            return IssueEntry(number=number, path=path, issue=None)

    def _source(self, number: int) -> IssueSource:
        if number not in self._sources:
            self._sources[number] = self._project.issue(number)
        return self._sources[number]

    def _make(self, number: int, reader: str) -> Snapshot:
        source = self._source(number)
        someone = self._people.get(reader) if self._people else None
        subscriber = someone or sample_reader(self._project.publication.language)
        hidden = source.issue.hidden_from(tags=subscriber.tags, language=subscriber.language)
        composer = self._composer(source.issue, hidden)
        message = composer.message(subscriber)
        warnings = [finding(problem, code="not-inlined") for problem in composer.edition.warnings]
        return Snapshot(
            id=_name(message.data, composer.edition, subscriber),
            source=source,
            edition=composer.edition,
            reader=subscriber,
            sample=someone is None,
            site_url=self._project.publication.site_url,
            anatomy=Anatomy(message.data),
            findings=(*warnings, *self._list_findings),
        )

    def _composer(self, issue: Issue, hidden: frozenset[Location]) -> Composer:
        key = (issue.number, hidden)
        if key not in self._composers:
            if self._renderer is None:
                self._renderer = self._project.renderer()
            self._composers[key] = Composer(
                self._project.publication,
                self._renderer.render(issue, hidden=hidden),
                keyring=self._project.keyring,
                date=issue.date or self._next_hour(),
            )
        return self._composers[key]

    def _next_hour(self) -> datetime:
        """A round time, so that an issue without a date is not another one with each second."""
        now = self._clock().astimezone(self._project.publication.zone)
        return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)

    def _keep(self, snapshot: Snapshot) -> Snapshot:
        self._snapshots[snapshot.id] = snapshot
        self._snapshots.move_to_end(snapshot.id)
        self._last_good[snapshot.issue.number] = snapshot.id
        while len(self._snapshots) > KEPT:
            self._snapshots.popitem(last=False)
        return snapshot


def _name(data: bytes, edition: Edition, reader: Subscriber) -> str:
    import hashlib

    hosted = "".join(image.path for image in edition.hosted)
    seed = f"{reader.address.key}\0{hosted}\0".encode() + data
    return hashlib.sha256(seed).hexdigest()[:20]


def _no_list(name: str) -> Finding:
    return Finding(
        code="no-list",
        severity="info",
        message=f"there is no {name} yet; this is a sample reader",
        hint="the list is a CSV file with a column `email`",
        path=None,
        line=None,
        column=None,
    )
