"""docs/cli.md says what the commands say."""

from __future__ import annotations

import subprocess
import sys

import pytest
import update_cli_docs

from newsletter.cli.lazy import COMMANDS


def test_the_page_is_current() -> None:
    assert update_cli_docs.PAGE.read_text("utf-8") == update_cli_docs.page(), (
        "run python tools/update_cli_docs.py"
    )


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_it_shows_what_a_terminal_of_80_columns_shows(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "newsletter", *command.split(), "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "80", "LANG": "C.UTF-8"},
    )
    assert f"```text\n{done.stdout.rstrip()}\n```" in update_cli_docs.page()


def test_no_line_of_help_is_wider_than_a_terminal() -> None:
    inside = False
    for line in update_cli_docs.page().splitlines():
        if line.startswith("```"):
            inside = not inside
        assert not inside or len(line) <= 80
