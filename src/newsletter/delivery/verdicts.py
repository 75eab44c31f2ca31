"""What each answer means: one pure function from (stage, reply or loss) to what follows.

The table is the one in docs/architecture.md, "What each answer means"; tests/delivery/test_verdicts.py has a case for
each of its cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from newsletter.delivery.reasons import Reason, read_reason
from newsletter.delivery.states import State
from newsletter.mail.reply import Reply
from newsletter.transport.exchange import Event, Loss, Stage


class Route(StrEnum):
    """What to do about the relay."""

    GO_ON = "go on"
    RECONNECT = "reconnect"  # this connection is not to be used again
    BACK_OFF = "back off"  # wait before the next connection
    STOP = "stop"  # waiting will not mend it


class Domain(StrEnum):
    """What to do about the recipient's domain."""

    GO_ON = "go on"
    PAUSE = "pause"  # it speaks of our rate or reputation


class Suspicion(StrEnum):
    """What, refused three times with the same words, says that the whole run is wrong."""

    NONE = "none"
    SENDER = "sender"
    CONTENT = "content"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What follows from an answer.

    Attributes:
        state: of the entry.
        charged: whether the recipient has used up an attempt.
        reason: what a refusal is about.
        suppress: never mail this address again.
        soft_bounce: the mailbox exists but cannot take mail now.

    """

    state: State
    charged: bool = True
    route: Route = Route.GO_ON
    domain: Domain = Domain.GO_ON
    reason: Reason = Reason.OTHER
    suppress: bool = False
    soft_bounce: bool = False
    suspicion: Suspicion = Suspicion.NONE


_CONNECTING = frozenset({Stage.CONNECT, Stage.GREETING, Stage.TLS, Stage.AUTH})


def judge(stage: Stage, event: Event) -> Verdict:
    """Decide what an answer at `stage` means."""
    if stage in _CONNECTING:
        return _judge_connection(stage, event)
    if isinstance(event, Loss):
        state = State.DEFERRED if event.certain else State.IN_DOUBT
        return Verdict(state=state, route=Route.RECONNECT)
    if stage is Stage.DOT and event.positive:
        return Verdict(state=State.ACCEPTED)
    if event.transient:
        return _judge_transient(event)
    if event.permanent:
        return _judge_permanent(stage, event)
    # A 2yz or 3yz where it makes no sense, with nothing of the body sent.
    return Verdict(state=State.DEFERRED, route=Route.RECONNECT)


def _judge_connection(stage: Stage, event: Event) -> Verdict:
    """No message was touched, so no recipient is charged."""
    final = isinstance(event, Reply) and event.permanent
    if stage in (Stage.TLS, Stage.AUTH) and isinstance(event, Loss):
        final = True  # STARTTLS or AUTH missing, or a certificate that cannot be trusted
    return Verdict(
        state=State.PENDING, charged=False, route=Route.STOP if final else Route.BACK_OFF
    )


def _judge_transient(reply: Reply) -> Verdict:
    reason = read_reason(reply)
    return Verdict(
        state=State.DEFERRED,
        route=Route.RECONNECT if reply.code in (421, 452) else Route.GO_ON,
        domain=Domain.PAUSE if reason.about_us or reply.code == 421 else Domain.GO_ON,
        reason=reason,
        soft_bounce=reason in (Reason.MAILBOX_FULL, Reason.DISABLED),
    )


def _judge_permanent(stage: Stage, reply: Reply) -> Verdict:
    reason = read_reason(reply)
    if stage is Stage.MAIL and reply.enhanced != "5.6.7":  # 5.6.7 is about one address: SMTPUTF8
        state, domain = State.FAILED, Domain.GO_ON
        if reason.about_us:
            state, domain = State.DEFERRED, Domain.PAUSE
        return Verdict(state=state, domain=domain, reason=reason, suspicion=Suspicion.SENDER)
    if reason.about_us:
        suspicion = Suspicion.SENDER if reason is Reason.SENDER else Suspicion.NONE
        return Verdict(
            state=State.DEFERRED, domain=Domain.PAUSE, reason=reason, suspicion=suspicion
        )
    if reason.dead_address:
        return Verdict(state=State.FAILED, reason=reason, suppress=True)
    about_content = reason is Reason.CONTENT or (stage is Stage.DOT and reason is Reason.OTHER)
    return Verdict(
        state=State.FAILED,
        reason=reason,
        soft_bounce=reason in (Reason.MAILBOX_FULL, Reason.DISABLED),
        suspicion=Suspicion.CONTENT if about_content else Suspicion.NONE,
    )
