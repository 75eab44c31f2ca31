"""Bounces in a mailbox on a real IMAP server: Dovecot."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from desk import CONFIG, PEOPLE, UNKNOWN, Desk, open_desk
from dovecot import PASSWORD, Dovecot, running_dovecot

from newsletter.errors import ConfigError, MailboxError
from newsletter.feedback.sources.imap import parse_account


@pytest.fixture(scope="module")
def server(requires: Callable[[str], Path]) -> Iterator[Dovecot]:
    program = requires("dovecot")
    if os.geteuid() != 0:
        pytest.skip("Dovecot changes users, which only root may do")
    with running_dovecot(program) as running:
        yield running


@pytest.fixture
def desk(
    server: Dovecot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Desk]]:
    """`desk(settings)`: a publication that knows the password and trusts the certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    opened = []

    def make(settings: str = "", **environ: str) -> Desk:
        environ = {"NEWSLETTER_IMAP_PASSWORD": PASSWORD, **environ}
        context = open_desk(tmp_path, config=CONFIG + settings, **environ)
        opened.append(context)
        return context.__enter__()

    yield make
    for context in opened:
        context.__exit__(None, None, None)


def flags(server: Dovecot, folder: str = "") -> list[str]:
    """The flags of the mails in a folder of the server."""
    place = server.inbox / folder / "cur"
    return sorted(path.name.partition(":2,")[2] for path in place.iterdir())


def test_what_is_unseen_is_read_and_marked(server: Dovecot, desk: Callable[..., Desk]) -> None:
    here = desk()
    for number, name in enumerate(PEOPLE[:2]):
        server.deliver(f"1.{number}", here.bounce(name, UNKNOWN))
    kept = here.process(server.url, dry_run=True)
    assert [one.address for one in kept.left] == ["anna@example.org", "ben@example.org"]
    summary = here.process(server.url)
    assert (summary.mails, len(summary.left)) == (2, 2)
    assert flags(server) == ["S", "S"]
    assert here.process(server.url).mails == 0
    assert [here.why(name) for name in PEOPLE] == ["no such mailbox", "no such mailbox", None]
    kept_source = [record.source for _, record in here.returning.returns.records()]
    assert kept_source == ["imap", "imap"]


def test_what_is_done_is_moved(server: Dovecot, desk: Callable[..., Desk]) -> None:
    here = desk("bounces: {move_to: Done}\n")
    server.deliver("2.0", here.bounce("cleo", UNKNOWN))
    before = flags(server)
    assert here.process(server.url).mails == 1
    assert flags(server) == before
    assert len(flags(server, ".Done")) == 1
    assert here.process(server.url).mails == 0


def test_a_large_mail_is_read_as_far_as_it_matters(
    server: Dovecot, desk: Callable[..., Desk]
) -> None:
    here = desk()
    server.deliver("3.0", here.bounce("anna", UNKNOWN) + b"x" * (6 << 20))
    assert [one.address for one in here.process(server.url).left] == ["anna@example.org"]


def test_what_is_wrong_with_it_is_said(
    server: Dovecot, desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="refuses the login"):
        desk(NEWSLETTER_IMAP_PASSWORD="wrong").process(server.url)
    here = desk()
    with pytest.raises(ConfigError, match="no folder 'Elsewhere'"):
        here.process(server.url.replace("INBOX", "Elsewhere"))
    with pytest.raises(MailboxError, match="try again later"):
        here.process(server.url.replace(str(server.port), "1"))
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(ConfigError, match="certificate cannot be trusted"):
        here.process(server.url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("imaps://bounces:secret@imap.example.org/INBOX", "NEWSLETTER_IMAP_PASSWORD"),
        ("imaps://imap.example.org/INBOX", "imaps://USER@HOST"),
        ("imaps://bounces@imap.example.org:x/", "imaps://USER@HOST"),
        ("imaps://bounces@[imap/", "imaps://USER@HOST"),
    ],
)
def test_urls_that_name_no_mailbox(url: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        parse_account(url, password=str)
    assert "secret" not in str(caught.value)


def test_urls() -> None:
    account = parse_account("imap://me%40example.org@imap.example.org/A%2FB", password=str)
    assert (account.user, account.host, account.port) == ("me@example.org", "imap.example.org", 143)
    assert (account.folder, account.tls) == ("A/B", False)
    other = parse_account("imaps://me@example.org@imap.example.org", password=str)
    assert (other.user, other.port, other.folder) == ("me@example.org", 993, "INBOX")
