"""The relay as one URL: every rule of the command line's chapter, and passwords that never show."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.config import Publication, RelaySettings, Sender
from newsletter.errors import ConfigError
from newsletter.transport.relay import Relay, Security, find_relay, parse_relay

SECRET = "correct horse battery"


@pytest.mark.parametrize(
    ("url", "host", "port", "security"),
    [
        ("smtp://relay.example.org", "relay.example.org", 25, Security.STARTTLS),
        ("smtp://relay.example.org:2525", "relay.example.org", 2525, Security.STARTTLS),
        ("smtp://relay.example.org?tls=none", "relay.example.org", 25, Security.NONE),
        ("smtp://relay.example.org:25/?tls=none", "relay.example.org", 25, Security.NONE),
        ("smtp://localhost:1025", "localhost", 1025, Security.NONE),
        ("smtp://mail.localhost", "mail.localhost", 25, Security.NONE),
        ("smtp://127.0.0.1", "127.0.0.1", 25, Security.NONE),
        ("smtp://127.9.9.9:26", "127.9.9.9", 26, Security.NONE),
        ("smtp://[::1]:1025", "::1", 1025, Security.NONE),
        ("smtp://127.0.0.1?tls=none", "127.0.0.1", 25, Security.NONE),
        ("smtp://192.0.2.1", "192.0.2.1", 25, Security.STARTTLS),
        ("smtp://[2001:db8::1]", "2001:db8::1", 25, Security.STARTTLS),
        ("smtps://relay.example.org", "relay.example.org", 465, Security.IMPLICIT),
        ("smtps://localhost", "localhost", 465, Security.IMPLICIT),
        ("smtp+starttls://relay.example.org", "relay.example.org", 587, Security.STARTTLS),
        ("smtp+starttls://localhost:25", "localhost", 25, Security.STARTTLS),
        ("SMTP://Relay.Example.ORG", "relay.example.org", 25, Security.STARTTLS),
        ("  smtp://localhost  ", "localhost", 25, Security.NONE),
    ],
)
def test_good_urls(url: str, host: str, port: int, security: Security) -> None:
    assert parse_relay(url) == Relay(host=host, port=port, security=security)


@pytest.mark.parametrize(
    ("url", "user"),
    [
        ("smtp+starttls://weekly@relay.example.org", "weekly"),
        ("smtps://weekly%40example.org@relay.example.org", "weekly@example.org"),
        ("smtp://weekly@relay.example.org", "weekly"),
        ("smtp://weekly@localhost", "weekly"),
        ("smtps://%E5%91%A8%E5%88%8A@relay.example.org", "周刊"),
    ],
)
def test_users(url: str, user: str) -> None:
    relay = parse_relay(url)
    assert relay.username == user
    assert relay.password is None


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", "not a relay URL"),
        ("relay.example.org", "not a relay URL"),
        ("relay.example.org:25", "not a relay URL"),
        ("http://relay.example.org", "not a relay URL"),
        ("smtp:relay.example.org", "not a relay URL"),
        ("smtp://", "not a relay URL"),
        ("smtp://:25", "not a relay URL"),
        ("smtp://relay.example.org:mail", "smtp://host:25"),
        ("smtp://relay.example.org:99999", "smtp://host:25"),
        ("smtp://[::1", "smtp://host:25"),
        ("smtp://relay.example.org:0", "not a relay URL"),
        ("smtp://relay.example.org\r\nBcc: x", "not a relay URL"),
        ("smtp://relay.example.org/inbox", "something after the port"),
        ("smtp://relay.example.org#x", "something after the port"),
        ("smtp://relay.example.org?tls=maybe", "?tls=none"),
        ("smtp://relay.example.org?tls=", "?tls=none"),
        ("smtp://relay.example.org?timeout=5", "?tls=none"),
        ("smtp://relay.example.org?tls=none&x=1", "?tls=none"),
        ("smtp://relay.example.org?tls=none&tls=none", "?tls=none"),
        ("smtps://relay.example.org?tls=none", "contradict"),
        ("smtp+starttls://relay.example.org?tls=none", "contradict"),
        ("smtp://weekly@relay.example.org?tls=none", "show the password"),
    ],
)
def test_bad_urls(url: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_relay(url)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "url",
    [
        f"smtp://weekly:{SECRET}@relay.example.org",
        f"smtps://weekly:{SECRET}@relay.example.org:465",
        f"http://weekly:{SECRET}@relay.example.org",
        f"smtp://weekly:{SECRET}@",
        f"smtp://weekly:{SECRET}@relay.example.org/inbox",
        f"smtp://weekly:{SECRET}@relay.example.org:mail",
        f"smtp://weekly:{SECRET}@[::1",
        f"weekly:{SECRET}@relay.example.org",
        f"smtp://weekly:{SECRET}/x@relay.example.org",
        f"smtp://weekly:{SECRET}?@relay.example.org",
        f"smtp://weekly:{SECRET}#@relay.example.org",
        f"smtp:weekly:{SECRET}@relay.example.org",
        f"smtp://weekly:{SECRET}",
    ],
)
def test_a_password_in_the_url_is_refused_and_never_repeated(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_relay(url)
    assert SECRET not in str(caught.value)


def test_an_empty_password_is_a_password() -> None:
    with pytest.raises(ConfigError, match="password in the URL"):
        parse_relay("smtp://weekly:@relay.example.org")


def outcome(url: str) -> tuple[list[str], Relay | None]:
    """The lines of the complaint, or the relay."""
    try:
        return [], parse_relay(url)
    except ConfigError as error:
        return str(error).splitlines(), None


@given(st.text(max_size=60))
def test_anything_is_a_relay_or_one_clear_line(text: str) -> None:
    for url in (text, f"smtp://{text}", f"smtp://{text}@localhost"):
        lines, relay = outcome(url)
        assert len(lines) == (relay is None)
        assert relay is None or (relay.host and 0 < relay.port < 65536)


@pytest.mark.parametrize(
    ("relay", "shown"),
    [
        (Relay(host="a.example", port=25, security=Security.NONE), "smtp://a.example:25"),
        (
            Relay(host="a.example", port=587, security=Security.STARTTLS),
            "smtp+starttls://a.example:587",
        ),
        (Relay(host="::1", port=465, security=Security.IMPLICIT), "smtps://[::1]:465"),
    ],
)
def test_a_relay_as_text(relay: Relay, shown: str) -> None:
    assert str(relay) == shown


def test_a_password_never_shows() -> None:
    relay = Relay(host="a", port=25, security=Security.NONE, username="weekly", password=SECRET)
    assert SECRET not in repr(relay)
    assert SECRET not in str(relay)


# From the settings and the environment


def publication(**relay: object) -> Publication:
    sender = Sender(name="周刊", address="weekly@example.org")
    settings = RelaySettings.model_validate(relay)
    return Publication.model_validate({"name": "周刊", "from": sender, "relay": settings})


def found(root: Path, environ: Mapping[str, str] | None = None, **relay: object) -> Relay:
    return find_relay(publication(**relay), root=root, environ=environ or {})


def test_no_relay_says_how(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        found(tmp_path)
    for word in ("NEWSLETTER_RELAY", "relay.url", "smtp://", "smtps://", "smtp+starttls://"):
        assert word in str(caught.value)


def test_the_environment_comes_first(tmp_path: Path) -> None:
    url = "smtp://localhost:1"
    assert found(tmp_path, {"NEWSLETTER_RELAY": "smtp://localhost:2"}, url=url).port == 2
    assert found(tmp_path, {"NEWSLETTER_RELAY": ""}, url=url).port == 1
    assert found(tmp_path, {}, url=url).port == 1


def test_the_password_of_the_environment(tmp_path: Path) -> None:
    environ = {"NEWSLETTER_RELAY_PASSWORD": SECRET}
    assert found(tmp_path, environ, url="smtps://weekly@a.example").password == SECRET


def test_without_a_user_no_password_is_asked_for(tmp_path: Path) -> None:
    assert found(tmp_path, url="smtps://a.example").password is None


def test_a_user_without_a_password(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="NEWSLETTER_RELAY_PASSWORD"):
        found(tmp_path, url="smtps://weekly@a.example")


def test_a_password_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{SECRET}\n", encoding="utf-8")
    (tmp_path / "password").chmod(0o600)
    relay = found(tmp_path, url="smtps://weekly@a.example", password_file="password")
    assert relay.password == SECRET


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_password_file_that_others_can_read(tmp_path: Path, mode: int) -> None:
    (tmp_path / "password").write_text(SECRET, encoding="utf-8")
    (tmp_path / "password").chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600 password") as caught:
        found(tmp_path, url="smtps://weekly@a.example", password_file="password")
    assert SECRET not in str(caught.value)


def test_a_password_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="password: No such file"):
        found(tmp_path, url="smtps://weekly@a.example", password_file="password")


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe\x00"])
def test_a_password_file_without_a_password(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "password").write_bytes(content)
    (tmp_path / "password").chmod(0o600)
    with pytest.raises(ConfigError, match=r"^password: "):
        found(tmp_path, url="smtps://weekly@a.example", password_file="password")
