"""Choosing people by status and segment, as `list` and `export` do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from newsletter.audience.models import Subscriber, SubscriberStatus
    from newsletter.exporting import Everybody
    from newsletter.project import Project
    from newsletter.segments import Segment

_Function = TypeVar("_Function", bound=Callable[..., Any])
STATUSES = ("active", "pending", "unsubscribed")


def status_option(*, help: str) -> Callable[[_Function], _Function]:  # noqa: A002
    """The option --status, as often as one likes, as a tuple of statuses."""
    choice = click.Choice(STATUSES)
    return click.option(
        "--status", "statuses", multiple=True, type=choice, callback=_parse, help=help
    )


def _parse(
    context: click.Context, parameter: click.Parameter, value: tuple[str, ...]
) -> tuple[SubscriberStatus, ...]:
    from newsletter.audience.models import SubscriberStatus

    return tuple(map(SubscriberStatus, value))


@contextmanager
def targeted(project: Project, segment: Segment | None) -> Iterator[Callable[[Subscriber], bool]]:
    """Whether somebody is in a segment; what of it looks like a mistake is told afterwards."""
    if segment is None:
        yield lambda subscriber: True
        return
    from newsletter.delivery.targeting import Target
    from newsletter.sending import existing_ledger

    ledger = existing_ledger(project) if segment.uses_history else None
    if ledger is None:
        target = Target(segment, None)
        yield target
    else:
        with closing(ledger):
            target = Target(segment, ledger)
            yield target
    for note in target.notes():
        click.echo(f"note: {note}", err=True)


def tell_bad_rows(project: Project, everybody: Everybody) -> None:
    """Say that rows of the list are nobody, if some are."""
    if everybody.bad_rows:
        rows = count_of(everybody.bad_rows, "row")
        click.echo(
            f"note: {rows} of {project.publication.audience} cannot be read; `newsletter send NUMBER --dry-run`"
            " names them",
            err=True,
        )


def count_of(number: int, one: str, many: str = "") -> str:
    """`1 row`, `2 rows`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
