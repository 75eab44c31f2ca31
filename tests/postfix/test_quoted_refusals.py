"""A relay that passes on what the next server said: its own code in front must not hide the reason behind."""

from __future__ import annotations

import pytest

from newsletter.delivery.reasons import Reason, read_reason
from newsletter.delivery.states import State
from newsletter.delivery.verdicts import Domain, judge
from newsletter.mail.reply import Reply
from newsletter.transport.exchange import Stage

POSTFIX = (
    "5.1.1 <a@example.org>: Recipient address rejected: undeliverable address: "
    "host mx.example.org[192.0.2.1] said: {} (in reply to RCPT TO command)"
)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("550 5.1.1 no such user here", Reason.NO_SUCH_MAILBOX),
        ("550 no such user here", Reason.NO_SUCH_MAILBOX),
        ("552 5.2.2 the mailbox is full", Reason.MAILBOX_FULL),
        ("550 5.2.1 the mailbox is disabled", Reason.DISABLED),
        ("550-5.7.26 unauthenticated mail is prohibited", Reason.POLICY),
        ("550 RP:ORQ http://service.mail.qq.com/ frequency limited", Reason.RATE),
        ("550 something else", Reason.OTHER),
    ],
)
def test_the_quoted_words_count(said: str, reason: Reason) -> None:
    assert read_reason(Reply(550, POSTFIX.format(said))) is reason


def test_a_full_mailbox_behind_a_relay_is_not_suppressed() -> None:
    verdict = judge(Stage.RCPT, Reply(550, POSTFIX.format("552 5.2.2 the mailbox is full")))
    assert verdict.state is State.FAILED
    assert verdict.soft_bounce
    assert not verdict.suppress


def test_a_rate_limit_behind_a_relay_is_no_dead_address() -> None:
    verdict = judge(Stage.RCPT, Reply(550, POSTFIX.format("550 5.7.1 frequency limited")))
    assert verdict.state is State.DEFERRED
    assert verdict.domain is Domain.PAUSE
    assert not verdict.suppress


def test_words_without_a_reply_in_them_are_the_relays_own() -> None:
    assert read_reason(Reply(550, "5.1.1 as he said: no")) is Reason.NO_SUCH_MAILBOX
