"""`newsletter preview 64`: a live page of one issue in the browser."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter.cli.arguments import issue_argument


@click.command()
@issue_argument(required=False)
@click.option(
    "--port",
    type=click.IntRange(min=0, max=65535),
    default=8064,
    show_default=True,
    help="Port on 127.0.0.1; 0 takes any free one.",
)
@click.option("--no-open", is_flag=True, help="Only print the address, open no browser.")
def command(number: int | None, port: int, no_open: bool) -> None:
    """Open a live page of issue NUMBER, or of all issues.

    It follows every change of sources, templates, settings and list within a second. Only this
    machine can reach it. Ctrl-C ends it.
    """
    from newsletter.preview.server import serve
    from newsletter.project import Project

    project = Project.open(Path.cwd())
    serve(project, number, port=port, open_browser=not no_open, announce=_announce)


def _announce(url: str) -> None:
    click.echo(f"Preview: {url}\nCtrl-C ends it.")
