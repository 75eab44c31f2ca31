"""What the text of a bounce says where it follows no standard: who, and in which words.

The address that a mail system speaks of stands before the copy of the returned mail, and the reason stands near the
address. Of long explanations only a line that holds a code, or else the first line that has a meaning, is believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from newsletter.feedback.heuristics import find_failures
from newsletter.feedback.judging import has_code, judge
from newsletter.feedback.manners import tells_of_delay, tells_of_failure
from newsletter.feedback.mime import Mail
from newsletter.feedback.status import MOST_RECIPIENTS, Action, Outcome, addresses_in
from newsletter.feedback.witness import Witness

NEAR = 1500
MOST_LINES = 60
MOST_ADDRESSES = 50

_COPY = re.compile(
    r"^(?:[^\w\n]{0,60}(?:below this line is a copy|this is a copy of (the|your) message"
    r"|a copy of the (original )?message|original message|(the )?(original )?message (text |header\w* )?follows"
    r"|returned (mail|message) follows"
    r"|included is a copy|message header|begin returned|start of returned"
    r"|原(始)?邮件(的)?(内容|信头|头|标头|如下)|以下是(您的)?原(始)?邮件|return-path: |received: )"
    r"|-{2,}[ -]*returned (mail|message))",
    re.IGNORECASE | re.MULTILINE,
)
_NAMED = re.compile(
    r"(?:recipients?|rcpt to|delivered to|user|mailbox|address|收件人|收信人|发送[至到给]|发往|地址|用户)"
    r"[\s:：<\"'（(]{1,6}"
    r"([^\s<>\"'（）()]{1,250}@[^\s<>\"'（）()]{1,250})"
    r"|^[\s*<\"'-]{0,20}([^\s<>\"']{1,250}@[^\s<>\"']{1,250})[>\"':,;.，。]{0,4}\s*$",
    re.IGNORECASE | re.MULTILINE,
)


def read_prose(data: bytes, mail: Mail, witness: Witness) -> list[Outcome]:
    """Who failed and why, as the text of a mail system tells; empty when it tells of no failure.

    Args:
        data: the octets of the mail, for flufl.bounce.
        mail: the same, read.
        witness: tells which of several addresses is the subscriber's.

    """
    found = find_failures(data)
    outcomes = [
        _outcome(action, address, said_about(mail, address))
        for action, addresses in (
            (Action.FAILED, found.permanent),
            (Action.DELAYED, found.temporary - found.permanent),
        )
        for address in sorted(addresses)
    ]
    if outcomes:
        return outcomes[:MOST_RECIPIENTS]
    address = failed_address(mail, witness)
    said = said_about(mail, address)
    action = Action.DELAYED if tells_of_delay(mail) else Action.FAILED
    failed = tells_of_failure(mail)
    # Two signs are wanted: a subject, an address, or words alone also stand in a ticket system's answers.
    if (failed and (said or address or witness.evidence)) or (said and address):
        return [_outcome(action, address, said)]
    return []


def _outcome(action: Action, address: str | None, said: str) -> Outcome:
    return Outcome(action=action, recipients=(address,) if address else (), diagnostic=said)


def before_the_copy(text: str) -> str:
    """The mail system's own words."""
    found = _COPY.search(text)
    return text[: found.start()] if found else text


def failed_address(mail: Mail, witness: Witness) -> str | None:
    """The address that the text of a bounce is about: the subscriber's, or the first that is said to have failed."""
    words = before_the_copy(mail.prose)
    told = list(islice(addresses_in(words), MOST_ADDRESSES))
    if meant := next((address for address in told if witness.means(address)), None):
        return meant
    named = (found[1] or found[2] for found in _NAMED.finditer(words))
    return next((address for text in named for address in addresses_in(text)), None)


def said_about(mail: Mail, address: str | None) -> str:
    """The words that tell why: near the address, or else anywhere; nothing when there are none."""
    words = before_the_copy(mail.prose)
    for scope in (*_near(words, address), words):
        if found := _telling(scope):
            return found
    return ""


def _near(words: str, address: str | None) -> Iterator[str]:
    """From the line of the address to where the next paragraph names another one."""
    at = words.lower().find(address.lower()) if address else -1
    if address is None or at < 0:
        return
    text = words[words.rfind("\n", 0, at) + 1 :][:NEAR]
    kept: list[str] = []
    for line in text.split("\n"):
        others = [other for other in addresses_in(line) if other.lower() != address.lower()]
        if kept and others and line.lstrip().startswith(("<", others[0])):
            break
        kept.append(line)
    yield "\n".join(kept)


def _telling(text: str) -> str:
    lines = [line.strip() for line in text.split("\n") if line.strip()][:MOST_LINES]
    for number, line in enumerate(lines):
        if has_code(line):
            return " ".join(lines[max(0, number - 1) : number + 3])
    for number, line in enumerate(lines):
        if judge(line).told:
            return " ".join(lines[number : number + 2])
    return ""
