from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.project import Project

Run = Callable[..., "subprocess.CompletedProcess[str]"]


class TestInit:
    def test_names_what_it_wrote_and_what_comes_next(self, run: Run, tmp_path: Path) -> None:
        result = run("init", "my weekly")
        assert result.returncode == 0
        assert result.stderr == ""
        for name in ("newsletter.yaml", "content/001.yaml", "subscribers.csv", ".gitignore"):
            assert f"written  my weekly/{name}\n" in result.stdout
            assert (tmp_path / "my weekly" / name).is_file()
        assert "  cd 'my weekly'\n  newsletter preview 1 " in result.stdout
        assert max(map(len, result.stdout.splitlines())) <= 80

    def test_works_in_the_folder_itself(self, call: Run, tmp_path: Path) -> None:
        result = call("init")
        assert result.returncode == 0
        assert "written  newsletter.yaml\n" in result.stdout
        assert "  cd " not in result.stdout
        assert Project.open(tmp_path, environ={}).issue(1)

    def test_dates_the_first_issue_next_monday_at_nine(self, call: Run, tmp_path: Path) -> None:
        call("init")
        date = Project.open(tmp_path, environ={}).issue(1).issue.date
        assert date is not None
        assert date > datetime.now(UTC)
        assert f"{date:%A %H:%M %z}" == "Monday 09:00 +0800"

    def test_refuses_a_folder_that_has_a_publication(self, call: Run, publication: Path) -> None:
        result = call("init", "weekly")
        assert result.returncode == 2
        assert result.stdout == ""
        assert result.stderr == (
            "error: weekly/newsletter.yaml exists already: this folder has a publication\n"
        )

    def test_keeps_what_is_there(self, call: Run, tmp_path: Path) -> None:
        (tmp_path / ".gitignore").write_text("mine\n")
        result = call("init")
        assert "kept     .gitignore, which was there already\n" in result.stdout
        assert (tmp_path / ".gitignore").read_text() == "mine\n"

    def test_in_a_place_that_is_a_file(self, call: Run, tmp_path: Path) -> None:
        (tmp_path / "taken").write_text("")
        result = call("init", "taken")
        assert result.returncode == 1
        assert result.stderr.startswith("error: taken")

    def test_what_it_writes_can_be_listed_rendered_and_sent_dry(
        self, run: Run, tmp_path: Path
    ) -> None:
        run("init", "x")
        folder = tmp_path / "x"
        assert run("list", cwd=folder).returncode == 0
        assert run("render", "1", cwd=folder).returncode == 0
        result = run("send", "1", "--dry-run", cwd=folder)
        assert result.returncode == 0, result.stderr


class TestNew:
    def test_writes_the_next_issue_dated_in_the_next_free_slot(
        self, run: Run, publication: Path
    ) -> None:
        first = run("new", cwd=publication)
        second = run("new", "--prose", cwd=publication)
        assert first.returncode == second.returncode == 0
        assert first.stdout.startswith("written  content/002.yaml, for Monday 20")
        assert "\nNext:\n  newsletter preview 2\n" in first.stdout
        assert second.stdout.startswith("written  content/003.md, for Monday 20")
        project = Project.open(publication, environ={})
        dates = [project.issue(number).issue.date for number in (2, 3)]
        assert dates[0] is not None
        assert dates[1] is not None
        assert dates[0] > datetime.now(UTC)
        assert (dates[1] - dates[0]).days == 7

    def test_a_number_of_ones_own(self, call: Run, publication: Path) -> None:
        assert call("new", "064", cwd=publication).returncode == 0
        assert Project.open(publication, environ={}).issue(64).issue.number == 64
        assert call("new", cwd=publication).stdout.startswith("written  content/065.yaml")

    @pytest.mark.parametrize("name", ["001.yaml", "0001.md", "1-hello.yml"])
    def test_never_overwrites_an_issue_under_any_name(
        self, call: Run, publication: Path, name: str
    ) -> None:
        path = (publication / "content" / "001.yaml").rename(publication / "content" / name)
        before = path.read_bytes()
        result = call("new", "1", cwd=publication)
        assert result.returncode == 2
        assert result.stderr == f"error: issue 1 exists already: content/{name}\n"
        assert path.read_bytes() == before

    def test_makes_the_folder_for_the_very_first(self, call: Run, publication: Path) -> None:
        (publication / "content" / "001.yaml").unlink()
        (publication / "content").rmdir()
        assert "newsletter new" in call("list", cwd=publication).stdout
        assert call("new", cwd=publication).stdout.startswith("written  content/001.yaml")

    def test_a_schedule_that_is_none_is_told(self, call: Run, publication: Path) -> None:
        path = publication / "newsletter.yaml"
        path.write_text(path.read_text().replace("0 9 * * 1", "0 9 * * 9"))
        result = call("new", cwd=publication)
        assert result.returncode == 2
        assert "the weekday cannot be '9'" in result.stderr
        assert [file.name for file in (publication / "content").iterdir()] == ["001.yaml"]
