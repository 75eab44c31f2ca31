"""The checks before a send: errors stop it, unless somebody says --force, which goes on record."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import click

from newsletter.errors import IssueRefused, Problem

if TYPE_CHECKING:
    from newsletter.checks.model import Finding
    from newsletter.mailing import Mailing


def refuse_errors(mailing: Mailing, *, force: bool) -> None:
    """Refuse an issue in which the checks find errors.

    A send that goes on with the edition it began with is not checked again: it was when it was planned.

    Raises:
        IssueRefused: naming every error; not with `force`, which is written to the send's log.

    """
    if _begun(mailing):
        return
    findings = _worth_telling(mailing)
    errors = [finding for finding in findings if finding.severity == "error"]
    number = mailing.source.issue.number
    if errors and not force:
        raise IssueRefused(
            _refusal(number, errors),
            problems=[Problem(message=one.message, place=one.place) for one in errors],
        )
    if errors:
        _record(mailing, errors)
        many = (
            "1 error of the checks is"
            if len(errors) == 1
            else f"{len(errors)} errors of the checks are"
        )
        click.echo(f"--force: {many} overruled", err=True)


def tell_findings(mailing: Mailing) -> None:
    """Say on stderr what the checks find, a line for each error and warning."""
    findings = _worth_telling(mailing)
    for finding in findings:
        click.echo(_line(finding), err=True)
    if any(finding.severity == "error" for finding in findings):
        number = mailing.source.issue.number
        click.echo(f"a real send would be refused: newsletter check {number}", err=True)


def _worth_telling(mailing: Mailing) -> list[Finding]:
    from newsletter.checking import check_mailing

    return [finding for finding in check_mailing(mailing) if finding.severity != "note"]


def _refusal(number: int, errors: Sequence[Finding]) -> str:
    lines = [_line(finding) for finding in errors]
    what = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
    lines.append(
        f"issue {number} is not sent: the checks found {what} in it (newsletter check {number} shows more;"
        " mend them, accept them with a reason, or say --force)"
    )
    return "\n".join(lines)


def _line(finding: Finding) -> str:
    place = f"{finding.place}: " if finding.place else ""
    return f"{place}{finding.severity}: {finding.message} [{finding.code}]"


def _begun(mailing: Mailing) -> bool:
    """Whether this very edition is being sent already."""
    from newsletter.sending import existing_ledger

    ledger = existing_ledger(mailing.project)
    if ledger is None:
        return False
    with closing(ledger):
        campaign = ledger.campaign(mailing.source.issue.number)
    return campaign is not None and campaign.digest == mailing.digest


def _record(mailing: Mailing, errors: Sequence[Finding]) -> None:
    from newsletter.delivery.sendlog import append_remark
    from newsletter.sending import LOG_FOLDER

    number = mailing.source.issue.number
    append_remark(
        mailing.project.state_dir / LOG_FOLDER / f"{number:03d}.jsonl",
        at=time.time(),
        event="forced",
        findings=[finding.record() for finding in errors],
    )
