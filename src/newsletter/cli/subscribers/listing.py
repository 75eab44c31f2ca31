"""`newsletter subscribers list`: everybody who is known, with what counts about them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from newsletter.cli.arguments import segment_option
from newsletter.cli.subscribers.choosing import count_of, status_option, targeted, tell_bad_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from newsletter.audience.models import Subscriber, SubscriberStatus
    from newsletter.exporting import Known
    from newsletter.segments import Segment

HEADER = ("ADDRESS", "NAME", "STATUS", "LANG", "JOINED", "TAGS")


@click.command("list")
@status_option(help="Only people with this status; may be repeated.")
@segment_option(help="Only people in this segment, such as 'tag = cv'.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def list_people(
    statuses: tuple[SubscriberStatus, ...], segment: Segment | None, as_json: bool
) -> None:
    """List everybody who is known, in the order of the list.

    Whoever must not be mailed counts as unsubscribed, whatever the list says, and is shown with the reason.
    """
    from newsletter.cli.table import print_table
    from newsletter.exporting import Everybody
    from newsletter.project import Project

    project = Project.open(Path.cwd())
    everybody = Everybody(project)
    counts: Counter[str] = Counter()
    with targeted(project, segment) as meant:
        people = _chosen(everybody, statuses, meant, counts)
        if as_json:
            for known in people:
                click.echo(json.dumps(_record(known), ensure_ascii=False))
        else:
            print_table(HEADER, map(_row, people))
    if not as_json:
        told = ", ".join(f"{counts[status]:,} {status}" for status in counts)
        click.echo(f"\n{count_of(counts.total(), 'person', 'people')}{': ' if told else ''}{told}")
    tell_bad_rows(project, everybody)


def _chosen(
    everybody: Iterable[Known],
    statuses: tuple[SubscriberStatus, ...],
    meant: Callable[[Subscriber], bool],
    counts: Counter[str],
) -> Iterator[Known]:
    """Those who are meant, counted by status on the way."""
    for known in everybody:
        if (not statuses or known.subscriber.status in statuses) and meant(known.subscriber):
            counts[known.subscriber.status] += 1
            yield known


def _row(known: Known) -> tuple[str, ...]:
    one = known.subscriber
    return (
        str(one.address),
        one.name,
        known.suppressed or one.status.value,
        one.language or "",
        one.joined.isoformat() if one.joined else "",
        "; ".join(sorted(one.tags)),
    )


def _record(known: Known) -> dict[str, Any]:
    one = known.subscriber
    return {
        "address": str(one.address),
        "name": one.name,
        "status": one.status.value,
        "suppressed": known.suppressed,
        "tags": sorted(one.tags),
        "language": one.language,
        "joined": one.joined.isoformat() if one.joined else None,
        "fields": dict(one.fields),
    }
