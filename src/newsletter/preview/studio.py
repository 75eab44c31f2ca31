"""The publication as it stands on disk right now, and the messages made of it.

A `Studio` is asked from several threads and does one thing at a time. What it has made it keeps
until something is saved; what went well last stays behind, for the page to show under a mistake.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cached_property
from pathlib import PurePosixPath
from threading import Lock

from newsletter.audience.models import Subscriber
from newsletter.config import CONFIG_NAME, load_publication
from newsletter.content.numbering import number_of
from newsletter.content.reader import IssueSource
from newsletter.errors import NewsletterError, Problem
from newsletter.mail.address import parse_address
from newsletter.mailing import Mailing, stand_in
from newsletter.preview.anatomy import Anatomy
from newsletter.preview.faults import Fault, Finding, faults_of, finding, from_record
from newsletter.preview.inspection import Inspector
from newsletter.preview.people import Person
from newsletter.preview.roster import Roster, read_roster
from newsletter.preview.snapshot import IssueEntry, Sight, Snapshot
from newsletter.project import CONTENT_FOLDER, Project
from newsletter.rendering.edition import Edition
from newsletter.rendering.render import Renderer

Clock = Callable[[], datetime]
KEPT = 24
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif"})


class Workplace(Project):
    """A project whose one renderer stays, so that templates are not compiled for each save."""

    @cached_property
    def _renderer(self) -> Renderer:
        return super().renderer()

    def renderer(self) -> Renderer:
        """The renderer; for other templates make another workplace."""
        return self._renderer


class Studio:
    """Makes messages of a project that somebody is working on.

    Args:
        project: opened once already; it is opened anew when its settings or templates change.
        clock: the time, aware, for issues without a date.
        inspector: finds what is worth a look, when somebody asks for it.

    """

    def __init__(
        self, project: Project, *, clock: Clock, inspector: Inspector | None = None
    ) -> None:
        self.root = project.root
        self._clock = clock
        self._inspector = inspector
        self._lock = Lock()
        self._saved: deque[frozenset[str]] = deque()
        self._project = Workplace(self.root, project.publication, environ=project.environ)
        self._open = True
        self._roster: Roster | None = None
        self._sources: dict[int, IssueSource] = {}
        self._mailings: dict[int, Mailing] = {}
        self._snapshots: OrderedDict[str, Snapshot] = OrderedDict()
        self._last_good: dict[int, str] = {}

    def forget(self, paths: Iterable[str] = ()) -> None:
        """Files were saved: what depends on them is made anew when it is asked for.

        Args:
            paths: relative to the folder; none for all of them. Safe to call from any thread.

        """
        self._saved.append(frozenset(paths))

    def publication(self) -> tuple[Project, list[IssueEntry], list[Fault]]:
        """The project, its issues by number, newest first, and what is wrong with its settings."""
        with self._lock:
            faults = self._refresh()
            files = {file.number: file.display for file in self._project.issues()}
        entries = [self._entry(number, files[number]) for number in sorted(files, reverse=True)]
        return self._project, entries, faults

    def sight(self, number: int, reader: str = "") -> Sight:
        """The message of issue `number` for the reader with this `address.key`."""
        with self._lock:
            faults = self._refresh()
            if not faults:
                roster = self._readers()
                try:
                    snapshot = self._keep(self._make(number, reader, roster))
                    return Sight(snapshot=snapshot, faults=roster.faults)
                except Exception as error:  # a bug in a filter must not take the page away
                    faults = [*roster.faults, *faults_of(error, root=self.root)]
            behind = self._snapshots.get(self._last_good.get(number, ""))
            return Sight(snapshot=behind, faults=faults)

    @property
    def project(self) -> Project:
        """The project as it was opened last."""
        return self._project

    @property
    def language(self) -> str:
        """The publication's language, a tag such as zh-CN."""
        return self._project.publication.language

    def snapshot(self, snapshot_id: str) -> Snapshot | None:
        """A snapshot made before, while it is still kept."""
        return self._snapshots.get(snapshot_id)

    def findings(self, snapshot: Snapshot) -> list[Finding]:
        """Everything found about a snapshot: what rendering noted and what the inspector says.

        It takes its time, so it is asked for when the mail is on the screen already.
        """
        found = list(snapshot.findings)
        if self._inspector is None:
            return found
        try:
            found += [from_record(record) for record in self._inspector(snapshot.mailing)]
        except Exception as error:  # a check that fails must not take the page away
            found.append(finding(Problem(message=str(error)), code="inspection-failed"))
        # where both speak of one thing, the inspector's word counts
        return list({(one["message"], one["path"], one["line"]): one for one in found}.values())

    def people(self, words: str, number: int | None) -> tuple[list[Person], int]:
        """Readers for the picker: see `People.search`."""
        with self._lock:
            self._refresh()
            roster = self._readers()
        issue = self._entry(number, "").issue if number is not None else None
        found, total = roster.people.search(words, issue=issue)
        if not found and "@" in words:
            someone = roster.reader(words.strip(), project=self._project)
            if someone and someone.address.key == words.strip().casefold():
                return [Person(subscriber=someone)], 1
        return found, total

    def _refresh(self) -> list[Fault]:
        """Drop what the saved files made; open the project again where that is needed."""
        while self._saved:
            enough = [self._drop(path) for path in self._saved.popleft()]
            if not enough or not all(enough):
                self._open = False
        if self._open:
            return []
        self._roster = None
        self._sources.clear()
        self._mailings.clear()
        environ = self._project.environ
        try:
            publication = load_publication(self.root, environ=environ)
            self._project = Workplace(self.root, publication, environ=environ)
        except NewsletterError as error:
            return faults_of(error, root=self.root)
        self._open = True
        return []

    def _drop(self, path: str) -> bool:
        """Forget what this file made; false when that is everything."""
        publication = self._project.publication
        folder, _, name = path.rpartition("/")
        number = number_of(name) if folder == CONTENT_FOLDER else None
        if path == CONFIG_NAME or path.startswith(f"{PurePosixPath(publication.templates)}/"):
            return False
        if number is not None:
            self._sources.pop(number, None)
            self._mailings.pop(number, None)
        elif path == publication.audience:
            self._roster = None
        elif PurePosixPath(path).suffix.lower() in _PICTURES:
            self._mailings.clear()
        return True

    def _readers(self) -> Roster:
        if self._roster is None:
            self._roster = read_roster(self._project)
        return self._roster

    def _entry(self, number: int, path: str) -> IssueEntry:
        """One line of the index; with a lock of its own, so that a long archive is in nobody's way."""
        with self._lock:
            try:
                return IssueEntry(number=number, path=path, issue=self._source(number).issue)
            except NewsletterError:
                return IssueEntry(number=number, path=path, issue=None)

    def _source(self, number: int) -> IssueSource:
        if number not in self._sources:
            self._sources[number] = self._project.issue(number)
        return self._sources[number]

    def _make(self, number: int, reader: str, roster: Roster) -> Snapshot:
        source = self._source(number)
        if number not in self._mailings:
            # a look needs no DKIM key
            self._mailings[number] = Mailing(self._project, source, signed=False, now=self._clock)
        someone = roster.reader(reader, project=self._project)
        subscriber = someone or self._sample()
        composer = self._mailings[number].composer(subscriber)
        message = composer.message(subscriber)
        warnings = [finding(problem, code="not-inlined") for problem in composer.edition.warnings]
        return Snapshot(
            id=_name(message.data, composer.edition, subscriber),
            mailing=self._mailings[number],
            edition=composer.edition,
            reader=subscriber,
            sample=someone is None,
            site_url=self._project.publication.site_url,
            anatomy=Anatomy(message.data),
            findings=(*warnings, *roster.findings),
        )

    def _sample(self) -> Subscriber:
        """Somebody to write to while there is nobody yet."""
        chinese = self._project.publication.language.lower().startswith("zh")
        name = "示例读者" if chinese else "Sample Reader"
        return stand_in(self._project, address=parse_address("reader@example.org"), name=name)

    def _keep(self, snapshot: Snapshot) -> Snapshot:
        self._snapshots[snapshot.id] = snapshot
        self._snapshots.move_to_end(snapshot.id)
        self._last_good[snapshot.issue.number] = snapshot.id
        while len(self._snapshots) > KEPT:
            self._snapshots.popitem(last=False)
        return snapshot


def _name(data: bytes, edition: Edition, reader: Subscriber) -> str:
    hosted = "".join(image.path for image in edition.hosted)
    seed = f"{reader.address.key}\0{hosted}\0".encode() + data
    return hashlib.sha256(seed).hexdigest()[:20]
