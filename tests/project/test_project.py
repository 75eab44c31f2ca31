from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.errors import (
    AudienceError,
    ConfigError,
    SourceError,
    TemplateError,
    UsageError,
)
from newsletter.project import Project

CONFIG = "name: 周刊\nfrom: {name: 周刊, address: weekly@example.org}\n"
ISSUE = """\
number: {number}
title: 第{number}期
date: {date}
sections:
  - items:
      - kind: {kind}
        body: 你好
"""
NOW = datetime(2022, 11, 1, tzinfo=UTC)


def write_issue(
    root: Path, number: int, *, date: str = "2022-11-07T09:00:00+08:00", kind: str = "text"
) -> Path:
    path = root / "content" / f"{number:03d}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(ISSUE.format(number=number, date=date, kind=kind))
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "publication"
    folder.mkdir()
    (folder / "newsletter.yaml").write_text(CONFIG)
    (folder / "subscribers.csv").write_text(
        "email,name,status\nAda@example.com,old,unsubscribed\nada@example.com,Ada,\nbob@example.com,Bob,pending\n"
        "cid@example.com,Cid,\n"
    )
    return folder


def open_with(root: Path, *lines: str) -> Project:
    (root / "newsletter.yaml").write_text(CONFIG + "\n".join(lines))
    return Project.open(root, environ={})


class TestOpening:
    def test_reads_the_settings_and_the_environment(self, root: Path) -> None:
        project = Project.open(root, environ={"NEWSLETTER_SITE_URL": "https://weekly.example.org/"})
        assert project.publication.name == "周刊"
        assert project.publication.site_url == "https://weekly.example.org"
        assert project.root == root.resolve()
        assert project.state_dir == root.resolve() / ".newsletter"

    def test_makes_nothing(self, root: Path) -> None:
        before = sorted(root.rglob("*"))
        project = Project.open(root, environ={})
        assert project.issues() == []
        assert len(list(project.subscribers())) == 4
        assert sorted(root.rglob("*")) == before

    def test_a_folder_without_a_publication_says_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="newsletter init"):
            Project.open(tmp_path, environ={})

    def test_does_not_look_in_the_folders_above(self, root: Path) -> None:
        (root / "content").mkdir()
        with pytest.raises(ConfigError):
            Project.open(root / "content", environ={})

    def test_mistakes_in_the_settings_come_with_their_place(self, root: Path) -> None:
        with pytest.raises(ConfigError) as caught:
            open_with(root, "colour: red", "timezone: Mars/Olympus")
        assert "newsletter.yaml:3" in str(caught.value)
        assert "newsletter.yaml:4" in str(caught.value)

    def test_works_through_a_symlink_to_the_folder(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(root)
        assert Project.open(tmp_path / "link", environ={}).root == root.resolve()


class TestStaysInside:
    @pytest.mark.parametrize("setting", ["audience", "templates", "masthead", "divider"])
    @pytest.mark.parametrize("value", ["../outside", "/etc/passwd", "a/../../outside"])
    def test_paths_that_lead_out_are_refused(self, root: Path, setting: str, value: str) -> None:
        with pytest.raises(ConfigError, match=r"newsletter\.yaml"):
            open_with(root, f"{setting}: {value}")

    @pytest.mark.parametrize("setting", ["audience", "templates", "masthead", "divider"])
    def test_symlinks_that_lead_out_are_refused(
        self, root: Path, tmp_path: Path, setting: str
    ) -> None:
        (tmp_path / "outside").mkdir()
        (root / "link").symlink_to(tmp_path / "outside")
        with pytest.raises(ConfigError, match=f"`{setting}: link/x` leads out of this folder"):
            open_with(root, f"{setting}: link/x")

    def test_symlinks_that_stay_inside_are_fine(self, root: Path) -> None:
        (root / "lists").mkdir()
        (root / "lists" / "all.csv").write_text("email\na@example.com\n")
        (root / "link.csv").symlink_to("lists/all.csv")
        assert len(list(open_with(root, "audience: link.csv").subscribers())) == 1


class TestIssues:
    def test_are_listed_unread_and_read_by_number(self, root: Path) -> None:
        write_issue(root, 2)
        (root / "content" / "001.yaml").write_text("broken: [")
        project = Project.open(root, environ={})
        assert [file.number for file in project.issues()] == [1, 2]
        assert project.issue(2).issue.title == "第2期"
        assert project.issue("002").display == "content/002.yaml"
        with pytest.raises(SourceError, match=r"content/001\.yaml:1"):
            project.issue(1)

    def test_an_unknown_one_names_the_nearest(self, root: Path) -> None:
        write_issue(root, 2)
        with pytest.raises(UsageError, match="nearest: 2"):
            Project.open(root, environ={}).issue(64)

    def test_dates_without_an_offset_go_by_the_zone_of_the_publication(self, root: Path) -> None:
        write_issue(root, 1, date="2022-11-07 09:00")
        date = open_with(root, "timezone: Asia/Tokyo").issue(1).issue.date
        assert date is not None
        assert date.isoformat() == "2022-11-07T09:00:00+09:00"

    def test_a_kind_of_ones_own_is_known_by_its_templates(self, root: Path) -> None:
        write_issue(root, 1, kind="poem")
        with pytest.raises(SourceError, match="poem"):
            Project.open(root, environ={}).issue(1)
        blocks = root / "templates" / "blocks"
        blocks.mkdir(parents=True)
        (blocks / "poem.html.j2").write_text("<p>{{ item.body }}</p>")
        with pytest.raises(TemplateError, match=r"poem\.txt\.j2"):
            Project.open(root, environ={}).issue(1)
        (blocks / "poem.txt.j2").write_text("{{ item.body }}")
        assert Project.open(root, environ={}).issue(1).issue.sections


class TestNextSlot:
    def test_is_after_now_and_after_the_last_issue(self, root: Path) -> None:
        project = Project.open(root, environ={})
        assert project.next_slot(after=NOW).isoformat() == "2022-11-07T09:00:00+08:00"
        write_issue(root, 1, date="2022-11-21T09:00:00+08:00")
        assert project.next_slot(after=NOW).isoformat() == "2022-11-28T09:00:00+08:00"
        later = datetime(2023, 1, 1, tzinfo=UTC)
        assert project.next_slot(after=later).isoformat() == "2023-01-02T09:00:00+08:00"

    def test_passes_over_broken_and_undated_issues(self, root: Path) -> None:
        write_issue(root, 1, date="2022-11-21T09:00:00+08:00")
        write_issue(root, 2, kind="nonsense")
        write_issue(root, 3, date="null")
        slot = Project.open(root, environ={}).next_slot(after=NOW)
        assert slot.isoformat() == "2022-11-28T09:00:00+08:00"

    def test_follows_the_schedule_and_the_zone(self, root: Path) -> None:
        project = open_with(root, 'schedule: "30 18 * * fri"', "timezone: Europe/Berlin")
        assert project.next_slot(after=NOW).isoformat() == "2022-11-04T18:30:00+01:00"

    @pytest.mark.parametrize("schedule", ["weekly", "0 9 30 2 *", "0 25 * * 1"])
    def test_a_schedule_that_is_none_is_a_mistake_of_the_settings(
        self, root: Path, schedule: str
    ) -> None:
        project = open_with(root, f'schedule: "{schedule}"')
        with pytest.raises(ConfigError, match=r"newsletter\.yaml: `schedule: "):
            project.next_slot(after=NOW)


class TestAudience:
    def test_an_unsubscribed_row_counts_against_every_other_of_the_address(
        self, root: Path
    ) -> None:
        choices = list(Project.open(root, environ={}).choices())
        assert [choice.left_out for choice in choices] == [
            "unsubscribed",
            "unsubscribed",
            "pending",
            None,
        ]

    def test_one_subscriber_by_any_spelling_preferably_the_active_row(self, root: Path) -> None:
        project = Project.open(root, environ={})
        ada = project.subscriber("ADA@Example.com")
        assert ada is not None
        assert ada.name == "Ada"
        bob = project.subscriber("bob@example.com")
        assert bob is not None
        assert bob.status == "pending"
        assert project.subscriber("nobody@example.com") is None

    def test_what_is_no_address_is_a_usage_error(self, root: Path) -> None:
        with pytest.raises(UsageError, match="'nobody': An email address must have an @-sign"):
            Project.open(root, environ={}).subscriber("nobody")

    def test_a_missing_list_is_told_by_its_name(self, root: Path) -> None:
        (root / "subscribers.csv").unlink()
        with pytest.raises(AudienceError, match=r"^subscribers\.csv: "):
            list(Project.open(root, environ={}).choices())


class TestParts:
    def test_keyring_is_made_once_and_only_when_asked_for(self, root: Path) -> None:
        project = Project.open(root, environ={})
        assert not project.state_dir.exists()
        assert project.keyring is project.keyring
        assert (project.state_dir / "secret").exists()

    def test_keyring_comes_from_the_environment_that_was_given(self, root: Path) -> None:
        project = Project.open(root, environ={"NEWSLETTER_SECRET": "sixteen letters!"})
        assert project.keyring.subscriber_id("a")
        assert not project.state_dir.exists()

    def test_renderer_renders(self, root: Path) -> None:
        templates = root / "templates"
        (templates / "blocks").mkdir(parents=True)
        (templates / "issue.html.j2").write_text(
            "<!doctype html><html><head><title>{{ subject }}</title></head>"
            "<body><p>{{ issue.title }}</p></body></html>"
        )
        (templates / "issue.txt.j2").write_text("{{ issue.title }}\n")
        write_issue(root, 1)
        project = Project.open(root, environ={})
        edition = project.renderer().render(project.issue(1).issue)
        assert "第1期" in edition.html
        assert edition.text == "第1期\n"
