"""Postmark's webhooks: bounces, spam complaints and changes of a subscription, one each."""

from __future__ import annotations

from typing import Any, NamedTuple

from newsletter.audience.tokens import Keyring
from newsletter.feedback.providers.event import Event, inside, judged, signed_report, text
from newsletter.feedback.report import Kind, Report, Verdict


class _Meaning(NamedTuple):
    """What a type of bounce stands for where the server's words tell nothing."""

    kind: Kind
    verdict: Verdict
    permanent: bool = False


_TYPES = {
    "HardBounce": _Meaning(Kind.BOUNCE, Verdict.NO_SUCH_MAILBOX, permanent=True),
    "BadEmailAddress": _Meaning(Kind.BOUNCE, Verdict.NO_SUCH_MAILBOX, permanent=True),
    "SoftBounce": _Meaning(Kind.BOUNCE, Verdict.DISABLED),
    "ManuallyDeactivated": _Meaning(Kind.BOUNCE, Verdict.DISABLED),
    "Unconfirmed": _Meaning(Kind.BOUNCE, Verdict.DISABLED),
    "DnsError": _Meaning(Kind.BOUNCE, Verdict.NETWORK),
    "Unknown": _Meaning(Kind.BOUNCE, Verdict.NETWORK),
    "Transient": _Meaning(Kind.DELAYED, Verdict.NETWORK),
    "Blocked": _Meaning(Kind.BOUNCE, Verdict.POLICY),
    "DMARCPolicy": _Meaning(Kind.BOUNCE, Verdict.POLICY),
    "SMTPApiError": _Meaning(Kind.BOUNCE, Verdict.POLICY),
    "SpamNotification": _Meaning(Kind.BOUNCE, Verdict.CONTENT),
    "VirusNotification": _Meaning(Kind.BOUNCE, Verdict.CONTENT),
    "SpamComplaint": _Meaning(Kind.COMPLAINT, Verdict.COMPLAINT, permanent=True),
    "Unsubscribe": _Meaning(Kind.UNSUBSCRIBE, Verdict.UNSUBSCRIBE, permanent=True),
    "AutoResponder": _Meaning(Kind.AUTO_REPLY, Verdict.AUTO_REPLY),
}


def read_postmark(body: Any, *, keyring: Keyring, identity: str) -> Event:
    """What a call says.

    Args:
        body: its JSON.
        keyring: knows our return paths.
        identity: for a bounce without an id.

    """
    record = text(body, "RecordType")
    if record in ("Bounce", "SpamComplaint"):
        return Event(f"{record} {text(body, 'ID') or identity}", _bounced(body, keyring))
    if record == "SubscriptionChange":
        said = (text(body, name) for name in ("MessageID", "Recipient", "ChangedAt"))
        return Event(" ".join((record, *said)), _changed(body, keyring))
    return Event(record, ())


def _bounced(body: Any, keyring: Keyring) -> tuple[Report, ...]:
    meaning = _TYPES.get(text(body, "Type"))
    if meaning is None:
        return ()
    said = text(body, "Details") or text(body, "Description")
    verdict, permanent, status = meaning.verdict, meaning.permanent, None
    if meaning.kind in (Kind.BOUNCE, Kind.DELAYED) and not verdict.about_us:
        judgement = judged(text(body, "Details"))
        status = judgement.status
        if judgement.told:
            verdict = judgement.verdict
            permanent = permanent and judgement.permanent
    report = signed_report(
        meaning.kind,
        verdict,
        keyring=keyring,
        recipient=text(body, "Email"),
        permanent=permanent,
        status=status,
        said=said,
    )
    return (report,)


def _changed(body: Any, keyring: Keyring) -> tuple[Report, ...]:
    """A complaint, or a recipient's wish; bounces are told by themselves, and returning is not for Postmark to say."""
    if inside(body, "SuppressSending") is not True:
        return ()
    reason, origin = text(body, "SuppressionReason"), text(body, "Origin")
    if reason == "SpamComplaint":
        kind, verdict = Kind.COMPLAINT, Verdict.COMPLAINT
    elif reason == "ManualSuppression" and origin == "Recipient":
        kind, verdict = Kind.UNSUBSCRIBE, Verdict.UNSUBSCRIBE
    else:
        return ()
    report = signed_report(
        kind,
        verdict,
        keyring=keyring,
        recipient=text(body, "Recipient"),
        permanent=True,
        said=reason,
    )
    return (report,)
