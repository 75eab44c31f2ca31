"""What the endpoint writes down: one line per request, and why something failed. No addresses, no whole tokens."""

from __future__ import annotations

import logging
import traceback

from newsletter.errors import LedgerError, NewsletterError, RelayError, SourceError, TemplateError

log = logging.getLogger("newsletter.web")

_WITH_TOKEN = frozenset({"c", "p", "u", "v"})
_KNOWN = frozenset({"/", "/subscribe", "/health", "/ready"})
_FOLDERS = frozenset({"assets", "webhooks"})
_SHOWN = 4  # characters of a token
_CLEAN = (LedgerError, RelayError, SourceError, TemplateError)  # they speak of files and servers


def shown_path(path: str) -> str:
    """A path for the log: of a token only its beginning, and nothing of what is no page of ours."""
    parts = path.split("/")
    if len(parts) > 2 and parts[1] in _WITH_TOKEN:
        issue = f"/{parts[2][:8]}" if parts[1] == "v" and _is_number(parts[2]) else ""
        return f"/{parts[1]}{issue}/{_beginning(parts[-1])}…"
    if path in _KNOWN:
        return path
    return f"/{parts[1]}/…" if len(parts) > 2 and parts[1] in _FOLDERS else "(no such page)"


def failed(what: str, error: Exception) -> None:
    """Tell the operator that `what` has failed, and where; an error's words are kept only where they are harmless."""
    if isinstance(error, _CLEAN):
        log.error("%s failed: %s", what, error)
    elif isinstance(error, NewsletterError):
        log.error("%s failed: %s", what, type(error).__name__)
    else:
        where = "".join(traceback.format_tb(error.__traceback__)).rstrip()
        log.error("%s failed: %s\n%s", what, type(error).__name__, where)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _beginning(text: str) -> str:
    """The first characters, where they can be a token's."""
    start = text[:_SHOWN]
    plain = start.replace("-", "").replace("_", "")
    return start if plain.isascii() and plain.isalnum() else ""
