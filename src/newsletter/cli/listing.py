"""`newsletter list`: the issues of this folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from newsletter.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What the list says about one issue; `problems` is empty unless its source is broken."""

    number: int
    path: str
    date: str | None = None
    status: str = "broken"
    title: str = ""
    problems: tuple[str, ...] = ()


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool) -> None:
    """List the issues with date, status and title.

    A source that cannot be read is listed as broken, with what is wrong with it.
    """
    from newsletter.project import Project

    project = Project.open(Path.cwd())
    paths = {file.number: file.display for file in reversed(project.issues())}
    lines = [_line(project, number, path) for number, path in sorted(paths.items())]
    if as_json:
        issues: list[dict[str, Any]] = [asdict(line) for line in lines]
        click.echo(json.dumps({"issues": issues}, ensure_ascii=False))
    elif lines:
        _print(lines)
    else:
        click.echo("There are no issues yet: `newsletter new` makes the first.")


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
            line.title or line.problems[0].splitlines()[0],
        )
        for line in lines
    ]
    print_table(("ISSUE", "DATE", "STATUS", "TITLE"), rows)
    if broken := [line for line in lines if line.problems]:
        numbers = ", ".join(str(line.number) for line in broken)
        click.echo(
            f"\nBroken: {numbers}. To see all that is wrong: newsletter render {broken[0].number}"
        )
