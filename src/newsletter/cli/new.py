"""`newsletter new [NUMBER]`: the source of the next issue."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from newsletter.cli.arguments import issue_argument


@click.command()
@issue_argument(required=False)
@click.option("--prose", is_flag=True, help="Write the Markdown form (.md) instead of YAML.")
def command(number: int | None, prose: bool) -> None:
    """Write the source of issue NUMBER, or of the one after the last.

    Its date is the next free slot of `schedule` in newsletter.yaml: after now, and after the last
    issue. An existing issue is never overwritten.
    """
    from newsletter.errors import UsageError
    from newsletter.project import Project
    from newsletter.scaffold import issue_source

    project = Project.open(Path.cwd())
    files = project.issues()
    if number is None:
        number = max((file.number for file in files), default=0) + 1
    if existing := [file.display for file in files if file.number == number]:
        raise UsageError(f"issue {number} exists already: {', '.join(existing)}")
    date = project.next_slot(after=datetime.now(UTC))
    path = project.content_dir / f"{number:03d}{'.md' if prose else '.yaml'}"
    path.parent.mkdir(exist_ok=True)
    with path.open("x", encoding="utf-8") as stream:
        stream.write(issue_source(number=number, date=date, prose=prose))
    click.echo(f"written  {path.relative_to(project.root)}, for {date:%A %Y-%m-%d %H:%M}")
    click.echo(f"\nNext:\n  newsletter preview {number}")
