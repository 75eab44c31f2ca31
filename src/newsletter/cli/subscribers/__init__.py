"""`newsletter subscribers …`: who is on the list, one by one and in files."""

from __future__ import annotations

import click

from newsletter.cli.subscribers.listing import list_people
from newsletter.cli.subscribers.moving import export_people, import_people
from newsletter.cli.subscribers.people import add, lift, remove
from newsletter.cli.subscribers.stats import stats


@click.group()
def command() -> None:
    """See and change who is on the list, and move people in and out."""


for _command in (list_people, add, remove, lift, import_people, export_people, stats):
    command.add_command(_command)
