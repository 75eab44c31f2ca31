"""The command line: options, one library call, output, exit code. Only this prints and exits."""

from __future__ import annotations

import gc
import os
import sys
from typing import Any

import click

from newsletter import __version__
from newsletter.cli.lazy import LazyGroup
from newsletter.errors import NewsletterError, UsageError

INTERRUPTED = 128 + 2  # what a shell reports for a process that SIGINT ended
GARBAGE = 20_000
"""Objects between two collections of garbage. Imports and templates make many that stay, and Python's 700 ask often."""


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="See `newsletter COMMAND --help` for the options of a command.",
)
@click.version_option(__version__, prog_name="newsletter", message="%(prog)s %(version)s")
@click.option(
    "-C",
    "folder",
    metavar="DIR",
    type=click.Path(),
    help="Run in this folder instead of the current one.",
)
def cli(folder: str | None) -> None:
    """Newsletters as code: a git folder becomes mail, with every send on record."""
    if folder is not None:
        try:
            os.chdir(folder)
        except OSError as error:
            raise UsageError(f"-C {folder}: {error.strerror}") from None


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit code; a command returns its own, or None for 0."""
    gc.set_threshold(GARBAGE)
    _speak_utf8()
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter must not flush into the pipe again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _run(arguments: list[str] | None) -> int:
    try:
        result: Any = cli.main(arguments, prog_name="newsletter", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except NewsletterError as error:
        _complain(str(error), label=not error.problems)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort as abort:
        if isinstance(abort.__cause__ or abort.__context__, EOFError):
            _complain("there is nobody to answer; see --help for options that need no answer")
            return 1
        return INTERRUPTED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _complain(f"{where}{error.strerror or error}")
        return 1


def _complain(message: str, *, label: bool = True) -> None:
    if label:
        click.secho("error: ", fg="red", nl=False, err=True)
    click.echo(message, err=True)


def _speak_utf8() -> None:
    """Write UTF-8 whatever the locale says: LANG=C in a crontab must not break a Chinese title."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
