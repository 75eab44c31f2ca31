"""“What each answer means”: a case for each cell of the table in docs/architecture.md."""

from __future__ import annotations

import itertools

import pytest

from newsletter.delivery.reasons import Reason
from newsletter.delivery.states import FOLLOWERS, State
from newsletter.delivery.verdicts import Domain, Route, Suspicion, Verdict, judge
from newsletter.mail.reply import Reply
from newsletter.transport.exchange import Event, Loss, Stage

LOST = Loss("the connection was lost")
DOUBTFUL = Loss("the connection was lost", certain=False)
CONVERSATION = (Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.BODY, Stage.DOT)


def said(code: int, text: str = "so it is") -> Reply:
    return Reply(code, text)


# connect, greeting | refused, timeout, 4yz, 421 | back off the route; no attempt is charged | pending


@pytest.mark.parametrize("stage", [Stage.CONNECT, Stage.GREETING])
@pytest.mark.parametrize("event", [LOST, said(421), said(450), said(454)])
def test_a_relay_that_is_away_costs_nobody_an_attempt(stage: Stage, event: Event) -> None:
    assert judge(stage, event) == Verdict(state=State.PENDING, charged=False, route=Route.BACK_OFF)


@pytest.mark.parametrize("stage", [Stage.TLS, Stage.AUTH])
@pytest.mark.parametrize("code", [421, 454])
def test_tls_or_login_refused_for_now(stage: Stage, code: int) -> None:
    assert judge(stage, said(code)).route is Route.BACK_OFF


# greeting 5yz, STARTTLS missing or bad certificate, AUTH 5yz | stop the run | pending


@pytest.mark.parametrize(
    ("stage", "event"),
    [
        (Stage.CONNECT, said(554)),
        (Stage.GREETING, said(554)),
        (Stage.GREETING, said(502)),
        (Stage.TLS, said(500)),
        (Stage.TLS, Loss("STARTTLS is not offered")),
        (Stage.TLS, Loss("TLS failed: certificate has expired")),
        (Stage.AUTH, said(535)),
        (Stage.AUTH, said(534)),
        (Stage.AUTH, Loss("AUTH is not offered")),
    ],
)
def test_what_waiting_will_not_mend_stops_the_run(stage: Stage, event: Event) -> None:
    assert judge(stage, event) == Verdict(state=State.PENDING, charged=False, route=Route.STOP)


# MAIL | 4yz / 5yz | deferred / failed; the same 5yz for 3 recipients stops the run


@pytest.mark.parametrize("code", [421, 450, 451, 452])
def test_mail_refused_for_now(code: int) -> None:
    verdict = judge(Stage.MAIL, said(code))
    assert verdict.state is State.DEFERRED
    assert verdict.charged
    assert verdict.suspicion is Suspicion.NONE


@pytest.mark.parametrize("code", [500, 501, 550, 552, 553, 554])
def test_mail_refused_for_good(code: int) -> None:
    verdict = judge(Stage.MAIL, said(code))
    assert verdict.state is State.FAILED
    assert verdict.suspicion is Suspicion.SENDER
    assert not verdict.suppress


@pytest.mark.parametrize(
    "text", ["5.7.1 not allowed", "5.1.8 sender domain unknown", "frequency limited"]
)
def test_mail_refused_because_of_us(text: str) -> None:
    verdict = judge(Stage.MAIL, said(550, text))
    assert (verdict.state, verdict.domain) == (State.DEFERRED, Domain.PAUSE)
    assert verdict.suspicion is Suspicion.SENDER


def test_an_address_that_the_relay_cannot_take_is_its_own_misfortune() -> None:
    verdict = judge(Stage.MAIL, said(553, "5.6.7 the relay does not offer SMTPUTF8"))
    assert verdict.state is State.FAILED
    assert verdict.suspicion is Suspicion.NONE
    assert not verdict.suppress


def test_a_mail_refusal_never_suppresses_the_recipient() -> None:
    """`550 5.1.1 User unknown` to MAIL is about the sender."""
    assert not judge(Stage.MAIL, said(550, "5.1.1 User unknown")).suppress


# RCPT | 450, 451 | retry | deferred


@pytest.mark.parametrize("stage", [Stage.RCPT, Stage.DATA])
@pytest.mark.parametrize("code", [450, 451])
def test_not_now(stage: Stage, code: int) -> None:
    verdict = judge(stage, said(code, "4.2.0 greylisted, come back later"))
    assert (verdict.state, verdict.route) == (State.DEFERRED, Route.GO_ON)
    assert verdict.charged
    assert verdict.domain is Domain.GO_ON


# RCPT | 452, 421 | new connection | deferred


@pytest.mark.parametrize("stage", [Stage.RCPT, Stage.DATA])
@pytest.mark.parametrize("code", [452, 421])
def test_not_on_this_connection(stage: Stage, code: int) -> None:
    verdict = judge(stage, said(code))
    assert (verdict.state, verdict.route) == (State.DEFERRED, Route.RECONNECT)


@pytest.mark.parametrize("stage", CONVERSATION)
def test_421_slows_the_domain(stage: Stage) -> None:
    assert judge(stage, said(421)).domain is Domain.PAUSE


# RCPT | 5yz, no such user or domain | suppress the address | failed


@pytest.mark.parametrize("stage", [Stage.RCPT, Stage.DATA, Stage.DOT])
@pytest.mark.parametrize(
    "text",
    [
        "5.1.1 bad destination mailbox",
        "5.1.2 bad destination system",
        "5.1.3 bad destination syntax",
        "5.1.10 null MX",
        "No such user here",
        "Mailbox not found",
        "Domain does not exist",
    ],
)
def test_an_address_that_is_not_there(stage: Stage, text: str) -> None:
    verdict = judge(stage, said(550, text))
    assert verdict.state is State.FAILED
    assert verdict.suppress
    assert verdict.reason.dead_address
    assert not verdict.soft_bounce
    assert verdict.suspicion is Suspicion.NONE


def test_not_there_for_now_is_not_dead() -> None:
    verdict = judge(Stage.RCPT, said(450, "4.1.1 unverified address"))
    assert verdict.state is State.DEFERRED
    assert not verdict.suppress


# RCPT | 5yz, mailbox full or disabled | count a soft bounce | failed


@pytest.mark.parametrize("stage", [Stage.RCPT, Stage.DATA, Stage.DOT])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("5.2.2 mailbox full", Reason.MAILBOX_FULL),
        ("5.2.1 mailbox disabled", Reason.DISABLED),
        ("user is over quota", Reason.MAILBOX_FULL),
        ("this account has been suspended", Reason.DISABLED),
    ],
)
def test_a_mailbox_that_cannot_take_it(stage: Stage, text: str, reason: Reason) -> None:
    verdict = judge(stage, said(552, text))
    assert verdict == Verdict(state=State.FAILED, reason=reason, soft_bounce=True)


def test_a_full_mailbox_for_now() -> None:
    verdict = judge(Stage.RCPT, said(452, "4.2.2 mailbox full"))
    assert verdict.state is State.DEFERRED
    assert verdict.soft_bounce
    assert verdict.domain is Domain.GO_ON


# any | 5yz that speaks of rate, reputation or authentication | pause that domain, warn; never suppress | deferred


@pytest.mark.parametrize("stage", [Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.DOT])
@pytest.mark.parametrize(
    "text",
    [
        "Connection frequency limited",
        "RP:ORQ 163 smtp12",
        "HL:ITC 163 mx1",
        "5.7.1 blocked",
        "5.7.26 unauthenticated",
        "5.7.606 banned sending IP",
        "5.1.1 frequency limited",
    ],
)
def test_a_refusal_about_us_pauses_the_domain(stage: Stage, text: str) -> None:
    verdict = judge(stage, said(550, text))
    assert (verdict.state, verdict.domain) == (State.DEFERRED, Domain.PAUSE)
    assert verdict.reason.about_us
    assert not verdict.suppress
    assert not verdict.soft_bounce


@pytest.mark.parametrize(
    "text", ["5.7.1 Relay access denied", "5.1.8 Sender address rejected: Domain not found"]
)
def test_a_sender_refused_at_rcpt_is_a_sender_refused(text: str) -> None:
    """Postfix keeps its answer to MAIL back until RCPT."""
    verdict = judge(Stage.RCPT, said(554, text))
    assert (verdict.state, verdict.suspicion) == (State.DEFERRED, Suspicion.SENDER)


# DATA | 4yz / 5yz | as RCPT


@pytest.mark.parametrize(
    "answer",
    [
        said(450, "4.2.0 later"),
        said(452, "4.3.1 full"),
        said(550, "5.1.1 unknown"),
        said(552, "5.2.2 full"),
        said(550, "5.7.1 no"),
        said(554, "no valid recipients"),
        said(554, "DT:SPM 163"),
    ],
)
def test_data_is_as_rcpt(answer: Reply) -> None:
    assert judge(Stage.DATA, answer) == judge(Stage.RCPT, answer)


def test_any_other_refusal_fails_that_recipient() -> None:
    verdict = judge(Stage.RCPT, said(550, "no"))
    assert verdict == Verdict(state=State.FAILED, reason=Reason.OTHER)


# body | lost while bytes are still in our own buffer | reconnect | deferred


@pytest.mark.parametrize("stage", [Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.BODY])
def test_a_certain_loss_is_tried_again(stage: Stage) -> None:
    assert judge(stage, LOST) == Verdict(state=State.DEFERRED, route=Route.RECONNECT)


# body, dot | lost otherwise, timeout, garbage | close, never reuse the connection | in_doubt


@pytest.mark.parametrize("stage", [Stage.BODY, Stage.DOT])
def test_an_uncertain_loss_is_a_doubt(stage: Stage) -> None:
    assert judge(stage, DOUBTFUL) == Verdict(state=State.IN_DOUBT, route=Route.RECONNECT)


# dot | 2yz | keep the reply | accepted


@pytest.mark.parametrize("code", [200, 250, 251, 252])
def test_accepted(code: int) -> None:
    assert judge(Stage.DOT, said(code, "5.1.1 queued, whatever")) == Verdict(state=State.ACCEPTED)


@pytest.mark.parametrize("stage", [Stage.MAIL, Stage.RCPT, Stage.DATA])
@pytest.mark.parametrize("code", [250, 354])
def test_nothing_but_the_dots_reply_accepts(stage: Stage, code: int) -> None:
    assert judge(stage, said(code)) == Verdict(state=State.DEFERRED, route=Route.RECONNECT)


# dot | 4yz, 421 | definite: not delivered | deferred


@pytest.mark.parametrize("code", [421, 450, 451, 452, 454])
def test_not_delivered_for_now(code: int) -> None:
    verdict = judge(Stage.DOT, said(code))
    assert verdict.state is State.DEFERRED
    assert (verdict.route is Route.RECONNECT) == (code in (421, 452))


# dot | 5yz about content | the same for 3 recipients stops the run | failed


@pytest.mark.parametrize(
    ("stage", "text"),
    [
        (Stage.DOT, "5.6.0 message content rejected"),
        (Stage.DOT, "DT:SPM 163 mx12"),
        (Stage.DOT, "transaction failed"),
        (Stage.DATA, "looks like spam"),
        (Stage.RCPT, "DT:SUM 126 mx2"),
    ],
)
def test_refused_content(stage: Stage, text: str) -> None:
    verdict = judge(stage, said(554, text))
    assert (verdict.state, verdict.suspicion) == (State.FAILED, Suspicion.CONTENT)
    assert not verdict.suppress


def test_a_full_mailbox_at_the_dot_says_nothing_about_the_content() -> None:
    assert judge(Stage.DOT, said(552, "5.2.2 mailbox full")).suspicion is Suspicion.NONE


# What holds for every cell.

EVENTS: tuple[Event, ...] = (
    LOST,
    DOUBTFUL,
    *(said(code) for code in (250, 354, 421, 450, 452, 500, 550, 554)),
    *(said(550, text) for text in ("5.1.1 unknown", "5.7.1 no", "5.2.2 full", "frequency limit")),
)
CELLS = list(itertools.product(Stage, EVENTS))


@pytest.mark.parametrize(("stage", "event"), CELLS, ids=[f"{s} {e}" for s, e in CELLS])
def test_every_cell_keeps_the_promises(stage: Stage, event: Event) -> None:
    verdict = judge(stage, event)
    assert verdict.state in FOLLOWERS[State.IN_FLIGHT] | FOLLOWERS[State.CLAIMED]
    assert verdict == judge(stage, event)
    if verdict.state is State.IN_DOUBT:
        assert isinstance(event, Loss)
        assert not event.certain
    if verdict.state is State.ACCEPTED:
        assert stage is Stage.DOT
        assert isinstance(event, Reply)
        assert event.positive
    if verdict.state is State.FAILED:
        assert isinstance(event, Reply)
        assert event.permanent
    if verdict.suppress:
        assert verdict.state is State.FAILED
        assert stage is not Stage.MAIL
    if not verdict.charged:
        assert verdict.state is State.PENDING
    if isinstance(event, Loss):
        assert verdict.route is not Route.GO_ON
