"""`newsletter subscribers import|export`: many people, as files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.arguments import segment_option
from newsletter.cli.subscribers.choosing import (
    STATUSES,
    count_of,
    status_option,
    targeted,
    tell_bad_rows,
)

if TYPE_CHECKING:
    from newsletter.audience.imports import Export
    from newsletter.audience.imports.layout import Layout
    from newsletter.audience.models import SubscriberStatus
    from newsletter.importing import ImportReport
    from newsletter.project import Project
    from newsletter.segments import Segment

_FULL_NAMES: Mapping[str, str] = {
    "mailchimp": "Mailchimp",
    "substack": "Substack",
    "buttondown": "Buttondown",
    "listmonk": "listmonk",
    "ghost": "Ghost",
    "csv": "a CSV list",
}


@click.command("import", short_help="Take in the people of a file.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "tool",
    type=click.Choice(tuple(_FULL_NAMES)),
    help="Who wrote it.  [default: by its columns]",
)
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="TARGET=COLUMN,…",
    help="Which column is what: email, name, first_name, last_name, status, tags, language, joined, or field.NAME;"
    " nothing after the = leaves it out.",
)
@click.option("--encoding", help="Such as gb18030.  [default: UTF-8, or UTF-16 by its mark]")
@click.option("--status", type=click.Choice(STATUSES), help="Nobody becomes more active than this.")
@click.option("--tag", "tags", multiple=True, help="Everybody gets this tag; may be repeated.")
@click.option("--overwrite", is_flag=True, help="The file's names, languages and fields win.")
@click.option(
    "--rejects",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where rows go that are nobody.  [default: FILE.rejects.csv]",
)
@click.option("--dry-run", is_flag=True, help="Tell what would happen; change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def import_people(
    file: Path,
    tool: str | None,
    mapping: tuple[str, ...],
    encoding: str | None,
    status: str | None,
    tags: tuple[str, ...],
    overwrite: bool,
    rejects: Path | None,
    dry_run: bool,
    yes: bool,
) -> int:
    """Take in the people of FILE: an export of Mailchimp, Substack, Buttondown, listmonk or Ghost, or any CSV list.

    Nobody who has left, bounced, complained or was forgotten becomes active by it, and who has left elsewhere leaves
    here. What is known stays, gaps are filled, tags are united. With a list in a file, new people are written to its
    end, and its rows stay as they are.

    Exit code 1 when rows were rejected; the rejects file can be mended and imported.
    """
    from newsletter.audience import cells
    from newsletter.audience.imports import TOOLS as KNOWN
    from newsletter.audience.imports import open_export, parse_map
    from newsletter.audience.models import SubscriberStatus
    from newsletter.errors import Declined, UsageError
    from newsletter.project import Project

    project = Project.open(Path.cwd())
    if overwrite and not project.publication.keeps_list:
        raise UsageError("--overwrite: rows of a list in a file are never changed by an import")
    opened = partial(
        open_export,
        file,
        tool=KNOWN[tool] if tool else None,
        mapping=parse_map(mapping),
        encoding=encoding,
        status=SubscriberStatus(status) if status else None,
        tags=cells.tags("; ".join(tags)),
    )
    take_in = partial(_take_in, project, opened, overwrite=overwrite)
    rehearsed = None
    if dry_run or not yes:
        layout, rehearsed = take_in(dry_run=True, rejects=rejects if dry_run else None)
        _tell(file, layout, rehearsed)
        if dry_run:
            click.echo("dry run: nothing was changed")
            return 1 if rehearsed.rejected else 0
        if not click.confirm("Take them in?", err=True):
            raise Declined("nothing was changed")
    written = rejects or file.with_name(f"{file.stem}.rejects.csv")
    layout, report = take_in(dry_run=False, rejects=written)
    if rehearsed is None or rehearsed.merged != report.merged:
        _tell(file, layout, report)
    click.echo(f"taken in  {file.name}")
    if report.rejects:
        click.echo(f"next: mend {report.rejects} and import it")
    return 1 if report.rejected else 0


def _take_in(
    project: Project,
    opened: Callable[[], AbstractContextManager[Export]],
    *,
    overwrite: bool,
    dry_run: bool,
    rejects: Path | None,
) -> tuple[Layout, ImportReport]:
    from newsletter.cli.progress import Reading
    from newsletter.importing import import_people

    with opened() as export, Reading(export.path.name, export.size) as reading:
        report = import_people(
            project,
            export,
            rejects=rejects,
            overwrite=overwrite,
            dry_run=dry_run,
            progress=reading.show,
        )
        return export.layout, report


def _tell(file: Path, layout: Layout, report: ImportReport) -> None:
    """What the file is, what becomes of its columns, and what of its people."""
    click.echo(f"{file.name}: {_FULL_NAMES[layout.tool.name]}, {count_of(report.rows, 'row')}")
    for target, columns in layout.columns().items():
        _tell_names(target, columns)
    _tell_names("fields", [name for name, _ in layout.fields])
    _tell_names("not taken", layout.dropped)
    _tell_names("no column", report.left_out)
    merged = report.merged
    for status, people in merged.added.items():
        _tell_count(people, f"new, {status}")
    _tell_count(merged.updated, "known, and something new was learned")
    _tell_count(merged.unchanged, "known, nothing new")
    _tell_count(merged.left, "active here until now, not to be mailed any more")
    _tell_count(merged.kept_unsubscribed, "active in the file; they have left here and stay away")
    _tell_count(merged.kept_out, "suppressed or forgotten here; nothing is stored of them")
    _tell_count(merged.duplicates, "repeated addresses")
    _tell_count(report.rejected, "rejected")
    for reject in report.examples:
        click.echo(f"{'':11}  row {reject.row}: {reject.reason}")
    if report.rejected > len(report.examples):
        click.echo(f"{'':11}  …")
    if told := ", ".join(f"{count:,} {reason}" for reason, count in report.suppressed.items()):
        click.echo(f"Not to be mailed, says the file: {told}")


def _tell_names(title: str, names: Sequence[str]) -> None:
    if names:
        lines = click.wrap_text(
            ", ".join(names), width=78, initial_indent=f"  {title:<10} ", subsequent_indent=" " * 13
        )
        click.echo(lines)


def _tell_count(count: int, what: str) -> None:
    if count:
        click.echo(f"  {count:>9,}  {what}")


@click.command("export")
@status_option(help="Only people with this status; may be repeated.")
@segment_option(help="Only people in this segment, such as 'tag = cv'.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a file that only you can read.  [default: standard output]",
)
@click.option("--raw", is_flag=True, help="Cells as they are, for programs; not for spreadsheets.")
def export_people(
    statuses: tuple[SubscriberStatus, ...], segment: Segment | None, out: Path | None, raw: bool
) -> None:
    """Write everybody who is known as CSV.

    What a spreadsheet would take for a formula begins with an apostrophe, which `subscribers import` takes away again.
    Whoever must not be mailed is `unsubscribed`, with the reason in the column `suppressed`.
    """
    from newsletter.errors import UsageError
    from newsletter.exporting import Everybody, export_file
    from newsletter.exporting import export_people as write
    from newsletter.project import Project

    project = Project.open(Path.cwd())
    if out is not None and out.resolve() == (project.root / project.publication.audience).resolve():
        raise UsageError(f"--out {out}: this is the list itself")
    everybody = Everybody(project)
    with targeted(project, segment) as meant:
        if out is None:
            write(everybody, sys.stdout, raw=raw, statuses=statuses, meant=meant)
        else:
            count = export_file(everybody, out, raw=raw, statuses=statuses, meant=meant)
            click.echo(f"written  {out}, {count_of(count, 'person', 'people')}")
    tell_bad_rows(project, everybody)
