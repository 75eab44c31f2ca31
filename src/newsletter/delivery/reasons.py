"""Why a server refuses: read from enhanced status codes (RFC 3463) and from words that providers are known to use.

Codes alone mislead: QQ and 163 answer a rate limit with 550, as if the mailbox did not exist. So words about rate and
reputation are looked for first, and only what is left may say that an address is dead.
"""

from __future__ import annotations

import re
from enum import StrEnum

from newsletter.mail.reply import Reply


class Reason(StrEnum):
    """What a refusal is about."""

    NO_SUCH_MAILBOX = "no such mailbox"
    NO_SUCH_DOMAIN = "no such domain"
    MAILBOX_FULL = "mailbox full"
    DISABLED = "mailbox disabled"
    RATE = "rate limit"
    POLICY = "policy or reputation"
    CONTENT = "content"
    OTHER = "other"

    @property
    def dead_address(self) -> bool:
        """Whether no message will ever reach this address."""
        return self in (Reason.NO_SUCH_MAILBOX, Reason.NO_SUCH_DOMAIN)

    @property
    def about_us(self) -> bool:
        """Whether it speaks of the sender's pace or standing, not of the recipient."""
        return self in (Reason.RATE, Reason.POLICY)


# Words in replies, lower case, most telling reason first. 163/126 sign their refusals with two-part tags.
_WORDS: tuple[tuple[Reason, re.Pattern[str]], ...] = (
    (
        Reason.RATE,
        re.compile(
            r"frequency limit|rate.?limit|too many (connections|messages|recipients|mails|emails|sessions)"
            r"|throttl|sending too fast|exceeded the (rate|limit)|(hourly|daily) (limit|quota)"
            r"|rp:(orq|qrc|cel|drc|rcl)|hl:(itc|icc|ifc)|mi:(sfq|stc)|unusual rate|reduce your sending"
        ),
    ),
    (
        Reason.CONTENT,
        re.compile(
            r"dt:(spm|sum)|looks like spam|detected as spam|spam (message|content|detected)|considered spam"
            r"|message content|virus|malware|content rejected|prohibited attachment|is likely spam"
        ),
    ),
    (
        Reason.POLICY,
        re.compile(
            r"\bspf\b|\bdkim\b|\bdmarc\b|unauthenticated|not authenticated|reputation|black.?list|block.?list"
            r"|\bblocked\b|spamhaus|barracuda|\brbl\b|dnsbl|poor standing|suspicious|hl:(ipb|rep)|policy"
            r"|reverse dns|\bptr\b|banned|access denied|relay(ing)? (access )?denied|not permitted to relay"
        ),
    ),
    (
        Reason.MAILBOX_FULL,
        re.compile(
            r"(mailbox|inbox|account|user|recipient).{0,40}(full|over.?quota|quota exceeded|storage)"
            r"|over.?quota|quota (is )?exceeded|insufficient (disk|storage) space|out of storage"
        ),
    ),
    (
        Reason.DISABLED,
        re.compile(
            r"(account|mailbox|user|recipient|address).{0,40}"
            r"(disabled|inactive|suspended|deactivated|expired|closed|locked)"
        ),
    ),
    (
        Reason.NO_SUCH_DOMAIN,
        re.compile(
            r"(domain|host).{0,40}(not found|does ?n.t exist|does not exist|unknown|not exist)"
            r"|unrout(e)?able (mail )?(domain|address)|no such domain|bad destination (mailbox )?domain"
        ),
    ),
    (
        Reason.NO_SUCH_MAILBOX,
        re.compile(
            r"(user|mailbox|recipient|account|address|inbox|mail ?box).{0,60}"
            r"(unknown|not found|does ?n.t exist|does not exist|not exist|no longer (valid|available)|invalid)"
            r"|(unknown|no such|invalid|non.?existent|not a valid) "
            r"(local )?(user|recipient|mailbox|address|account|person)"
            r"|no mailbox here|is not a known user|address rejected: undeliverable"
        ),
    ),
)

_CODES: dict[str, Reason] = {
    "1.1": Reason.NO_SUCH_MAILBOX,
    "1.2": Reason.NO_SUCH_DOMAIN,
    "1.3": Reason.NO_SUCH_MAILBOX,
    "1.6": Reason.NO_SUCH_MAILBOX,
    "1.10": Reason.NO_SUCH_DOMAIN,  # RFC 7505: null MX
    "2.1": Reason.DISABLED,
    "2.2": Reason.MAILBOX_FULL,
    "4.5": Reason.RATE,
    "6.0": Reason.CONTENT,
}


# How Postfix and Exim pass on what the next server has said, behind a code of their own.
_QUOTED = re.compile(r"\bsaid: ([45]\d\d)[ -](.+)", re.DOTALL)


def read_reason(reply: Reply) -> Reason:
    """What a 4yz or 5yz reply is about. Where a relay quotes the next server, that one's words count."""
    if quoted := _QUOTED.search(reply.text):
        reply = Reply(int(quoted[1]), quoted[2])
    words = reply.text.lower()
    early = next((reason for reason, pattern in _WORDS[:3] if pattern.search(words)), None)
    enhanced = reply.enhanced
    if early is Reason.POLICY and enhanced and _CODES.get(enhanced[2:], Reason.OTHER).dead_address:
        early = None  # "5.1.1 … blocked": the code is the better witness of the two
    if early:
        return early
    if enhanced:
        if enhanced[2:].startswith("7."):
            return Reason.POLICY
        if enhanced[2:] in _CODES:
            return _CODES[enhanced[2:]]
    return next((reason for reason, pattern in _WORDS[3:] if pattern.search(words)), Reason.OTHER)
