"""A real Postfix takes a send, finds out what is wrong with it later, and says so by mail.

It delivers for example.org itself, where almost nobody has a mailbox, and hands everything else to a server that
refuses. Its bounces come back to the VERP addresses, which `recipient_delimiter` brings into one Maildir.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from real_postfix import Postfix, running_postfix
from recording_sink import running_sink
from torture_stage import Stage, write_publication

LOCAL = """\
mydestination = example.org, bounces.example.net
recipient_delimiter = +
alias_maps = texthash:{folder}/etc/aliases
allow_mail_to_files = alias
smtpd_recipient_restrictions = permit_mynetworks, reject
"""
SETTINGS = "bounce_address: returned@bounces.example.net\n"
GONE = [f"gone{number}@example.org" for number in range(12)]
READERS = [f"reader{number}@example.org" for number in range(3)]
LIMITED = [f"{number}@qq.example.com" for number in range(8)]
FULL = [f"full{number}@mail.example.com" for number in range(2)]
REFUSE = (
    "@qq.=550 Mail content denied: Ip frequency limited. http://service.mail.example.com/help",
    "full=552 5.2.2 the mailbox is full",
)


def came_back(maildir: Path, count: int) -> int:
    """How many mails there are, when it is `count`, or after a minute."""
    until = time.monotonic() + 60
    new = maildir / "new"
    while True:
        found = len(list(new.iterdir())) if new.is_dir() else 0
        if found >= count or time.monotonic() > until:
            return found
        time.sleep(0.2)


def receive_mail(postfix: Postfix) -> Path:
    """The Maildir that bounces come to; local(8) delivers for an alias as nobody."""
    inbox = postfix.folder / "inbox"
    inbox.mkdir()
    os.chown(inbox, 65534, 65534)
    lines = [f"returned {inbox}/Maildir/", *(f"reader{n} /dev/null" for n in range(3))]
    (postfix.folder / "etc" / "aliases").write_text("\n".join([*lines, ""]))
    return inbox / "Maildir"


def test_unknown_users_are_suppressed_and_a_rate_limit_suppresses_nobody(
    requires: Callable[[str], Path], tmp_path: Path
) -> None:
    program = requires("postfix")
    if os.geteuid() != 0:
        pytest.skip("Postfix changes users, which only root may do")
    root = write_publication(tmp_path, connections=2, recipients=0, settings=SETTINGS)
    everybody = [*GONE, *READERS, *LIMITED, *FULL]
    (root / "subscribers.csv").write_text("\n".join(["email", *everybody, ""]))
    with (
        running_sink(*(f"--refuse={rule}" for rule in REFUSE)) as sink,
        running_postfix(program, onward=sink.port, policy=1, more=LOCAL) as postfix,
    ):
        maildir = receive_mail(postfix)
        here = Stage(root, postfix.url)
        code, said = here.run("send", "1", "--yes")
        assert code == 0, said
        assert here.standing().having("accepted") == set(everybody), "it refuses nobody at once"
        assert came_back(maildir, 22) == 22, postfix.log()
        code, said = here.run("bounces", "process", str(maildir), "--json")
        again = here.run("bounces", "process", str(maildir))
    assert code == 0, said
    told = json.loads(said)
    assert told["mails"] == 22
    assert told["actions"] == {"suppressed": 12, "operator warned": 8, "counted": 2}
    assert {one["address"] for one in told["left"]} == set(GONE) == here.suppressed()
    assert {one["reason"] for one in told["left"]} == {"no such mailbox"}
    (warning,) = told["warnings"]
    assert (warning["verdict"], warning["count"]) == ("rate", 8)
    assert again == (0, "0 mails read\n"), "all of them are marked as seen"
