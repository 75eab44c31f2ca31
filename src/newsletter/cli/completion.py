"""`newsletter completion bash|zsh|fish`: the script that makes TAB work."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    bash   eval "$(newsletter completion bash)"   in ~/.bashrc
    zsh    eval "$(newsletter completion zsh)"    in ~/.zshrc
    fish   newsletter completion fish > ~/.config/fish/completions/newsletter.fish
    """  # noqa: D301 - Click wants a real backspace
    completion = get_completion_class(shell)
    assert completion is not None  # Click brings all three
    root = context.find_root().command
    click.echo(completion(root, {}, "newsletter", "_NEWSLETTER_COMPLETE").source())
