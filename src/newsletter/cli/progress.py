"""Progress: a live line on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

import click

from newsletter.delivery.options import Tally
from newsletter.delivery.states import State

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

PLAIN_SECONDS = 10.0


class Progress(Protocol):
    """Shows a tally now and then. `interval` is how often, in seconds."""

    interval: float

    def show(self, tally: Tally) -> None:
        """Show where the run is."""

    def __enter__(self) -> Progress: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def make_progress(number: int, total: int) -> Progress:
    """The kind of progress that fits stderr."""
    return _Live(number, total) if sys.stderr.isatty() else _Plain(number, total)


def describe(tally: Tally) -> str:
    """`1204 accepted, 3 deferred`."""
    told = [f"{tally.outcomes[state]} {state}" for state in State if tally.outcomes[state]]
    return ", ".join(told) or "connecting"


class _Plain:
    """For cron and pipes: no control codes."""

    interval = 0.5

    def __init__(self, number: int, total: int) -> None:
        self._number = number
        self._total = total
        self._last = time.monotonic()

    def __enter__(self) -> _Plain:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, tally: Tally) -> None:
        if time.monotonic() - self._last < PLAIN_SECONDS:
            return
        self._last = time.monotonic()
        done = sum(tally.outcomes.values())
        rate = done / max(tally.seconds, 1e-6)
        click.echo(
            f"issue {self._number}: {done} of {self._total}, {describe(tally)}, {rate:.0f} a second",
            err=True,
        )


class _Live:
    """For people: bar, rate, time left."""

    interval = 0.1

    def __init__(self, number: int, total: int) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._progress: RichProgress = Progress(
            TextColumn(f"issue {number}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}/s"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[told]}"),
            console=Console(stderr=True),
            transient=True,
            auto_refresh=False,
        )
        self._task = self._progress.add_task("", total=total, rate="0", told="connecting")

    def __enter__(self) -> _Live:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, tally: Tally) -> None:
        done = sum(tally.outcomes.values())
        rate = f"{done / max(tally.seconds, 1e-6):.0f}"
        self._progress.update(self._task, completed=done, rate=rate, told=describe(tally))
        self._progress.refresh()


class Reading:
    """How far the reading of a file is; a context manager.

    Args:
        name: of the file.
        size: its bytes; 0 when nobody knows.

    """

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._last = time.monotonic()
        self._bar: RichProgress | None = None
        if sys.stderr.isatty() and size:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=None),
                TextColumn("{task.percentage:>3.0f}%"),
                TextColumn("{task.fields[rows]} rows"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
                auto_refresh=False,
            )
            self._task = self._bar.add_task(name, total=size, rows="0")

    def __enter__(self) -> Reading:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, rows: int, position: int) -> None:
        """Show that so many rows, and bytes, have been read; all bytes means that they are being stored."""
        now = time.monotonic()
        if self._bar is not None:
            if now - self._last > _Live.interval or position >= self._size:
                self._last = now
                self._bar.update(self._task, completed=position, rows=f"{rows:,}")
                self._bar.refresh()
        elif now - self._last >= PLAIN_SECONDS:
            self._last = now
            done = f" ({100 * position // self._size} %)" if self._size else ""
            click.echo(f"{self._name}: {rows:,} rows{done}", err=True)
