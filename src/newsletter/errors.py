"""Everything that can go wrong in a way a user can cause, as one tree with one root.

    NewsletterError                     exit code
    ├── UsageError                      2   a wrong word on the command line, an unknown issue
    ├── Declined                        1   somebody was asked and did not say yes
    ├── ConfigError                     2   newsletter.yaml or the environment
    ├── SourceError                     1   an issue source file; carries every Problem of the file
    ├── TemplateError                   1   a template; carries template and line
    ├── IssueRefused                    1   the checks found errors in an issue that was to be sent
    ├── AudienceError                   1   the subscriber list as a whole
    ├── ComposeError                    1   a message that would not be well formed
    ├── RelayError                      75  the relay is away, or turned us down
    │   └── RelayRefused                1   … for good: TLS, login
    ├── LedgerError                     1   the database is full, read-only, damaged or newer
    ├── EditionChanged                  1   the issue is not what was planned
    ├── RunLocked                       75  another send is running
    └── MailboxError                    75  the mailbox for bounces is away, or another program holds it

The library raises these; only `cli/` turns them into lines on stderr and an exit code (sysexits.h: 75 is EX_TEMPFAIL).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A position in a file: path as the user would type it, line and column counted from 1."""

    path: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.path, self.line, self.column if self.line is not None else None]
        return ":".join(str(part) for part in parts if part is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake: what is wrong, where, what the line looks like, and what to do about it."""

    message: str
    place: Place | None = None
    hint: str | None = None
    snippet: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        first = f"{self.place}: {self.message}" if self.place else self.message
        if self.hint:
            first = f"{first} ({self.hint})"
        return f"{first}\n{self.snippet}" if self.snippet else first


class NewsletterError(Exception):
    """Root of the tree. `str()` is what the user reads: one clear line or more, no traceback.

    Args:
        message: what is wrong and what to do, when there are no `problems`.
        problems: every mistake found, in the order of the file.

    """

    exit_code = 2

    def __init__(self, message: str = "", *, problems: Iterable[Problem] = ()) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(message or "\n".join(str(problem) for problem in self.problems))


class UsageError(NewsletterError):
    """The command line asks for something that does not exist."""


class Declined(NewsletterError):
    """A person was asked to confirm and did not."""

    exit_code = 1


class ConfigError(NewsletterError):
    """newsletter.yaml or an environment variable is missing or wrong."""


class SourceError(NewsletterError):
    """An issue source cannot be read; `problems` has all of its mistakes."""

    exit_code = 1


class TemplateError(NewsletterError):
    """A template is missing, broken, or names what does not exist."""

    exit_code = 1


class IssueRefused(NewsletterError):
    """An issue is not sent, since the checks found errors in it."""

    exit_code = 1


class AudienceError(NewsletterError):
    """The subscriber list as a whole cannot be used."""

    exit_code = 1


class ComposeError(NewsletterError):
    """A message would not be well formed, so it is not made."""

    exit_code = 1


class RelayError(NewsletterError, ConnectionError):
    """The relay cannot be reached now; the same command may succeed later."""

    exit_code = 75


class RelayRefused(RelayError):
    """The relay turned us down for a reason that waiting will not mend (TLS, login)."""

    exit_code = 1


class LedgerError(NewsletterError, OSError):
    """The ledger's database cannot be used; nothing is sent without it."""

    exit_code = 1


class EditionChanged(NewsletterError):
    """The issue differs from what this campaign was planned with."""

    exit_code = 1


class RunLocked(NewsletterError):
    """Another process is sending from this folder."""

    exit_code = 75


class MailboxError(NewsletterError, ConnectionError):
    """The mailbox that bounces come to cannot be read now; the same command may succeed later."""

    exit_code = 75
