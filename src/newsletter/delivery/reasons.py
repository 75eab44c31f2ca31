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
    SENDER = "sender refused"
    CONTENT = "content"
    OTHER = "other"

    @property
    def dead_address(self) -> bool:
        """Whether no message will ever reach this address."""
        return self in (Reason.NO_SUCH_MAILBOX, Reason.NO_SUCH_DOMAIN)

    @property
    def about_us(self) -> bool:
        """Whether it speaks of the sender, its pace or its standing, not of the recipient."""
        return self in (Reason.RATE, Reason.POLICY, Reason.SENDER)


_Rules = tuple[tuple[Reason, re.Pattern[str]], ...]

# Phrases that mean something else than their code or their words. Postfix judges the sender at RCPT, with the words
# for a missing mailbox; Outlook says "access denied" for one.
_PHRASES: _Rules = (
    (
        Reason.SENDER,
        re.compile(
            r"sender (verify|verification|callout|address|mailbox|domain)|verification failed for"
            r"|bad (outbound )?sender|relay(ing)? (access )?(denied|not permitted)|not permitted to relay"
            r"|email address is not verified"
        ),
    ),
    (
        Reason.NO_SUCH_MAILBOX,
        re.compile(
            r"recipient address rejected: access denied"
            r"|5\.5\.0 requested action not taken: mailbox unavailable"
        ),
    ),
    (Reason.DISABLED, re.compile(r"mailbox unavailable or access denied")),
)

# Words about us, most telling reason first. 163/126 sign their refusals with two-part tags.
_ABOUT_US: _Rules = (
    (
        Reason.RATE,
        re.compile(
            r"frequency limit|rate.?limit|too many (connections|messages|recipients|mails|emails|sessions)"
            r"|throttl|sending too fast|exceeded the (rate|limit)|(hourly|daily) (limit|quota)|too much mail"
            r"|rp:(orq|qrc|cel|drc|rcl|trc)|hl:(itc|icc|ifc)|mi:(sfq|stc)|unusual rate|reduce your sending"
            r"|limits for how many messages"
        ),
    ),
    (
        Reason.CONTENT,
        re.compile(
            r"dt:(spm|sum)|looks like spam|(detected|classified|rejected|considered)( as)? spam"
            r"|spam (message|content|detected)|content spam|is likely spam|content (denied|rejected)"
            r"|message content|virus|malware|infected|prohibited attachment"
        ),
    ),
    (
        Reason.POLICY,
        re.compile(
            r"\bspf\b|\bdkim\b|\bdmarc\b|unauthenticated|not authenticated|reputation|black.?list|block.?list"
            r"|\bblocked\b|spamhaus|barracuda|\brbl\b|dnsbl|poor standing|suspicious|suspected|hl:(ipb|rep)"
            r"|policy|administrative prohibition|reverse (dns|hostname)|\bptr\b|dynamic ip|banned|access denied"
            r"|behaviou?r spam"
        ),
    ),
)

_ABOUT_THE_RECIPIENT: _Rules = (
    (
        Reason.MAILBOX_FULL,
        re.compile(
            r"(mailbox|inbox|account|user|recipient).{0,40}(full|over.?quota|quota exceeded|storage)"
            r"|over.?quota|quota (is )?exceeded|insufficient (disk|storage) space|out of storage"
            r"|space (is )?not enough"
        ),
    ),
    (
        Reason.DISABLED,
        re.compile(
            r"(account|mailbox|user|recipient|address).{0,40}"
            r"(disabled|inactive|suspended|deactivated|expired|closed|locked)|mailbox unavailable"
        ),
    ),
    (
        Reason.NO_SUCH_DOMAIN,
        re.compile(
            r"(domain|host).{0,40}(not found|does ?n.t exist|does not exist|unknown|not exist)"
            r"|unroute?able (mail )?domain|no such domain|bad destination (mailbox )?domain"
        ),
    ),
    (
        Reason.NO_SUCH_MAILBOX,
        re.compile(
            r"(user|mailbox|recipient|account|address|inbox|mail ?box).{0,60}"
            r"(unknown|not found|does ?n.t exist|does not exist|not exist|no longer (valid|available)|invalid)"
            r"|(unknown|no such|invalid|non.?existent|not a valid) "
            r"(local )?(user|recipient|mailbox|address|account|person)|does ?n.t have an? \S+ account"
            r"|no mailbox here|is not a known user|address rejected: undeliverable|unroute?able address"
        ),
    ),
)

_CODES: dict[str, Reason] = {
    "1.1": Reason.NO_SUCH_MAILBOX,
    "1.2": Reason.NO_SUCH_DOMAIN,
    "1.3": Reason.NO_SUCH_MAILBOX,
    "1.6": Reason.NO_SUCH_MAILBOX,
    "1.7": Reason.SENDER,
    "1.8": Reason.SENDER,
    "1.10": Reason.NO_SUCH_DOMAIN,  # RFC 7505: null MX
    "2.1": Reason.DISABLED,
    "2.2": Reason.MAILBOX_FULL,
    "3.4": Reason.CONTENT,
    "4.5": Reason.RATE,
    "6.0": Reason.CONTENT,
}

# Addresses and links hold words that say nothing.
_NOISE = re.compile(r"https?://\S+|\S+@\S+")

# How Postfix and Exim pass on what the next server has said, behind a code of their own.
_QUOTED = re.compile(r"\bsaid: ([45]\d\d)[ -](.+)", re.DOTALL)


def read_reason(reply: Reply) -> Reason:
    """What a 4yz or 5yz reply is about. Where a relay quotes the next server, that one's words count."""
    if quoted := _QUOTED.search(reply.text):
        reply = Reply(int(quoted[1]), quoted[2])
    words = _NOISE.sub(" ", reply.text.lower())
    if phrase := _first(_PHRASES, words):
        return phrase
    coded = _CODES.get(reply.enhanced[2:], Reason.OTHER) if reply.enhanced else Reason.OTHER
    about_us = _first(_ABOUT_US, words)
    if about_us and not (coded.dead_address and about_us is not Reason.RATE):
        return about_us  # "5.1.1 … blocked": the code is the better witness of the two
    about_recipient = _first(_ABOUT_THE_RECIPIENT, words) or Reason.OTHER
    if coded is not Reason.OTHER:
        both_dead = coded.dead_address and about_recipient.dead_address
        return about_recipient if both_dead else coded
    if reply.enhanced and reply.enhanced[2:].startswith("7."):
        return about_recipient if about_recipient is Reason.NO_SUCH_MAILBOX else Reason.POLICY
    return about_recipient


def _first(rules: _Rules, words: str) -> Reason | None:
    return next((reason for reason, pattern in rules if pattern.search(words)), None)
