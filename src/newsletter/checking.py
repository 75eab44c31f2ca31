"""An issue under all checks: reads it, renders it, addresses it to the longest recipient, and looks.

What is broken on the way becomes findings too, and what can still be made is checked all the same.

    findings = check_issue(project, 64)        # whatever the state of its source and templates
    findings = check_mailing(mailing)          # of an issue that has been read and rendered
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from newsletter.checks.broken import broken
from newsletter.checks.checked import Checked, OtherIssue
from newsletter.checks.compatibility.data import known_clients
from newsletter.checks.model import Finding
from newsletter.checks.registry import FAMILIES, checks_by_code
from newsletter.checks.run import chosen, grade, run_checks
from newsletter.checks.salvage import salvage
from newsletter.config import CONFIG_NAME
from newsletter.errors import (
    AudienceError,
    ConfigError,
    NewsletterError,
    SourceError,
    TemplateError,
    UsageError,
)
from newsletter.mail.address import parse_address
from newsletter.mailing import Mailing, stand_in
from newsletter.rendering.folders import PACKAGED_THEME
from newsletter.source.text import read_source
from newsletter.source.validation import suggestion
from newsletter.source.yaml import parse_yaml

if TYPE_CHECKING:
    from newsletter.audience.models import Subscriber
    from newsletter.content.models import Issue
    from newsletter.content.reader import IssueSource
    from newsletter.project import Project
    from newsletter.source.tree import Location

MOST_ROWS = 20_000
"""How many rows of the list are looked at to find the longest recipient."""

Hidden = frozenset["Location"]


def check_issue(
    project: Project,
    number: int,
    *,
    select: Collection[str] = (),
    ignore: Collection[str] = (),
    services: Mapping[str, Any] | None = None,
) -> list[Finding]:
    """What is wrong with issue `number`, however broken it is.

    Args:
        project: the publication.
        number: of the issue; every file that has it in its name is looked at.
        select: only these codes or families of checks.
        ignore: but not these.
        services: what checks with `needs` use, by name.

    Raises:
        UsageError: there is no such issue, or no such check.
        ConfigError: newsletter.yaml names a check that does not exist.

    """
    refuse_unknown(project, select=select, ignore=ignore)
    paths = [file.path for file in project.issues() if file.number == number]
    if not paths:
        project.issue(number)  # raises, naming the nearest
    return [
        finding
        for path in paths
        for finding in _check_file(
            project, path, select=select, ignore=ignore, services=services or {}
        )
    ]


def check_mailing(
    mailing: Mailing,
    *,
    select: Collection[str] = (),
    ignore: Collection[str] = (),
    services: Mapping[str, Any] | None = None,
) -> list[Finding]:
    """What is wrong with an issue that can be read.

    Raises:
        TemplateError, ComposeError: it cannot become mail.
        ConfigError: newsletter.yaml names a check that does not exist.

    """
    refuse_unknown(mailing.project)
    checked = examine(mailing, services=services or {})
    return run_checks(checked, select=select, ignore=ignore)


def refuse_unknown(
    project: Project, *, select: Collection[str] = (), ignore: Collection[str] = ()
) -> None:
    """Refuse names of checks that do not exist, on the command line and in newsletter.yaml.

    Raises:
        UsageError, ConfigError: with the nearest name.

    """
    settings = project.publication.checks
    known = {*checks_by_code(), *(family.rpartition(".")[2] for family in FAMILIES)}
    for option, names in (("--select", select), ("--ignore", ignore)):
        for name in names:
            if name not in known:
                raise UsageError(f"{option} {name}: {_no_check(name, known)}")
    written = {"select": settings.select, "ignore": settings.ignore, "severity": settings.severity}
    for field, names in written.items():
        for name in names:
            if name not in (checks_by_code() if field == "severity" else known):
                raise ConfigError(f"{CONFIG_NAME}: `checks.{field}`: {_no_check(name, known)}")
    for name in settings.clients:
        if name not in known_clients():
            near = suggestion(name, known_clients()) or "such as gmail, or outlook/windows"
            raise ConfigError(
                f"{CONFIG_NAME}: `checks.clients`: there is no mail program `{name}` ({near})"
            )


def _no_check(name: str, known: Collection[str]) -> str:
    near = suggestion(name, known) or "docs/checks.md lists them"
    return f"there is no check `{name}` ({near})"


def examine(
    mailing: Mailing, *, services: Mapping[str, Any] | None = None, hidden: Hidden = frozenset()
) -> Checked:
    """Everything that checks look at, for the longest recipient of the list.

    Args:
        mailing: the issue.
        services: what checks with `needs` use, by name.
        hidden: items that cannot be rendered.

    Raises:
        TemplateError, ComposeError: the issue cannot become mail.

    """
    project, source = mailing.project, mailing.source
    composer = mailing.composer_without(hidden)
    reader, unseen = _survey(project, source.issue)
    settings = parse_yaml(read_source(project.root / CONFIG_NAME, root=project.root))
    return Checked(
        publication=project.publication,
        source=source,
        edition=composer.edition,
        html=composer.html(reader),
        text=composer.text(reader),
        message=composer.message(reader).data,
        files={**_theme_files(mailing), CONFIG_NAME: settings.source.text},
        settings=settings,
        other_issues=lambda: tuple(_others(project, source)),
        hidden=unseen,
        services=services or {},
    )


def _check_file(
    project: Project,
    path: Path,
    *,
    select: Collection[str],
    ignore: Collection[str],
    services: Mapping[str, Any],
) -> list[Finding]:
    source, before = _read(project, path)
    if source is not None:
        mailing = Mailing(project, source, signed=False)
        hidden, problems = _unrenderable(mailing)
        before += problems
        try:
            checked = examine(mailing, services=services, hidden=hidden)
            return run_checks(checked, select=select, ignore=ignore, before=before)
        except NewsletterError as error:
            before += [finding for finding in broken(error) if finding not in before]
    codes = {check.code for check in chosen(project.publication, select=select, ignore=ignore)}
    return [finding for finding in grade(before, project.publication) if finding.code in codes]


def _read(project: Project, path: Path) -> tuple[IssueSource | None, list[Finding]]:
    """The issue, or what is left of it, with its mistakes."""
    try:
        return project.read(path), []
    except SourceError as error:
        findings = broken(error)
    except TemplateError as error:
        return None, broken(error)
    zone = project.publication.zone
    kinds = project.renderer().kinds
    return salvage(path, root=project.root, kinds=kinds, zone=zone), findings


def _unrenderable(mailing: Mailing) -> tuple[Hidden, list[Finding]]:
    """Items whose templates have mistakes, and the mistakes: every item is tried alone."""
    try:
        mailing.composer_without(frozenset())
    except TemplateError as error:
        findings = broken(error)
    except NewsletterError:
        return frozenset(), []  # composing it tells what is wrong
    else:
        return frozenset(), []
    everything = frozenset(location for location, _ in mailing.source.issue.items())
    bad: set[Location] = set()
    for location in everything if len(everything) > 1 else ():
        try:
            mailing.composer_without(everything - {location})
        except NewsletterError as error:
            bad.add(location)
            findings += [finding for finding in broken(error) if finding not in findings]
    return (frozenset(bad) if bad != everything else frozenset()), findings


def _survey(project: Project, issue: Issue) -> tuple[Subscriber, Mapping[Hidden, int]]:
    """The longest recipient of the list, and how many do not see which items."""
    longest, length = None, -1
    unseen: Counter[Hidden] = Counter()
    restricted = any(item.only for _, item in issue.items())
    for subscriber in islice(_recipients(project), MOST_ROWS):
        if restricted:
            unseen[issue.hidden_from(subscriber)] += 1
        size = _length(subscriber)
        if size > length:
            longest, length = subscriber, size
    if longest is None:
        address = parse_address("a.reader.with.a.long.address@mail.example.org")
        longest = stand_in(project, address=address, name="一位名字很长的读者")
    return longest, unseen


def _recipients(project: Project) -> Iterator[Subscriber]:
    from newsletter.audience.models import SubscriberStatus

    try:
        for row in project.subscribers():
            if row.subscriber and row.subscriber.status is SubscriberStatus.ACTIVE:
                yield row.subscriber
    except AudienceError:
        return  # an issue can be checked before there is a list


def _length(subscriber: Subscriber) -> int:
    parts = (subscriber.name, str(subscriber.address), *subscriber.fields.values())
    return sum(len(part.encode()) for part in parts)


def _theme_files(mailing: Mailing) -> dict[str, str]:
    """Templates and style sheets that were read, by path as the user would type it."""
    files = {}
    root, packaged = mailing.project.root, PACKAGED_THEME.resolve()
    for path in sorted(mailing.dependencies):
        if path.suffix not in (".j2", ".css"):
            continue
        if path.is_relative_to(root):
            shown = path.relative_to(root).as_posix()
        else:
            shown = f"newsletter/theme/{path.relative_to(packaged).as_posix()}"
        text = path.read_bytes().decode("utf-8-sig", "replace")
        files[shown] = text.replace("\r\n", "\n")
    return files


def _others(project: Project, source: IssueSource) -> Iterator[OtherIssue]:
    for file in project.issues():
        if file.path == source.path:
            continue
        try:
            text = read_source(file.path, root=project.root).text
        except SourceError:
            continue  # it is reported when it is checked itself
        yield OtherIssue(number=file.number, path=file.display, text=text)
