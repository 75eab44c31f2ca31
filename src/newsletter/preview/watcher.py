"""Noticing that an author saved something.

Directories are watched, not files, so that editors which write a new file and rename it over the
old one (vim, most IDEs) are seen as well. The project's folder itself is watched flat and its
useful folders deep, so that a `.venv` or `node_modules` next to the content costs nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from watchfiles import Change, awatch

DEBOUNCE_MS = 20
STEP_MS = 5
RESCAN_MS = 500
SUFFIXES = frozenset(
    {".yaml", ".yml", ".md", ".j2", ".css", ".html", ".txt", ".csv", ".tsv", ".json"}
    | {".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg"}
)
_SKIPPED = frozenset({"node_modules", "__pycache__", "dist", "build", "venv", "env"})


def is_source(path: str) -> bool:
    """Whether a file may be part of a mail; swap files, backups and hidden files are not."""
    name = Path(path).name
    if name.startswith((".", "~", "#")) or name.endswith(("~", "#")):
        return False
    return Path(path).suffix.lower() in SUFFIXES


def source_folders(root: Path) -> frozenset[Path]:
    """The folders right under `root` that are watched with everything in them."""
    with suppress(OSError):
        return frozenset(
            path
            for path in root.iterdir()
            if path.is_dir() and not path.name.startswith(".") and path.name not in _SKIPPED
        )
    return frozenset()


class Watcher:
    """Calls back in the event loop, at most a few hundredths of a second after a save.

    Args:
        root: the project's folder.
        on_change: gets the changed paths, relative to `root`.

    """

    def __init__(self, root: Path, on_change: Callable[[frozenset[str]], None]) -> None:
        self._root = root.resolve()
        self._on_change = on_change
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to watch; what is saved after this returns is seen.

        Raises:
            OSError: the system does not let us watch, for example because its limit of watches is
                reached.

        """
        self._tasks = [
            asyncio.create_task(self._watch_flat()),
            asyncio.create_task(self._watch_deep()),
        ]
        await asyncio.sleep(0)  # both run up to their first wait, and by then the kernel is asked
        for task in self._tasks:
            if task.done():
                task.result()

    async def stop(self) -> None:
        """Stop watching and wait until nothing of it is left."""
        self._stop.set()
        _done, late = await asyncio.wait(self._tasks, timeout=1) if self._tasks else ((), ())
        for task in late:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _watch_flat(self) -> None:
        async for changes in awatch(
            self._root,
            recursive=False,
            watch_filter=self._of_interest,
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            stop_event=self._stop,
        ):
            self._report(changes)

    async def _watch_deep(self) -> None:
        restarted = False
        while not self._stop.is_set():
            folders = source_folders(self._root)
            if folders:
                await self._watch_folders(folders, restarted=restarted)
            else:
                await self._pause()
            restarted = True

    async def _watch_folders(self, folders: frozenset[Path], *, restarted: bool) -> None:
        """Watch until a folder comes or goes, which is looked for once a second."""
        async for changes in awatch(
            *folders,
            watch_filter=self._of_interest,
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            stop_event=self._stop,
            rust_timeout=RESCAN_MS,
            yield_on_timeout=True,
        ):
            self._report(changes)
            if restarted:  # something may have been saved while nobody looked
                self._on_change(frozenset())
                restarted = False
            if source_folders(self._root) != folders:
                return

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), RESCAN_MS / 1000)

    def _of_interest(self, _change: Change, path: str) -> bool:
        return is_source(path) and not (_SKIPPED & set(Path(path).parts[len(self._root.parts) :]))

    def _report(self, changes: set[tuple[Change, str]]) -> None:
        if changes:
            paths = (Path(path).relative_to(self._root).as_posix() for _change, path in changes)
            self._on_change(frozenset(paths))
