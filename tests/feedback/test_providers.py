"""What mail services tell, as reports: every type of theirs, and JSON of any shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.audience.tokens import Keyring
from newsletter.audience.verp import encode
from newsletter.feedback.fingerprint import event_fingerprint
from newsletter.feedback.providers import (
    Event,
    read_mailgun,
    read_postmark,
    read_sendgrid,
    read_ses,
)
from newsletter.feedback.report import Evidence, Report

KEYRING = Keyring({1: b"the key of these tests, 32 bytes"})
ANNA = "anna@example.org"
VERP = encode(
    "bounces@example.org", issue=64, subscriber_id=KEYRING.subscriber_id(ANNA), keyring=KEYRING
)


def ses_bounce(kind: str, sub: str, status: str = "", said: str = "") -> dict[str, Any]:
    return {
        "notificationType": "Bounce",
        "bounce": {
            "bounceType": kind,
            "bounceSubType": sub,
            "feedbackId": "f1",
            "reportingMTA": "dns; mx.example.com",
            "bouncedRecipients": [{"emailAddress": ANNA, "status": status, "diagnosticCode": said}],
        },
        "mail": {
            "source": "weekly@example.org",
            "headers": [{"name": "Message-ID", "value": "<64.a@example.org>"}],
        },
    }


def ses_complaint(feedback: str) -> dict[str, Any]:
    told = {
        "complainedRecipients": [{"emailAddress": ANNA}],
        "feedbackId": "f2",
        "complaintFeedbackType": feedback,
    }
    return {"eventType": "Complaint", "complaint": told, "mail": {"source": VERP}}


def mailgun(event: str, severity: str = "", reason: str = "", said: str = "", code: int = 0) -> Any:
    return {
        "event-data": {
            "event": event,
            "id": "m1",
            "severity": severity,
            "reason": reason,
            "recipient": ANNA,
            "delivery-status": {"code": code, "message": said},
            "message": {"headers": {"message-id": "64.a@example.org"}},
        }
    }


def postmark(kind: str, details: str = "", **more: Any) -> Any:
    return {
        "RecordType": "Bounce",
        "ID": 7,
        "Type": kind,
        "Details": details,
        "Email": ANNA,
        **more,
    }


def changed(**more: Any) -> Any:
    return {"RecordType": "SubscriptionChange", "Recipient": ANNA, "MessageID": "1", **more}


def sendgrid(event: str, **more: Any) -> Any:
    return [{"event": event, "email": ANNA, "sg_event_id": "s1", **more}]


def ses(body: Any) -> list[Event]:
    return [read_ses(body, keyring=KEYRING, identity="sns")]


def to_mailgun(body: Any) -> list[Event]:
    return [read_mailgun(body, keyring=KEYRING, identity="token")]


def to_postmark(body: Any) -> list[Event]:
    return [read_postmark(body, keyring=KEYRING, identity="hash")]


def to_sendgrid(body: Any) -> list[Event]:
    return read_sendgrid(body, keyring=KEYRING)


UNKNOWN = "550 5.1.1 <anna@example.org>... User unknown"
RATE = "550 RP:ORQ Ip frequency limited"
TOLD = [
    (ses, ses_bounce("Permanent", "General", "5.1.1", f"smtp; {UNKNOWN}"), "bounce no such mailbox final"),
    (ses, ses_bounce("Permanent", "General"), "bounce disabled final"),
    (ses, ses_bounce("Permanent", "NoEmail"), "bounce no such mailbox final"),
    (ses, ses_bounce("Permanent", "Suppressed"), "bounce no such mailbox final"),
    (ses, ses_bounce("Permanent", "OnAccountSuppressionList"), "bounce disabled final"),
    (ses, ses_bounce("Permanent", "General", "5.7.1", RATE), "bounce rate final"),
    (ses, ses_bounce("Transient", "MailboxFull"), "bounce mailbox full"),
    (ses, ses_bounce("Transient", "General"), "bounce network"),
    (ses, ses_bounce("Transient", "ContentRejected"), "bounce content"),
    (ses, ses_bounce("Undetermined", "Undetermined"), "bounce network"),
    (ses, ses_complaint("abuse"), "complaint complaint final"),
    (ses, ses_complaint(""), "complaint complaint final"),
    (ses, ses_complaint("not-spam"), None),
    (ses, {"notificationType": "Delivery", "mail": {}}, None),
    (to_sendgrid, sendgrid("bounce", type="bounce", reason=UNKNOWN, status="5.1.1"), "bounce no such mailbox final"),
    (to_sendgrid, sendgrid("bounce", type="blocked", reason=UNKNOWN), "bounce no such mailbox"),
    (to_sendgrid, sendgrid("bounce", type="blocked", reason="550 go away"), "bounce policy or reputation"),
    (to_sendgrid, sendgrid("bounce", reason="550 ?", bounce_classification="Content"), "bounce content final"),
    (to_sendgrid, sendgrid("deferred", response="450 4.2.1 later"), "delayed disabled"),
    (to_sendgrid, sendgrid("deferred", response="400 try again later"), "delayed network"),
    (to_sendgrid, sendgrid("dropped", reason="Bounced Address"), "bounce disabled"),
    (to_sendgrid, sendgrid("dropped", reason="Invalid"), "bounce no such mailbox final"),
    (to_sendgrid, sendgrid("dropped", reason="Unsubscribed Address"), "unsubscribe unsubscribe final"),
    (to_sendgrid, sendgrid("dropped", reason="Spam Reporting Address"), "complaint complaint final"),
    (to_sendgrid, sendgrid("dropped", reason="Recipient List over Package Quota"), "bounce policy or reputation final"),
    (to_sendgrid, sendgrid("spamreport"), "complaint complaint final"),
    (to_sendgrid, sendgrid("group_unsubscribe"), "unsubscribe unsubscribe final"),
    (to_sendgrid, sendgrid("delivered", response="250 OK"), None),
    (to_mailgun, mailgun("failed", "permanent", "bounce", "No such user here", 550), "bounce no such mailbox final"),
    (to_mailgun, mailgun("failed", "permanent", "suppress-bounce", "", 605), "bounce disabled"),
    (to_mailgun, mailgun("failed", "permanent", "suppress-complaint", "", 607), "complaint complaint final"),
    (to_mailgun, mailgun("failed", "permanent", "espblock", "?", 550), "bounce policy or reputation final"),
    (to_mailgun, mailgun("failed", "permanent", "generic", RATE, 550), "bounce rate final"),
    (to_mailgun, mailgun("failed", "temporary", "generic", "mailbox full", 452), "delayed mailbox full"),
    (to_mailgun, mailgun("failed", "temporary", "generic", "?", 450), "delayed network"),
    (to_mailgun, mailgun("complained"), "complaint complaint final"),
    (to_mailgun, mailgun("unsubscribed"), "unsubscribe unsubscribe final"),
    (to_mailgun, mailgun("delivered"), None),
    (to_postmark, postmark("HardBounce"), "bounce no such mailbox final"),
    (to_postmark, postmark("HardBounce", f"smtp;{RATE}"), "bounce rate final"),
    (to_postmark, postmark("HardBounce", "smtp;552 5.2.2 mailbox full"), "bounce mailbox full final"),
    (to_postmark, postmark("SoftBounce", "smtp;452 4.2.2 mailbox full"), "bounce mailbox full"),
    (to_postmark, postmark("SoftBounce"), "bounce disabled"),
    (to_postmark, postmark("Transient"), "delayed network"),
    (to_postmark, postmark("DnsError"), "bounce network"),
    (to_postmark, postmark("Blocked", f"smtp;{UNKNOWN}"), "bounce policy or reputation"),
    (to_postmark, postmark("SpamNotification"), "bounce content"),
    (to_postmark, postmark("AutoResponder"), "auto-reply auto-reply"),
    (to_postmark, postmark("Subscribe"), None),
    (to_postmark, postmark("SpamComplaint", RecordType="SpamComplaint"), "complaint complaint final"),
    (to_postmark, changed(SuppressSending=True, SuppressionReason="SpamComplaint"), "complaint complaint final"),
    (
        to_postmark,
        changed(SuppressSending=True, SuppressionReason="ManualSuppression", Origin="Recipient"),
        "unsubscribe unsubscribe final",
    ),
    (to_postmark, changed(SuppressSending=True, SuppressionReason="ManualSuppression", Origin="Customer"), None),
    (to_postmark, changed(SuppressSending=False, SuppressionReason=None), None),
    (to_postmark, {"RecordType": "Open"}, None),
]  # fmt: skip


def spelt(report: Report) -> str:
    return f"{report.kind} {report.verdict}{' final' if report.permanent else ''}"


@pytest.mark.parametrize(("read", "body", "expected"), TOLD)
def test_each_type(read: Any, body: Any, expected: str | None) -> None:
    (event,) = read(json.loads(json.dumps(body)))
    assert [spelt(report) for report in event.reports] == ([expected] if expected else [])
    for report in event.reports:
        assert report.recipient == ANNA


def test_a_return_path_of_ours_tells_the_issue() -> None:
    (report,) = ses(ses_complaint("abuse"))[0].reports
    assert report.evidence is Evidence.VERP
    assert report.returned
    assert report.returned.issue == 64
    body = ses_complaint("abuse")
    body["complaint"]["complainedRecipients"] = [{"emailAddress": "else@example.org"}]
    (report,) = ses(body)[0].reports
    assert (report.evidence, report.returned) == (Evidence.SIGNATURE, None)


def test_message_ids() -> None:
    for event in (ses(ses_bounce("Permanent", "General")), to_mailgun(mailgun("complained"))):
        assert event[0].reports[0].message_id == "<64.a@example.org>"


def test_identities() -> None:
    told = (
        ses(ses_bounce("Permanent", "General")),
        ses({"notificationType": "Bounce"}),
        to_sendgrid(sendgrid("open")),
        to_mailgun(mailgun("complained")),
        to_mailgun({}),
        to_postmark(postmark("HardBounce")),
    )
    assert [event.identity for (event,) in told] == ["f1", "sns", "s1", "m1", "token", "Bounce 7"]
    nameless = [{"event": "open"}, {"event": "click"}]
    first, second = to_sendgrid(nameless)
    assert first.identity != second.identity
    assert event_fingerprint("ses", "1") != event_fingerprint("mailgun", "1")


NAMES = st.sampled_from(
    sorted({word for _, body, _ in TOLD for word in json.dumps(body).split('"')[1::2]})
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=25,
)


@given(body=JSON, template=st.sampled_from(TOLD), data=st.data())
@settings(max_examples=200, deadline=None)
def test_json_of_any_shape(body: Any, template: tuple[Any, Any, Any], data: st.DataObject) -> None:
    read, known, _ = template
    known = json.loads(json.dumps(known))
    target = known[0] if isinstance(known, list) else known
    key = data.draw(st.sampled_from(sorted(target)))
    target[key] = body
    for shape in (body, known):
        spelling = json.dumps(shape)
        for event in read(shape):
            event_fingerprint("ses", event.identity)
            for report in event.reports:
                assert report.recipient is None or json.dumps(report.recipient)[1:-1] in spelling
                assert report.evidence in (Evidence.SIGNATURE, Evidence.VERP)
                report.diagnostic.encode()
