"""The door to aiosmtplib: it connects, does STARTTLS and AUTH and reads EHLO, then hands its transport to `wire`."""

from __future__ import annotations

import asyncio
import socket
import ssl

import aiosmtplib

from newsletter.mail.reply import Reply
from newsletter.transport.exchange import ConnectFailed, Loss, Stage
from newsletter.transport.relay import Relay, Security
from newsletter.transport.wire import Extensions, WireSession

CONNECT_TIMEOUT = 60.0  # seconds for connection, greeting, TLS and login together at each step
_UNKNOWN_COMMAND = (500, 502, 504)


class SmtpTransport:
    """Connections to one relay over TCP.

    Args:
        relay: where, how, and as whom.
        local_name: what EHLO says; this machine's name by default.
        tls: the context for certificates; the system's authorities by default.

    """

    def __init__(
        self, relay: Relay, *, local_name: str | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.relay = relay
        self._local_name = local_name or _own_name()
        self._tls = tls

    async def connect(self) -> WireSession:
        """Open a connection that is ready for MAIL.

        Raises:
            ConnectFailed: with the stage and what the server said.

        """
        relay = self.relay
        client = aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            local_hostname=self._local_name,
            timeout=CONNECT_TIMEOUT,
            use_tls=relay.security is Security.IMPLICIT,
            start_tls=False,
            tls_context=self._context(),
        )
        stage = Stage.TLS if relay.security is Security.IMPLICIT else Stage.CONNECT
        try:
            await client.connect()
            stage = Stage.GREETING
            await self._introduce(client)
            if relay.security is Security.STARTTLS:
                stage = Stage.TLS
                await client.starttls(tls_context=self._context())
                await client.ehlo()
            if relay.username is not None:
                stage = Stage.AUTH
                await client.login(relay.username, relay.password or "")
        except (TimeoutError, aiosmtplib.SMTPException, OSError, ValueError) as error:
            client.close()
            raise _failure(stage, error) from error
        return self._hand_over(client)

    async def _introduce(self, client: aiosmtplib.SMTP) -> None:
        """EHLO, or HELO for a server that knows no better (RFC 5321 3.2), where nothing hangs on extensions."""
        try:
            await client.ehlo()
        except aiosmtplib.SMTPHeloError as error:
            plain = self.relay.security is Security.NONE and self.relay.username is None
            if error.code not in _UNKNOWN_COMMAND or not plain:
                raise
            await client.helo()

    def _context(self) -> ssl.SSLContext | None:
        if self.relay.security is Security.NONE:
            return None
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    def _hand_over(self, client: aiosmtplib.SMTP) -> WireSession:
        transport = client.transport
        if not isinstance(transport, asyncio.Transport):
            raise ConnectFailed(Stage.GREETING, Loss("the connection was lost"))
        session = WireSession(extensions_of(client), keep=client)
        transport.set_protocol(session)
        session.attach(transport)
        return session


def extensions_of(client: aiosmtplib.SMTP) -> Extensions:
    """What the server offered in its last EHLO reply (RFC 5321 4.1.1.1)."""
    size = client.esmtp_extensions.get("size", "").strip()
    return Extensions(
        pipelining=client.supports_extension("pipelining"),
        eight_bit=client.supports_extension("8bitmime"),
        smtputf8=client.supports_extension("smtputf8"),
        size=int(size) if size.isdecimal() else 0,
        announces_size=client.supports_extension("size"),
    )


def _own_name() -> str:
    """A name for EHLO; the address literal of RFC 5321 4.1.3 when this machine has no full name."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def _failure(stage: Stage, error: BaseException) -> ConnectFailed:
    """Where and why a connection did not come about.

    A loss at `tls` or `auth` stands for what waiting will not mend: a bad certificate, a login that is not offered. A
    connection that broke in the middle of it, silence or garbage, is told as a loss of the connection.
    """
    if isinstance(error, aiosmtplib.SMTPConnectResponseError):
        stage = Stage.GREETING
    if isinstance(error, aiosmtplib.SMTPResponseException):
        if 200 <= error.code < 600:
            return ConnectFailed(stage, Reply(error.code, error.message))
        return ConnectFailed(Stage.GREETING, Loss(error.message.strip()))
    if failed := _tls_error(error):
        reason = getattr(failed, "verify_message", None) or failed.reason or str(failed)
        return ConnectFailed(Stage.TLS, Loss(f"TLS failed: {reason}"))
    words = str(error).rstrip(": ") or type(error).__name__
    if isinstance(error, OSError):  # TimeoutError too
        if stage in (Stage.TLS, Stage.AUTH) and not isinstance(error, aiosmtplib.SMTPConnectError):
            words = f"{words} (in the middle of {stage})"
        return ConnectFailed(
            Stage.GREETING if stage is Stage.GREETING else Stage.CONNECT, Loss(words)
        )
    return ConnectFailed(stage, Loss(words))


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    """The TLS library's complaint behind an error, if there is one."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error
