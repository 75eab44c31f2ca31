"""Opening a connection: what succeeds, and at which stage what fails is told, against the script and aiosmtpd."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, Session
from scripted import DROP, GARBAGE, HANG, Act, Answer, Script, ScriptedServer
from wire_doubles import Line, WatchedJob, make_message, run

from newsletter.mail.reply import Reply
from newsletter.transport import smtp
from newsletter.transport.exchange import ConnectFailed, Loss, Stage
from newsletter.transport.relay import Relay, Security
from newsletter.transport.smtp import SmtpTransport
from newsletter.transport.wire import Extensions

LOGIN = ("PIPELINING", "AUTH PLAIN LOGIN")
AWAY = (Stage.CONNECT, Stage.GREETING)
"""A connection that broke is told as one of these, which says that trying again may help."""


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "CONNECT_TIMEOUT", 0.5)


def relay(port: int, security: Security = Security.NONE, user: str | None = None) -> Relay:
    return Relay(host="localhost", port=port, security=security, username=user, password="secret")


def attempt(
    server: ScriptedServer,
    security: Security = Security.NONE,
    *,
    user: str | None = None,
    tls: ssl.SSLContext | None = None,
) -> Extensions | ConnectFailed:
    """Try to connect: the extensions of an open session, or the failure."""

    async def conversation() -> Extensions | ConnectFailed:
        async with server:
            try:
                session = await SmtpTransport(relay(server.port, security, user), tls=tls).connect()
            except ConnectFailed as failure:
                return failure
            session.abort()
            return session.extensions

    return run(conversation())


def failure(*words: Any, **more: Any) -> tuple[Stage, Reply | Loss]:
    result = attempt(*words, **more)
    assert isinstance(result, ConnectFailed), result
    assert str(result).startswith(f"{result.stage}: ")
    return result.stage, result.event


def scripted(
    command: str, answer: Answer, *, offers: tuple[str, ...] = ("PIPELINING",), **more: Any
) -> ScriptedServer:
    return ScriptedServer(Script({command: [answer] * 3}, greets=True, extensions=offers), **more)


def test_what_the_server_offers_is_read() -> None:
    offers = ("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 12345")
    assert attempt(ScriptedServer(Script(greets=True, extensions=offers))) == Extensions(
        pipelining=True, eight_bit=True, smtputf8=True, announces_size=True, size=12345
    )


@pytest.mark.parametrize(
    ("offer", "announced", "size"),
    [("SIZE", True, 0), ("SIZE 0", True, 0), ("SIZE lots", True, 0), ("DSN", False, 0)],
)
def test_a_size_without_a_number_is_no_limit(offer: str, announced: bool, size: int) -> None:
    found = attempt(ScriptedServer(Script(greets=True, extensions=(offer,))))
    assert found == Extensions(announces_size=announced, size=size)


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    for security in Security:
        with pytest.raises(ConnectFailed) as caught:
            run(SmtpTransport(relay(port, security)).connect())
        assert caught.value.stage is Stage.CONNECT
        assert isinstance(caught.value.event, Loss)


def test_a_host_that_does_not_exist() -> None:
    nowhere = Relay(host="nowhere.invalid", port=25, security=Security.NONE)
    with pytest.raises(ConnectFailed) as caught:
        run(SmtpTransport(nowhere).connect())
    assert caught.value.stage is Stage.CONNECT
    assert "nowhere.invalid" in str(caught.value)


@pytest.mark.parametrize("code", [554, 421, 450])
@pytest.mark.parametrize("command", ["CONNECT", "EHLO"])
def test_a_greeting_that_refuses(command: str, code: int) -> None:
    stage, event = failure(scripted(command, f"{code} 5.3.2 not today"))
    assert (stage, event) == (Stage.GREETING, Reply(code, "5.3.2 not today"))


@pytest.mark.parametrize("command", ["CONNECT", "EHLO"])
@pytest.mark.parametrize("silence", [DROP, HANG, GARBAGE], ids=["drops", "hangs", "garbage"])
def test_a_greeting_that_does_not_come(command: str, silence: Act) -> None:
    stage, event = failure(scripted(command, silence))
    assert stage in AWAY
    assert isinstance(event, Loss)
    assert event.certain
    assert "\n" not in str(event)


@pytest.mark.parametrize("code", [500, 502])
def test_a_server_that_knows_only_helo(code: int) -> None:
    plans = {"EHLO": [f"{code} 5.5.1 what?"], "HELO": ["250 scripted"]}
    assert attempt(ScriptedServer(Script(plans, greets=True))) == Extensions()


def test_helo_is_not_enough_where_tls_is_needed() -> None:
    plans = {"EHLO": ["502 what?"], "HELO": ["250 scripted"]}
    server = ScriptedServer(Script(plans, greets=True))
    assert failure(server, Security.STARTTLS) == (Stage.GREETING, Reply(502, "what?"))


# TLS


def test_starttls(certificate: Any) -> None:
    server = ScriptedServer(Script(greets=True), starttls=certificate.server())
    found = attempt(server, Security.STARTTLS, tls=certificate.client())
    assert isinstance(found, Extensions)
    assert [line.split()[0] for line in server.commands] == ["EHLO", "STARTTLS", "EHLO"]


def test_implicit_tls(certificate: Any) -> None:
    server = ScriptedServer(Script(greets=True), implicit_tls=certificate.server())
    assert isinstance(attempt(server, Security.IMPLICIT, tls=certificate.client()), Extensions)


def test_starttls_is_missing() -> None:
    stage, event = failure(ScriptedServer(Script(greets=True)), Security.STARTTLS)
    assert stage is Stage.TLS
    assert isinstance(event, Loss)
    assert "STARTTLS" in str(event)


@pytest.mark.parametrize("code", [454, 500])
def test_starttls_is_refused(certificate: Any, code: int) -> None:
    server = scripted("STARTTLS", f"{code} 5.7.0 no", starttls=certificate.server())
    found = failure(server, Security.STARTTLS, tls=certificate.client())
    assert found == (Stage.TLS, Reply(code, "5.7.0 no"))


@pytest.mark.parametrize("silence", [DROP, HANG, GARBAGE], ids=["drops", "hangs", "garbage"])
def test_starttls_is_not_answered(certificate: Any, silence: Act) -> None:
    """A network that hiccups says nothing about the certificate, so another try may help."""
    server = scripted("STARTTLS", silence, starttls=certificate.server())
    stage, event = failure(server, Security.STARTTLS, tls=certificate.client())
    assert stage in AWAY
    assert isinstance(event, Loss)


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.IMPLICIT])
@pytest.mark.parametrize("flaw", ["unknown authority", "another host"])
def test_a_bad_certificate(
    certificate: Any, strange_certificate: Any, security: Security, flaw: str
) -> None:
    shown = certificate if flaw == "unknown authority" else strange_certificate
    trusted = ssl.create_default_context() if shown is certificate else shown.client()
    script = Script(greets=True)
    if security is Security.IMPLICIT:
        server = ScriptedServer(script, implicit_tls=shown.server())
    else:
        server = ScriptedServer(script, starttls=shown.server())
    stage, event = failure(server, security, tls=trusted)
    assert stage is Stage.TLS
    assert isinstance(event, Loss)
    expected = "self-signed" if flaw == "unknown authority" else "not valid for 'localhost'"
    assert expected in str(event)
    assert server.uses["MAIL"] == server.uses["AUTH"] == 0


def test_tls_with_a_server_that_speaks_none(certificate: Any) -> None:
    server = ScriptedServer(Script(greets=True))
    stage, event = failure(server, Security.IMPLICIT, tls=certificate.client())
    assert stage is Stage.TLS
    assert isinstance(event, Loss)


@pytest.mark.parametrize("code", [554, 421])
def test_a_refusing_greeting_over_tls_is_about_the_greeting(certificate: Any, code: int) -> None:
    server = scripted("CONNECT", f"{code} no", implicit_tls=certificate.server())
    found = failure(server, Security.IMPLICIT, tls=certificate.client())
    assert found == (Stage.GREETING, Reply(code, "no"))


# Login


@pytest.mark.parametrize("code", [535, 454])
def test_a_refused_login(code: int) -> None:
    server = scripted("AUTH", f"{code} 5.7.8 no", offers=LOGIN)
    assert failure(server, user="weekly") == (Stage.AUTH, Reply(code, "5.7.8 no"))
    assert not any("secret" in line for line in server.commands)


def test_no_login_is_offered() -> None:
    stage, event = failure(ScriptedServer(Script(greets=True)), user="weekly")
    assert stage is Stage.AUTH
    assert isinstance(event, Loss)
    assert "AUTH" in str(event)


@pytest.mark.parametrize("silence", [DROP, HANG, GARBAGE], ids=["drops", "hangs", "garbage"])
def test_a_login_is_not_answered(silence: Act) -> None:
    stage, event = failure(scripted("AUTH", silence, offers=LOGIN), user="weekly")
    assert stage in AWAY
    assert isinstance(event, Loss)


def test_without_a_user_nobody_logs_in() -> None:
    server = ScriptedServer(Script(greets=True, extensions=LOGIN))
    assert isinstance(attempt(server), Extensions)
    assert server.uses["AUTH"] == 0


# The handed-over connection, against a server that is not ours.


@dataclass(slots=True)
class Keeper:
    """An aiosmtpd handler that keeps what comes."""

    messages: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.messages.append(envelope.content)
        self.recipients.extend(envelope.rcpt_tos)
        return "250 2.0.0 kept"


def test_messages_over_starttls_and_login_to_aiosmtpd(certificate: Any) -> None:
    keeper = Keeper()
    logins: list[tuple[bytes, bytes]] = []

    def check(
        server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        logins.append((data.login, data.password))
        return AuthResult(success=True)

    controller = Controller(
        keeper,
        hostname="127.0.0.1",
        port=0,
        tls_context=certificate.server(),
        require_starttls=True,
        auth_required=True,
        authenticator=check,
        enable_SMTPUTF8=True,
    )
    work = [WatchedJob(make_message(number)) for number in range(3)]
    work.append(WatchedJob(make_message(3, to="用户@example.net", utf8=True)))

    async def conversation(port: int) -> None:
        where = relay(port, Security.STARTTLS, "weekly")
        session = await SmtpTransport(where, tls=certificate.client()).connect()
        assert not session.extensions.pipelining, "aiosmtpd offers none: the plain path"
        await session.run(Line(work), limit=9)

    _serve(controller, conversation)
    assert all(job.accepted for job in work), [job.told for job in work]
    assert keeper.messages == [job.message.data for job in work]
    assert keeper.recipients == [job.message.envelope.forward_path for job in work]
    assert logins == [(b"weekly", b"secret")]


def _serve(controller: Controller, conversation: Callable[[int], Any]) -> None:
    # A controller that chooses its port must be told it before it looks whether it listens.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        controller.port = free.getsockname()[1]
    controller.start()
    try:
        asyncio.run(conversation(controller.port))
    finally:
        controller.stop()
