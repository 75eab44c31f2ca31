"""`newsletter send 64 --dry-run`: every recipient's real bytes, and nothing else."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.guarding import tell_findings
from newsletter.cli.sendrun import tell_notes
from newsletter.delivery.targeting import Target
from newsletter.mailing import Mailing
from newsletter.sending import existing_ledger

if TYPE_CHECKING:
    from newsletter.segments import Segment


def dry_run(mailing: Mailing, folder: Path | None, segment: Segment | None = None) -> int:
    """Build every message, tell what a send would do, and keep the messages in `folder` if there is one."""
    with ExitStack() as stack:
        ledger = existing_ledger(mailing.project) if segment else None
        if ledger is not None:
            stack.enter_context(closing(ledger))
        return _build(mailing, folder, Target(segment, ledger) if segment else None)


def _build(mailing: Mailing, folder: Path | None, target: Target | None) -> int:
    built = 0
    octets = 0
    largest = 0
    left_out: Counter[str] = Counter()
    problems = []
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    for choice in mailing.project.choices():
        subscriber = choice.recipient
        if subscriber is None:
            left_out[str(choice.left_out)] += 1
            if choice.row.problem:
                problems.append(choice.row.problem)
            continue
        if target is not None and not target(subscriber):
            left_out["outside_the_segment"] += 1
            continue
        message = mailing.message(subscriber)
        built += 1
        octets += len(message.data)
        largest = max(largest, len(message.data))
        if folder is not None:
            name = re.sub(r"[^\w.@+-]", "_", str(subscriber.address))
            (folder / f"{choice.row.row:06d}-{name}.eml").write_bytes(message.data)
    number = mailing.source.issue.number
    click.echo(f"issue {number}: {mailing.composer().edition.subject}")
    click.echo(
        f"dry run: {built} messages built, {octets:,} bytes, the largest {largest:,}; none was sent"
    )
    if left_out:
        told = ", ".join(
            f"{count} {reason.replace('_', ' ')}" for reason, count in left_out.items()
        )
        click.echo(f"left out of the list: {told}")
    if target is not None:
        click.echo(f"in the segment: {target.matched} of {target.asked}, {target.segment}")
        tell_notes(target.notes())
    tell_findings(mailing)
    for problem in problems:
        click.echo(f"left out: {problem}", err=True)
    if folder is not None:
        click.echo(f"kept in: {folder}")
    wish = f" --segment {shlex.quote(str(target.segment))}" if target else ""
    click.echo(f"next: newsletter send {number}{wish}")
    return 1 if problems or not built else 0
