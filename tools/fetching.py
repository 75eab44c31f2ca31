"""Fetching something once: into a folder of this repository that git ignores, whole or not at all."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

PATIENCE = 300


class CannotFetch(Exception):
    """What is wanted is not here, and cannot be got."""


def kept(folder: Path, fetch: Callable[[Path], Path]) -> Path:
    """`folder`, made on first use.

    Args:
        folder: where the files are to be.
        fetch: puts them below the folder that it is given, and says where.

    Raises:
        CannotFetch: from `fetch`.

    """
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        found = fetch(Path(made))
        try:
            found.rename(folder)
        except OSError:
            if not folder.is_dir():  # somebody else was faster
                raise
    return folder


def run(command: Sequence[str | Path], *, what: str, where: Path) -> None:
    """Run a program that fetches; `what` names it in the error.

    Raises:
        CannotFetch: it cannot be run, does not end, or fails; with its first line that says why.

    """
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=where
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotFetch(f"{what}: {error}") from None
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).strip().splitlines() if line.strip()]
        said = [line.strip() for line in lines if line.startswith("ERROR")] or lines[:1]
        raise CannotFetch(f"{what}: {said[0] if said else done.returncode}")
