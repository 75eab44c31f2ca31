"""The table of commands, and a Click group that imports a command only when it is called.

`newsletter --help` and completion answer from the table, so they import no heavy library.
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module

import click
from click.shell_completion import CompletionItem

# Command, its module in this package (which has it as `command`), one line for the listing.
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("init", "Start a new publication in a folder."),
    "new": ("new", "Write the source of the next issue."),
    "list": ("listing", "List the issues with date and status."),
    "check": ("check", "Tell what is wrong with an issue."),
    "render": ("render", "Write one issue as .html, .txt and .eml."),
    "preview": ("preview", "Open a live page of one issue in the browser."),
    "send": ("send", "Send an issue, or every issue that is due."),
    "status": ("status", "Tell how the sending of an issue stands."),
    "log": ("log", "Show every attempt at sending an issue."),
    "explain": ("explain", "Tell what happened to one subscriber, and why."),
    "resolve": ("resolve", "Settle what is in doubt by hand."),
    "subscribers": ("subscribers", "See and change who is on the list; move people in and out."),
    "bounces": ("bounces", "Act on what came back: bounces, complaints, requests."),
    "serve": ("serve", "Answer subscribe forms and unsubscribe links."),
    "dkim": ("dkim", "Make keys that sign the mail, and their DNS records."),
    "schedule": ("schedule", "Print the crontab line and the systemd timer."),
    "completion": ("completion", "Print the completion script of a shell."),
}


class LazyGroup(click.Group):
    """A group whose commands stand in `COMMANDS` until one of them is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command, if there is one of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"newsletter.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one may have been meant."""
        if args[0] not in COMMANDS:
            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            ctx.fail(f"No such command '{args[0]}'.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the listing of `--help` from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a command's name, or an option of the group, from the table."""
        names = [
            CompletionItem(name, help=short)
            for name, (_, short) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)
