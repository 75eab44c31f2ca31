"""Write docs/cli.md from the commands' own help: `python tools/update_cli_docs.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from newsletter.cli import cli

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"
WIDTH = 78  # what Click makes of a terminal of 80 columns
HEAD = """\
<!-- Written by tools/update_cli_docs.py from the commands' own help; a test keeps it current. -->
# The command line

A publication is a folder with a `newsletter.yaml`; every command works on the folder it is run in, or on the one that
`-C DIR` names. What a command has to say about your files it says with their place, `content/064.yaml:37:9: …`.

| exit code | meaning |
|---|---|
| 0 | done; after a send: everybody is settled |
| 1 | mistakes in a source, a template or the list, or the relay refused us for good |
| 2 | the command line or the settings are wrong, or there is no such issue |
| 75 | not everybody is settled yet; run the same command again later |
| 130 | interrupted |

75 means that the relay or the mailbox for bounces is away, that somebody is deferred or in doubt, or that another send
is running here.

| variable | meaning |
|---|---|
| `NEWSLETTER_RELAY` | where mail is handed over, instead of `relay.url` |
| `NEWSLETTER_RELAY_PASSWORD` | its password, instead of the 0600 file `relay.password_file` |
| `NEWSLETTER_SECRET` | keys unsubscribe links and Message-IDs, instead of `.newsletter/secret` |
| `NEWSLETTER_IMAP_PASSWORD` | for `bounces process imaps://…`, instead of the 0600 file `bounces.password_file` |
| `NEWSLETTER_MAILGUN_KEY`, `NEWSLETTER_POSTMARK_PASSWORD` | for webhooks, see docs/returns.md |
| `NEWSLETTER_SITE_URL`, `NEWSLETTER_PUBLIC_URL` | instead of `site_url` and `public_url` |

The relay is one URL: `smtp://host:25`, `smtps://host:465` or `smtp+starttls://user@host:587`. A remote `smtp://`
insists on STARTTLS unless the URL ends in `?tls=none`; one on this machine does not.
"""


def page() -> str:
    """The whole of docs/cli.md."""
    context = click.Context(cli, info_name="newsletter", terminal_width=WIDTH)
    return "\n".join([HEAD, *_sections(context)])


def _sections(context: click.Context) -> Iterator[str]:
    """The help of a command, then of the commands below it."""
    command = context.command
    context.help_option_names = ["-h", "--help"]
    help_text = command.get_help(context).rstrip()
    yield f"## {context.command_path}\n\n```text\n{help_text}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from _sections(click.Context(below, info_name=name, parent=context))


def main() -> None:
    """Write the page and name it."""
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE.relative_to(PAGE.parent.parent))


if __name__ == "__main__":
    main()
