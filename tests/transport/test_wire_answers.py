"""What a job is told when the server answers: every stage, every kind of answer, with and without pipelining."""

from __future__ import annotations

import pytest
from scripted import Act, Answer, Cut, Script, ScriptedServer, reply
from wire_doubles import (
    PIPELINED,
    STEPWISE,
    WatchedJob,
    converse,
    make_message,
    run,
)

from newsletter.mail.reply import Reply
from newsletter.transport.exchange import Loss, Stage
from newsletter.transport.wire import Extensions

MODES = pytest.mark.parametrize("mode", [PIPELINED, STEPWISE], ids=["pipelined", "stepwise"])
ENVELOPE = ("MAIL", "RCPT", "DATA")
REFUSALS = ("450 4.2.0 later", "550 5.1.1 unknown", "452 4.3.1 full", "554 5.7.1 no")


def jobs(count: int, *, size: int = 200) -> list[WatchedJob]:
    return [WatchedJob(make_message(number, size=size)) for number in range(count)]


def talk(
    script: Script, work: list[WatchedJob], mode: Extensions, *, limit: int = 1000
) -> ScriptedServer:
    """Hold a conversation, and see that the server has exactly what was accepted, each message whole."""
    server = ScriptedServer(script)

    async def conversation() -> None:
        async with server:
            await converse(server, work, mode, limit=limit)

    run(conversation())
    accepted = [job.message for job in work if job.accepted]
    assert [message.data for message in server.received] == [message.data for message in accepted]
    assert server.recipients == [message.envelope.forward_path for message in accepted]
    return server


@MODES
@pytest.mark.parametrize("cut", list(Cut))
def test_all_are_accepted_however_replies_are_cut(mode: Extensions, cut: Cut) -> None:
    work = jobs(8)
    server = talk(Script(cut=cut), work, mode)
    assert all(job.accepted for job in work)
    assert server.uses["RSET"] == 0
    assert server.commands[-1] == "QUIT"


@MODES
def test_the_reply_is_kept_word_for_word(mode: Extensions) -> None:
    work = jobs(1)
    talk(Script({".": ["250-2.0.0 queued\n250 2.0.0 as 4F3A"]}), work, mode)
    assert work[0].told == (Stage.DOT, Reply(250, "2.0.0 queued\n2.0.0 as 4F3A"))


@MODES
@pytest.mark.parametrize("stage", ENVELOPE)
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refused_envelope_is_reset_and_the_next_one_goes(
    mode: Extensions, stage: str, refusal: str
) -> None:
    work = jobs(2)
    server = talk(Script({stage: [refusal]}), work, mode)
    assert work[0].told == (Stage[stage], Reply(int(refusal[:3]), refusal[4:]))
    assert not work[0].asked
    assert work[1].accepted
    assert server.uses["RSET"] == 1
    assert server.connections == 1


@MODES
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refused_dot_needs_no_reset(mode: Extensions, refusal: str) -> None:
    work = jobs(3)
    server = talk(Script({".": [None, refusal]}), work, mode)
    assert work[0].accepted
    assert work[1].told == (Stage.DOT, Reply(int(refusal[:3]), refusal[4:]))
    assert work[2].accepted
    assert server.uses["RSET"] == 0


@pytest.mark.parametrize("stage", ENVELOPE)
@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("dot", [None, "451 4.3.0 try later", "554 5.6.0 no"])
def test_an_envelope_behind_a_body_is_refused(stage: str, refusal: str, dot: Answer) -> None:
    work = jobs(3)
    talk(Script({stage: [None, refusal], ".": [dot]}), work, PIPELINED)
    assert work[0].accepted == (dot is None)
    assert work[1].told == (Stage[stage], Reply(int(refusal[:3]), refusal[4:]))
    assert work[2].accepted


@MODES
@pytest.mark.parametrize("stage", ENVELOPE)
@pytest.mark.parametrize("then", ["closes", "stays"])
def test_421_in_an_envelope_ends_the_connection(mode: Extensions, stage: str, then: str) -> None:
    work = jobs(3)
    answer = reply("421 4.7.0 too many", close=then == "closes")
    talk(Script({stage: [answer]}), work, mode)
    assert work[0].told == (Stage[stage], Reply(421, "4.7.0 too many"))
    assert work[1].told is None


@MODES
@pytest.mark.parametrize("stage", ENVELOPE)
def test_a_refusal_outlives_the_connection(mode: Extensions, stage: str) -> None:
    """The server says no and hangs up: what it said counts."""
    work = jobs(2)
    talk(Script({stage: [reply("550 5.1.1 unknown", close=True)]}), work, mode)
    assert work[0].told == (Stage[stage], Reply(550, "5.1.1 unknown"))
    assert work[1].told is None


@MODES
@pytest.mark.parametrize("then", ["closes", "stays"])
def test_421_at_the_dot_ends_the_connection(mode: Extensions, then: str) -> None:
    work = jobs(4)
    answer = reply("421 4.3.2 going down", close=then == "closes")
    talk(Script({".": [None, answer]}), work, mode)
    assert work[0].accepted
    assert work[1].told == (Stage.DOT, Reply(421, "4.3.2 going down"))
    if mode.pipelining:  # its envelope was on the wire already, its body never was
        assert work[2].told is not None
        stage, event = work[2].told
        assert stage is Stage.CONNECT
        assert isinstance(event, Loss)
        assert event.certain
        assert not work[2].asked
    assert work[3].told is None


@MODES
def test_an_acceptance_before_the_server_hangs_up_counts(mode: Extensions) -> None:
    work = jobs(3)
    talk(Script({".": [reply("250 2.0.0 queued", close=True)]}), work, mode)
    assert work[0].accepted
    assert not any(job.accepted for job in work[1:])


@pytest.mark.parametrize("stage", ["MAIL", "RCPT"])
@pytest.mark.parametrize("answer", [None, "250 2.0.0 whatever", "451 4.3.0 hm"])
def test_a_lone_dot_answers_354_after_a_refusal(stage: str, answer: Answer) -> None:
    """RFC 2920 3.1: the server opens the body although nobody is to receive it."""
    work = jobs(3)
    plans = {stage: ["550 5.1.1 unknown"], "DATA": ["354 go on anyway"], "lone .": [answer]}
    server = talk(Script(plans), work, PIPELINED)
    assert server.bodies[0] == b""
    assert work[0].told == (Stage[stage], Reply(550, "5.1.1 unknown"))
    assert work[1].accepted
    assert work[2].accepted


def test_a_refusal_outlives_the_lone_dot() -> None:
    work = jobs(2)
    plans = {"RCPT": ["550 5.1.1 unknown"], "DATA": ["354 go on"], "lone .": [Act(close=True)]}
    talk(Script(plans), work, PIPELINED)
    assert work[0].told == (Stage.RCPT, Reply(550, "5.1.1 unknown"))
    assert work[1].told is None


@MODES
@pytest.mark.parametrize("answer", ["500 5.5.1 no RSET here", Act(close=True)])
def test_a_refused_reset_ends_the_connection(mode: Extensions, answer: Answer) -> None:
    work = jobs(2)
    talk(Script({"RCPT": ["550 5.1.1 unknown"], "RSET": [answer]}), work, mode)
    assert work[0].told == (Stage.RCPT, Reply(550, "5.1.1 unknown"))
    assert work[1].told is None


@MODES
@pytest.mark.parametrize("stage", ["MAIL", "RCPT"])
def test_354_where_it_makes_no_sense_sends_no_body(mode: Extensions, stage: str) -> None:
    work = jobs(1)
    server = talk(Script({stage: ["354 go on"], "DATA": ["503 no"]}), work, mode)
    assert work[0].told == (Stage[stage], Reply(354, "go on"))
    assert server.received == []


@MODES
def test_250_to_data_sends_no_body(mode: Extensions) -> None:
    work = jobs(2)
    server = talk(Script({"DATA": ["250 fine"]}), work, mode)
    assert work[0].told == (Stage.DATA, Reply(250, "fine"))
    assert work[1].told is None
    assert server.bodies == []


@pytest.mark.parametrize("answer", ["550 5.1.1 unknown", "451 4.3.0 later", "250 2.0.0 queued"])
def test_an_answer_said_twice_is_not_taken_for_the_next_message(answer: str) -> None:
    """“5.1.1 unknown”, read as the answer to the next envelope, would bury a living address."""
    work = jobs(3)
    twice = reply(answer).say * 2
    talk(Script({".": [Act(say=twice)]}), work, PIPELINED)
    assert work[0].told == (Stage.DOT, Reply(int(answer[:3]), answer[4:]))
    for job in work[1:]:
        assert job.told is None or isinstance(job.told[1], Loss) or job.said(2)
        assert not job.accepted


@MODES
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_connection_carries_no_more_than_its_limit(mode: Extensions, limit: int) -> None:
    work = jobs(5)
    server = talk(Script(), work, mode, limit=limit)
    assert [job.accepted for job in work] == [number < limit for number in range(5)]
    assert server.uses["MAIL"] == limit
    assert server.commands[-1] == "QUIT"


@MODES
@pytest.mark.parametrize("answer", [Act(close=True), "500 5.5.1 no", Act(say=b"rubbish\r\n")])
def test_nothing_after_an_acceptance_can_undo_it(mode: Extensions, answer: Act | str) -> None:
    work = jobs(2)
    talk(Script({"QUIT": [answer]}), work, mode)
    assert all(job.accepted for job in work)


@MODES
def test_replies_of_many_lines_are_one_reply(mode: Extensions) -> None:
    work = jobs(2)
    lines = "\n".join(f"550 5.1.1 line {number}" for number in range(20))
    talk(Script({"RCPT": [lines]}, cut=Cut.RANDOM), work, mode)
    assert work[0].told is not None
    assert str(work[0].told[1]).count("line") == 20
    assert work[1].accepted


@pytest.mark.parametrize("size", [200, 300_000])
def test_the_next_envelope_does_not_wait_for_the_dots_reply(size: int) -> None:
    """The group [body and dot, MAIL, RCPT, DATA] of RFC 2920: one round trip per message."""
    work = jobs(3, size=size)
    slow = reply("250 2.0.0 queued", delay=0.05)
    server = talk(Script({".": [slow] * 3}), work, PIPELINED)
    assert all(job.accepted for job in work)
    replies = [at for at, line in enumerate(server.transcript) if "queued" in line]
    data = [at for at, line in enumerate(server.transcript) if line == "> DATA"]
    assert data[1] < replies[0]
    assert data[2] < replies[1]
    order = [line.split()[0] for line in server.commands]
    assert order == [*(["MAIL", "RCPT", "DATA"] * 3), "QUIT"]


def test_without_pipelining_each_command_waits_for_its_reply() -> None:
    server = talk(Script(), jobs(2), STEPWISE)
    sides = [line[0] for line in server.transcript if "queued" not in line]
    assert sides == [">", "<"] * 7
