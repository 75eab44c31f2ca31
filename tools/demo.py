"""`make demo`: issue 64, really sent to the example list, to a mail server that only this demo runs.

    python tools/demo.py [FOLDER]

The server is a process of its own, tools/catcher.py, and what sends is the command line that everybody uses, in another
process: `newsletter send 64 --yes`. The record stays in FOLDER/.newsletter, so a second run has nothing left to send.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import catcher

ISSUE = 64
CAUGHT = "demo-out"
SHOWN = 4
AGAIN = "rm -r .newsletter demo-out && make demo"


def main(arguments: list[str]) -> int:
    """Run the demo in a folder, by default the one above this file; returns the exit code of `send`."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    root = root.resolve()
    caught = root / CAUGHT
    before = _messages(caught)
    with catcher.running(caught) as relay:
        print(f"A mail server for this demo listens at {relay}; nothing leaves this machine.")
        print(f"\n$ newsletter send {ISSUE} --yes", flush=True)
        code = send(root, relay=relay)
    after = _messages(caught)
    print()
    if code:
        print(f"That did not work. To begin anew: {AGAIN}")
    elif len(after) > len(before):
        _tell_caught(after, len(after) - len(before))
    else:
        print(f"Sending twice is harmless. {CAUGHT}/ still has {len(after)} messages.")
        print(f"To see it all again: {AGAIN}")
    if not code:
        _tell_next(root)
    return code


def send(root: Path, *, relay: str) -> int:
    """Send the issue with the real command line; only this child is told of the relay."""
    environ = {**os.environ, "NEWSLETTER_RELAY": relay}
    command = [sys.executable, "-m", "newsletter", "send", str(ISSUE), "--yes"]
    return subprocess.run(command, cwd=root, env=environ, check=False).returncode


def _messages(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.eml"))


def _tell_caught(messages: list[Path], new: int) -> None:
    print(f"{new} messages arrived, each with its reader's own name and links:")
    for path in messages[:SHOWN]:
        print(f"  {CAUGHT}/{path.name:<42} {path.stat().st_size // 1000:>5} kB")
    if len(messages) > SHOWN:
        print(f"  … and {len(messages) - SHOWN} more. Open one in a mail program.")


def _tell_next(root: Path) -> None:
    beside = Path(sys.executable).with_name("newsletter")
    here = beside.is_relative_to(root)
    program = str(beside.relative_to(root)) if here else shutil.which("newsletter") or "newsletter"
    print("\nNext:")
    for words, what in (
        (f"preview {ISSUE}", "edit content/064.yaml and watch it"),
        (f"status {ISSUE}", "how the sending stands"),
        (f"log {ISSUE}", "what the mail server answered"),
        (f"send {ISSUE} --dry-run", "build every message, send none"),
        ("new", "begin the next issue"),
    ):
        print(f"  {f'{program} {words}':<40}  {what}")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
