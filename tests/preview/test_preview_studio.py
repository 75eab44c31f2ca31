"""The studio: what it makes anew, what it keeps, and what stays behind a mistake."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from conftest import png
from newsletter.mailing import Mailing
from newsletter.preview.studio import KEPT, Studio
from newsletter.project import Project

ENVIRON = {"NEWSLETTER_SECRET": "a secret only for these tests"}


def _noon() -> datetime:
    return datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
def studio(publication: Path) -> Studio:
    return Studio(Project.open(publication, environ=ENVIRON), clock=_noon)


def _edit(studio: Studio, name: str, old: str, new: str) -> None:
    path = studio.root / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    studio.forget([name])


def test_the_message_is_what_would_be_sent(studio: Studio) -> None:
    snapshot = studio.sight(7).snapshot
    assert snapshot is not None
    project = Project.open(studio.root, environ=ENVIRON)
    mailing = Mailing(project, project.issue(7))
    assert snapshot.anatomy.data == mailing.message(snapshot.reader).data


def test_nothing_saved_nothing_made(studio: Studio) -> None:
    first, second = studio.sight(7).snapshot, studio.sight(7).snapshot
    assert first is not None
    assert second is not None
    assert first.id == second.id
    assert first.edition is second.edition


def test_a_save_counts_when_it_is_told(studio: Studio) -> None:
    before = studio.sight(7).snapshot
    _edit(studio, "content/007.yaml", "原来的一句话", "改过的一句话")
    after = studio.sight(7).snapshot
    assert before is not None
    assert after is not None
    assert before.id != after.id
    assert "改过的一句话" in after.anatomy.text
    assert studio.snapshot(before.id) is before


def test_readers_of_one_variant_share_an_edition(studio: Studio) -> None:
    bo, long, lin = (
        studio.sight(7, reader).snapshot
        for reader in ("bo@example.com", "long@example.net", "lin@example.com")
    )
    assert bo is not None
    assert long is not None
    assert lin is not None
    assert bo.edition is long.edition
    assert bo.edition is not lin.edition


def test_a_mistake_leaves_the_last_good_view(studio: Studio) -> None:
    good = studio.sight(7).snapshot
    _edit(studio, "content/007.yaml", "status: ready", "status: sent")
    sight = studio.sight(7)
    assert sight.snapshot is good
    assert [fault["line"] for fault in sight.faults] == [4]
    assert studio.sight(8).faults == []
    _edit(studio, "content/007.yaml", "status: sent", "status: ready")
    assert studio.sight(7).faults == []


def test_a_mistake_from_the_start_has_nothing_behind_it(studio: Studio) -> None:
    _edit(studio, "content/007.yaml", "status: ready", "status: sent")
    assert studio.sight(7).snapshot is None


def test_broken_settings_stay_broken_until_mended(studio: Studio) -> None:
    good = studio.sight(7).snapshot
    _edit(studio, "newsletter.yaml", "language:", "langauge:")
    for _ in range(2):
        sight = studio.sight(7)
        assert sight.snapshot is good
        assert sight.faults[0]["path"] == "newsletter.yaml"
    project, entries, faults = studio.publication()
    assert project.publication.name == "测试周刊"
    assert len(entries) == 2
    assert faults
    _edit(studio, "newsletter.yaml", "langauge:", "language:")
    assert studio.sight(7).faults == []


def test_a_list_that_cannot_be_read_keeps_the_mail(studio: Studio) -> None:
    (studio.root / "subscribers.csv").write_bytes(b"email\nlin@example.com,\xff\n")
    sight = studio.sight(7)
    assert sight.snapshot is not None
    assert sight.snapshot.sample
    assert "UTF-8" in sight.faults[0]["message"]
    assert studio.sight(7).faults == sight.faults
    (studio.root / "subscribers.csv").write_text("email,name\nnew@example.com,新人\n", "utf-8")
    studio.forget()
    sight = studio.sight(7)
    assert sight.faults == []
    assert sight.snapshot is not None
    assert sight.snapshot.reader.name == "新人"


def test_a_list_of_nobody_active_has_a_sample_reader(studio: Studio) -> None:
    (studio.root / "subscribers.csv").write_text("email,status\na@example.com,pending\n", "utf-8")
    snapshot = studio.sight(7).snapshot
    assert snapshot is not None
    assert snapshot.sample


def test_an_issue_that_is_gone_is_a_mistake(studio: Studio) -> None:
    studio.sight(8)
    (studio.root / "content" / "008.md").unlink()
    studio.forget()
    sight = studio.sight(8)
    assert "no issue 8" in sight.faults[0]["message"]
    assert sight.snapshot is not None
    assert [entry.number for entry in studio.publication()[1]] == [7]


def test_a_broken_issue_is_in_the_index_without_its_title(studio: Studio) -> None:
    _edit(studio, "content/007.yaml", "status: ready", "status: sent")
    entries = {entry.number: entry.issue for entry in studio.publication()[1]}
    assert entries[7] is None
    assert entries[8] is not None


def test_an_issue_without_a_date_keeps_its_bytes_for_a_day(publication: Path) -> None:
    now = _noon()
    studio = Studio(Project.open(publication, environ=ENVIRON), clock=lambda: now)
    ids = []
    for day in (1, 1, 2):
        now = now.replace(day=day, second=now.second + 1)
        studio.forget()
        snapshot = studio.sight(8).snapshot
        assert snapshot is not None
        ids.append(snapshot.id)
    assert ids[0] == ids[1] != ids[2]


def test_only_what_depends_on_a_file_is_made_again(studio: Studio) -> None:
    def made() -> tuple[object, object]:
        seven, eight = studio.sight(7).snapshot, studio.sight(8).snapshot
        assert seven is not None
        assert eight is not None
        return seven.edition, eight.edition

    seven, eight = made()
    _edit(studio, "subscribers.csv", "林晓雨", "林改名")
    assert made() == (seven, eight)
    _edit(studio, "content/007.yaml", "原来的一句话", "改过的一句话")
    (studio.root / "notes.md").write_text("not part of any mail\n")
    studio.forget(["notes.md", "content/readme.md"])
    changed, kept = made()
    assert changed is not seven
    assert kept is eight
    (studio.root / "assets" / "dot.png").write_bytes(png(800, 200))
    studio.forget(["assets/dot.png"])
    pictured, _eight = made()
    assert pictured is not changed
    _edit(studio, "templates/blocks/text.html.j2", "{{", "x{{")
    _seven, eight_anew = made()
    assert eight_anew is not eight
    studio.forget()
    assert made()[1] is not eight_anew


def test_a_second_file_of_one_number_is_a_mistake(studio: Studio) -> None:
    studio.sight(7)
    (studio.root / "content" / "07-again.md").write_text("---\nnumber: 7\ntitle: x\n---\n\nx\n")
    studio.forget(["content/07-again.md"])
    assert "2 files" in studio.sight(7).faults[0]["message"]


def test_snapshots_are_kept_for_a_while_only(studio: Studio) -> None:
    first = studio.sight(7).snapshot
    assert first is not None
    for number in range(KEPT):
        (studio.root / "subscribers.csv").write_text(f"email\nu{number}@example.com\n", "utf-8")
        studio.forget()
        studio.sight(7)
    assert studio.snapshot(first.id) is None


def test_what_inlining_left_out_is_a_finding(studio: Studio) -> None:
    _edit(studio, "templates/styles/inlined.css", "body {", "p:not(.a,.b) { color: red; }\nbody {")
    snapshot = studio.sight(7).snapshot
    assert snapshot is not None
    (told,) = snapshot.findings
    assert (told["code"], told["severity"]) == ("not-inlined", "warning")
    assert told["path"] == "templates/styles/inlined.css"
    assert told["line"] == 1


def test_an_inspector_is_asked_for_more(publication: Path) -> None:
    asked: list[int] = []

    def inspect(mailing: Mailing) -> list[dict[str, object]]:
        asked.append(mailing.source.issue.number)
        record = {"code": "x", "severity": "error", "message": "bad link", "path": "a", "line": 1}
        return [record, record]

    studio = Studio(Project.open(publication, environ=ENVIRON), clock=_noon, inspector=inspect)
    snapshot = studio.sight(7).snapshot
    assert snapshot is not None
    assert asked == []
    assert [one["message"] for one in studio.findings(snapshot)] == ["bad link"]
    assert asked == [7]


def test_an_inspector_that_fails_is_a_finding(publication: Path) -> None:
    def inspect(_mailing: Mailing) -> list[dict[str, object]]:
        raise RuntimeError("no such check")

    studio = Studio(Project.open(publication, environ=ENVIRON), clock=_noon, inspector=inspect)
    snapshot = studio.sight(7).snapshot
    assert snapshot is not None
    (told,) = studio.findings(snapshot)
    assert (told["code"], told["message"]) == ("inspection-failed", "no such check")


def test_people_of_an_issue(studio: Studio) -> None:
    found, total = studio.people("", 7)
    assert total == 5
    assert found[0].roles
    assert studio.people("lin", None)[1] == 1
    assert studio.people("", 99)[1] == 5
