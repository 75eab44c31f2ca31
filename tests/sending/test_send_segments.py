"""A send to a part of the list: who is planned, who is added later, and that nobody is lost in between."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from scripted import Script
from sending_stage import SECRET, mailing_of, run
from small_publication import ISSUE, write_publication

from newsletter.cli.sendrun import recipients_left
from newsletter.delivery.states import State
from newsletter.errors import AudienceError, EditionChanged
from newsletter.membership import open_membership
from newsletter.project import Project
from newsletter.segments import Segment, parse_segment
from newsletter.sending import SendReport, require_campaign

LIST = """\
email,name,tags,status
ann@example.net,Ann,cv,
bob@example.net,Bob,cv;nlp,
cid@example.net,Cid,nlp,
dot@example.net,Dot,,
eve@example.net,Eve,cv,unsubscribed
DOT@example.net,Dot,cv,
"""
CV, NLP, ALL = map(parse_segment, ("tag = cv", "tag = nlp", "all"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = write_publication(tmp_path / "weekly", 0)
    (root / "subscribers.csv").write_text(LIST, "utf-8")
    (root / "content" / "002.yaml").write_text(ISSUE.replace("number: 1", "number: 2"), "utf-8")
    return root


def edit(root: Path, name: str, old: str, new: str) -> None:
    path = root / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def reached(root: Path, segment: Segment | None, script: Script | None = None, **more: int) -> str:
    """First letters of whom a send reaches, which is the number that a person would have had to type."""
    number = recipients_left(mailing_of(root, issue=more.get("issue", 1)), segment)
    report, server = run(root, script, segment=segment, **more)
    assert report.counts.settled
    assert report.tally is None or sum(report.tally.outcomes.values()) == number
    return "".join(sorted(address[0] for address in server.recipients))


def entries(root: Path) -> str:
    """First letters of who is planned for issue 1, in the order of planning."""
    with closing(Project.open(root, environ=SECRET).ledger()) as ledger:
        campaign = require_campaign(ledger, 1)
        found = list(ledger.entries(campaign))
        assert len(found) == campaign.planned
        return "".join(entry.address[0] for entry in found)


def remarks(report: SendReport) -> list[tuple[str, str, int]]:
    lines = map(json.loads, report.log.read_text("utf-8").splitlines())
    return [(one["event"], one["segment"], one["count"]) for one in lines if "segment" in one]


def test_one_segment_after_the_other_and_then_everybody_else(root: Path) -> None:
    assert reached(root, CV) == "ab"
    assert reached(root, None) == ""
    assert reached(root, NLP) == "c"
    assert reached(root, NLP) == ""
    assert reached(root, ALL) == "d"
    assert reached(root, ALL) == ""
    assert entries(root) == "abcd"
    report, _ = run(root, segment=CV)
    assert (report.added, report.fresh) == (0, False)
    assert remarks(report) == [
        ("planned", "tag = cv", 2),
        ("added", "tag = nlp", 1),
        ("added", "all", 1),
    ]


def test_the_first_send_says_whom_it_left_out(root: Path) -> None:
    report, _ = run(root, segment=parse_segment("tag = cv and not tag = cvv"))
    assert report.intake.left_out == {"unsubscribed": 1, "outside_the_segment": 2}
    assert report.intake.wanted - report.campaign.planned == 1  # one more row for Dot
    assert report.notes == ("`tag = cvv` is true of nobody on the list",)


def test_who_waits_is_not_dropped_by_another_segment_but_who_left_is(root: Path) -> None:
    run(root, segment=parse_segment("tag"), options={"limit": 1})
    edit(root, "subscribers.csv", "Cid,nlp,", "Cid,nlp,unsubscribed")
    report, server = run(root, segment=parse_segment("not tag"))
    assert report.left == 1
    assert report.counts[State.SUPPRESSED] == 1
    assert report.counts.settled
    assert sorted(address[0] for address in server.recipients) == ["b", "d"]


def test_who_did_not_get_the_issue_before(root: Path) -> None:
    refused = Script({"RCPT": ["250 ok", "552 5.2.2 mailbox full"]})
    run(root, refused, segment=parse_segment("tag"), options={"connections": 1})
    missed = parse_segment("not got 1")
    assert reached(root, missed, issue=2) == "bd"
    assert reached(root, parse_segment("got 1"), issue=2) == "ac"
    assert recipients_left(mailing_of(root), missed) == 1  # Bob is planned, Dot is not


def test_an_issue_that_was_never_sent_was_got_by_nobody(root: Path) -> None:
    report, server = run(root, segment=parse_segment("not got 63"))
    assert len(server.recipients) == 4
    assert report.notes == ("issue 63 was never sent from here, so nobody got it",)


def test_a_suppressed_address_is_on_record_and_not_counted(root: Path) -> None:
    with open_membership(Project.open(root, environ=SECRET)) as club:
        club.leave(club.register.identify("bob@example.net"), source="a test")
    assert reached(root, CV) == "a"
    assert entries(root) == "ab"
    assert reached(root, None, issue=2) == "acd"


@pytest.mark.parametrize("before", [None, NLP])
def test_nobody_in_the_segment_changes_nothing(root: Path, before: Segment | None) -> None:
    if before:
        run(root, segment=before)
    with pytest.raises(AudienceError, match=r"subscribers\.csv: nobody is in the segment name = X"):
        run(root, segment=parse_segment("name = X"))
    with closing(Project.open(root, environ=SECRET).ledger()) as ledger:
        assert (ledger.campaign(1) is not None) == bool(before)


def test_what_is_added_is_what_was_planned(root: Path) -> None:
    """The issue may be edited for the archive when all have it, and no newcomer gets that in silence."""
    run(root, segment=CV)
    edit(root, "content/001.yaml", "Hello.", "Hello, archive.")
    again, _ = run(root, segment=CV)
    assert again.counts.settled
    with pytest.raises(EditionChanged):
        run(root, segment=NLP)
    assert entries(root) == "ab"
    report, server = run(root, segment=NLP, accept_changed=True)
    assert [address[0] for address in server.recipients] == ["c"]
    assert report.campaign.digest == mailing_of(root).digest


def test_who_sees_what_is_part_of_the_edition(root: Path) -> None:
    """The same words with other readers would make other bytes at a retry."""
    edit(root, "content/001.yaml", "body: Hello.", 'body: Hello.\n        only: "tag = cv"')
    run(root, options={"limit": 1})
    edit(root, "content/001.yaml", "tag = cv", "tag = nlp")
    with pytest.raises(EditionChanged):
        run(root)
