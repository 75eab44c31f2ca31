"""`make demo`: a stranger sees issue 64 go out, and a second time nothing happens."""

from __future__ import annotations

import pytest
from story import Demo, Desk

READERS = {
    "lin.xiaoyu@example.com",
    "wang.haoran@example.com",
    "Chen.Siyuan@example.org",
    "zhao.min@example.net",
    "ada@example.org",
    "g.garcia@example.net",
    "soren@example.com",
    "reader+weekly@example.org",
    "zhang.wei@xn--fsqu00a.example.org",
    "编辑部@example.net",
    "no-name@example.com",
}


def test_every_active_subscriber_gets_one_message(demo: Demo) -> None:
    assert demo.first.code == 0
    assert set(demo.caught) == {f"{reader}.eml" for reader in READERS}
    assert "planned 11 = 11 accepted" in demo.first.out


def test_it_names_where_the_messages_are_and_the_commands_to_try_next(demo: Demo) -> None:
    assert "demo-out/Chen.Siyuan@example.org.eml" in demo.first.out
    for command in ("preview 64", "status 64", "log 64", "send 64 --dry-run", "new"):
        assert f"newsletter {command} " in demo.first.out


def test_the_second_time_nothing_is_left_to_send(demo: Demo) -> None:
    assert demo.second.code == 0
    assert "Nothing is left to send." in demo.second.out
    assert demo.still_caught == demo.caught


def test_it_says_how_to_begin_anew(demo: Demo) -> None:
    assert "rm -r .newsletter demo-out && make demo" in demo.second.out


def test_what_it_prints_fits_a_terminal_of_80_columns(demo: Demo) -> None:
    for line in [*demo.first.out.splitlines(), *demo.second.out.splitlines()]:
        assert len(line) <= 80 or ".venv" not in line


@pytest.mark.parametrize("command", ["status", "log"])
def test_the_record_is_there_afterwards(demo: Demo, command: str) -> None:
    done = Desk(root=demo.root).run(command, "64")
    assert done.code == 0
    assert "accepted" in done.out
