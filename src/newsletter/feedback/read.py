"""One mail that came back, as reports. Reads and judges; changes nothing, and never raises.

In this order, since each is surer than the next: a feedback report (RFC 5965), a delivery status notification
(RFC 3464), an unsubscribe request with a genuine token, then the words of a mail system, then those of a robot or a
person.
"""

from __future__ import annotations

from newsletter.audience.tokens import Keyring
from newsletter.feedback import manners
from newsletter.feedback.complaints import Complaint, read_complaint
from newsletter.feedback.judging import Judgement, judge
from newsletter.feedback.mime import Mail, read_mail
from newsletter.feedback.prose import read_prose, said_about
from newsletter.feedback.report import Evidence, Kind, Report, Verdict
from newsletter.feedback.status import (
    Action,
    Outcome,
    addresses_in,
    read_outcomes,
)
from newsletter.feedback.witness import Witness, find_token, find_witness, without_tokens

MOST_OCTETS = 5 * 1024 * 1024


def read_reports(
    data: bytes, *, keyring: Keyring, envelope_to: str | None = None
) -> tuple[Report, ...]:
    """What a mail says, one report for each recipient that it speaks of, and at least one.

    Args:
        data: the mail; its first 5 MiB are read, and its first hundred recipients.
        keyring: of the publication: knows genuine return paths and unsubscribe tokens.
        envelope_to: the recipient that the mail was handed over for, where the mail itself may not say.

    """
    data = data[:MOST_OCTETS]
    mail = read_mail(data)
    complaint = read_complaint(mail)
    witness = find_witness(
        mail,
        keyring=keyring,
        envelope_to=envelope_to,
        reported=complaint.fields if complaint else None,
    )
    if complaint:
        return _complained(complaint, mail, witness)
    outcomes = read_outcomes(mail)
    if any(outcome.recipients for outcome in outcomes):
        return _from_outcomes(outcomes, mail, witness)
    subject = mail.header.words("subject")
    if subscriber_id := find_token((subject, manners.first_line(mail)), keyring=keyring):
        return (_unsubscribed(subscriber_id),)
    if manners.from_a_mail_system(mail) and not manners.another_report(mail):
        outcomes = read_prose(data, mail, witness) or outcomes
        if outcomes:
            return _from_outcomes(outcomes, mail, witness)
    return (_from_somebody(mail, witness),)


def _complained(complaint: Complaint, mail: Mail, witness: Witness) -> tuple[Report, ...]:
    """A report for each reader who complained; one if nobody is named, as providers often hide it."""
    kind, verdict = Kind.COMPLAINT, Verdict.COMPLAINT
    if not complaint.complaint:
        kind, verdict = Kind.UNRELATED, Verdict.NOT_A_BOUNCE
    named = complaint.recipients
    if witness.subscriber_id:
        named = tuple(address for address in named if witness.means(address))[:1] or named[:1]
    return tuple(
        Report(
            kind=kind,
            verdict=verdict,
            permanent=complaint.complaint,
            recipient=address,
            returned=witness.returned,
            subscriber_id=witness.subscriber_id,
            message_id=witness.message_id,
            diagnostic=f"{complaint.type}: {mail.header.words('subject')}",
            reporting_mta=complaint.reporting_mta,
            evidence=witness.evidence or (Evidence.ADDRESS if address else None),
        )
        for address in named or (witness.sent_to,)
    )


def _from_outcomes(outcomes: list[Outcome], mail: Mail, witness: Witness) -> tuple[Report, ...]:
    """A report for each outcome. Where one names the subscriber, the others are about somebody else."""
    own = [
        outcome for outcome in outcomes if any(witness.means(each) for each in outcome.recipients)
    ]
    reports = (
        _from_outcome(outcome, mail, witness if not own or outcome in own else witness.nobody())
        for outcome in outcomes
    )
    return tuple(dict.fromkeys(reports))


def _from_outcome(outcome: Outcome, mail: Mail, witness: Witness) -> Report:
    address = next((each for each in outcome.recipients if witness.means(each)), None)
    meant = address is not None
    address = address or next(iter(outcome.recipients), None)
    if outcome.action is Action.NONE:
        kind, said = Kind.UNRELATED, outcome.diagnostic
        judged = Judgement(Verdict.NOT_A_BOUNCE, False, outcome.status, told=True)
    else:
        kind = Kind.BOUNCE if outcome.action is Action.FAILED else Kind.DELAYED
        judged, said = _judged(outcome, mail, address)
        if kind is Kind.DELAYED and not judged.told:
            judged = judged._replace(verdict=Verdict.NETWORK)
    named = witness.subscriber_id is not None or witness.sent_to is not None
    return Report(
        kind=kind,
        verdict=judged.verdict,
        permanent=judged.permanent and kind is Kind.BOUNCE,
        recipient=address,
        returned=witness.returned,
        subscriber_id=witness.subscriber_id,
        message_id=witness.message_id,
        status=judged.status or outcome.status,
        diagnostic=said or mail.header.words("subject"),
        reporting_mta=outcome.reporting_mta,
        evidence=witness.evidence or (Evidence.ADDRESS if address else None),
        forwarded=named and address is not None and not meant,
    )


def _judged(outcome: Outcome, mail: Mail, address: str | None) -> tuple[Judgement, str]:
    """What is the matter, and the words that say so; the text helps where the fields are silent."""
    judged = judge(outcome.diagnostic, status=outcome.status)
    if judged.told and outcome.diagnostic:
        return judged, outcome.diagnostic
    said = said_about(mail, address)
    second = judge(said, status=outcome.status)
    return (second, said) if said and second.told else (judged, outcome.diagnostic)


def _unsubscribed(subscriber_id: bytes) -> Report:
    # Without the subject: the token in it is for the subscriber alone, and reports are logged.
    return Report(
        kind=Kind.UNSUBSCRIBE,
        verdict=Verdict.UNSUBSCRIBE,
        permanent=True,
        subscriber_id=subscriber_id,
        evidence=Evidence.TOKEN,
    )


def _from_somebody(mail: Mail, witness: Witness) -> Report:
    """What is no report: a robot's answer, a wish without a token, or anything else."""
    subject = mail.header.words("subject")
    kind, verdict, recipient = Kind.UNRELATED, Verdict.NOT_A_BOUNCE, None
    if manners.another_report(mail) or manners.from_a_mail_system(mail):
        pass
    elif manners.from_a_robot(mail):
        kind, verdict = Kind.AUTO_REPLY, Verdict.AUTO_REPLY
    elif manners.wants_out(subject) or manners.wants_out(manners.first_line(mail)):
        # Anybody can write a From, so it says whom to ask, not whom to remove.
        kind = Kind.REQUEST
        recipient = next(addresses_in(mail.header.first("from")), None)
    return Report(
        kind=kind,
        verdict=verdict,
        recipient=recipient,
        returned=witness.returned,
        subscriber_id=witness.subscriber_id,
        message_id=witness.message_id,
        diagnostic=without_tokens(subject),
        evidence=witness.evidence,
    )
