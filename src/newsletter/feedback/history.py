"""How the issues of the past ended for somebody: what the relay said at once, and what came back later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from newsletter.audience.register import Change, Event, Origin
from newsletter.delivery.ledger import Campaign, Entry, Ledger
from newsletter.delivery.reasons import Reason, read_reason
from newsletter.delivery.states import State
from newsletter.feedback.report import Kind
from newsletter.feedback.returns import Record, Returns
from newsletter.feedback.rules import Past, worn_out, worn_out_reason
from newsletter.mail.address import parse_address
from newsletter.mail.reply import Reply

_SOFT = (Reason.MAILBOX_FULL, Reason.DISABLED)
_REFUSED = (State.FAILED, State.EXPIRED)


def history(
    who: bytes, *, ledger: Ledger, records: Sequence[Record], since: float = 0.0
) -> list[Past]:
    """How each issue ended for a person, in the order of sending; what tells nothing about the mailbox is left out.

    Args:
        who: the person's id.
        ledger: knows what the relay said.
        records: what came back from them.
        since: only what was sent later counts, in seconds since the epoch.

    """
    returned: dict[int, list[Record]] = {}
    for record in records:
        if record.issue is not None and record.report.kind is Kind.BOUNCE:
            returned.setdefault(record.issue, []).append(record)
    past: list[Past] = []
    for campaign in ledger.campaigns():
        came_back = returned.pop(campaign.issue, [])
        soft = any(record.report.soft for record in came_back)
        if soft or not came_back:
            entry = _entry(ledger, campaign, who)
            soft = soft or (entry is not None and soft_reason(entry) is not None)
            accepted = entry is not None and entry.state is State.ACCEPTED
            if soft or accepted:
                past.append(Past(issue=campaign.issue, at=campaign.planned_at, soft=soft))
    past.extend(_unplanned(returned))
    return sorted((one for one in past if one.at >= since), key=lambda one: one.at)


def came_back_at(events: Sequence[Event]) -> float:
    """When a person last returned to the list, by confirming or by the operator's word; 0 for never."""
    returned = (Change.CONFIRMED, Change.LIFTED)
    return max((event.at for event in events if event.change in returned), default=0.0)


def soft_reason(entry: Entry) -> Reason | None:
    """Why the relay would not take the message, if the mailbox was full or disabled."""
    code, _, text = entry.reply.partition(" ")
    if entry.state not in _REFUSED or not (len(code) == 3 and code.isdecimal()):
        return None
    reason = read_reason(Reply(int(code), text))
    return reason if reason in _SOFT else None


def retire(ledger: Ledger, returns: Returns, campaign: Campaign, *, now: float) -> int:
    """Suppress those whose mailbox has refused too many issues, this one among them; returns how many."""
    register = returns.register
    retired = 0
    for entry in ledger.entries(campaign, states=_REFUSED):
        if (reason := soft_reason(entry)) is None:
            continue
        key = parse_address(entry.address).key
        who = register.identify(key)
        if register.suppression(who) is not None:
            continue
        since = came_back_at(register.history(who))
        past = history(who, ledger=ledger, records=returns.about(who), since=since)
        if issues := worn_out(past, now=now):
            why = worn_out_reason(reason.value, issues)
            origin = Origin(at=now, source=f"send {campaign.issue}", reason=why)
            register.suppress(who, reason=why, change=Change.BOUNCED, origin=origin, address=key)
            retired += 1
    return retired


def _entry(ledger: Ledger, campaign: Campaign, who: bytes) -> Entry | None:
    subscriber = ledger.reader(campaign, who)
    return ledger.entry(campaign, subscriber.address.key) if subscriber else None


def _unplanned(returned: dict[int, list[Record]]) -> Iterator[Past]:
    """Issues that this ledger knows nothing of, such as a test send."""
    for issue, records in returned.items():
        if any(record.report.soft for record in records):
            yield Past(issue=issue, at=records[0].at, soft=True)
