"""Where mails that came back are kept: a Maildir, an mbox, files, standard input, a mailbox on an IMAP server."""

from newsletter.feedback.sources.letter import Letter, Letters, Source, Unread
from newsletter.feedback.sources.places import open_source, piped_source

__all__ = ["Letter", "Letters", "Source", "Unread", "open_source", "piped_source"]
