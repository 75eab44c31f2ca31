"""What a job is told when no answer comes: disconnects, silence and garbage at every stage, over TCP and over TLS."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import pytest
from scripted import DROP, GARBAGE, HANG, Act, Script, ScriptedServer
from wire_doubles import (
    PATIENT,
    PIPELINED,
    STEPWISE,
    WatchedJob,
    converse,
    hasty,
    make_message,
    run,
)

from newsletter.transport.exchange import Loss, Stage
from newsletter.transport.wire import Extensions

MODES = pytest.mark.parametrize("mode", [PIPELINED, STEPWISE], ids=["pipelined", "stepwise"])
ENVELOPE = ("MAIL", "RCPT", "DATA")
SILENCES = {"drops": DROP, "hangs": HANG, "garbage": GARBAGE}
HUGE = 16_000_000  # more than the kernel buffers between the two ends of a loopback connection

Talk = Callable[..., ScriptedServer]


@pytest.fixture(params=["tcp", "tls"])
def talk(request: pytest.FixtureRequest) -> Talk:
    """Holds a conversation over TCP, and again over TLS."""
    server_side: ssl.SSLContext | None = None
    client_side: ssl.SSLContext | None = None
    if request.param == "tls":
        certificate = request.getfixturevalue("certificate")
        server_side, client_side = certificate.server(), certificate.client()

    def hold(
        script: Script, work: list[WatchedJob], mode: Extensions, **more: Any
    ) -> ScriptedServer:
        server = ScriptedServer(script, implicit_tls=server_side)

        async def conversation() -> None:
            async with server:
                await converse(server, work, mode, tls=client_side, **more)

        run(conversation())
        return server

    return hold


def jobs(count: int, *, size: int = 200) -> list[WatchedJob]:
    return [WatchedJob(make_message(number, size=size)) for number in range(count)]


def loss(job: WatchedJob) -> tuple[Stage, bool]:
    """Where a job was lost, and whether it is certain that the server cannot have it."""
    assert job.told is not None
    stage, event = job.told
    assert isinstance(event, Loss), event
    assert str(event)
    return stage, event.certain


@MODES
@pytest.mark.parametrize("stage", ENVELOPE)
@pytest.mark.parametrize("silence", SILENCES)
def test_before_the_body_nothing_is_in_doubt(
    talk: Talk, mode: Extensions, stage: str, silence: str
) -> None:
    work = jobs(2)
    patience = hasty(Stage[stage]) if silence == "hangs" else PATIENT
    server = talk(Script({stage: [SILENCES[silence]]}), work, mode, timeouts=patience)
    assert loss(work[0]) == (Stage[stage], True)
    assert not work[0].asked
    assert work[1].told is None
    assert server.received == []


@MODES
@pytest.mark.parametrize("silence", SILENCES)
@pytest.mark.parametrize("takes", [True, False], ids=["taken", "not taken"])
def test_after_the_dot_everything_is_in_doubt(
    talk: Talk, mode: Extensions, silence: str, takes: bool
) -> None:
    """The message may or may not be with the server: RFC 1047."""
    act = SILENCES[silence]
    answer = Act(say=act.say, close=act.close, hang=act.hang, takes=takes)
    patience = hasty(Stage.DOT) if silence == "hangs" else PATIENT
    work = jobs(4)
    server = talk(Script({".": [None, answer]}), work, mode, timeouts=patience)
    assert work[0].accepted
    assert loss(work[1]) == (Stage.DOT, False)
    if mode.pipelining:
        assert loss(work[2]) == (Stage.CONNECT, True)
        assert not work[2].asked
    assert work[3].told is None
    assert len(server.received) == 1 + takes


@MODES
@pytest.mark.parametrize("after", [0, 1, 1000])
def test_a_small_body_cut_short_is_in_doubt(talk: Talk, mode: Extensions, after: int) -> None:
    """All of it had left this process, so who knows."""
    work = jobs(2, size=4000)
    gone = Act(close=True, after=after, delay=0.02)
    server = talk(Script({"BODY": [gone]}), work, mode)
    assert loss(work[0]) == (Stage.DOT, False)
    assert server.received == []


@MODES
@pytest.mark.parametrize("silence", ["drops", "hangs"])
def test_a_large_body_cut_short_is_certainly_lost(
    talk: Talk, mode: Extensions, silence: str
) -> None:
    """Bytes of it are still in our own buffer, so the server cannot have the dot.

    Over TLS asyncio does not tell what is left, so the loss is in doubt: the safe side.
    """
    work = jobs(2, size=HUGE)
    act = Act(close=silence == "drops", hang=silence == "hangs", after=5000)
    server = talk(Script({"BODY": [act]}), work, mode, timeouts=hasty(Stage.BODY, Stage.DOT))
    over_tls = server.implicit_tls is not None
    assert loss(work[0]) == ((Stage.DOT, False) if over_tls else (Stage.BODY, True))
    assert server.received == []
    if mode.pipelining:
        assert loss(work[1]) == (Stage.CONNECT, True)


@MODES
def test_a_large_body_goes_through(talk: Talk, mode: Extensions) -> None:
    work = jobs(3, size=6_000_000)
    server = talk(Script(), work, mode)
    assert all(job.accepted for job in work)
    assert [message.data for message in server.received] == [job.message.data for job in work]


@MODES
def test_an_acceptance_of_half_a_body_is_in_doubt(mode: Extensions) -> None:
    work = jobs(2, size=HUGE)
    hasty = Act(say=b"250 2.0.0 fine, fine\r\n", after=5000, hang=True)

    async def conversation() -> None:
        async with ScriptedServer(Script({"BODY": [hasty]})) as server:
            await converse(server, work, mode)

    run(conversation())
    assert loss(work[0]) == (Stage.DOT, False)
    assert not work[1].accepted


@MODES
@pytest.mark.parametrize("code", [552, 451, 421])
def test_a_refusal_of_half_a_body_counts_and_ends_the_connection(
    talk: Talk, mode: Extensions, code: int
) -> None:
    """Said twice, at once and after the dot, it would be taken for the answer to the next envelope."""
    work = jobs(3, size=HUGE)
    said = f"{code} 5.3.4 too large\r\n".encode()
    plans = {"BODY": [Act(say=said, after=5000)], ".": [Act(say=said, takes=False)]}
    server = talk(Script(plans), work, mode)
    assert work[0].told is not None
    assert work[0].told[0] is Stage.DOT
    assert str(work[0].told[1]).startswith(str(code))
    assert not work[1].accepted
    assert server.received == []
    if server.implicit_tls is None:
        assert server.uses["."] == 0, "the rest of it stays here"


@MODES
@pytest.mark.parametrize("said", [b"250 2.0.0 already have it\r\n", b"354 go on, go on\r\n"])
def test_an_answer_before_the_body_keeps_the_body_back(
    talk: Talk, mode: Extensions, said: bytes
) -> None:
    """It cannot be the answer to a dot that was never sent."""
    work = jobs(2)
    plans = {"DATA": [Act(say=b"354 go on\r\n" + said)]}
    server = talk(Script(plans), work, mode)
    assert loss(work[0]) == (Stage.DATA, True)
    assert work[1].told is None
    assert server.bodies in ([], [b""])
    assert server.received == []


@MODES
def test_words_without_being_asked_end_the_connection(talk: Talk, mode: Extensions) -> None:
    """One reply too many, and every later one would be paired with the wrong command."""
    work = jobs(3)
    server = talk(Script({".": [Act(say=b"250 2.0.0 ok\r\n250 2.0.0 ok again\r\n")]}), work, mode)
    assert work[0].accepted
    assert not work[1].accepted
    assert len(server.received) == 1


@MODES
@pytest.mark.parametrize(
    "said",
    [
        b"250-half of it\r\n550 and a half\r\n",
        b"2x0 hm\r\n",
        b"\r\n",
        b"250" + b"x" * 5000,
        b"250-more\r\n" * 200,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\n",
        b"150 preliminary\r\n",
    ],
    ids=["two codes", "no code", "empty", "endless line", "endless lines", "tls", "1yz"],
)
def test_what_is_no_reply_ends_the_connection(talk: Talk, mode: Extensions, said: bytes) -> None:
    work = jobs(2)
    talk(Script({".": [Act(say=said, takes=False)]}), work, mode)
    assert loss(work[0]) == (Stage.DOT, False)
    assert not work[1].accepted


@MODES
def test_a_connection_that_is_gone_before_it_is_used(talk: Talk, mode: Extensions) -> None:
    work = jobs(2)
    server = talk(Script({"CONNECT": [DROP]}, greets=True), work, mode)
    stage, certain = loss(work[0])
    assert stage in (Stage.CONNECT, Stage.MAIL)
    assert certain
    assert work[1].told is None
    assert server.received == []


@MODES
def test_a_server_that_talks_first_is_left_alone(talk: Talk, mode: Extensions) -> None:
    """Such as 421 on a connection that waited too long for its next message."""
    work = jobs(1)
    server = talk(Script({"CONNECT": ["421 4.4.2 idle"]}, greets=True), work, mode)
    assert not work[0].accepted
    assert server.received == []
