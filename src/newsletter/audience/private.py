"""Files with people in them: for their owner only, and whole or not there at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self


class PrivateFile:
    """A text file (mode 0600) that is written beside its place, and gets there when it is kept.

    Args:
        path: its place; what is there is replaced.
        encoding: of the text.

    Raises:
        OSError: from any method.

    """

    def __init__(self, path: Path, *, encoding: str = "utf-8") -> None:
        self.path = path
        self._draft = path.with_name(f".{path.name}.draft")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        descriptor = os.open(self._draft, flags, 0o600)
        self.text = os.fdopen(
            descriptor, "w", encoding=encoding, errors="surrogateescape", newline=""
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing behind that was not kept."""
        self.text.close()
        self._draft.unlink(missing_ok=True)

    def keep(self) -> None:
        """Put it in its place, on the disk."""
        self.text.flush()
        os.fsync(self.text.fileno())
        self._draft.replace(self.path)
