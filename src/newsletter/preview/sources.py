"""Lines of the author's files, for findings and mistakes; nothing else is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from newsletter.preview.watcher import is_source
from newsletter.rendering.folders import PACKAGED_THEME, locate
from newsletter.rendering.mistake import Mistake

_PACKAGED = "newsletter/theme/"
_MAX_BYTES = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Some lines of a file; `first` is the number of the first one, counted from 1."""

    path: str
    first: int
    lines: tuple[str, ...] = ()

    def marked(self, line: int) -> str:
        """The lines with their numbers, an arrow at `line`."""
        numbered = enumerate(self.lines, self.first)
        width = len(str(self.first + len(self.lines)))
        return "\n".join(
            f"{'→' if number == line else ' '} {number:>{width}} │ {text}"
            for number, text in numbered
        )


def excerpt(root: Path, path: str, line: int, *, around: int = 2) -> Excerpt:
    """The lines around `line` of what a message calls `path`; none where it may not be read."""
    folder, name = root, path
    if path.startswith(_PACKAGED):
        folder, name = PACKAGED_THEME, path.removeprefix(_PACKAGED)
    first = max(1, line - around)
    try:
        found = locate(folder, name)
        hidden = any(part.startswith(".") for part in Path(name).parts)
        if found is None or hidden or not is_source(name) or found.stat().st_size > _MAX_BYTES:
            return Excerpt(path=path, first=first)
        lines = found.read_text("utf-8-sig", errors="replace").split("\n")
    except (Mistake, OSError):
        return Excerpt(path=path, first=first)
    return Excerpt(path=path, first=first, lines=tuple(lines[first - 1 : line + around]))
