"""The numbers of issues: which files belong to one, and which issues there are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from newsletter.errors import Place, Problem, SourceError, UsageError
from newsletter.source.text import display_path, refuse_outside

SUFFIXES = (".yaml", ".yml", ".md")
"""What the name of an issue source ends with."""

_NAME = re.compile(r"(?P<number>[0-9]{1,9})(?:-.*)?\.(?:yaml|yml|md)", re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(r"[0-9]{1,9}")
_NEAREST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueFile:
    """A file that by its name is the source of an issue.

    Attributes:
        number: the number in its name.
        path: the file.
        display: the file as the user would type it.

    """

    number: int
    path: Path
    display: str


def number_of(name: str) -> int | None:
    """The number in a file name such as 64.yaml, 064.md or 064-any-slug.yml, or None."""
    match = _NAME.fullmatch(name)
    return int(match["number"]) if match else None


def list_issues(content_dir: Path, *, root: Path) -> list[IssueFile]:
    """Every issue source in the folder by number and name, several of one number included.

    A folder that does not exist has none.

    Raises:
        SourceError: the folder cannot be read.

    """
    if not content_dir.is_dir():
        return []
    found = [
        IssueFile(number=number, path=path, display=display_path(path, root=root))
        for path in _entries(content_dir, root=root)
        if (number := number_of(path.name)) is not None and not path.is_dir()
    ]
    return sorted(found, key=lambda file: (file.number, file.path.name))


def _entries(folder: Path, *, root: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        place = Place(path=display_path(folder, root=root))
        problem = Problem(message=f"cannot be read: {error.strerror}", place=place)
        raise SourceError(problems=[problem]) from None


def find_issue(content_dir: Path, number: str | int, *, root: Path) -> Path:
    """The source of issue `number`: 64.*, 064.* or 064-any-slug.*.

    Raises:
        UsageError: `number` is not a number, or there is no such issue; names the nearest.
        SourceError: two files have the number, or the file leads out of `root`.

    """
    wanted = _parse(number)
    files = list_issues(content_dir, root=root)
    matching = [file for file in files if file.number == wanted]
    if not matching:
        raise UsageError(_unknown(wanted, files, display_path(content_dir, root=root)))
    if len(matching) > 1:
        raise SourceError(problems=[_duplicate(wanted, matching)])
    refuse_outside(matching[0].path, root=root)
    return matching[0].path


def _parse(number: str | int) -> int:
    text = str(number).strip()
    if not _NUMBER.fullmatch(text):
        shown = text if len(text) <= 40 else text[:39] + "…"
        raise UsageError(f"{shown!r} is not the number of an issue (write it in digits, as in 64)")
    return int(text)


def _unknown(wanted: int, files: Iterable[IssueFile], folder: str) -> str:
    numbers = {file.number for file in files}
    if not numbers:
        return (
            f"there is no issue {wanted}, and none at all in {folder}/ "
            "(`newsletter new` makes the first)"
        )
    nearest = sorted(numbers, key=lambda number: (abs(number - wanted), -number))[:_NEAREST]
    listed = ", ".join(str(number) for number in sorted(nearest))
    return f"there is no issue {wanted} in {folder}/ (nearest: {listed})"


def _duplicate(number: int, files: list[IssueFile]) -> Problem:
    names = " and ".join(file.display for file in files)
    return Problem(
        message=f"issue {number} has {len(files)} files: {names}",
        place=Place(path=files[0].display),
        hint="keep one of them",
    )
