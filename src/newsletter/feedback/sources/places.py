"""What a word on the command line means: which kind of mailbox it names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from newsletter.errors import UsageError
from newsletter.feedback.sources.files import file_letters, piped_letter
from newsletter.feedback.sources.imap import SCHEMES, imap_letters, parse_account
from newsletter.feedback.sources.letter import Source
from newsletter.feedback.sources.maildir import is_maildir, maildir_letters
from newsletter.feedback.sources.mbox import is_mbox, mbox_letters


def open_source(
    place: str, *, password: Callable[[], str], move_to: str | None = None, keep: bool = False
) -> Source:
    """The mails in a Maildir, an mbox, a file, a folder of `.eml` files, or behind an IMAP URL.

    Args:
        place: a path or a URL.
        password: for an IMAP server; asked for when it is needed.
        move_to: folder of an IMAP server for settled mails.
        keep: whether the mails are to be left as they are.

    Raises:
        UsageError: there is nothing of the kind.
        ConfigError: the URL is wrong.

    """
    if place.startswith(SCHEMES):
        account = parse_account(place, password=password)
        return Source("imap", imap_letters(account, move_to=move_to, keep=keep))
    path = Path(place)
    if path.is_dir():
        if is_maildir(path):
            return Source("maildir", maildir_letters(path))
        files = sorted(path.glob("*.eml"))
        if not files:
            raise UsageError(
                f"{place}: neither a Maildir (with `new` and `cur`) nor a folder with .eml files"
            )
        return Source("folder", file_letters(files))
    if not path.exists():
        raise UsageError(f"{place}: there is no such mailbox, folder or file")
    if is_mbox(path):
        return Source("mbox", mbox_letters(path))
    return Source("file", file_letters([path]))


def piped_source(stream: BinaryIO, *, envelope_to: str | None) -> Source:
    """The one mail that an MTA hands over on a stream, sent to `envelope_to`."""
    return Source("pipe", piped_letter(stream, envelope_to=envelope_to))
