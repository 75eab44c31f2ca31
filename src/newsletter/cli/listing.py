"""`newsletter list`: the issues of this folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from newsletter.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What the list says about one issue.

    `problems` is empty unless its source is broken; the last three are None for an issue that was never sent.
    """

    number: int
    path: str
    date: str | None = None
    status: str = "broken"
    title: str = ""
    problems: tuple[str, ...] = ()
    planned: int | None = None
    accepted: int | None = None
    settled: bool | None = None


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool) -> None:
    """List the issues with date, status, how their sends stand, and title.

    SENT is how many messages were accepted, of how many planned; a * says that somebody is not settled.

    A source that cannot be read is listed as broken, with what is wrong with it.
    """
    from newsletter.project import Project

    project = Project.open(Path.cwd())
    paths = {file.number: file.display for file in reversed(project.issues())}
    sends = _sends(project)
    lines = [
        replace(_line(project, number, path), **sends.get(number, {}))
        for number, path in sorted(paths.items())
    ]
    if as_json:
        issues: list[dict[str, Any]] = [asdict(line) for line in lines]
        click.echo(json.dumps({"issues": issues}, ensure_ascii=False))
    elif lines:
        _print(lines)
    else:
        click.echo("There are no issues yet: `newsletter new` makes the first.")


def _sends(project: Project) -> dict[int, dict[str, Any]]:
    """What the ledger knows, by issue."""
    from contextlib import closing

    from newsletter.delivery.states import State
    from newsletter.sending import existing_ledger

    ledger = existing_ledger(project)
    if ledger is None:
        return {}
    sends = {}
    with closing(ledger):
        for campaign in ledger.campaigns():
            counts = ledger.counts(campaign)
            sends[campaign.issue] = {
                "planned": counts.planned,
                "accepted": counts[State.ACCEPTED],
                "settled": counts.settled,
            }
    return sends


def _sent(line: Line) -> str:
    if line.planned is None:
        return "-"
    return f"{line.accepted}/{line.planned}{'' if line.settled else '*'}"


def _line(project: Project, number: int, path: str) -> Line:
    from newsletter.errors import NewsletterError

    try:
        issue = project.issue(number).issue
    except NewsletterError as error:
        problems = tuple(map(str, error.problems)) or (str(error),)
        return Line(number=number, path=path, problems=problems)
    date = issue.date.astimezone(project.publication.zone) if issue.date else None
    return Line(
        number=number,
        path=path,
        date=date.isoformat(timespec="minutes") if date else None,
        status=issue.status.value,
        title=issue.title,
    )


def _print(lines: list[Line]) -> None:
    from newsletter.cli.table import print_table

    rows = [
        (
            str(line.number),
            (line.date or "-")[:16].replace("T", " "),
            line.status,
            _sent(line),
            line.title or line.problems[0].splitlines()[0],
        )
        for line in lines
    ]
    print_table(("ISSUE", "DATE", "STATUS", "SENT", "TITLE"), rows)
    if broken := [line for line in lines if line.problems]:
        numbers = ", ".join(str(line.number) for line in broken)
        click.echo(
            f"\nBroken: {numbers}. To see all that is wrong: newsletter render {broken[0].number}"
        )
