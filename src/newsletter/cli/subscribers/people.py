"""`newsletter subscribers add|remove|lift`: one person."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from newsletter.audience.models import Subscriber
    from newsletter.audience.register import Suppression
    from newsletter.mail.address import Address
    from newsletter.project import Project

OPERATOR = "operator"
_CONSEQUENCES: Mapping[str, str] = {
    "unsubscribed": (
        "They have asked for no more mail. Mailing them against their wish breaks the law in most countries, and"
        " complaints cost your other readers their mail. Go on only if they have asked you to come back."
    ),
    "complaint": (
        "They have reported your mail as spam. One more report from them hurts everything you send. Go on only if"
        " they have asked you to come back."
    ),
}


@click.command()
@click.argument("address")
@click.option("--name", default="", help="How to greet them.")
@click.option("--tag", "tags", multiple=True, help="A tag; may be repeated.")
@click.option("--language", help="A language such as zh-CN.")
@click.option("--field", "fields", multiple=True, metavar="NAME=VALUE", help="May be repeated.")
@click.option("--reason", default="", help="How they have agreed; goes on record.")
@click.option(
    "--confirm", is_flag=True, help="Ask them by mail first; `newsletter serve` sends it."
)
def add(
    address: str,
    name: str,
    tags: tuple[str, ...],
    language: str | None,
    fields: tuple[str, ...],
    reason: str,
    confirm: bool,
) -> int:
    """Add ADDRESS, of somebody who has agreed to get the mail.

    Exit code 1 when nobody was added: they are there already, or they must not be mailed.
    """
    from newsletter.membership import open_membership
    from newsletter.project import Project

    person = _person(address, name=name, tags=tags, language=language, fields=fields)
    with open_membership(Project.open(Path.cwd())) as membership:
        stop = membership.register.suppression(membership.identify(person))
        if stop and (not confirm or stop.reason != "unsubscribed"):
            click.echo(f"{person.address} must not be mailed: {_told(stop)}; nobody was added")
            if stop.reason != "forgotten":
                click.echo(f"next: newsletter subscribers lift {person.address} --reason …")
            return 1
        if confirm:
            if not membership.request(person, source=OPERATOR):
                click.echo(
                    f"{person.address} is on the list already, or was asked today, or three times in all"
                )
                return 1
            click.echo(
                f"{person.address} will be asked to confirm; `newsletter serve` sends the mail"
            )
            return 0
        if not membership.add(person, source=OPERATOR, reason=reason):
            click.echo(f"{person.address} is on the list already")
            return 1
    click.echo(f"added  {person.address}")
    return 0


@click.command()
@click.argument("address")
@click.option("--reason", default="", help="Goes on record.")
@click.option("--forget", is_flag=True, help="Erase all that is known of them.")
@click.option("--yes", is_flag=True, help="Forget without asking.")
def remove(address: str, reason: str, forget: bool, yes: bool) -> int:
    """Unsubscribe ADDRESS: it gets no more mail, whatever list it is on.

    --forget erases the person from the list, the database, the record of every send and the logs. What stays is a
    keyed hash, so that an old export does not bring them back. Backups and exports are yours to clean.
    """
    from newsletter.membership import open_membership
    from newsletter.project import Project

    found = _address(address)
    project = Project.open(Path.cwd())
    if forget:
        return _forget(project, found, yes=yes)
    with open_membership(project) as membership:
        who = membership.register.identify(found.key)
        if membership.leave(who, source=OPERATOR, reason=reason, address=found.key):
            click.echo(f"unsubscribed  {found}")
        else:
            click.echo(f"{found} gets no mail already")
    return 0


@click.command()
@click.argument("address")
@click.option("--reason", required=True, help="Why they may be mailed again; goes on record.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def lift(address: str, reason: str, yes: bool) -> int:
    """Take back that ADDRESS must not be mailed.

    After a bounce that was a mistake, or when somebody who has left asks you to come back; then they are active again.
    Whoever is forgotten can only come back by the form. Exit code 1 when nothing keeps them from being mailed.
    """
    from newsletter.errors import Declined, UsageError
    from newsletter.membership import open_membership
    from newsletter.project import Project

    found = _address(address)
    with open_membership(Project.open(Path.cwd())) as membership:
        who = membership.register.identify(found.key)
        stop = membership.register.suppression(who)
        if stop and stop.reason == "forgotten":
            raise UsageError(
                f"{found} was forgotten; they can only come back by themselves, by the form"
            )
        if stop:
            click.echo(f"{found}: {_told(stop)}", err=True)
        consequences = _CONSEQUENCES.get(stop.reason if stop else "unsubscribed")
        if consequences and not yes and (stop or membership.person(who)):
            click.echo(click.wrap_text(consequences, 78), err=True)
            if not click.confirm(f"Mail {found} again?", err=True):
                raise Declined("nothing was changed")
        if not membership.lift(who, key=found.key, source=OPERATOR, reason=reason):
            click.echo(f"nothing keeps {found} from being mailed")
            return 1
    click.echo(f"lifted  {found}")
    return 0


def _forget(project: Project, address: Address, *, yes: bool) -> int:
    from newsletter.delivery.lock import run_lock
    from newsletter.errors import Declined
    from newsletter.membership import open_membership
    from newsletter.sending import LOCK_NAME

    if not yes:
        what = (
            f"Everything about {address} will be erased: subscription, story, consents, and their part in the"
            " record of every send. This cannot be taken back."
        )
        click.echo(click.wrap_text(what, 78), err=True)
        if not click.confirm(f"Forget {address}?", err=True):
            raise Declined("nobody was forgotten")
    with run_lock(project.state_dir / LOCK_NAME), open_membership(project) as membership:
        who = membership.register.identify(address.key)
        known = membership.forget(who, key=address.key, source=OPERATOR)
    click.echo(f"forgotten  {address}" + ("" if known else "  (nothing was known of them)"))
    return 0


def _told(stop: Suppression) -> str:
    """`unsubscribed, by one-click, 2026-11-23 10:00`."""
    from newsletter.delivery.sendlog import timestamp

    return f"{stop.reason}, by {stop.source}, {timestamp(stop.at)[:16].replace('T', ' ')}"


def _address(text: str) -> Address:
    from newsletter.errors import UsageError
    from newsletter.mail.address import parse_address

    try:
        return parse_address(text)
    except ValueError as error:
        raise UsageError(f"{text!r}: {error}") from None


def _person(
    address: str,
    *,
    name: str,
    tags: tuple[str, ...],
    language: str | None,
    fields: tuple[str, ...],
) -> Subscriber:
    """The person that the options describe, held to what a row of a list may say."""
    from newsletter.audience import cells
    from newsletter.audience.models import Subscriber
    from newsletter.errors import UsageError

    pairs = [text.partition("=") for text in fields]
    for field, equals, _ in pairs:
        if not equals or cells.field_name(field) != field:
            raise UsageError(
                f"--field {field}: write NAME=VALUE, the name in letters, digits and _"
            )
    try:
        found = {field: value.strip() for field, _, value in pairs}
        cells.check_fields(found)
        return Subscriber(
            address=_address(address),
            name=cells.name(name.strip()),
            tags=cells.tags("; ".join(tags)),
            language=cells.language(language or ""),
            fields=found,
        )
    except cells.RowError as error:
        raise UsageError(error.reason) from None
