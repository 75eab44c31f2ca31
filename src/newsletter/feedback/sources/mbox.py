"""An mbox (RFC 4155), as local mail servers append to it: read, and left in place."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from newsletter.errors import MailboxError
from newsletter.feedback.sources.letter import READ, Letter, Letters, Unread

LOCK_SECONDS = 30.0
LONGEST_LINE = 1 << 16
_FROM = b"From "
_SEPARATOR = re.compile(rb"From .{0,400}\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


def is_mbox(path: Path) -> bool:
    """Whether a file begins like one."""
    try:
        with path.open("rb") as file:
            return file.read(len(_FROM)) == _FROM
    except OSError:
        return False


def mbox_letters(path: Path) -> Letters:
    """The mails of an mbox in their order.

    It is locked (fcntl(2)) only while it is copied, so that mail can go on arriving.

    Raises:
        MailboxError: somebody else holds it for too long.

    """
    with tempfile.TemporaryFile() as copy:
        try:
            with path.open("rb") as file, _locked(file, path):
                shutil.copyfileobj(file, copy, 1 << 20)
        except OSError as error:
            if isinstance(error, MailboxError):
                raise
            yield Unread(os.fspath(path), error.strerror or str(error))
            return
        copy.seek(0)
        for number, data in enumerate(_split(copy), 1):
            yield Letter(name=f"{path}, mail {number}", data=_QUOTED.sub(rb"\1", data))


def _split(file: IO[bytes]) -> Iterator[bytes]:
    """What stands behind each `From ` line with a day that follows a blank one."""
    mail: list[bytes] = []
    length = 0
    begun, blank = False, True
    while line := file.readline(LONGEST_LINE):
        if not begun or (blank and _SEPARATOR.match(line)):
            if begun:
                yield b"".join(mail)
            begun, length = True, 0
            mail.clear()
        elif length < READ:
            mail.append(line)
            length += len(line)
        blank = line in (b"\n", b"\r\n")
    if begun:
        yield b"".join(mail)


@contextmanager
def _locked(file: IO[bytes], path: Path) -> Iterator[None]:
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > until:
                raise MailboxError(
                    f"{path}: another program holds this mailbox; try again later"
                ) from None
            time.sleep(0.1)
    try:
        yield
    finally:
        fcntl.lockf(file, fcntl.LOCK_UN)
