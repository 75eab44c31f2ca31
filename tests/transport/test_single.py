"""Test sends: a few messages over one connection, no ledger."""

from __future__ import annotations

import pytest
from scripted import DROP, Answer, Script, ScriptedServer
from wire_doubles import make_message, run

from newsletter.errors import RelayError
from newsletter.mail.reply import Reply
from newsletter.transport.exchange import Loss, Stage
from newsletter.transport.relay import Relay, Security
from newsletter.transport.single import SingleJob, send_each
from newsletter.transport.smtp import SmtpTransport


def send(count: int, script: Script) -> list[SingleJob]:
    script.greets = True

    async def conversation() -> list[SingleJob]:
        async with ScriptedServer(script) as server:
            relay = Relay(host="localhost", port=server.port, security=Security.NONE)
            return await send_each(SmtpTransport(relay), [make_message(n) for n in range(count)])

    return run(conversation())


def test_every_message_comes_back_with_its_answer() -> None:
    jobs = send(3, Script({"RCPT": [None, "550 5.1.1 unknown"]}))
    assert [job.accepted for job in jobs] == [True, False, True]
    assert (jobs[1].stage, jobs[1].event) == (Stage.RCPT, Reply(550, "5.1.1 unknown"))


def test_what_was_cut_has_no_answer() -> None:
    jobs = send(3, Script({".": [None, DROP]}))
    assert jobs[0].accepted
    assert isinstance(jobs[1].event, Loss)
    assert not jobs[1].accepted
    assert (jobs[2].stage, jobs[2].event) == (None, None)
    assert not jobs[2].accepted


def test_an_acceptance_of_anything_but_the_message_is_none() -> None:
    job = SingleJob(make_message(0))
    job.settle(Stage.DATA, Reply(250, "what?"))
    assert not job.accepted


@pytest.mark.parametrize("answer", ["554 5.3.2 no", DROP])
def test_no_connection(answer: Answer) -> None:
    with pytest.raises(RelayError) as caught:
        send(1, Script({"CONNECT": [answer]}))
    assert caught.value.exit_code == 75
    assert "cannot be used" in str(caught.value)
