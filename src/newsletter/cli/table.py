"""Columns on a terminal, counted in display cells: a Chinese character takes two."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from itertools import chain, islice

import click
from wcwidth import wcswidth, wcwidth

GAP = "  "
MEASURED = 1000  # rows


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Print rows under a header; on a terminal the last column is cut to fit, in a pipe nothing is.

    Returns:
        How many rows there were. The widths are those of the first thousand; what follows is printed as it comes.

    """
    stream = iter(rows)
    lines = [[_plain(cell) for cell in row] for row in (header, *islice(stream, MEASURED))]
    widths = [max(map(_cells, column)) for column in list(zip(*lines, strict=True))[:-1]]
    used = sum(widths) + len(GAP) * len(widths)
    room = shutil.get_terminal_size().columns - used if sys.stdout.isatty() else None
    count = -1
    for line in chain(lines, ([_plain(cell) for cell in row] for row in stream)):
        padded = [
            cell + " " * (width - _cells(cell)) for cell, width in zip(line, widths, strict=False)
        ]
        last = line[-1] if room is None else _cut(line[-1], max(room, 8))
        text = GAP.join([*padded, last]).rstrip()
        count += 1
        click.echo(click.style(text, bold=True) if count == 0 else text)
    return count


def _cells(text: str) -> int:
    return max(wcswidth(text), 0)


def _plain(text: str) -> str:
    """`text` without anything that could move the cursor."""
    return "".join(char if char.isprintable() else " " for char in text)


def _cut(text: str, room: int) -> str:
    if _cells(text) <= room:
        return text
    kept, used = "", 1
    for char in text:
        used += max(wcwidth(char), 0)
        if used > room:
            break
        kept += char
    return f"{kept}…"
