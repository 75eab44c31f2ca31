"""Mails in files of their own, and one that an MTA hands over on standard input."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from newsletter.feedback.sources.letter import READ, Letter, Letters, Unread


def read_regular(path: Path) -> bytes:
    """The first 5 MiB of a file that is one.

    Raises:
        OSError: it cannot be read, or is a pipe, a folder, a device.

    """
    # A pipe in the folder must not hold up the others.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "not a file")
        return file.read(READ)


def file_letters(paths: Iterable[Path]) -> Letters:
    """A mail in each of these files, which stay as they are."""
    for path in paths:
        shown = os.fspath(path)
        try:
            data = read_regular(path)
        except OSError as error:
            yield Unread(shown, error.strerror or str(error))
        else:
            yield Letter(name=shown, data=data)


def piped_letter(stream: BinaryIO, *, envelope_to: str | None) -> Letters:
    """The one mail on a stream, read to its end so that whoever writes it is not cut off."""
    data = stream.read(READ)
    while stream.read(1 << 20):
        pass
    if data.strip():
        yield Letter(name="standard input", data=data, envelope_to=envelope_to)
    else:
        yield Unread("standard input", "there is no mail")
