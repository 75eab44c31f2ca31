"""What our own side does to a conversation: permission for the body, cancellation, abort, what a server cannot take."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from scripted import HANG, Act, Script, ScriptedServer, reply
from wire_doubles import (
    PIPELINED,
    STEPWISE,
    Line,
    WatchedJob,
    converse,
    make_message,
    open_session,
    run,
)

from newsletter.mail.reply import Reply
from newsletter.transport import wire
from newsletter.transport.exchange import Job, Loss, Stage
from newsletter.transport.wire import Extensions

MODES = pytest.mark.parametrize("mode", [PIPELINED, STEPWISE], ids=["pipelined", "stepwise"])


@pytest.fixture(autouse=True)
def short_goodbyes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "QUIT_TIMEOUT", 0.1)


def job(number: int, **more: object) -> WatchedJob:
    return WatchedJob(make_message(number), **more)  # type: ignore[arg-type]


async def until_data(server: ScriptedServer, count: int = 1) -> None:
    """Wait until the server was asked DATA so often, and a little longer."""
    while server.uses["DATA"] < count:  # noqa: ASYNC110 - the server has no event for it
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.02)


@MODES
def test_a_body_without_permission_never_leaves(mode: Extensions) -> None:
    async def conversation() -> None:
        work = [job(0), job(1, granted=False), job(2)]
        async with ScriptedServer() as server:
            await converse(server, work, mode)
        assert work[0].accepted
        assert work[1].told is not None
        stage, event = work[1].told
        assert stage is Stage.DATA
        assert isinstance(event, Loss)
        assert event.certain
        assert work[2].told is None
        assert server.recipients == ["r0@example.net"]
        assert server.bodies[1:] == [b""], "not an octet of the second body"

    run(conversation())


@MODES
def test_the_body_waits_for_permission(mode: Extensions) -> None:
    async def conversation() -> None:
        granted = asyncio.get_running_loop().create_future()
        work = [job(0, granted=granted)]
        async with ScriptedServer() as server:
            task = asyncio.create_task(converse(server, work, mode))
            await until_data(server)
            assert server.bodies == [b""]
            granted.set_result(True)
            await task
        assert work[0].accepted

    run(conversation())


@MODES
@pytest.mark.parametrize("said", ["closed", "421", "451"])
def test_a_server_that_tires_of_waiting_gets_no_body(mode: Extensions, said: str) -> None:
    async def conversation() -> None:
        granted = asyncio.get_running_loop().create_future()
        work = [job(0, granted=granted), job(1)]
        act = Act(close=True) if said == "closed" else reply(f"{said} 4.4.2 too slow", close=True)
        async with ScriptedServer(Script({"BODY": [act]})) as server:
            task = asyncio.create_task(converse(server, work, mode))
            await until_data(server)
            granted.set_result(True)
            await task
        assert work[0].told is not None
        stage, event = work[0].told
        assert stage is Stage.DATA
        if said == "closed":
            assert isinstance(event, Loss)
            assert event.certain
        else:
            assert event == Reply(int(said), "4.4.2 too slow")
        assert server.received == []

    run(conversation())


@MODES
@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("way", ["cancel", "abort"])
def test_stopped_in_an_envelope(mode: Extensions, command: str, way: str) -> None:
    async def conversation() -> None:
        work = [job(0), job(1)]
        async with ScriptedServer(Script({command: [HANG]})) as server:
            session = await open_session(server.port, mode)
            task = asyncio.create_task(session.run(Line(work), limit=9))
            while not server.uses[command]:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            await stop(task, session, way)
        assert work[0].told is not None
        event = work[0].told[1]
        assert isinstance(event, Loss)
        assert event.certain
        assert work[1].told is None
        assert server.received == []

    run(conversation())


@MODES
@pytest.mark.parametrize("way", ["cancel", "abort"])
def test_stopped_while_permission_is_awaited(mode: Extensions, way: str) -> None:
    async def conversation() -> None:
        granted = asyncio.get_running_loop().create_future()
        work = [job(0, granted=granted), job(1)]
        async with ScriptedServer() as server:
            session = await open_session(server.port, mode)
            task = asyncio.create_task(session.run(Line(work), limit=9))
            await until_data(server)
            if way == "abort":
                session.abort()
                granted.set_result(True)
                await task
            else:
                await stop(task, session, way)
        assert work[0].told is not None
        event = work[0].told[1]
        assert isinstance(event, Loss)
        assert event.certain
        assert server.bodies == [b""], "not even a QUIT goes into the open body"
        assert server.received == []

    run(conversation())


@MODES
@pytest.mark.parametrize("way", ["cancel", "abort"])
@pytest.mark.parametrize("takes", [True, False])
def test_stopped_after_the_dot(mode: Extensions, way: str, takes: bool) -> None:
    async def conversation() -> None:
        work = [job(0), job(1), job(2)]
        async with ScriptedServer(Script({".": [Act(hang=True, takes=takes)]})) as server:
            session = await open_session(server.port, mode)
            task = asyncio.create_task(session.run(Line(work), limit=9))
            while not server.uses["."]:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            await stop(task, session, way)
        assert work[0].in_doubt
        if mode.pipelining:
            assert work[1].told is not None
            assert work[1].told[0] is Stage.CONNECT
            assert not work[1].in_doubt
        assert work[2].told is None

    run(conversation())


@MODES
@pytest.mark.parametrize("way", ["cancel", "abort"])
def test_stopped_in_the_middle_of_a_body(
    mode: Extensions, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is settled as surely lost, so not an octet more of it may leave, however slowly the server reads."""
    monkeypatch.setattr(wire, "QUIT_TIMEOUT", 2.0)

    async def conversation() -> None:
        work = [WatchedJob(make_message(0, size=16_000_000)), job(1)]
        slow = Act(after=5000, pause=0.15)
        async with ScriptedServer(Script({"BODY": [slow]})) as server:
            session = await open_session(server.port, mode)
            task = asyncio.create_task(session.run(Line(work), limit=9))
            while not server.uses["BODY"]:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.05)
            await stop(task, session, way)
            await asyncio.sleep(0.5)
        assert work[0].told is not None
        event = work[0].told[1]
        assert isinstance(event, Loss)
        assert event.certain
        assert server.received == []
        assert server.uses["."] == 0

    run(conversation())


@MODES
@pytest.mark.parametrize("way", ["cancel", "abort"])
def test_stopped_while_idle(mode: Extensions, way: str) -> None:
    class Idle(Line):
        async def next(self) -> Job | None:
            if taken := self.ready():
                return taken
            await asyncio.sleep(3600)
            return None

    async def conversation() -> None:
        work = [job(0)]
        async with ScriptedServer() as server:
            session = await open_session(server.port, mode)
            task = asyncio.create_task(session.run(Idle(work), limit=9))
            while not server.received:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.02)
            if way == "abort":
                session.abort()  # the feed is what ends an idle session; here it never does
            await stop(task, session, "cancel")
        assert work[0].accepted

    run(conversation())


async def stop(task: asyncio.Task[None], session: wire.WireSession, way: str) -> None:
    """End a running session in one of two ways."""
    if way == "abort":
        session.abort()
        await task
        return
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()


@MODES
def test_a_feed_that_breaks_breaks_the_session_and_no_job(mode: Extensions) -> None:
    class Broken(Line):
        async def next(self) -> Job | None:
            if not self._waiting:
                raise RuntimeError("the list is gone")
            return await super().next()

        def ready(self) -> Job | None:
            return super().ready() if self._waiting else None

    async def conversation() -> None:
        work = [job(0), job(1)]
        async with ScriptedServer() as server:
            session = await open_session(server.port, mode)
            with pytest.raises(RuntimeError, match="the list is gone"):
                await session.run(Broken(work), limit=9)
        assert all(one.accepted for one in work)

    run(conversation())


@MODES
def test_a_server_that_ignores_goodbye_is_not_waited_for_long(mode: Extensions) -> None:
    async def conversation() -> None:
        work = [job(0)]
        async with ScriptedServer(Script({"QUIT": [HANG]})) as server:
            await converse(server, work, mode)
        assert work[0].accepted

    run(conversation())


# What the server has said that it cannot take is refused before a word is said.


@MODES
def test_an_address_that_needs_smtputf8_and_a_server_without_it(mode: Extensions) -> None:
    plain = Extensions(pipelining=mode.pipelining, eight_bit=True)

    async def conversation() -> None:
        work = [job(0), WatchedJob(make_message(1, to="用户@example.net", utf8=True)), job(2)]
        async with ScriptedServer() as server:
            await converse(server, work, plain)
        assert [one.accepted for one in work] == [True, False, True]
        assert work[1].told is not None
        stage, event = work[1].told
        assert stage is Stage.MAIL
        assert isinstance(event, Reply)
        assert (event.code, event.enhanced) == (553, "5.6.7")
        assert not any("用户" in line for line in server.commands)

    run(conversation())


@MODES
def test_smtputf8_is_asked_for_when_and_only_when_needed(mode: Extensions) -> None:
    able = Extensions(pipelining=mode.pipelining, eight_bit=True, smtputf8=True)

    async def conversation() -> None:
        work = [job(0), WatchedJob(make_message(1, to="用户@example.net", utf8=True))]
        async with ScriptedServer() as server:
            await converse(server, work, able)
        assert all(one.accepted for one in work)
        mails = [line for line in server.commands if line.startswith("MAIL")]
        assert mails == [
            "MAIL FROM:<weekly@example.org>",
            "MAIL FROM:<weekly@example.org> BODY=8BITMIME SMTPUTF8",
        ]
        assert server.recipients == ["r0@example.net", "用户@example.net"]

    run(conversation())


@MODES
@pytest.mark.parametrize("position", [0, 1])
def test_a_message_over_the_size_limit(mode: Extensions, position: int) -> None:
    limited = Extensions(pipelining=mode.pipelining, announces_size=True, size=1000)

    async def conversation() -> None:
        work = [job(0), job(1), job(2)]
        work[position] = WatchedJob(make_message(position, size=5000))
        async with ScriptedServer() as server:
            await converse(server, work, limited)
        assert [one.accepted for one in work] == [number != position for number in range(3)]
        told = work[position].told
        assert told is not None
        assert told[0] is Stage.MAIL
        assert isinstance(told[1], Reply)
        assert (told[1].code, told[1].enhanced) == (552, "5.3.4")
        sizes = [line for line in server.commands if line.startswith("MAIL")]
        assert len(sizes) == 2
        assert all(f"SIZE={len(make_message(0).data)}" in line for line in sizes)

    run(conversation())


def test_an_endless_size_is_no_limit() -> None:
    offered = Extensions(announces_size=True, size=0)
    assert offered.refusal(make_message(0, size=100_000)) is None
    assert offered.envelope(make_message(0))[0].startswith(b"MAIL FROM:<weekly@example.org> SIZE=")
