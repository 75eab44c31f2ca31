"""`newsletter send 64 --dry-run`: every recipient's real bytes, and nothing else."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import click

from newsletter.cli.guarding import tell_findings
from newsletter.mailing import Mailing


def dry_run(mailing: Mailing, folder: Path | None) -> int:
    """Build every message, tell what a send would do, and keep the messages in `folder` if there is one."""
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
    tell_findings(mailing)
    for problem in problems:
        click.echo(f"left out: {problem}", err=True)
    if folder is not None:
        click.echo(f"kept in: {folder}")
    click.echo(f"next: newsletter send {number}")
    return 1 if problems or not built else 0
