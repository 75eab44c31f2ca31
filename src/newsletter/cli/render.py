"""`newsletter render 64 --out DIR`: one issue as files, as one reader gets it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.arguments import issue_argument

if TYPE_CHECKING:
    from newsletter.audience.models import Subscriber
    from newsletter.project import Project
    from newsletter.rendering.edition import Edition


@click.command()
@issue_argument()
@click.option(
    "--out",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out"),
    show_default=True,
    help="Folder to write into; it is made if need be.",
)
@click.option("--as", "address", metavar="ADDRESS", help="As this subscriber of the list gets it.")
def command(number: int, folder: Path, address: str | None) -> None:
    """Write issue NUMBER as 064.html, 064.txt and 064.eml.

    Without --as it is addressed to a sample reader, who sees every item. Pictures that travel in the
    message are written to DIR/images, so that the page opens in a browser.
    """
    from newsletter.mailing import Mailing
    from newsletter.project import Project

    project = Project.open(Path.cwd())
    mailing = Mailing(project, project.issue(number), signed=False)  # a look needs no DKIM key
    if address is None:
        reader, composer = _sample_reader(project), mailing.composer()
    else:
        reader = _subscriber(project, address)
        composer = mailing.composer(reader)
    message = composer.message(reader)
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "html": _with_image_files(composer.html(reader), composer.edition, folder).encode(),
        "txt": composer.text(reader).encode(),
        "eml": message.data,
    }
    for suffix, data in contents.items():
        path = folder / f"{number:03d}.{suffix}"
        path.write_bytes(data)
        click.echo(f"written  {path}  ({len(data):,} bytes)")
    for warning in composer.edition.warnings:
        click.secho(f"warning: {warning}", fg="yellow", err=True)


def _subscriber(project: Project, address: str) -> Subscriber:
    from newsletter.errors import UsageError

    subscriber = project.subscriber(address)
    if subscriber is None:
        raise UsageError(f"{address} is not in {project.publication.audience}")
    return subscriber


def _sample_reader(project: Project) -> Subscriber:
    """A reader who is in no list, with the list's own columns, since a template may use them."""
    from newsletter.audience.models import Subscriber
    from newsletter.errors import AudienceError
    from newsletter.mail.address import parse_address

    try:
        known = next((row.subscriber for row in project.subscribers() if row.subscriber), None)
    except AudienceError:
        known = None  # an issue can be looked at before there is a list
    return Subscriber(
        address=parse_address("reader@example.com"),
        name="读者",
        language=project.publication.language,
        fields={name: f"（{name}）" for name in known.fields} if known else {},
    )


def _with_image_files(html: str, edition: Edition, folder: Path) -> str:
    """`html` with its embedded pictures as files beside it."""
    for image in edition.images:
        name = f"{image.content_id.partition('@')[0]}-{image.filename}"
        (folder / "images").mkdir(exist_ok=True)
        (folder / "images" / name).write_bytes(image.data)
        html = html.replace(f"cid:{image.content_id}", f"images/{name}")
    return html
