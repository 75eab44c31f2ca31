"""One thing that a mail service tells, and looking into JSON that may have any shape."""

from __future__ import annotations

from typing import Any, NamedTuple

from newsletter.audience.tokens import Keyring
from newsletter.audience.verp import decode
from newsletter.feedback.judging import LONGEST_SAID, Judgement, judge
from newsletter.feedback.report import Evidence, Kind, Report, Verdict
from newsletter.feedback.status import untyped
from newsletter.mail.address import parse_address

MOST_EVENTS = 5000


class Event(NamedTuple):
    """What is told about one message.

    Attributes:
        identity: the service's own name for it, the same when it tells it again.
        reports: what it says; empty when it is nothing that we want to know.
        ticket: what its signature was made for, where that is good for one event only.

    """

    identity: str
    reports: tuple[Report, ...]
    ticket: str = ""


def inside(value: Any, *names: str) -> Any:
    """What stands under these names, one inside the other; None when there is no such thing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def text(value: Any, *names: str) -> str:
    """The same as text; empty when it is none. Numbers are text too."""
    found = inside(value, *names)
    if isinstance(found, int | float) and not isinstance(found, bool):
        return str(found)
    return found if isinstance(found, str) else ""


def listed(value: Any, *names: str) -> list[Any]:
    """The same as a list of at most 5000 items."""
    found = inside(value, *names)
    return found[:MOST_EVENTS] if isinstance(found, list) else []


def judged(said: str, *, status: str = "") -> Judgement:
    """What a server's words mean that a service passes on."""
    return judge(untyped(said[:LONGEST_SAID]), status=status or None)


def signed_report(
    kind: Kind,
    verdict: Verdict,
    *,
    keyring: Keyring,
    recipient: str,
    permanent: bool = False,
    sender: str = "",
    message_id: str = "",
    status: str | None = None,
    said: str = "",
    reporting_mta: str = "",
) -> Report:
    """A report that somebody has signed; its address names the subscriber, and a return path of ours the issue too.

    Args:
        kind: what sort of thing it is.
        verdict: what is the matter.
        keyring: knows our return paths.
        recipient: whom the message went to.
        permanent: whether nobody tries again.
        sender: the return path that the message was sent with.
        message_id: our Message-ID, with or without its brackets.
        status: the enhanced status code.
        said: the server's words.
        reporting_mta: who said them.

    """
    returned = decode(sender.rpartition("@")[0], keyring=keyring)
    if returned and returned.subscriber_id != _identity(recipient, keyring):
        returned = None
    if message_id and not message_id.startswith("<"):
        message_id = f"<{message_id}>"
    return Report(
        kind=kind,
        verdict=verdict,
        permanent=permanent,
        recipient=recipient,
        returned=returned,
        subscriber_id=returned.subscriber_id if returned else None,
        message_id=message_id or None,
        status=status,
        diagnostic=untyped(said[:LONGEST_SAID]),
        reporting_mta=untyped(reporting_mta) or None,
        evidence=Evidence.VERP if returned else Evidence.SIGNATURE,
    )


def _identity(recipient: str, keyring: Keyring) -> bytes | None:
    try:
        return keyring.subscriber_id(parse_address(recipient).key)
    except ValueError:
        return None
