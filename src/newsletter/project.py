"""A publication's folder on disk: the one place that wires the parts together."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.config import CONFIG_NAME, Publication, load_publication
from newsletter.errors import ConfigError, NewsletterError, UsageError

if TYPE_CHECKING:
    from newsletter.audience.csvfile import ListRow
    from newsletter.audience.models import Subscriber
    from newsletter.audience.register import Register
    from newsletter.audience.selection import Choice
    from newsletter.audience.tokens import Keyring
    from newsletter.composing.signing import Signer
    from newsletter.content.numbering import IssueFile
    from newsletter.content.reader import IssueSource
    from newsletter.delivery.ledger import Ledger
    from newsletter.feedback.returns import Returns
    from newsletter.rendering.render import Renderer
    from newsletter.timetable import Timetable

CONTENT_FOLDER = "content"
STATE_FOLDER = ".newsletter"
DATABASE_NAME = "newsletter.db"

# Parts are imported where they are made, so that `newsletter list` waits for no template engine.


class Project:
    """One publication: its folder, its settings, and the parts that work on them.

    Attributes:
        root: the folder that has newsletter.yaml, absolute, symlinks resolved.
        publication: newsletter.yaml with the environment over it.
        environ: the environment that was used.

    Raises:
        ConfigError: a path in the settings leads out of the folder.

    """

    def __init__(self, root: Path, publication: Publication, *, environ: Mapping[str, str]) -> None:
        self.root = root
        self.publication = publication
        self.environ = environ
        for setting in ("audience", "templates", "masthead", "divider"):
            if value := getattr(publication, setting):
                self._keep_inside(setting, value)

    @classmethod
    def open(cls, root: Path, *, environ: Mapping[str, str] = os.environ) -> Project:
        """The publication in exactly this folder.

        Raises:
            ConfigError: there is none, or its settings are wrong.

        """
        root = root.resolve()
        return cls(root, load_publication(root, environ=environ), environ=environ)

    @property
    def content_dir(self) -> Path:
        """Where the issue sources are."""
        return self.root / CONTENT_FOLDER

    @property
    def state_dir(self) -> Path:
        """Where ledger, logs and key file live; not in git."""
        return self.root / STATE_FOLDER

    @cached_property
    def keyring(self) -> Keyring:
        """The keys behind tokens and Message-IDs; made on first use.

        Raises:
            ConfigError: see `Keyring.load`.

        """
        from newsletter.audience.tokens import Keyring

        return Keyring.load(self.state_dir, environ=self.environ)

    @cached_property
    def signer(self) -> Signer | None:
        """What makes DKIM signatures; None where newsletter.yaml leaves that to the relay.

        Raises:
            ConfigError: see `Signer.load`.

        """
        if self.publication.dkim is None:
            return None
        from newsletter.composing.signing import Signer

        return Signer.load(self.publication, root=self.root)

    def issues(self) -> list[IssueFile]:
        """Every issue source by number, unread."""
        from newsletter.content.numbering import list_issues

        return list_issues(self.content_dir, root=self.root)

    def issue(self, number: int | str) -> IssueSource:
        """Issue `number`, read and checked.

        Raises:
            UsageError: there is no such issue.
            SourceError: it has mistakes, or two files.

        """
        from newsletter.content.numbering import find_issue

        return self.read(find_issue(self.content_dir, number, root=self.root))

    def read(self, path: Path) -> IssueSource:
        """The issue in this file, read and checked.

        Raises:
            SourceError: it has mistakes.

        """
        from newsletter.content.reader import read_issue

        zone = self.publication.zone
        return read_issue(path, root=self.root, kinds=self._kinds, zone=zone)

    def timetable(self) -> Timetable:
        """The weekly slot of newsletter.yaml.

        Raises:
            ConfigError: `schedule` is not a cron expression, or no day fits it.

        """
        from newsletter.timetable import Timetable

        expression = self.publication.schedule
        try:
            return Timetable.parse(expression)
        except ValueError as error:
            raise ConfigError(f"{CONFIG_NAME}: `schedule: {expression}`: {error}") from None

    def next_slot(self, *, after: datetime) -> datetime:
        """The first free slot: later than `after` (aware) and than the date of the last issue.

        Raises:
            ConfigError: `schedule` is not a cron expression, or no day fits it.

        """
        for number in sorted({file.number for file in self.issues()}, reverse=True):
            try:
                date = self.issue(number).issue.date
            except NewsletterError:
                continue  # a broken issue has no date to go by
            if date:
                after = max(after, date)
                break
        return self.timetable().next_after(after, zone=self.publication.zone)

    def renderer(self) -> Renderer:
        """A new renderer with this publication's theme."""
        from newsletter.rendering.render import Renderer

        return Renderer(self.publication, root=self.root)

    def subscribers(self) -> Iterator[ListRow]:
        """Every row of the list, in its order, good or bad.

        Raises:
            AudienceError: at the first step, or on the way: see `read_subscribers`.

        """
        if self.publication.keeps_list:
            return self._kept_subscribers()
        from newsletter.audience.csvfile import read_subscribers

        return read_subscribers(Path(self.publication.audience), root=self.root)

    def choices(self) -> Iterator[Choice]:
        """What becomes of every row of the list: recipient, or left out for a reason.

        Reads the list twice, so that an address which is unsubscribed in any row gets nothing.
        """
        from newsletter.audience.selection import select, unsubscribed_keys

        if self.publication.keeps_list:
            yield from select(self.subscribers())
            return
        yield from select(self.subscribers(), unsubscribed=unsubscribed_keys(self.subscribers()))

    def _kept_subscribers(self) -> Iterator[ListRow]:
        """The members of the register as rows; the row is the member's number."""
        from newsletter.audience.csvfile import ListRow

        if not self.database.exists():
            return
        with closing(self.register()) as register:
            for member in register.members():
                yield ListRow(row=member.number, subscriber=member.subscriber)

    @property
    def database(self) -> Path:
        """The file of ledger and register."""
        return self.state_dir / DATABASE_NAME

    def register(self) -> Register:
        """The register of subscribers, made on first use; close it after use.

        Raises:
            LedgerError: it cannot be used.
            ConfigError: there is no key: see `Keyring.load`.

        """
        from newsletter.storage.sqlite.register import SqliteRegister

        return SqliteRegister(self.database, identify=self.keyring.subscriber_id)

    def returns(self, register: Register | None = None) -> Returns:
        """What came back, on this register or on one of its own; close it after use.

        Raises:
            LedgerError, ConfigError: see `register`.

        """
        from newsletter.storage.sqlite.register import SqliteRegister
        from newsletter.storage.sqlite.returns import SqliteReturns

        register = register or self.register()
        assert isinstance(register, SqliteRegister)  # there is no other store to open
        return SqliteReturns(register)

    def ledger(self) -> Ledger:
        """The ledger, made on first use; close it after use.

        Raises:
            LedgerError: it cannot be used.

        """
        from newsletter.storage.sqlite.ledger import SqliteLedger

        # The key is asked for when it is needed: who only looks at a ledger needs none.
        return SqliteLedger(self.database, identify=lambda key: self.keyring.subscriber_id(key))

    def subscriber(self, address: str) -> Subscriber | None:
        """The subscriber with this address in any spelling, the active one of several; or None.

        Raises:
            UsageError: it is not an address.

        """
        from newsletter.audience.models import SubscriberStatus
        from newsletter.mail.address import parse_address

        try:
            key = parse_address(address).key
        except ValueError as error:
            raise UsageError(f"{address!r}: {error}") from None
        first = None
        if self.publication.keeps_list:
            if not self.database.exists():
                return None
            with closing(self.register()) as register:
                member = register.find(register.identify(key))
            return member.subscriber if member else None
        for row in self.subscribers():
            if row.subscriber and row.subscriber.address.key == key:
                if row.subscriber.status is SubscriberStatus.ACTIVE:
                    return row.subscriber
                first = first or row.subscriber
        return first

    @cached_property
    def _kinds(self) -> frozenset[str]:
        return self.renderer().kinds

    def _keep_inside(self, setting: str, value: str) -> None:
        if not (self.root / value).resolve().is_relative_to(self.root):
            raise ConfigError(f"{CONFIG_NAME}: `{setting}: {value}` leads out of this folder")
