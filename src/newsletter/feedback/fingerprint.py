"""When are two mails the same? A bounce that was fetched through another mailbox must not count twice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from newsletter.feedback.mime import read_fields
from newsletter.feedback.read import MOST_OCTETS
from newsletter.feedback.report import Report

OCTETS = 16

_BLANK_LINE = re.compile(rb"^\r?\n", re.MULTILINE)


def fingerprint(data: bytes, reports: Sequence[Report]) -> bytes:
    """16 octets that stay the same whatever trace fields (RFC 5321 section 4.4) a mail gains on its way.

    It is made of the Message-ID, and of date, author and body where there is none. What the mail says about whom is
    part of it, so that nobody can use up the Message-ID of a bounce before it comes.
    """
    data = data[:MOST_OCTETS].lstrip(b"\r\n")
    blank = _BLANK_LINE.search(data)
    header = read_fields(data[: blank.start()] if blank else data)
    identity = [header.first("message-id")]
    sha = hashlib.sha256()
    if not identity[0]:
        identity = [header.first(name) for name in ("date", "from", "subject")]
        body = data[blank.end() :] if blank else data
        sha.update(hashlib.sha256(body.replace(b"\r\n", b"\n")).digest())
    for report in reports:
        who = report.subscriber_id.hex() if report.subscriber_id else ""
        issue = str(report.returned.issue) if report.returned else ""
        said = (report.kind, report.recipient or "", report.status or "", who, issue)
        identity.extend(str(value) for value in said)
    sha.update("\0".join(identity).encode("utf-8", "replace"))
    return sha.digest()[:OCTETS]


def event_fingerprint(provider: str, identity: str) -> bytes:
    """16 octets for an event that a provider names by an id of its own."""
    return hashlib.sha256(f"{provider}\0{identity}".encode("utf-8", "replace")).digest()[:OCTETS]
