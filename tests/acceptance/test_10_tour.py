"""The README's ten minutes: every command works as printed, in order, and says what the README says it says."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import catcher
import pytest
from story import ROOT, environment

BLOCK = re.compile(r"<!-- tour -->\n```console\n(.*?)```", re.DOTALL)
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
END = "the-tour-goes-on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A command of the README and the lines that it prints there, `…` standing for anything."""

    command: str
    printed: tuple[str, ...]


def steps() -> list[Step]:
    """Every step of the tour, in its order."""
    found: list[tuple[str, list[str]]] = []
    for block in BLOCK.findall((ROOT / "README.md").read_text("utf-8")):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return [Step(command=command, printed=tuple(printed)) for command, printed in found]


@dataclass(slots=True)
class Shell:
    """A person at a terminal: an interactive shell, and everything that it has shown.

    Attributes:
        terminal: our end of the pseudo-terminal.
        process: the shell.

    """

    terminal: int
    process: subprocess.Popen[bytes]

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self.terminal, text.encode())

    def read_until(self, sign: str, *, seconds: float = 60.0) -> str:
        """What is shown from now until `sign` comes, without colours and cursor movements."""
        pending = b""
        until = time.monotonic() + seconds
        while sign not in CONTROL.sub("", pending.decode("utf-8", "replace")):
            left = until - time.monotonic()
            assert left > 0, f"no {sign!r} in: {pending.decode('utf-8', 'replace')}"
            if select.select([self.terminal], [], [], left)[0]:
                pending += os.read(self.terminal, 65536)
        return CONTROL.sub("", pending.decode("utf-8", "replace"))

    def run(self, step: Step) -> str:
        """Do what the step says, answering what it asks, and return what is shown."""
        self.type(f"{step.command}; printf '%s\\n' {END[:3]}''{END[3:]}\n")
        shown = ""
        for line in step.printed:
            asked, colon, answer = line.partition(", to send: ")
            if colon:
                shown += self.read_until(f"{asked}{colon}") + f"{answer}\n"
                self.type(f"{answer}\n")
        if step.command.startswith("newsletter preview"):
            shown += self.read_until("Ctrl-C ends it.")
            self.type("\x03")
        return shown + self.read_until(f"{END}\n")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell in an empty folder, with `newsletter` on its path and no browser."""
    ours, theirs = pty.openpty()
    programs = Path(sys.executable).parent
    process = subprocess.Popen(
        ["bash", "--norc", "--noprofile", "--noediting", "-i"],
        cwd=tmp_path,
        env=environment(
            PATH=f"{programs}:{os.environ['PATH']}", BROWSER="true", TERM="xterm", PS1=""
        ),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=partial(os.login_tty, theirs),  # so that Ctrl-C reaches what runs
    )
    os.close(theirs)
    shell = Shell(ours, process)
    shell.type(f"stty -echo cols 100; printf '%s\\n' {END[:3]}''{END[3:]}\n")
    shell.read_until(f"{END}\n")
    yield shell
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    os.close(ours)


def matches(printed: str, shown: str) -> bool:
    """Whether a line of the README is what was shown."""
    pattern = ".*".join(re.escape(part) for part in printed.rstrip().split("…"))
    return re.fullmatch(pattern, shown.rstrip()) is not None


def test_the_tour(shell: Shell, tmp_path: Path) -> None:
    with catcher.running(tmp_path / "caught") as url:
        port = url.rpartition(":")[2]
        for step in steps():
            # Ports that are free here, instead of the README's.
            command = step.command.replace("2525", port).replace("preview 1", "preview 1 --port 0")
            lines = iter(shell.run(Step(command=command, printed=step.printed)).split("\n"))
            for printed in step.printed:
                printed = printed.replace(":8064", "…")
                if printed == "…":
                    continue
                # In this order, with other lines between: the README shows what matters.
                assert any(matches(printed, line) for line in lines), (step.command, printed)
    names = sorted(path.stem for path in (tmp_path / "caught").glob("*.eml"))
    assert names == ["reader.one@example.com", "reader.two@example.org", "you@example.org"]


def test_the_tour_shows_the_commands_that_a_new_user_needs() -> None:
    words = {shlex.split(step.command)[1] for step in steps() if "newsletter " in step.command}
    assert {"init", "preview", "render", "new", "send", "status", "log", "schedule"} <= words


def test_the_second_terminal_is_the_catcher_of_this_repository() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    found = re.search(r"<!-- second terminal -->\n```console\n\$ \S+python (\S+) caught", readme)
    assert found is not None
    assert (ROOT / found[1]).is_file()
