"""The per-send log: one JSON object a line (jsonlines.org), for people and log shippers. The ledger is the record."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from newsletter.delivery.ledger import Attempt, Outcome
from newsletter.mail.address import parse_address


class SendLog:
    """Appends to a file, which is opened at the first line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def write(self, outcomes: Sequence[tuple[Outcome, str]]) -> None:
        """Append a line for each outcome; `str` is the address."""
        if not outcomes:
            return
        if self._file is None:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = self.path.open("a", encoding="utf-8")
        self._file.write("".join(_line(outcome, address) for outcome, address in outcomes))
        self._file.flush()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # whoever wrote last was told
                self._file.close()
            self._file = None


def append_remark(path: Path, *, at: float, event: str, **details: object) -> None:
    """Append a line to a send's log that is about no message: what somebody decided, and when."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    record = {"at": timestamp(at), "event": event, **details}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record, ensure_ascii=False) + "\n")


def forget_address(folder: Path, key: str) -> bool:
    """Take an address out of every log in `folder`: the lines stay, without address and reply.

    Call it under the run lock: a log that is being written must not be replaced. Returns whether it stood anywhere.
    """
    found = False
    for path in sorted(folder.glob("*.jsonl")):
        draft = path.with_suffix(".draft")
        changed = False
        with path.open(encoding="utf-8") as before, draft.open("w", encoding="utf-8") as after:
            for line in before:
                kept = _without(line, key)
                changed = changed or kept != line
                after.write(kept)
            after.flush()
            os.fsync(after.fileno())
        if changed:
            draft.replace(path)
        else:
            draft.unlink()
        found = found or changed
    return found


def _without(line: str, key: str) -> str:
    """The line, without the address if it is about this one."""
    try:
        record = json.loads(line)
        same = parse_address(str(record.get("address"))).key == key
    except (ValueError, AttributeError):
        return line  # torn by a crash, or about nobody
    if not same:
        return line
    return json.dumps({**record, "address": None, "reply": ""}, ensure_ascii=False) + "\n"


def timestamp(seconds: float) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def attempt_json(attempt: Attempt) -> str:
    """An attempt as `newsletter log --json` shows it: the same fields as a line of this log."""
    record = {
        "at": timestamp(attempt.at),
        "address": attempt.address,
        "message_id": attempt.message_id,
        "stage": attempt.stage,
        "code": attempt.code,
        "reply": attempt.reply,
        "state": attempt.state.value,
        "seconds": attempt.seconds,
        "run": attempt.run,
    }
    return json.dumps(record, ensure_ascii=False)


def _line(outcome: Outcome, address: str) -> str:
    record = {
        "at": timestamp(outcome.at),
        "address": address,
        "message_id": outcome.message_id,
        "stage": outcome.stage,
        "code": outcome.code,
        "reply": outcome.reply,
        "state": outcome.state.value,
        "seconds": round(outcome.seconds, 4),
    }
    return json.dumps(record, ensure_ascii=False) + "\n"
