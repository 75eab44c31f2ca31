"""What `newsletter init` and `newsletter new` write: a whole publication, and one more issue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from newsletter.errors import UsageError

_CONFIG = "newsletter.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What `start_publication` did, as paths relative to the folder.

    Attributes:
        written: new files, in the order in which they were written.
        kept: files that were there before and were left alone.

    """

    written: tuple[Path, ...]
    kept: tuple[Path, ...]


def start_publication(folder: Path, *, first_date: datetime) -> Started:
    """Write a new publication into `folder`, which is made if need be; no file is ever overwritten.

    Args:
        folder: where to.
        first_date: when the first issue may go out, aware.

    Raises:
        UsageError: the folder has a publication already.
        OSError: a file cannot be written.

    """
    if (folder / _CONFIG).exists():
        raise UsageError(f"{folder / _CONFIG} exists already: this folder has a publication")
    written: list[Path] = []
    kept: list[Path] = []
    # The configuration comes last: an interrupted start can be started again.
    for path, source in sorted(_files(), key=lambda found: found[0] == Path(_CONFIG)):
        data = source.read_bytes()
        if path.parent.name == "content":
            data = _filled(data.decode(), number=1, date=first_date).encode()
        (written if _write_new(folder / path, data) else kept).append(path)
    return Started(written=tuple(written), kept=tuple(kept))


def issue_source(*, number: int, date: datetime, prose: bool) -> str:
    """The source of a new issue: YAML, or Markdown with front matter when `prose`."""
    name = "issue.md" if prose else "issue.yaml"
    return _filled((files(__name__) / name).read_text("utf-8"), number=number, date=date)


def _files() -> Iterator[tuple[Path, Traversable]]:
    """Every file of a new publication: its path there, and where its content is."""
    for path, source in _walk(files(__name__) / "files", Path()):
        yield (Path(".gitignore") if path == Path("gitignore") else path), source
    yield from _walk(files("newsletter") / "theme", Path("templates"))


def _walk(folder: Traversable, path: Path) -> Iterator[tuple[Path, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _walk(entry, path / entry.name)
        elif not entry.name.startswith("."):
            yield path / entry.name, entry


def _filled(text: str, *, number: int, date: datetime) -> str:
    return Template(text).substitute(number=number, date=date.isoformat(timespec="seconds"))


def _write_new(path: Path, data: bytes) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as stream:
            stream.write(data)
    except FileExistsError:
        return False
    return True
