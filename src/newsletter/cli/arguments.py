"""Arguments that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

_Function = TypeVar("_Function", bound=Callable[..., Any])


def issue_argument(*, required: bool = True) -> Callable[[_Function], _Function]:
    """The argument NUMBER: an issue of this folder, completed from the names of its sources."""
    return click.argument(
        "number", type=click.IntRange(min=0), required=required, shell_complete=_complete_issue
    )


def _complete_issue(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    # Names of files only: completion must not load or check a source.
    parent = context.parent.params.get("folder") if context.parent else None
    found = (re.match(r"\d+", path.name) for path in (Path(parent or ".") / "content").glob("*.*"))
    numbers = sorted({int(match.group()) for match in found if match})
    return [CompletionItem(str(n)) for n in numbers if str(n).startswith(incomplete)]
