"""A Maildir (https://cr.yp.to/proto/maildir.html): new mails, and those that nobody has marked as seen."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from newsletter.feedback.sources.files import read_regular
from newsletter.feedback.sources.letter import Letter, Letters, Unread

_INFO = ":2,"
_SEEN = "S"


def is_maildir(folder: Path) -> bool:
    """Whether a folder is one."""
    return (folder / "new").is_dir() and (folder / "cur").is_dir()


def maildir_letters(folder: Path) -> Letters:
    """The mails that wait, the oldest first; a settled one is in `cur` and marked as seen.

    Several processes may do this at once: a mail that another one has taken away is passed over.
    """
    waiting = [*_names(folder / "cur", unseen=True), *_names(folder / "new")]
    for path in sorted(waiting, key=lambda path: path.name):
        shown = os.fspath(path)
        try:
            data = read_regular(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            yield Unread(shown, error.strerror or str(error))
            continue
        yield Letter(name=shown, data=data, settle=_settler(folder, path))


def _names(folder: Path, *, unseen: bool = False) -> list[Path]:
    with os.scandir(folder) as entries:
        return [
            Path(entry.path)
            for entry in entries
            if not entry.name.startswith(".")
            and not (unseen and _SEEN in _flags(entry.name))
            and entry.is_file(follow_symlinks=False)
        ]


def _settler(folder: Path, path: Path) -> Callable[[], None]:
    def settle() -> None:
        unique = path.name.partition(_INFO)[0]
        flags = "".join(sorted({*_flags(path.name), _SEEN}))
        with contextlib.suppress(FileNotFoundError):
            path.rename(folder / "cur" / f"{unique}{_INFO}{flags}")

    return settle


def _flags(name: str) -> str:
    return name.partition(_INFO)[2]
