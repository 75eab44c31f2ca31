from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pytest
from wcwidth import wcswidth

from newsletter.cli.table import print_table

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def issues(publication: Path) -> Path:
    content = publication / "content"
    (content / "002-broken.yaml").write_text("number: 2\ntitel: 错\n")
    (content / "010.md").write_text("---\nnumber: 10\ntitle: 没有日期的一期\n---\n\n正文\n")
    for name in ("011.yaml", "0011.md"):
        (content / name).write_text("number: 11\n")
    return publication


def test_shows_number_date_status_and_title_in_columns(run: Run, issues: Path) -> None:
    result = run("list", cwd=issues)
    assert result.returncode == 0
    assert result.stderr == ""
    assert result.stdout.splitlines()[:5] == [
        "ISSUE  DATE              STATUS  SENT  TITLE",
        "1      2022-11-07 09:00  draft   -     你好，读者",
        "2      -                 broken  -     " + result.stdout.splitlines()[2][39:],
        "10     -                 draft   -     没有日期的一期",
        "11     -                 broken  -     " + result.stdout.splitlines()[4][39:],
    ]
    assert "content/002-broken.yaml:" in result.stdout
    assert "issue 11 has 2 files" in result.stdout
    assert result.stdout.endswith("Broken: 2, 11. To see all that is wrong: newsletter render 2\n")


def test_json_has_the_same_for_programs(call: Run, issues: Path) -> None:
    result = call("list", "--json", cwd=issues)
    assert result.stdout.count("\n") == 1
    listed = json.loads(result.stdout)["issues"]
    assert [issue["number"] for issue in listed] == [1, 2, 10, 11]
    assert listed[0] == {
        "number": 1,
        "path": "content/001.yaml",
        "date": "2022-11-07T09:00+08:00",
        "status": "draft",
        "title": "你好，读者",
        "problems": [],
        "planned": None,
        "accepted": None,
        "settled": None,
    }
    assert [issue["status"] for issue in listed] == ["draft", "broken", "draft", "broken"]
    assert len(listed[1]["problems"]) > 1
    assert listed[2]["date"] is None


def test_a_broken_theme_does_not_hide_the_issues(call: Run, publication: Path) -> None:
    (publication / "templates" / "blocks" / "poem.html.j2").write_text("half a kind")
    result = call("list", cwd=publication)
    assert result.returncode == 0
    assert "1      -     broken  -     templates/" in result.stdout
    assert "poem.txt.j2" in result.stdout


def test_without_issues_says_how_to_make_one(call: Run, publication: Path) -> None:
    (publication / "content" / "001.yaml").unlink()
    assert call("list", cwd=publication).stdout == (
        "There are no issues yet: `newsletter new` makes the first.\n"
    )
    assert json.loads(call("list", "--json", cwd=publication).stdout) == {"issues": []}


def test_on_a_terminal_no_line_is_wider_than_it(issues: Path, environ: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 48, 0, 0))
    subprocess.run(
        [sys.executable, "-m", "newsletter", "list"],
        cwd=issues,
        env={**environ, "COLUMNS": "48", "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        check=True,
    )
    os.close(theirs)
    lines = os.read(ours, 10_000).decode().replace("\r\n", "\n").splitlines()
    os.close(ours)
    table = lines[1 : lines.index("")]
    assert len(table) == 4
    assert max(map(wcswidth, table)) <= 48
    assert any(line.endswith("…") for line in table)
    assert lines[0] == "\x1b[1mISSUE  DATE              STATUS  SENT  TITLE\x1b[0m"


def test_a_table_counts_cells_and_cannot_be_broken_by_what_is_in_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_table(("A", "B"), [("中文", "x\x1b[31m\ny"), ("a", "")])
    assert capsys.readouterr().out == "A     B\n中文  x [31m y\na\n"
