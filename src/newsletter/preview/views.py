"""A snapshot as the page wants it: JSON for every view beside the mail itself."""

from __future__ import annotations

from dataclasses import asdict
from email.headerregistry import AddressHeader

from newsletter.preview.framing import LocalUrl, opening_words, pictures_elsewhere
from newsletter.preview.inbox import inbox_lines
from newsletter.preview.people import reader_json
from newsletter.preview.snapshot import IssueEntry, Snapshot

CLIP = 102_000
"""Bytes of HTML beyond which Gmail shows `[Message clipped]`."""

NEAR = 82_000


def view_json(snapshot: Snapshot, *, local: LocalUrl) -> dict[str, object]:
    """Everything the page shows of a snapshot but its HTML, source and raw bytes."""
    anatomy, issue = snapshot.anatomy, snapshot.issue
    opening = opening_words(anatomy.html)
    subject = str(anatomy.message.get("Subject", ""))
    return {
        **entry_json(IssueEntry(number=issue.number, path=snapshot.source.display, issue=issue)),
        "id": snapshot.id,
        "language": snapshot.edition.language,
        "subject": subject,
        "from": str(anatomy.message.get("From", "")),
        "to": str(anatomy.message.get("To", "")),
        "preheader": snapshot.edition.preheader,
        "reader": reader_json(snapshot.reader, sample=snapshot.sample),
        "inbox": [
            asdict(line)
            for line in inbox_lines(sender=_sender(snapshot), subject=subject, opening=opening)
        ],
        "sizes": {
            "message": len(anatomy.data),
            "html": len(anatomy.html.encode()),
            "clip": CLIP,
            "near": NEAR,
        },
        "parts": [asdict(part) for part in anatomy.parts],
        "headers": [asdict(header) for header in anatomy.headers],
        "text": anatomy.text,
        "findings": list(snapshot.findings),
        "inspected": False,
        "elsewhere": pictures_elsewhere(anatomy.html, local=local),
    }


def entry_json(entry: IssueEntry) -> dict[str, object]:
    """One line of the index of issues."""
    issue = entry.issue
    return {
        "number": entry.number,
        "path": entry.path,
        "title": issue.title if issue else None,
        "status": str(issue.status) if issue else None,
        "date": issue.date.isoformat() if issue and issue.date else None,
        "problem": issue is None,
    }


def _sender(snapshot: Snapshot) -> str:
    """The name an inbox shows: the display name, or the address without one."""
    header = snapshot.anatomy.message.get("From")
    if isinstance(header, AddressHeader) and header.addresses:
        address = header.addresses[0]
        return address.display_name or str(address.addr_spec)
    return str(header or "")
