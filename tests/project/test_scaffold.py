from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from newsletter.audience.selection import Reason
from newsletter.errors import UsageError
from newsletter.mailing import Mailing
from newsletter.project import Project
from newsletter.scaffold import issue_source, start_publication

MONDAY = datetime(2022, 11, 7, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
PACKAGED_THEME = Path(__file__).parents[2] / "templates"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    start_publication(tmp_path / "publication", first_date=MONDAY)
    return tmp_path / "publication"


def content_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


class TestStart:
    def test_writes_a_publication_without_a_mistake(self, root: Path) -> None:
        project = Project.open(root, environ={})
        source = project.issue(1)
        assert source.issue.date == MONDAY
        assert source.issue.status == "draft"
        reasons = [choice.left_out for choice in project.choices()]
        assert reasons.count(None) == 2
        assert Reason.BAD_ROW not in reasons
        assert project.timetable().on_calendar(zone=project.publication.zone)

    def test_every_recipient_gets_a_message(self, root: Path) -> None:
        project = Project.open(root, environ={"NEWSLETTER_SECRET": "sixteen letters!"})
        mailing = Mailing(project, project.issue(1))
        for choice in project.choices():
            if choice.recipient:
                message = mailing.message(choice.recipient)
                assert message.envelope.forward_path == choice.recipient.address.envelope
        assert not mailing.composer().edition.warnings

    def test_the_text_part_has_no_trace_of_the_scaffold(self, root: Path) -> None:
        project = Project.open(root, environ={"NEWSLETTER_SECRET": "sixteen letters!"})
        edition = Mailing(project, project.issue(1)).composer().edition
        assert "$" not in edition.text
        assert "2022年11月7日" in edition.text
        assert len(edition.images) == 2

    def test_copies_the_whole_packaged_theme(self, root: Path) -> None:
        assert content_of(root / "templates") == content_of(PACKAGED_THEME)

    def test_names_what_it_wrote(self, tmp_path: Path) -> None:
        started = start_publication(tmp_path, first_date=MONDAY)
        assert {str(path) for path in started.written} == set(content_of(tmp_path))
        assert started.kept == ()

    def test_state_and_list_stay_out_of_git(self, root: Path) -> None:
        ignored = (root / ".gitignore").read_text().splitlines()
        assert ".newsletter/" in ignored
        assert "subscribers.csv" in ignored

    def test_refuses_a_folder_that_has_a_publication(self, root: Path) -> None:
        before = content_of(root)
        with pytest.raises(UsageError, match="exists already"):
            start_publication(root, first_date=MONDAY)
        assert content_of(root) == before

    def test_never_overwrites_a_file(self, tmp_path: Path) -> None:
        mine = {"subscribers.csv": b"email\nme@example.com\n", "templates/issue.txt.j2": b"mine"}
        for name, data in mine.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(data)
        started = start_publication(tmp_path, first_date=MONDAY)
        assert {str(path) for path in started.kept} == set(mine)
        assert content_of(tmp_path).items() >= mine.items()

    def test_never_writes_through_a_symlink(self, tmp_path: Path) -> None:
        (tmp_path / "publication").mkdir()
        (tmp_path / "publication" / "subscribers.csv").symlink_to(tmp_path / "elsewhere.csv")
        started = start_publication(tmp_path / "publication", first_date=MONDAY)
        assert started.kept == (Path("subscribers.csv"),)
        assert not (tmp_path / "elsewhere.csv").exists()

    def test_an_interrupted_start_can_be_started_again(self, tmp_path: Path) -> None:
        (tmp_path / "templates").write_text("a file in the way")
        with pytest.raises(OSError, match="templates"):
            start_publication(tmp_path, first_date=MONDAY)
        assert not (tmp_path / "newsletter.yaml").exists()
        (tmp_path / "templates").unlink()
        start_publication(tmp_path, first_date=MONDAY)
        assert Project.open(tmp_path, environ={}).issue(1)


class TestIssueSource:
    @pytest.mark.parametrize(("prose", "suffix"), [(False, "yaml"), (True, "md")])
    def test_is_an_issue_without_a_mistake(self, root: Path, prose: bool, suffix: str) -> None:
        (root / "content" / f"012.{suffix}").write_text(
            issue_source(number=12, date=MONDAY, prose=prose)
        )
        project = Project.open(root, environ={"NEWSLETTER_SECRET": "sixteen letters!"})
        issue = project.issue(12).issue
        assert (issue.number, issue.date, issue.status) == (12, MONDAY, "draft")
        assert Mailing(project, project.issue(12)).composer().edition.text
