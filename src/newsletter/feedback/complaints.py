"""Complaints: a reader pressed "spam", and the provider passes it on.

The abuse reporting format (ARF, RFC 5965) is what Yahoo, Amazon SES and most others send; Outlook.com's junk mail
programme and some Chinese providers attach the message and say the rest in the subject. A report about a signature that
failed (RFC 6591) has the same form and is no complaint, nor is a reader's "not spam".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from newsletter.feedback.mime import Fields, Mail
from newsletter.feedback.status import MOST_RECIPIENTS, addresses_in, untyped
from newsletter.feedback.witness import has_returned_message, returned_fields

_REPORT = "message/feedback-report"
_NO_COMPLAINTS = ("not-spam", "auth-failure", "virus", "dmarc")
_SUBJECT = re.compile(
    r"complaint about|(abuse|spam|junk) (complaint|report)|投诉|(举报|舉報).{0,6}(垃圾|邮件|郵件)",
    re.IGNORECASE,
)
_RECIPIENTS = ("original-rcpt-to", "removal-recipient", "original-recipient", "final-recipient")
_HIDDEN_RECIPIENTS = ("x-hmxmroriginalrecipient", "x-original-to", "x-rcpt-to")


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What a feedback report says.

    Attributes:
        type: the Feedback-Type, in lower case.
        complaint: whether a reader complained.
        recipients: who, as far as the provider tells; often nobody, or an alias.
        fields: of the report.
        reporting_mta: who reports.

    """

    type: str
    complaint: bool
    recipients: tuple[str, ...]
    fields: Fields
    reporting_mta: str | None


def read_complaint(mail: Mail) -> Complaint | None:
    """The feedback report in a mail, or None."""
    part = next(mail.of_kind(_REPORT), None)
    fields = (
        Fields(tuple(item for block in part.blocks() for item in block.items)) if part else Fields()
    )
    if part is None and mail.report_type != "feedback-report" and not _said_in_subject(mail):
        return None
    kind = fields.first("feedback-type").lower() or "abuse"
    return Complaint(
        type=kind,
        complaint=not kind.startswith(_NO_COMPLAINTS),
        recipients=_recipients(mail, fields),
        fields=fields,
        reporting_mta=untyped(fields.first("reporting-mta")) or fields.first("user-agent") or None,
    )


def _said_in_subject(mail: Mail) -> bool:
    return has_returned_message(mail) and bool(_SUBJECT.search(mail.header.words("subject")))


def _recipients(mail: Mail, fields: Fields) -> tuple[str, ...]:
    told = [*fields.every(*_RECIPIENTS), *returned_fields(mail).every(*_HIDDEN_RECIPIENTS)]
    found = (address for value in told for address in addresses_in(value))
    return tuple(dict.fromkeys(found))[:MOST_RECIPIENTS]
