"""What follows from a mail that came back: once, only with proof, and in one transaction."""

from __future__ import annotations

from pathlib import Path

import pytest
from desk import FULL, NOW, PEOPLE, RATE, UNKNOWN, Desk, maildir

from newsletter.audience.register import Change, Consent, Origin
from newsletter.errors import LedgerError
from newsletter.feedback.fingerprint import fingerprint
from newsletter.feedback.history import retire
from newsletter.feedback.report import Evidence, Kind, Report, Verdict


def changes(desk: Desk, name: str) -> list[Change]:
    return [event.change for event in desk.register.history(desk.who(name))]


def test_a_missing_mailbox_is_suppressed_at_once(desk: Desk) -> None:
    assert desk.read(desk.bounce("anna", UNKNOWN)) == ["suppressed"]
    assert desk.why("anna") == "no such mailbox"
    (event,) = desk.register.history(desk.who("anna"))
    assert (event.change, event.source) == (Change.BOUNCED, "bounce, issue 64")
    assert event.reason == "no such mailbox (5.1.1), from a test"
    assert desk.register.suppression(desk.who("anna")).address == "anna@example.org"
    assert desk.why("ben") is None


def test_a_mail_counts_once_whichever_way_it_comes(desk: Desk) -> None:
    mail = desk.bounce("anna", UNKNOWN)
    assert desk.read(mail) == ["suppressed"]
    forwarded = b"Received: from a by b\nDelivered-To: operator@example.org\nX-Spam: no\n" + mail
    assert desk.read(forwarded) is None
    assert changes(desk, "anna") == [Change.BOUNCED]


def test_mails_without_a_message_id_are_told_apart_by_date_and_body() -> None:
    report = Report(kind=Kind.UNRELATED, verdict=Verdict.NOT_A_BOUNCE)
    one = b"From: a@example.org\nDate: Mon, 1 Jan 2024 00:00:00 +0000\n\nhello\n"
    same = b"Received: by c\r\n" + one.replace(b"\n", b"\r\n")
    assert fingerprint(one, [report]) == fingerprint(same, [report])
    others = (one.replace(b"hello", b"hullo"), one.replace(b"Mon", b"Tue"))
    assert len({fingerprint(mail, [report]) for mail in (one, *others)}) == 3


def test_a_forged_token_and_a_foreign_report_change_nothing(desk: Desk) -> None:
    path = desk.return_path(64, "anna")
    forged = path.replace(path[20:24], "aaaa")
    assert forged != path
    assert desk.read(desk.bounce("anna", UNKNOWN, to=forged)) == ["no proof"]
    assert desk.read(desk.bounce("anna", UNKNOWN, to="weekly@example.org")) == ["no proof"]
    alien = desk.bounce("anna", UNKNOWN, to="weekly@example.org", message_id="<1@example.net>")
    assert desk.read(alien) == ["no proof"]
    assert desk.why("anna") is None
    assert changes(desk, "anna") == []
    kept = [record for _, record in desk.returning.returns.records()]
    assert [record.proven for record in kept] == [False] * 3


def test_a_forger_cannot_use_up_the_message_id_of_a_bounce(desk: Desk) -> None:
    genuine = desk.bounce("anna", UNKNOWN)
    desk.sent -= 1
    forged = desk.bounce("anna", UNKNOWN, to="weekly@example.org")
    assert desk.read(forged) == ["no proof"]
    assert desk.read(genuine) == ["suppressed"]


def test_our_message_id_is_proof_enough(desk: Desk) -> None:
    message_id = desk.message_id(64, "ben")
    mail = desk.bounce("ben", UNKNOWN, to="weekly@example.org", message_id=message_id)
    assert desk.read(mail) == ["suppressed"]
    assert desk.why("ben") == "no such mailbox"


def test_an_address_in_a_signed_call_is_proof_for_people_of_the_list_only(desk: Desk) -> None:
    def call(name: str, said: bytes) -> list[str]:
        report = Report(
            kind=Kind.BOUNCE,
            verdict=Verdict.NO_SUCH_MAILBOX,
            permanent=True,
            recipient=f"{name}@example.org",
            evidence=Evidence.SIGNATURE,
        )
        settled = desk.returning.take([report], said, source="ses")
        return [one.record.action.value for one in settled or ()]

    assert call("Anna".lower(), b"1") == ["suppressed"]
    assert call("stranger", b"2") == ["no proof"]
    assert desk.why("anna") == "no such mailbox"
    assert desk.why("stranger") is None


def test_soft_bounces_add_up_over_mails_and_refusals_at_once(desk: Desk) -> None:
    assert desk.read(desk.bounce("anna", FULL)) == ["counted"]
    desk.later(7)
    desk.send(65, failing={"anna": "552 5.2.2 the mailbox is full"})
    desk.later(7)
    desk.send(66)
    assert desk.why("anna") is None
    assert desk.read(desk.bounce("anna", FULL, issue=66)) == ["suppressed"]
    assert desk.why("anna") == "mailbox full, 3 issues in a row"
    assert desk.why("ben") is None


def test_reports_of_one_issue_count_as_one(desk: Desk) -> None:
    desk.later(30)
    assert [desk.read(desk.bounce("anna", FULL)) for _ in range(4)] == [["counted"]] * 4


def test_an_acceptance_between_begins_anew(desk: Desk) -> None:
    for issue in (65, 66, 67):
        desk.later(7)
        desk.send(issue)
    for issue in (64, 65, 67):
        assert desk.read(desk.bounce("anna", FULL, issue=issue)) == ["counted"]
    assert desk.read(desk.bounce("anna", FULL, issue=66)) == ["suppressed"]


def test_refusals_at_once_wear_out_at_the_end_of_a_send(desk: Desk) -> None:
    refused = {"anna": "552 5.2.2 the mailbox is full", "ben": "550 5.7.1 policy"}
    for issue in (65, 66, 67):
        desk.later(7)
        desk.send(issue, failing=refused)
        ledger = desk.returning.membership.ledger
        campaign = ledger.campaign(issue)
        assert campaign
        retired = retire(ledger, desk.returning.returns, campaign, now=desk.now[0])
        assert retired == (1 if issue == 67 else 0)
    assert desk.why("anna") == "mailbox full, 3 issues in a row"
    assert desk.why("ben") is None
    assert changes(desk, "anna") == [Change.BOUNCED]


def test_a_rate_refusal_warns_and_never_suppresses(desk: Desk) -> None:
    for issue in range(65, 70):
        desk.later(7)
        desk.send(issue)
        assert desk.read(desk.bounce("anna", RATE, issue=issue)) == ["operator warned"]
    assert desk.why("anna") is None


def test_who_came_back_is_not_thrown_out_by_an_old_bounce(desk: Desk) -> None:
    desk.read(desk.bounce("anna", UNKNOWN))
    desk.later(1)
    assert desk.register.lift(desk.who("anna"), Origin(at=desk.now[0], source="operator"))
    assert desk.read(desk.bounce("anna", UNKNOWN)) == ["on record"]
    assert desk.why("anna") is None
    desk.later(1)
    desk.send(65)
    assert desk.read(desk.bounce("anna", UNKNOWN, issue=65)) == ["suppressed"]


def test_a_request_with_a_token_unsubscribes_and_one_without_is_for_a_person(desk: Desk) -> None:
    plain = b"From: ben@example.org\nTo: weekly@example.org\nMessage-ID: <1@b>\nSubject: "
    assert desk.read(plain + b"unsubscribe\n\n") == ["for you to decide"]
    assert desk.why("ben") is None
    assert desk.read(plain + f"unsubscribe {desk.token('ben')}\n\n".encode()) == ["unsubscribed"]
    assert desk.why("ben") == "unsubscribed"
    (event,) = desk.register.history(desk.who("ben"))
    assert (event.change, event.source) == (Change.UNSUBSCRIBED, "mail")


def test_nothing_is_written_down_of_somebody_who_is_forgotten(desk: Desk) -> None:
    membership = desk.returning.membership
    assert membership.forget(desk.who("anna"), key="anna@example.org", source="operator")
    desk.read(desk.bounce("anna", UNKNOWN))
    desk.read(desk.bounce("anna", UNKNOWN, to="weekly@example.org"))
    kept = [record.report for _, record in desk.returning.returns.records()]
    assert [(report.recipient, report.diagnostic) for report in kept] == [(None, "")] * 2
    assert desk.why("anna") == "forgotten"


def test_a_maildir_twice(desk: Desk, tmp_path: Path) -> None:
    mails = {
        "1.new": desk.bounce("anna", UNKNOWN),
        "2.new": desk.bounce("ben", RATE),
        "3.new": desk.bounce("cleo", UNKNOWN, to="weekly@example.org"),
        "4.new": b"From: a@example.net\nSubject: hello\n\n",
    }
    folder = maildir(tmp_path, mails)
    dry = desk.process(folder, dry_run=True)
    assert [one.address for one in dry.left] == ["anna@example.org"]
    assert desk.why("anna") is None
    assert len(list((folder / "new").iterdir())) == 4
    for summary in (desk.process(folder, keep=True), dry):
        assert (summary.mails, summary.known) == (4, 0)
        assert [one.address for one in summary.left] == ["anna@example.org"]
        assert list(summary.warnings.values()) == [1]
        assert [one.address for one in summary.unproven] == ["cleo@example.org"]
    again = desk.process(folder)
    assert (again.mails, again.known, again.left) == (4, 4, [])
    assert [desk.why(name) for name in PEOPLE] == ["no such mailbox", None, None]
    assert sorted(path.name for path in (folder / "cur").iterdir()) == [
        f"{number}.new:2,S" for number in range(1, 5)
    ]
    assert desk.process(folder).mails == 0


def test_a_mail_that_was_cut_off_is_taken_whole_the_next_time(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = maildir(tmp_path, {"1.new": desk.bounce("anna", UNKNOWN)})

    def full(*_: object, **__: object) -> None:
        raise LedgerError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(desk.returning.returns, "record", full)
        with pytest.raises(LedgerError):
            desk.process(folder)
    assert desk.why("anna") is None
    assert (folder / "new" / "1.new").exists()
    assert [one.address for one in desk.process(folder).left] == ["anna@example.org"]


def test_confirming_again_counts_as_coming_back(desk: Desk) -> None:
    person = desk.returning.membership.person(desk.who("anna"))
    assert person
    desk.register.save(person, Change.ADDED, Origin(at=NOW, source="a test"))
    desk.read(desk.bounce("anna", UNKNOWN))
    desk.later(1)
    consent = Consent(at=desk.now[0], how="double opt-in")
    desk.register.confirm(desk.who("anna"), Origin(at=desk.now[0], source="link"), consent=consent)
    assert desk.read(desk.bounce("anna", UNKNOWN)) == ["on record"]
    assert desk.why("anna") is None
