"""Where mails are kept: everything is read once, nothing is lost, and nothing that is no mail gets in the way."""

from __future__ import annotations

import fcntl
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from newsletter.errors import MailboxError, UsageError
from newsletter.feedback.sources import Letter, Unread, mbox, open_source, piped_source

MAIL = b"From: a@example.org\nSubject: %d\n\nbody\n"


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    return tmp_path


def letters(place: Path) -> list[Letter | Unread]:
    with closing(open_source(str(place), password=str).letters) as found:
        return list(found)


def subjects(place: Path) -> list[int]:
    found = letters(place)
    assert all(isinstance(one, Letter) for one in found), found
    return [int(one.data.split(b"Subject: ")[1].split()[0]) for one in found]  # type: ignore[union-attr]


def test_a_maildir_has_what_nobody_has_seen_oldest_first(maildir: Path) -> None:
    places = ("new/30.a", "cur/20.a:2,F", "cur/10.a:2,S", "new/.hidden", "tmp/1.a", "cur/40.a:2,")
    for number, place in enumerate(places):
        (maildir / place).write_bytes(MAIL % number)
    (maildir / "new" / "folder").mkdir()
    (maildir / "new" / "link").symlink_to("/etc/hostname")
    os.mkfifo(maildir / "new" / "pipe")
    assert subjects(maildir) == [1, 0, 5]
    for letter in letters(maildir):
        assert isinstance(letter, Letter)
        letter.settle()
        letter.settle()
    assert subjects(maildir) == []
    assert sorted(path.name for path in (maildir / "cur").iterdir()) == [
        "10.a:2,S",
        "20.a:2,FS",
        "30.a:2,S",
        "40.a:2,S",
    ]


def test_a_mail_that_another_process_takes_meanwhile_is_passed_over(maildir: Path) -> None:
    for number in range(3):
        (maildir / "new" / str(number)).write_bytes(MAIL % number)
    with closing(open_source(str(maildir), password=str).letters) as found:
        first = next(found)
        (maildir / "new" / "1").unlink()
        assert [one.name for one in (first, *found)] == [
            str(maildir / "new" / name) for name in ("0", "2")
        ]


def test_an_unreadable_mail_is_named_and_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "1.eml").write_bytes(MAIL % 1)
    (tmp_path / "2.eml").mkdir()
    (tmp_path / "3.eml").write_bytes(MAIL % 3)
    os.mkfifo(tmp_path / "4.eml")
    found = letters(tmp_path)
    assert [type(one) for one in found] == [Letter, Unread, Letter, Unread]
    assert found[1] == Unread(str(tmp_path / "2.eml"), "Is a directory")
    assert isinstance(found[3], Unread)
    assert found[3].why == "not a file"


def test_an_mbox_is_cut_where_a_blank_line_and_from_come_together(tmp_path: Path) -> None:
    path = tmp_path / "mbox"
    path.write_bytes(
        b"From a@b Mon\nSubject: 1\n\nFrom here to there\n>From quoted\n>>From twice\n\n"
        b"From a@b Tue\nSubject: 2\n\nno From line\nFrom inside\n\n"
        b"From a@b Wed\r\nSubject: 3\r\n\r\nx\r\n\r\n"
        b"From a@b Thu\nSubject: 4\n\n" + b"x" * 200_000 + b"\n"
    )
    assert subjects(path) == [1, 2, 3, 4]
    first, *_ = letters(path)
    assert isinstance(first, Letter)
    assert first.name == f"{path}, mail 1"
    assert first.data == (b"Subject: 1\n\nFrom here to there\nFrom quoted\n>From twice\n\n")


def test_an_mbox_that_somebody_holds_is_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mbox"
    path.write_bytes(b"From a@b Mon\n" + MAIL % 1)
    monkeypatch.setattr(mbox, "LOCK_SECONDS", 0.2)
    hold = (
        "import fcntl, sys\n"
        f"file = open({str(path)!r}, 'r+b'); fcntl.lockf(file, fcntl.LOCK_EX)\n"
        "print('held', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", hold]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(MailboxError, match="another program holds this mailbox"):
            letters(path)
        holder.communicate()
    assert subjects(path) == [1]
    with path.open("r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_file_holds_one_mail(tmp_path: Path) -> None:
    path = tmp_path / "mail"
    path.write_bytes(MAIL % 7)
    assert subjects(path) == [7]


def test_a_pipe_is_read_to_its_end() -> None:
    stream = io.BytesIO(b"x" * (6 << 20))
    source = piped_source(stream, envelope_to="bounces+a@example.org")
    (letter,) = source.letters
    assert isinstance(letter, Letter)
    assert (len(letter.data), letter.envelope_to) == (5 << 20, "bounces+a@example.org")
    assert stream.read() == b""
    (nothing,) = piped_source(io.BytesIO(b"\n"), envelope_to=None).letters
    assert nothing == Unread("standard input", "there is no mail")


def wrong_places(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "nowhere"
    (tmp_path / "empty").mkdir()
    yield tmp_path / "empty"


def test_what_is_no_mailbox_is_said(tmp_path: Path) -> None:
    for place in wrong_places(tmp_path):
        with pytest.raises(UsageError, match=str(place)):
            open_source(str(place), password=str)
