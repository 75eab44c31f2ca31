"""A mail's line in the inbox: how much of sender, subject and preheader each client shows.

Widths are display cells (a Chinese character takes two), estimated for default settings: a laptop
window of about 1440 pixels, a phone of about 390. Every user's window differs, so these are the
usual cut, not a promise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """One client's list of mails.

    Attributes:
        code: stable name, such as `gmail-phone`.
        sender: cells for the display name.
        subject: cells for the subject; for a client with `shared`, for subject and preview
            together.
        preview: cells for the opening words, over all their lines.
        shared: subject and opening words stand in one line.

    """

    code: str
    label: str
    phone: bool
    sender: int
    subject: int
    preview: int
    shared: bool = False


INBOXES = (
    Inbox(
        code="gmail", label="Gmail", phone=False, sender=22, subject=118, preview=118, shared=True
    ),
    Inbox(code="gmail-phone", label="Gmail", phone=True, sender=30, subject=40, preview=44),
    Inbox(code="apple", label="Apple Mail", phone=False, sender=30, subject=44, preview=88),
    Inbox(code="apple-phone", label="Apple Mail", phone=True, sender=26, subject=40, preview=84),
    Inbox(code="qq", label="QQ 邮箱", phone=False, sender=18, subject=96, preview=96, shared=True),
    Inbox(code="qq-phone", label="QQ 邮箱", phone=True, sender=28, subject=38, preview=40),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one client shows; `cut_…` says that there is more than it shows."""

    code: str
    label: str
    phone: bool
    shared: bool
    sender: str
    cut_sender: bool
    subject: str
    cut_subject: bool
    preview: str
    cut_preview: bool


def inbox_lines(*, sender: str, subject: str, opening: str) -> Iterator[Line]:
    """How each client of `INBOXES` shows a mail with these."""
    for inbox in INBOXES:
        shown_sender, cut_sender = clip(sender, inbox.sender)
        shown_subject, cut_subject = clip(subject, inbox.subject)
        room = inbox.preview
        if inbox.shared:
            room = max(0, inbox.subject - cells(shown_subject) - 3)
        preview, cut_preview = clip(opening, room)
        yield Line(
            code=inbox.code,
            label=inbox.label,
            phone=inbox.phone,
            shared=inbox.shared,
            sender=shown_sender,
            cut_sender=cut_sender,
            subject=shown_subject,
            cut_subject=cut_subject,
            preview=preview,
            cut_preview=cut_preview,
        )


def cells(text: str) -> int:
    """Display cells that `text` takes; what cannot be shown takes none."""
    from wcwidth import wcswidth, wcwidth

    width = wcswidth(text)
    return width if width >= 0 else sum(max(0, wcwidth(char)) for char in text)


def clip(text: str, room: int) -> tuple[str, bool]:
    """The beginning of `text` that fits into `room` cells, and whether something is left over.

    The ellipsis that a client draws takes one cell of the room.
    """
    if cells(text) <= room:
        return text, False
    used, end = 0, 0
    for end, char in enumerate(text):  # noqa: B007
        used += cells(char)
        if used > room - 1:
            break
    return text[:end].rstrip(), True
