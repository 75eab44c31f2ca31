"""Arguments that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

_Function = TypeVar("_Function", bound=Callable[..., Any])


class IssueNumber(click.ParamType):
    """The number of an issue, such as 64 or 064, completed from the names of the sources."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number, or a usage error."""
        if isinstance(value, int):
            return value
        if re.fullmatch("[0-9]{1,6}", str(value)):
            return int(value)
        return self.fail(f"{value!r} is not the number of an issue, such as 64", param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The issues of the folder, by the names of their files: nothing is read."""
        folder = (ctx.parent.params.get("folder") if ctx.parent else None) or Path()
        names = (path.name for path in (folder / "content").glob("*.*"))
        found = {int(match.group()) for name in names if (match := re.match("[0-9]+", name))}
        return [CompletionItem(n) for n in map(str, sorted(found)) if n.startswith(incomplete)]


def issue_argument(*, required: bool = True) -> Callable[[_Function], _Function]:
    """The argument NUMBER: an issue of this folder."""
    return click.argument("number", type=IssueNumber(), required=required)
