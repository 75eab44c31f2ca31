"""Reading why a server refuses: a corpus of real replies, and what must never be misread."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.reasons import Reason, read_reason
from newsletter.delivery.states import State
from newsletter.delivery.verdicts import judge
from newsletter.mail.reply import Reply
from newsletter.transport.exchange import Stage

CORPUS = Path(__file__).with_name("replies.txt")


def corpus() -> list[tuple[Reason, Reply]]:
    """Reason and reply of each line that is no comment."""
    found = []
    for line in CORPUS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            reason, reply = line.split("  ", 1)
            code, text = reply.strip().split(" ", 1)
            found.append((Reason(reason.strip()), Reply(int(code), text.replace("⏎", "\n"))))
    return found


CASES = corpus()


@pytest.mark.parametrize(("reason", "reply"), CASES, ids=[str(reply)[:70] for _, reply in CASES])
def test_real_replies(reason: Reason, reply: Reply) -> None:
    assert read_reason(reply) is reason


def test_the_corpus_is_large_and_has_every_reason() -> None:
    assert len(CASES) >= 90
    assert {reason for reason, _ in CASES} == set(Reason)
    assert len({reply for _, reply in CASES}) == len(CASES)


@pytest.mark.parametrize(("reason", "reply"), CASES, ids=[str(reply)[:70] for _, reply in CASES])
@pytest.mark.parametrize("stage", [Stage.RCPT, Stage.DATA, Stage.DOT])
def test_only_a_dead_address_is_suppressed(reason: Reason, reply: Reply, stage: Stage) -> None:
    verdict = judge(stage, reply)
    assert verdict.suppress == (reply.permanent and reason.dead_address)
    if reason.about_us or reply.transient:
        assert verdict.state is State.DEFERRED


@pytest.mark.parametrize("local", ["policy", "virus", "spf", "blocked", "quota", "banned"])
def test_words_in_an_address_or_a_link_say_nothing(local: str) -> None:
    unknown = Reply(550, f"5.1.1 <{local}@example.com>: Recipient address rejected: User unknown")
    assert read_reason(unknown) is Reason.NO_SUCH_MAILBOX
    without_code = Reply(550, f"No such user {local}@example.com, see https://x.example/{local}")
    assert read_reason(without_code) is Reason.NO_SUCH_MAILBOX


@pytest.mark.parametrize(
    "text",
    [
        "5.1.8 <weekly@example.org>: Sender address rejected: Domain not found",
        "5.1.7 Sender mailbox does not exist",
        "Sender verify failed: No such user here",
        "Could not complete sender verify callout",
        "sender domain does not exist",
    ],
)
def test_a_complaint_about_the_sender_is_not_about_the_recipient(text: str) -> None:
    """Postfix judges the sender at RCPT, so every recipient of the run would be buried for it."""
    assert read_reason(Reply(550, text)).about_us


@given(st.integers(400, 599), st.text(max_size=200))
def test_anything_has_a_reason(code: int, text: str) -> None:
    assert read_reason(Reply(code, text)) in Reason


@given(st.integers(400, 599), st.text(alphabet="said: 450-\n 5.1.1", max_size=120))
def test_quotes_within_quotes(code: int, text: str) -> None:
    assert read_reason(Reply(code, f"host x said: 550 {text}")) in Reason


@pytest.mark.parametrize("reason", list(Reason))
def test_a_reason_is_about_us_or_about_the_address(reason: Reason) -> None:
    assert not (reason.about_us and reason.dead_address)
