"""Amazon SES: bounces and complaints, as notifications of an identity or events of a configuration set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from newsletter.audience.tokens import Keyring
from newsletter.feedback.providers.event import Event, inside, judged, listed, signed_report, text
from newsletter.feedback.report import Kind, Report, Verdict

# What SES knows where the server's words tell nothing.
_SUBTYPES = {
    "NoEmail": Verdict.NO_SUCH_MAILBOX,
    "Suppressed": Verdict.NO_SUCH_MAILBOX,
    "OnAccountSuppressionList": Verdict.DISABLED,
    "MailboxFull": Verdict.MAILBOX_FULL,
    "MessageTooLarge": Verdict.CONTENT,
    "ContentRejected": Verdict.CONTENT,
    "AttachmentRejected": Verdict.CONTENT,
}
_NO_COMPLAINTS = ("not-spam", "auth-failure", "virus")


def read_ses(message: Any, *, keyring: Keyring, identity: str) -> Event:
    """What a notification says.

    Args:
        message: the JSON inside the notification of SNS.
        keyring: knows our return paths.
        identity: the notification's id, where SES gives none of its own.

    """
    kind = text(message, "eventType") or text(message, "notificationType")
    if kind == "Bounce":
        identity = text(message, "bounce", "feedbackId") or identity
        return Event(identity, tuple(_bounces(message, keyring)))
    if kind == "Complaint":
        identity = text(message, "complaint", "feedbackId") or identity
        return Event(identity, tuple(_complaints(message, keyring)))
    return Event(identity, ())


def _bounces(message: Any, keyring: Keyring) -> Iterator[Report]:
    permanent = text(message, "bounce", "bounceType") == "Permanent"
    known = _SUBTYPES.get(text(message, "bounce", "bounceSubType"))
    for one in listed(message, "bounce", "bouncedRecipients"):
        status, said = text(one, "status"), text(one, "diagnosticCode")
        judgement = judged(said, status=status)
        verdict = judgement.verdict
        if not judgement.told:
            verdict = known or (Verdict.DISABLED if permanent else Verdict.NETWORK)
        yield signed_report(
            Kind.BOUNCE,
            verdict,
            keyring=keyring,
            recipient=text(one, "emailAddress"),
            permanent=permanent,
            sender=text(message, "mail", "source"),
            message_id=_message_id(message),
            status=judgement.status,
            said=said or text(message, "bounce", "bounceSubType"),
            reporting_mta=text(message, "bounce", "reportingMTA"),
        )


def _complaints(message: Any, keyring: Keyring) -> Iterator[Report]:
    feedback = text(message, "complaint", "complaintFeedbackType")
    if feedback in _NO_COMPLAINTS:
        return
    for one in listed(message, "complaint", "complainedRecipients"):
        yield signed_report(
            Kind.COMPLAINT,
            Verdict.COMPLAINT,
            keyring=keyring,
            recipient=text(one, "emailAddress"),
            permanent=True,
            sender=text(message, "mail", "source"),
            message_id=_message_id(message),
            said=feedback,
            reporting_mta=text(message, "complaint", "userAgent"),
        )


def _message_id(message: Any) -> str:
    """Ours, where the notification includes the original headers: SES sends with one of its own."""
    for header in listed(inside(message, "mail"), "headers"):
        if text(header, "name").lower() == "message-id":
            return text(header, "value")
    return ""
