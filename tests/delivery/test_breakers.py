"""Circuit breakers: what stops a run, what does not, and what the user is told."""

from __future__ import annotations

import pytest

from newsletter.delivery.breakers import HARD_AFTER, MAX_IN_DOUBT, Breakers
from newsletter.delivery.verdicts import judge
from newsletter.errors import NewsletterError, RelayError, RelayRefused
from newsletter.mail.reply import Reply
from newsletter.transport.exchange import ConnectFailed, Event, Loss, Stage

ACCEPTED = Reply(250, "2.0.0 queued")
UNKNOWN = Reply(550, "5.1.1 User unknown")


def feed(breakers: Breakers, stage: Stage, *events: Event) -> NewsletterError | None:
    """What the last of these answers leads to; none before it may stop the run."""
    result = None
    for event in events:
        assert result is None, f"stopped too early: {result}"
        result = breakers.notice(judge(stage, event), event)
    return result


@pytest.mark.parametrize(
    ("stage", "text", "what"),
    [
        (Stage.MAIL, "5.1.8 no such sender", "sender"),
        (Stage.MAIL, "no", "sender"),
        (Stage.RCPT, "5.7.1 Relay access denied", "sender"),
        (Stage.DOT, "5.6.0 bad content", "content"),
        (Stage.DOT, "no", "content"),
    ],
)
def test_three_identical_refusals(stage: Stage, text: str, what: str) -> None:
    stopped = feed(Breakers(), stage, *[Reply(550, text)] * 3)
    assert isinstance(stopped, RelayRefused)
    assert stopped.exit_code == 1
    assert f"the {what} of 3 messages" in str(stopped)
    assert text in str(stopped)
    assert "\n" not in str(stopped)


def test_identical_but_for_what_differs_by_message() -> None:
    refusals = [
        Reply(554, f"5.7.1 <r{n}@example.com>: Relay access denied id={n}A7F 1{n}:02")
        for n in range(3)
    ]
    assert isinstance(feed(Breakers(), Stage.RCPT, *refusals), RelayRefused)


def test_refusals_in_different_words_go_on() -> None:
    words = ["no", "never", "not you", "go away"]
    assert feed(Breakers(), Stage.DOT, *[Reply(554, word) for word in words]) is None


def test_the_same_words_behind_another_code_go_on() -> None:
    answers = [Reply(550, "no"), Reply(550, "no"), Reply(554, "no"), Reply(554, "5.6.0 no")]
    assert feed(Breakers(), Stage.DOT, *answers) is None


def test_the_same_words_about_sender_and_content_are_counted_apart() -> None:
    breakers = Breakers()
    assert feed(breakers, Stage.MAIL, Reply(554, "no"), Reply(554, "no")) is None
    assert feed(breakers, Stage.DOT, Reply(554, "no"), Reply(554, "no")) is None


@pytest.mark.parametrize(
    "reply",
    [
        Reply(450, "4.7.1 later"),
        Reply(550, "5.7.1 bad reputation"),
        Reply(552, "5.2.2 mailbox full"),
        Reply(550, "5.1.1 User unknown"),
    ],
)
def test_what_is_not_about_the_run_goes_on(reply: Reply) -> None:
    assert feed(Breakers(), Stage.RCPT, *[reply] * 20) is None


def test_more_than_twenty_in_doubt() -> None:
    lost = Loss("timeout", certain=False)
    assert feed(Breakers(), Stage.DOT, *[lost] * MAX_IN_DOUBT) is None
    stopped = feed(Breakers(), Stage.DOT, *[lost] * (MAX_IN_DOUBT + 1))
    assert isinstance(stopped, RelayError)
    assert stopped.exit_code == 75
    assert "newsletter status" in str(stopped)


def test_acceptances_do_not_make_doubts_count() -> None:
    breakers = Breakers()
    lost = Loss("timeout", certain=False)
    for _ in range(MAX_IN_DOUBT):
        assert feed(breakers, Stage.DOT, *[ACCEPTED] * 10, lost, ACCEPTED) is None


def test_too_many_dead_addresses() -> None:
    breakers = Breakers()
    assert feed(breakers, Stage.DOT, *[ACCEPTED] * (HARD_AFTER - 11)) is None
    assert feed(breakers, Stage.RCPT, *[UNKNOWN] * 10) is None, "199 settled: too early to tell"
    stopped = feed(breakers, Stage.RCPT, UNKNOWN)
    assert isinstance(stopped, RelayRefused)
    assert "11 of 200" in str(stopped)
    assert "list" in str(stopped)


def test_five_percent_dead_addresses_are_borne() -> None:
    breakers = Breakers()
    for _ in range(30):
        assert feed(breakers, Stage.DOT, *[ACCEPTED] * 19) is None
        assert feed(breakers, Stage.RCPT, UNKNOWN) is None


def test_full_mailboxes_are_not_dead_addresses() -> None:
    breakers = Breakers()
    feed(breakers, Stage.DOT, *[ACCEPTED] * HARD_AFTER)
    assert feed(breakers, Stage.RCPT, *[Reply(552, "5.2.2 mailbox full")] * 50) is None


# Connections


@pytest.mark.parametrize(
    ("stage", "event", "advice"),
    [
        (Stage.TLS, Loss("TLS failed: certificate has expired"), "certificate"),
        (Stage.AUTH, Reply(535, "5.7.8 bad credentials"), "NEWSLETTER_RELAY_PASSWORD"),
        (Stage.GREETING, Reply(554, "no service"), "operator"),
        (Stage.CONNECT, Reply(554, "no service"), "relay URL"),
    ],
)
def test_a_refused_connection_says_what_to_check(stage: Stage, event: Event, advice: str) -> None:
    error = Breakers.refused(ConnectFailed(stage, event))
    assert isinstance(error, RelayRefused)
    assert advice in str(error)
    assert str(event) in str(error)
    assert "same command again" in str(error)


def test_a_relay_that_is_away() -> None:
    error = Breakers.away(ConnectFailed(Stage.CONNECT, Loss("connection refused")))
    assert error.exit_code == 75
    assert "nothing is lost" in str(error)
