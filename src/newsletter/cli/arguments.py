"""Arguments that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from newsletter.segments import Segment

_Function = TypeVar("_Function", bound=Callable[..., Any])


def issue_argument(*, required: bool = True) -> Callable[[_Function], _Function]:
    """The argument NUMBER, such as 64 or 064: an issue of this folder, as an int."""
    return click.argument(
        "number",
        metavar="NUMBER" if required else "[NUMBER]",
        required=required,
        callback=_number,
        shell_complete=_complete,
    )


def segment_option(*, help: str) -> Callable[[_Function], _Function]:  # noqa: A002
    """The option --segment, as a `Segment` or None."""
    return click.option("--segment", metavar="EXPRESSION", callback=_segment, help=help)


def _segment(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> Segment | None:
    from newsletter.errors import UsageError
    from newsletter.segments import SegmentError, parse_segment
    from newsletter.source.text import SourceText

    if value is None:
        return None
    try:
        return parse_segment(value)
    except SegmentError as error:
        written = SourceText(path="--segment", text=value)
        problem = written.problem(error.line, error.column, error.message, error.hint)
        raise UsageError(problems=[problem]) from None


def _number(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    if value is None or re.fullmatch("[0-9]{1,6}", value):
        return None if value is None else int(value)
    raise click.BadParameter(f"{value!r} is not the number of an issue, such as 64")


def _complete(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The issues of the folder, by the names of their files: nothing is read."""
    from newsletter.content.numbering import list_issues

    folder = Path((context.parent.params.get("folder") if context.parent else None) or ".")
    numbers = {file.number for file in list_issues(folder / "content", root=folder)}
    return [CompletionItem(n) for n in map(str, sorted(numbers)) if n.startswith(incomplete)]
