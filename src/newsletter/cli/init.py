"""`newsletter init [DIR]`: a new publication that can be previewed at once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click


@click.command()
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path())
def command(folder: Path) -> None:
    """Start a new publication in DIR (or here): configuration, first issue, theme, example list.

    No file that exists already is touched.
    """
    from newsletter.scaffold import start_publication
    from newsletter.timetable import Timetable

    slot = Timetable.parse("0 9 * * 1")
    first = slot.next_after(datetime.now(UTC), zone=ZoneInfo("Asia/Shanghai"))
    started = start_publication(folder, first_date=first)
    for path in started.kept:
        click.echo(f"kept     {folder / path}, which was there already")
    theme = [path for path in started.written if path.parts[0] == "templates"]
    for path in started.written:
        if path not in theme:
            click.echo(f"written  {folder / path}")
    if theme:
        click.echo(f"written  {folder / 'templates'}/ with {len(theme)} files, the theme")
    click.echo("\nNext:")
    if folder.resolve() != Path.cwd():
        click.echo(f"  cd {_quoted(folder)}")
    click.echo("  newsletter preview 1            see it, and watch it change as you edit")
    click.echo("  newsletter send 1 --dry-run     build every message, send none")


def _quoted(path: Path) -> str:
    from shlex import quote

    return quote(str(path))
