"""`newsletter dkim new`: a key that signs the mail, and what to publish so that others can verify it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from newsletter.config import DkimKey, Publication

_KINDS = {"rsa": "RSA", "ed25519": "ED25519"}
_PLAIN = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)\Z)[a-z][a-z0-9_./-]*", re.IGNORECASE)


@click.group()
def command() -> None:
    """Make keys for DKIM signatures (RFC 6376)."""


@command.command()
@click.option(
    "--type",
    "kind",
    type=click.Choice(tuple(_KINDS)),
    default="rsa",
    show_default=True,
    help="Every receiver reads rsa (2048 bits); ed25519 may stand beside it.",
)
@click.option(
    "--selector", metavar="NAME", help="Names the key in the DNS.  [default: TYPE-YYYYMM]"
)
@click.option(
    "--out",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Key file to write.  [default: .newsletter/dkim/NAME.pem]",
)
def new(kind: str, selector: str | None, file: Path | None) -> None:
    """Make a new key.

    Writes the private key for its owner only, and prints the TXT record to publish and the lines for
    newsletter.yaml. An existing file is never overwritten.
    """
    from newsletter.composing.signing import new_key, public_record, write_key
    from newsletter.errors import UsageError
    from newsletter.mail.dkim import Algorithm
    from newsletter.project import Project

    publication = Project.open(Path.cwd()).publication
    if selector is None:
        selector = f"{kind}-{datetime.now(UTC):%Y%m}"
    entry = _entry(selector, file)
    key = new_key(Algorithm[_KINDS[kind]])
    try:
        write_key(key, entry.path.expanduser())
    except FileExistsError:
        raise UsageError(
            f"{entry.path} exists already, and a key is never overwritten; choose another --selector"
        ) from None
    click.echo(f"written  {entry.path}, readable by you alone; keep it out of git\n")
    _tell_record(entry, public_record(key), domain=publication.signing_domain)
    _tell_settings(entry, publication)


def _entry(selector: str, file: Path | None) -> DkimKey:
    from pydantic import ValidationError

    from newsletter.config import DkimKey

    try:
        return DkimKey(selector=selector, file=file)
    except ValidationError:
        raise click.BadParameter(
            f"{selector!r} may have letters, digits, hyphens and dots only", param_hint="--selector"
        ) from None


def _tell_record(entry: DkimKey, record: str, *, domain: str) -> None:
    """The TXT record as a zone file has it."""
    from newsletter.mail.dkim import txt_strings

    click.echo(f"1. Publish this TXT record in the DNS of {domain}:\n")
    click.echo(f"{entry.selector}._domainkey.{domain}. IN TXT (")
    for string in txt_strings(record):
        click.echo(f'  "{string}"')
    click.echo(")\n")


def _tell_settings(entry: DkimKey, publication: Publication) -> None:
    """The lines for newsletter.yaml, whole or to be added to those that are there."""
    if publication.dkim is None:
        click.echo("2. When it can be looked up, put this into newsletter.yaml:\n\ndkim:\n  keys:")
    else:
        click.echo("2. When it can be looked up, add this to dkim.keys in newsletter.yaml:\n")
    click.echo(f"    - selector: {_yaml(entry.selector)}")
    if entry.file is not None:
        click.echo(f"      file: {_yaml(str(entry.file))}")


def _yaml(text: str) -> str:
    """`text` as a scalar of YAML that nobody takes for anything but text."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
