"""`newsletter subscribers stats`: how many there are, of what kind, and how that changes."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.subscribers.choosing import count_of, tell_bad_rows

if TYPE_CHECKING:
    from newsletter.exporting import Everybody
    from newsletter.project import Project

DAYS = 30
SHOWN = 20


@dataclass
class _Stats:
    """Numbers of people."""

    statuses: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    tags: Counter[str] = field(default_factory=Counter)
    suppressions: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)


@click.command(short_help="Count people by status, language and tag.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def stats(as_json: bool) -> None:
    """Count people by status, and those who receive mail by language and tag.

    Also who must not be mailed, by reason, and what has changed in the last 30 days.
    """
    from newsletter.exporting import Everybody
    from newsletter.project import Project

    project = Project.open(Path.cwd())
    everybody = Everybody(project)
    found = _count(project, everybody)
    if as_json:
        click.echo(json.dumps(_json(found), ensure_ascii=False))
    else:
        _tell(found)
    tell_bad_rows(project, everybody)


def _count(project: Project, everybody: Everybody) -> _Stats:
    from newsletter.audience.models import SubscriberStatus
    from newsletter.audience.register import DAY

    found = _Stats()
    for known in everybody:
        one = known.subscriber
        found.statuses[one.status] += 1
        if one.status is SubscriberStatus.ACTIVE:
            found.languages[one.language or "none given"] += 1
            found.tags.update(one.tags)
    found.suppressions.update(everybody.stops.values())
    if project.database.exists():
        with closing(project.register()) as register:
            found.changes.update(register.changes(since=time.time() - DAYS * DAY))
    return found


def _tell(found: _Stats) -> None:
    click.echo(count_of(found.statuses.total(), "person", "people"))
    _list("", found.statuses)
    _list("active, by language", found.languages)
    _list("active, by tag", found.tags)
    _list("must not be mailed, by reason", found.suppressions)
    _list(f"in the last {DAYS} days", found.changes)


def _list(title: str, counts: Counter[str]) -> None:
    if not counts:
        return
    if title:
        click.echo(title)
    for name, count in counts.most_common(SHOWN):
        click.echo(f"  {count:>9,}  {name}")
    if len(counts) > SHOWN:
        click.echo(f"  {'…':>9}  and {count_of(len(counts) - SHOWN, 'more')[:-1]}")


def _json(found: _Stats) -> Mapping[str, object]:
    return {
        "people": found.statuses.total(),
        "statuses": {name: found.statuses[name] for name in ("active", "pending", "unsubscribed")},
        "languages": dict(found.languages.most_common()),
        "tags": dict(found.tags.most_common()),
        "suppressions": dict(found.suppressions.most_common()),
        "days": DAYS,
        "changes": dict(found.changes.most_common()),
    }
