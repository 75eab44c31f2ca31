"""SendGrid's event webhook: a list of events."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from newsletter.audience.tokens import Keyring
from newsletter.feedback.providers.event import Event, judged, listed, signed_report, text
from newsletter.feedback.report import Kind, Report, Verdict

_CLASSES = {
    "Invalid Address": Verdict.NO_SUCH_MAILBOX,
    "Mailbox Unavailable": Verdict.DISABLED,
    "Reputation": Verdict.POLICY,
    "Content": Verdict.CONTENT,
    "Technical": Verdict.NETWORK,
    "Frequency or Volume Too High": Verdict.RATE,
}
# Why it does not send at all, in its words; what it has on its own lists it has told before.
_DROPPED = {
    "spam reporting address": (Kind.COMPLAINT, Verdict.COMPLAINT),
    "unsubscribed address": (Kind.UNSUBSCRIBE, Verdict.UNSUBSCRIBE),
    "bounced address": (Kind.BOUNCE, Verdict.DISABLED),
    "invalid": (Kind.BOUNCE, Verdict.NO_SUCH_MAILBOX),
    "spam content": (Kind.BOUNCE, Verdict.CONTENT),
}
_WISHES = {
    "spamreport": (Kind.COMPLAINT, Verdict.COMPLAINT),
    "unsubscribe": (Kind.UNSUBSCRIBE, Verdict.UNSUBSCRIBE),
    "group_unsubscribe": (Kind.UNSUBSCRIBE, Verdict.UNSUBSCRIBE),
}


def read_sendgrid(body: Any, *, keyring: Keyring) -> list[Event]:
    """What a call says: one event or many."""
    events = listed({"events": body}, "events")
    return [Event(_identity(one), _reports(one, keyring)) for one in events]


def _reports(event: Any, keyring: Keyring) -> tuple[Report, ...]:
    name = text(event, "event")
    said, status = text(event, "reason") or text(event, "response"), text(event, "status")
    permanent = True
    if name in _WISHES:
        kind, verdict = _WISHES[name]
    elif name == "dropped":
        kind, verdict = _DROPPED.get(said.lower(), (Kind.BOUNCE, Verdict.POLICY))
        permanent = verdict is not Verdict.DISABLED
    elif name in ("bounce", "deferred"):
        judgement = judged(said, status=status)
        kind = Kind.BOUNCE if name == "bounce" else Kind.DELAYED
        blocked = text(event, "type") == "blocked"
        permanent = kind is Kind.BOUNCE and not blocked and judgement.permanent
        status, verdict = judgement.status or status, judgement.verdict
        if not judgement.told:
            verdict = _guess(event, verdict, blocked=blocked, delayed=kind is Kind.DELAYED)
    else:
        return ()
    report = signed_report(
        kind,
        verdict,
        keyring=keyring,
        recipient=text(event, "email"),
        permanent=permanent,
        message_id=text(event, "smtp-id"),
        status=status or None,
        said=said,
    )
    return (report,)


def _guess(event: Any, verdict: Verdict, *, blocked: bool, delayed: bool) -> Verdict:
    """The verdict where the server's words tell nothing."""
    if delayed:
        return Verdict.NETWORK
    known = _CLASSES.get(text(event, "bounce_classification"))
    return known or (Verdict.POLICY if blocked else verdict)


def _identity(event: Any) -> str:
    """SendGrid's own id, or what the event says."""
    given = text(event, "sg_event_id")
    return given or hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()
