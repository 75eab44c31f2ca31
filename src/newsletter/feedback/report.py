"""What one mail, or one call of a provider's webhook, says about one recipient.

A report is a value: it changes nothing. Whoever makes one, from a DSN, an ARF complaint or a webhook, says what
happened in the same few words, so that one function can act upon all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from newsletter.audience.verp import Returned

LONGEST_DIAGNOSTIC = 500
LONGEST_RECIPIENT = 320  # more octets than RFC 5321 allows an address
LONGEST_NAME = 255
LONGEST_MESSAGE_ID = 998  # a whole line of RFC 5322


class Kind(StrEnum):
    """What sort of thing came back."""

    BOUNCE = "bounce"
    DELAYED = "delayed"  # no bounce yet: the relay is still trying
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"  # with a genuine token
    REQUEST = "request"  # wants out, but no token says who: for a person to look at
    AUTO_REPLY = "auto-reply"
    UNRELATED = "unrelated"


class Verdict(StrEnum):
    """What is the matter. Each stands for one way of going on, which `docs/bounces.md` tells."""

    NO_SUCH_MAILBOX = "no such mailbox"
    NO_SUCH_DOMAIN = "no such domain"
    MAILBOX_FULL = "mailbox full"
    DISABLED = "disabled"
    POLICY = "policy or reputation"
    RATE = "rate"
    CONTENT = "content"
    NETWORK = "network"
    AUTO_REPLY = "auto-reply"
    NOT_A_BOUNCE = "not a bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"

    @property
    def final(self) -> bool:
        """Whether one such bounce, complaint or request is enough to stop writing to the address."""
        return self in _FINAL

    @property
    def soft(self) -> bool:
        """Whether several such bounces over some time are enough."""
        return self in (Verdict.MAILBOX_FULL, Verdict.DISABLED)

    @property
    def about_us(self) -> bool:
        """Whether it speaks of the sender, not of the recipient: it warns the operator and suppresses nobody."""
        return self in (Verdict.POLICY, Verdict.RATE, Verdict.CONTENT)


_FINAL = frozenset(
    (
        Verdict.NO_SUCH_MAILBOX,
        Verdict.NO_SUCH_DOMAIN,
        Verdict.COMPLAINT,
        Verdict.UNSUBSCRIBE,
    )
)


class Evidence(StrEnum):
    """What names the subscriber, the best witness first."""

    VERP = "verp"  # a genuine token in the return path: nobody else can make one
    TOKEN = "token"  # a genuine unsubscribe token
    MESSAGE_ID = "message-id"  # of the returned headers: good if the ledger knows it
    SIGNATURE = "signature"  # an address, in a webhook's call whose signature was checked
    ADDRESS = "address"  # an address in a mail that anybody can have written


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came back for one recipient.

    Text may hold anything when it is given; what the report keeps has no control or invisible characters and is
    no longer than a line, so that it can go to a terminal or a log.

    Attributes:
        kind: what sort of thing it is.
        verdict: what is the matter.
        permanent: whether the other side will not try again (class 5 of RFC 3463, or `Action: failed`).
        recipient: the address that failed or complained, as the report spells it.
        returned: issue and subscriber of a genuine VERP return path.
        subscriber_id: the 10 bytes of `Keyring.subscriber_id`, from `returned` or a genuine unsubscribe token.
        message_id: of the message that came back, with its angle brackets.
        status: the enhanced status code, such as 5.1.1.
        diagnostic: what the server said, or the subject of a mail that is no report.
        reporting_mta: who reports, by name.
        evidence: what names the subscriber; None when nothing does.
        forwarded: a token names the subscriber, but the failed address is another one: the subscriber has mail
            forwarded there, or the server rewrote the address.

    """

    kind: Kind
    verdict: Verdict
    permanent: bool = False
    recipient: str | None = None
    returned: Returned | None = None
    subscriber_id: bytes | None = None
    message_id: str | None = None
    status: str | None = None
    diagnostic: str = ""
    reporting_mta: str | None = None
    evidence: Evidence | None = None
    forwarded: bool = False

    def __post_init__(self) -> None:
        for name, limit in (("recipient", LONGEST_RECIPIENT), ("message_id", LONGEST_MESSAGE_ID)):
            object.__setattr__(self, name, _whole(getattr(self, name), limit))
        for name in ("status", "reporting_mta"):
            value = one_line(getattr(self, name) or "", LONGEST_NAME)
            object.__setattr__(self, name, value or None)
        object.__setattr__(self, "diagnostic", one_line(self.diagnostic, LONGEST_DIAGNOSTIC))

    @property
    def at_once(self) -> bool:
        """Whether this one report is enough to stop writing, if its evidence is good.

        A mailbox that is missing elsewhere, or was only missing at the moment, is not.
        """
        if self.kind is Kind.BOUNCE:
            return self.verdict.final and self.permanent and not self.forwarded
        return self.kind in (Kind.COMPLAINT, Kind.UNSUBSCRIBE)

    @property
    def soft(self) -> bool:
        """Whether it counts towards a limit: several such, over some time, are enough."""
        dead_or_full = self.verdict.soft or self.verdict.final
        return self.kind is Kind.BOUNCE and dead_or_full and not self.at_once


def _whole(name: str | None, limit: int) -> str | None:
    """A name that is of use only as it is: nothing when it is too long, or cannot be printed."""
    name = name.strip() if name else ""
    return name if name and len(name) <= limit and name.isprintable() else None


def one_line(text: str, limit: int) -> str:
    """`text` in one line of at most `limit` characters; runs of what cannot be printed become one space."""
    text = text[: limit * 8]
    if not text.isprintable():
        text = "".join(char if char.isprintable() else " " for char in text)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
