"""Two processes on one mailbox, one that is killed in the middle, and mails that strangers put together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from desk import FULL, NOW, PEOPLE, RATE, SECRET, UNKNOWN, Desk, maildir, open_desk
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from newsletter.audience.register import Change


def start(root: Path, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "newsletter", "-C", str(root), "bounces", "process", str(folder)],
        env={**os.environ, **SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    _, said = process.communicate(timeout=120)
    assert (process.returncode, said) == (0, b"")


def many(desk: Desk, tmp_path: Path, count: int) -> Path:
    """Bounces of many people that are known by their tokens alone."""
    return maildir(tmp_path, {str(n): desk.bounce(f"r{n}", UNKNOWN) for n in range(count)})


def check_each_once(desk: Desk, count: int) -> None:
    found = [record.who for _, record in desk.returning.returns.records()]
    assert Counter(found) == Counter(desk.who(f"r{n}") for n in range(count))
    for n in range(count):
        changes = [event.change for event in desk.register.history(desk.who(f"r{n}"))]
        assert changes == [Change.BOUNCED]
        assert desk.why(f"r{n}") == "no such mailbox"


def test_two_at_once(desk: Desk, tmp_path: Path) -> None:
    folder = many(desk, tmp_path, 60)
    both = [start(desk.project.root, folder) for _ in range(2)]
    for process in both:
        finish(process)
    check_each_once(desk, 60)
    assert len(list((folder / "cur").iterdir())) == 60


def test_one_that_is_killed(desk: Desk, tmp_path: Path) -> None:
    folder = many(desk, tmp_path, 400)
    process = start(desk.project.root, folder)
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        if any((folder / "cur").iterdir()):
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.001)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "it was faster than this test"
    finish(start(desk.project.root, folder))
    check_each_once(desk, 400)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    with open_desk(tmp_path_factory.mktemp("lasting")) as made:
        yield made


PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            ["{verp}", "{token}", "{message-id}", "{forged}", "{to}", "550 5.1.1 no such user"]
        ),
        st.sampled_from(["\n", "\n\n", "--b\n", "unsubscribe ", "Subject: ", "To: ", "Status: "]),
        st.text(max_size=12),
    ),
    max_size=12,
).map("".join)


@example(  # whom it means, and nobody else
    about="anna", named="anna", said=UNKNOWN, pieces="To: {verp}\n", where=0.0
)
@given(
    about=st.sampled_from(PEOPLE),
    named=st.sampled_from(PEOPLE),
    said=st.sampled_from([UNKNOWN, FULL, RATE]),
    pieces=PIECES,
    where=st.floats(0, 1),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_mail_removes_nobody_but_whom_its_tokens_mean(
    lasting: Desk, about: str, named: str, said: tuple[str, str], pieces: str, where: float
) -> None:
    """A bounce that names one person, with strangers' words in it that may hold another one's tokens."""
    desk = lasting
    path = desk.return_path(64, about)
    filled = pieces
    for name, value in {
        "verp": path,
        "token": desk.token(about),
        "message-id": desk.message_id(64, about),
        "forged": path.replace("+", "+a"),
        "to": f"{named}@example.org",
    }.items():
        filled = filled.replace(f"{{{name}}}", value)
    mail = desk.bounce(named, said, to="weekly@example.org")
    cut = int(len(mail) * where)
    mail = mail[:cut] + filled.encode("utf-8", "replace") + mail[cut:]
    settled = desk.returning.read(mail, source="a test", dry_run=True) or []
    known = any(word in pieces for word in ("{verp}", "{token}", "{message-id}"))
    removed = {one.record.who for one in settled if one.changed}
    assert removed <= ({desk.who(about)} if known else set()), mail
    if where == 0.0 and pieces == "To: {verp}\n":
        assert removed == ({desk.who(about)} if named == about and said == UNKNOWN else set())
    assert [desk.why(name) for name in PEOPLE] == [None] * 3
    assert desk.now[0] == NOW
