"""Delivery status notifications: the machine-readable part of RFC 3464, and its RFC 6533 form for UTF-8 addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from newsletter.feedback.mime import Fields, Mail

STATUS_KINDS = ("message/delivery-status", "message/global-delivery-status")
MOST_RECIPIENTS = 100

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_ADDRESS = re.compile(r"[^\s<>@,;:()\[\]\"]{1,250}@[^\s<>@,;:()\[\]\"]{1,250}")
_QUOTED = re.compile(r"\"[^\"\r\n]{1,64}\"@[^\s<>@,;:()\[\]\"]{1,250}")
_HEX = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_TYPED = re.compile(r"\s*[A-Za-z0-9-]{1,40}\s*;\s*")


class Action(StrEnum):
    """What became of a message (RFC 3464 section 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    NONE = "none"  # delivered, relayed, expanded: no failure at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a report says about one recipient.

    Attributes:
        action: what became of the message.
        recipients: the address that the message was sent to, if told, and the one that it ended at.
        status: the enhanced status code, or None.
        diagnostic: what the server said.
        reporting_mta: who reports.

    """

    action: Action
    recipients: tuple[str, ...] = ()
    status: str | None = None
    diagnostic: str = ""
    reporting_mta: str | None = None


def read_outcomes(mail: Mail) -> list[Outcome]:
    """What the status parts of a mail say, at most a hundred recipients; empty when it has none."""
    outcomes: list[Outcome] = []
    for part in mail.of_kind(*STATUS_KINDS):
        reporting: str | None = None
        for block in part.blocks():
            reporting = untyped(block.first("reporting-mta")) or reporting
            if outcome := _read_block(block, reporting):
                outcomes.append(outcome)
                if len(outcomes) == MOST_RECIPIENTS:
                    return outcomes
    return outcomes


def addresses_in(text: str) -> Iterator[str]:
    """What looks like an address, as it is spelt."""
    yield from (found[0] for found in _QUOTED.finditer(text))
    yield from (found[0].strip(".'`") for found in _ADDRESS.finditer(text))


def untyped(value: str) -> str:
    """What follows the type in `dns; mx.example.com` or `smtp; 550 …`."""
    return _TYPED.sub("", value, count=1).strip() if _TYPED.match(value) else value.strip()


def _read_block(block: Fields, reporting: str | None) -> Outcome | None:
    """The outcome in a block of fields; None when it is the block about the whole message."""
    spelt = block.every("original-recipient", "final-recipient")
    action = block.first("action").lower()
    if not spelt and not action:
        return None
    status = _STATUS.search(block.first("status"))
    said = [untyped(value) for value in block.every("diagnostic-code")]
    recipients = [address for value in spelt if (address := _recipient(value))]
    return Outcome(
        action=_action(action, status[1] if status else ""),
        recipients=tuple(dict.fromkeys(recipients)),
        status=status[0] if status else None,
        diagnostic=" ".join(text for text in said if text),
        reporting_mta=reporting,
    )


def _action(word: str, status_class: str) -> Action:
    if word.startswith(("fail", "error")):  # OpenSMTPD said `error`
        return Action.FAILED
    if word.startswith("delay"):
        return Action.DELAYED
    if word.startswith(("deliver", "relay", "expand")):
        return Action.NONE
    return {"5": Action.FAILED, "4": Action.DELAYED}.get(status_class, Action.NONE)


def _recipient(value: str) -> str | None:
    """The address of a recipient field: `rfc822; a@example.com`, `utf-8; …`, or bare."""
    # RFC 6533 section 3: what ASCII cannot hold is spelt as \x{4E2D}.
    text = _HEX.sub(_unescaped, untyped(value))
    return next(addresses_in(text), None)


def _unescaped(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else match[0]
