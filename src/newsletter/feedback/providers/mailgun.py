"""Mailgun's webhooks: one event each."""

from __future__ import annotations

from typing import Any

from newsletter.audience.tokens import Keyring
from newsletter.feedback.providers.event import Event, judged, signed_report, text
from newsletter.feedback.report import Kind, Report, Verdict

_WISHES = {
    "complained": (Kind.COMPLAINT, Verdict.COMPLAINT),
    "unsubscribed": (Kind.UNSUBSCRIBE, Verdict.UNSUBSCRIBE),
}
# Why it does not send at all: what it has on its own lists.
_HELD_BACK = {
    "suppress-bounce": (Kind.BOUNCE, Verdict.DISABLED),
    "suppress-complaint": (Kind.COMPLAINT, Verdict.COMPLAINT),
    "suppress-unsubscribe": (Kind.UNSUBSCRIBE, Verdict.UNSUBSCRIBE),
}


def read_mailgun(body: Any, *, keyring: Keyring, identity: str) -> Event:
    """What a call says.

    Args:
        body: its JSON.
        keyring: knows our return paths.
        identity: for an event without an id.

    """
    event = body.get("event-data") if isinstance(body, dict) else None
    return Event(text(event, "id") or identity, _reports(event, keyring))


def _reports(event: Any, keyring: Keyring) -> tuple[Report, ...]:
    name, reason = text(event, "event"), text(event, "reason")
    said = text(event, "delivery-status", "message") or text(
        event, "delivery-status", "description"
    )
    status, permanent = text(event, "delivery-status", "enhanced-code"), True
    if name in _WISHES:
        kind, verdict = _WISHES[name]
    elif name == "failed" and reason in _HELD_BACK:
        kind, verdict = _HELD_BACK[reason]
        permanent = verdict is not Verdict.DISABLED
    elif name == "failed":
        code = text(event, "delivery-status", "code")
        judgement = judged(f"{code} {said}", status=status)
        final = text(event, "severity") == "permanent"
        kind = Kind.BOUNCE if final else Kind.DELAYED
        permanent = final and judgement.permanent
        status, verdict = judgement.status or status, judgement.verdict
        if not judgement.told:
            known = Verdict.POLICY if reason == "espblock" else verdict
            verdict = known if final else Verdict.NETWORK
    else:
        return ()
    report = signed_report(
        kind,
        verdict,
        keyring=keyring,
        recipient=text(event, "recipient"),
        permanent=permanent,
        sender=text(event, "envelope", "sender"),
        message_id=text(event, "message", "headers", "message-id"),
        status=status or None,
        said=said or reason,
        reporting_mta=text(event, "delivery-status", "mx-host"),
    )
    return (report,)
