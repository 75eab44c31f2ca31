"""The stories' stage: a copy of the sample publication and the real command line, each command a process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLE = ("newsletter.yaml", "subscribers.example.csv", "content", "templates", "assets")
SECRET = "a secret that only these stories know"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a command ended with."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything it printed."""
        return self.out + self.err


def environment(**variables: str) -> dict[str, str]:
    """A crontab's poor environment with `variables` in it: no locale, nothing of the caller's settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "LANG": "C", **variables}


@dataclass(slots=True, kw_only=True)
class Desk:
    """A publication's folder and the command line in it.

    Attributes:
        root: the folder.
        program: what runs, by default this Python with the package.
        variables: the environment on top of a crontab's.
        started: every process so far.

    """

    root: Path
    program: tuple[str, ...] = (sys.executable, "-m", "newsletter")
    variables: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[str]] = field(default_factory=list, repr=False)

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        """Begin `newsletter WORDS` and do not wait."""
        process = subprocess.Popen(
            [*self.program, *words],
            cwd=self.root,
            env=environment(**{**self.variables, **variables}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self.started.append(process)
        return process

    def close(self) -> None:
        """End what a story that failed has left running."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def run(self, *words: str, **variables: str) -> Finished:
        """Run `newsletter WORDS` to its end, which is never a traceback."""
        process = self.start(*words, **variables)
        return finish(process)

    def write(self, name: str, content: str | bytes) -> Path:
        """Put a file into the folder."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace words of a file, which must have them once."""
        path = self.root / name
        text = path.read_text("utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), "utf-8")

    def snapshot(self) -> dict[str, bytes]:
        """Every file below the folder with its content."""
        files = sorted(path for path in self.root.rglob("*") if path.is_file())
        return {str(path.relative_to(self.root)): path.read_bytes() for path in files}


def finish(process: subprocess.Popen[str]) -> Finished:
    """Wait for the end of a command."""
    out, err = process.communicate(timeout=120)
    done = Finished(code=process.returncode, out=out, err=err)
    assert "Traceback" not in done.said, done.said
    return done


def copy_sample(folder: Path) -> Path:
    """The sample publication in `folder`, without anything that was ever sent from it."""
    folder.mkdir(parents=True)
    for name in SAMPLE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy2(source, folder / name)
    return folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail server that runs, and what it has caught."""

    url: str
    folder: Path

    def recipients(self) -> list[str]:
        """Whose messages came, one entry for each message."""
        return sorted(path.name.removesuffix(".eml") for path in self.folder.glob("*.eml"))

    def messages(self) -> dict[str, bytes]:
        """The messages by recipient."""
        return {p.name.removesuffix(".eml"): p.read_bytes() for p in self.folder.glob("*.eml")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What two runs of the demo in one folder left."""

    root: Path
    first: Finished
    second: Finished
    caught: dict[str, bytes]
    still_caught: dict[str, bytes]


def parse(data: bytes) -> EmailMessage:
    """A message as the standard library reads it."""
    message: Any = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, subtype: str) -> str:
    """The decoded text of one of the two parts, `plain` or `html`."""
    body = message.get_body(preferencelist=(subtype,))
    assert body is not None
    content: str = body.get_content()
    return content
