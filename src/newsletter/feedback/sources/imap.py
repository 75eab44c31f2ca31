"""A mailbox on an IMAP server (RFC 9051): what is unseen is read, then marked as seen, or moved. Door to IMAPClient."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from newsletter.errors import ConfigError, MailboxError
from newsletter.feedback.sources.letter import READ, Letter, Letters, Unread

if TYPE_CHECKING:
    from imapclient import IMAPClient

HOW = "write imaps://USER@HOST/FOLDER, or imap:// for STARTTLS"
INSTALL = 'reading from IMAP needs the package `IMAPClient`: pip install "newsletter[imap]"'
SCHEMES = ("imaps://", "imap://")
SECONDS = 60.0

_PORTS = {"imaps": 993, "imap": 143}
_BODY = b"BODY[]<0>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A mailbox and how to get in.

    Attributes:
        host, port: of the server.
        tls: from the first octet; otherwise with STARTTLS, and on this machine without.
        user: who logs in.
        folder: such as INBOX.
        password: asked for when it is needed.

    """

    host: str
    port: int
    tls: bool
    user: str
    folder: str
    password: Callable[[], str] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.user} on {self.host}"


def parse_account(url: str, *, password: Callable[[], str]) -> Account:
    """`imaps://user@host:993/INBOX`, `imap://…` with STARTTLS.

    Raises:
        ConfigError: with what is wrong; never with a password.

    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ConfigError(f"this is no mailbox on an IMAP server; {HOW}") from None
    if parts.password is not None:
        raise ConfigError(
            "a password in the URL ends up in logs and process lists;"
            " put it into NEWSLETTER_IMAP_PASSWORD or into the file named by bounces.password_file"
        )
    if parts.scheme not in _PORTS or not parts.hostname or not parts.username or port == 0:
        raise ConfigError(f"this is no mailbox on an IMAP server; {HOW}")
    return Account(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        tls=parts.scheme == "imaps",
        user=unquote(parts.username),
        folder=unquote(parts.path.strip("/")) or "INBOX",
        password=password,
    )


def imap_letters(account: Account, *, move_to: str | None = None, keep: bool = False) -> Letters:
    """The unseen mails of a folder, the oldest first.

    Args:
        account: the mailbox.
        move_to: a folder for settled mails, made when it is not there; without it they are marked as seen.
        keep: open the folder for reading only.

    Raises:
        MailboxError: the server is away, or was lost on the way.
        ConfigError: it refuses the login or the folder; IMAPClient is not installed.

    """
    with _explained(account), _logged_in(account) as client:
        _select(client, account, readonly=keep)
        if move_to and not keep and not client.folder_exists(move_to):
            client.create_folder(move_to)
        for uid in sorted(client.search(["UNSEEN", "UNDELETED"])):
            name = f"{account}, mail {uid}"
            found = client.fetch([uid], [f"BODY.PEEK[]<0.{READ}>"]).get(uid, {})
            if _BODY not in found:
                yield Unread(name, "the server does not give it out")
                continue
            data = bytes(found[_BODY] or b"")
            yield Letter(name=name, data=data, settle=_settler(client, account, uid, move_to))


def _settler(
    client: IMAPClient, account: Account, uid: int, move_to: str | None
) -> Callable[[], None]:
    def settle() -> None:
        with _explained(account):
            client.add_flags([uid], [b"\\Seen"])
            if move_to and client.has_capability("MOVE"):  # RFC 6851
                client.move([uid], move_to)
            elif move_to:
                client.copy([uid], move_to)
                client.add_flags([uid], [b"\\Deleted"])

    return settle


@contextmanager
def _logged_in(account: Account) -> Iterator[IMAPClient]:
    try:
        from imapclient import IMAPClient
    except ImportError:
        raise ConfigError(INSTALL) from None
    password = account.password()
    context = ssl.create_default_context()
    client = IMAPClient(
        account.host, port=account.port, ssl=account.tls, ssl_context=context, timeout=SECONDS
    )
    try:
        if not account.tls and not _is_loopback(account.host):
            client.starttls(context)
        _log_in(client, account, password)
        yield client
    finally:
        with suppress(Exception):  # it may be gone already
            client.logout()


def _log_in(client: IMAPClient, account: Account, password: str) -> None:
    from imapclient.exceptions import LoginError

    try:
        if client.has_capability("AUTH=PLAIN"):  # LOGIN takes ASCII only
            secret = f"\0{account.user}\0{password}".encode()
            client.sasl_login("PLAIN", lambda _: secret)
        else:
            client.login(account.user, password)
    except (LoginError, UnicodeEncodeError) as error:
        why = "it takes ASCII only" if isinstance(error, UnicodeEncodeError) else error
        raise ConfigError(f"{account}: the server refuses the login: {why}") from None


def _select(client: IMAPClient, account: Account, *, readonly: bool) -> None:
    from imapclient.exceptions import IMAPClientError

    try:
        client.select_folder(account.folder, readonly=readonly)
    except IMAPClientError as error:
        raise ConfigError(f"{account}: no folder {account.folder!r}: {error}") from None


@contextmanager
def _explained(account: Account) -> Iterator[None]:
    """Say in words that a server is away."""
    try:
        yield
    except (ConfigError, MailboxError):
        raise
    except ssl.SSLCertVerificationError as error:
        raise ConfigError(
            f"{account.host}: its certificate cannot be trusted: {error.verify_message}"
        ) from None
    except OSError as error:
        raise MailboxError(f"{account}: {error.strerror or error}; try again later") from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("imapclient", "imaplib"):
            raise
        raise MailboxError(f"{account}: {error}; try again later") from error


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
