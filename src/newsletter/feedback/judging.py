"""What is the matter with a message that came back: the words of a server as one verdict.

The words are read by the table that judges live replies, so a refusal means the same whether it comes at once or by
mail. What a mail adds is time: a relay that gave up after days reports a failure, but what failed may still be the
network.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from newsletter.delivery.reasons import Reason, read_reason
from newsletter.feedback.report import Verdict
from newsletter.mail.reply import Reply

LONGEST_SAID = 4000

_CODE = re.compile(r"(?<![\w.:#/-])[45][0-5]\d(?=[ -])(?! *(bytes|days|hours|minutes|MB|KB))")
_ENHANCED = re.compile(r"(?<![\d.])([45])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_PASSING = re.compile(r"try again|temporar|will be retried|稍后再试", re.IGNORECASE)

_VERDICTS = {
    Reason.NO_SUCH_MAILBOX: Verdict.NO_SUCH_MAILBOX,
    Reason.NO_SUCH_DOMAIN: Verdict.NO_SUCH_DOMAIN,
    Reason.MAILBOX_FULL: Verdict.MAILBOX_FULL,
    Reason.DISABLED: Verdict.DISABLED,
    Reason.RATE: Verdict.RATE,
    Reason.POLICY: Verdict.POLICY,
    Reason.SENDER: Verdict.POLICY,
    Reason.CONTENT: Verdict.CONTENT,
    Reason.NETWORK: Verdict.NETWORK,
}
# By the subject of RFC 3463 where nothing tells more: 3 is the other system, 5 the protocol, which is for the operator.
_SUBJECTS = {
    "3": Verdict.NETWORK,
    "4": Verdict.NETWORK,
    "5": Verdict.POLICY,
    "6": Verdict.CONTENT,
    "7": Verdict.POLICY,
}


class Judgement(NamedTuple):
    """What is the matter.

    Attributes:
        verdict: of the words.
        permanent: whether the refusal itself is final (class 5).
        status: the enhanced status code.
        told: whether words or code say so; otherwise the verdict is only the most cautious guess.

    """

    verdict: Verdict
    permanent: bool
    status: str | None
    told: bool


def judge(said: str, *, status: str | None = None) -> Judgement:
    """What a server's words mean.

    Args:
        said: the Diagnostic-Code of a report without its type, or the lines about a recipient.
        status: the Status of the report. Where the words have a code of their own, that one counts.

    """
    said = " ".join(said[:LONGEST_SAID].split())
    reply, enhanced = _as_reply(said, status)
    reason = read_reason(reply)
    verdict = _verdict(reason, enhanced, reply.permanent)
    return Judgement(verdict, reply.permanent, enhanced, reason is not Reason.OTHER)


def has_code(text: str) -> bool:
    """Whether a server's code stands in the text."""
    return bool(_CODE.search(text) or _ENHANCED.search(text))


def _as_reply(said: str, status: str | None) -> tuple[Reply, str | None]:
    """The words as the reply that they once were, with its enhanced code at the front."""
    found = _CODE.search(said)
    code = int(found[0]) if found else 0
    text = said[found.end() :].lstrip(" -\"'") if found else said
    own = _ENHANCED.search(said)
    enhanced = own[0] if own else status
    if not code or (own and own[1] == "4"):  # "550 4.4.7 QUEUE.Expired": gave up, but not for good
        passing = enhanced.startswith("4") if enhanced else bool(_PASSING.search(said))
        code = 450 if passing else 550
    if enhanced and not _says_nothing(enhanced, code):
        if not text.startswith(enhanced):
            text = f"{enhanced} {text}"
    elif status and not own:
        enhanced = status
    return Reply(code, text), enhanced


def _says_nothing(enhanced: str, code: int) -> bool:
    """Whether an enhanced code only repeats its class, or another class than the reply's."""
    return enhanced.endswith(".0.0") or not enhanced.startswith(str(code)[0])


def _verdict(reason: Reason, enhanced: str | None, permanent: bool) -> Verdict:
    if reason is Reason.NO_SUCH_DOMAIN and not permanent:
        return Verdict.NETWORK  # a resolver that does not answer has not said no
    if known := _VERDICTS.get(reason):
        return known
    subject = enhanced.split(".")[1] if enhanced else ""
    # A final refusal of one recipient without a reason is as good as a disabled mailbox.
    return _SUBJECTS.get(subject, Verdict.DISABLED if permanent else Verdict.NETWORK)
