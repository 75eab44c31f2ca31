"""Test sends from the page, to a real SMTP server."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Catcher:
    """Keeps what it is given; refuses one address."""

    def __init__(self) -> None:
        self.caught: list[Envelope] = []
        self.port = 0

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("refused@"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.caught.append(envelope)
        return "250 2.0.0 queued as 42"


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    handler = Catcher()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        handler.port = probe.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=handler.port)
    controller.start()
    yield handler
    controller.stop()


@pytest.fixture
def ready(start: Any, publication: Path, catcher: Any) -> Any:
    """A running preview whose relay is the catcher."""
    config = publication / "newsletter.yaml"
    text = config.read_text("utf-8")
    config.write_text(f"{text}relay: {{url: 'smtp://127.0.0.1:{catcher.port}'}}\n", "utf-8")
    return start(publication)


def _post(preview: Any, body: bytes, number: int = 7) -> Any:
    return preview.get(
        f"api/issues/{number}/trial",
        method="POST",
        body=body,
        Origin=f"http://127.0.0.1:{preview.port}",
    )


def _send(preview: Any, to: str, reader: str = "") -> Any:
    return _post(preview, json.dumps({"to": to, "as": reader}).encode()).json()


def test_what_is_on_the_screen_goes_to_the_address_typed_in(ready: Any, catcher: Any) -> None:
    told = _send(ready, "me@example.org", "bo@example.com")
    assert told["accepted"], told
    assert told["to"] == "me@example.org"
    assert "queued as 42" in told["reply"]
    (envelope,) = catcher.caught
    assert envelope.rcpt_tos == ["me@example.org"]
    message = message_from_bytes(envelope.content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert str(message["Subject"]).startswith("[测试] 测试周刊 No.7")
    assert str(message["To"]) == "王 <me@example.org>"
    body = message.get_body(("plain",))
    assert body is not None
    assert "王，您好！" in body.get_content()
    assert "只给读论文的人" not in body.get_content()


def test_nothing_goes_on_record(ready: Any) -> None:
    _send(ready, "me@example.org")
    assert not list((ready.root / ".newsletter").glob("*.db"))


def test_a_refusal_is_told_in_the_relay_s_words(ready: Any) -> None:
    told = _send(ready, "refused@example.org")
    assert not told["accepted"]
    assert "no such user" in told["reply"]
    assert told["problems"] == []


def test_what_is_no_address(ready: Any, catcher: Any) -> None:
    told = _send(ready, "nobody")
    assert not told["accepted"]
    assert "'nobody'" in told["problems"][0]["message"]
    assert catcher.caught == []


def test_a_broken_issue_is_not_sent(ready: Any, catcher: Any) -> None:
    ready.edit("content/007.yaml", "status: ready", "status: sent")
    for _ in range(200):
        if ready.get("api/issues/7").json()["problems"]:
            break
    told = _send(ready, "me@example.org")
    assert told["problems"][0]["path"] == "content/007.yaml"
    assert catcher.caught == []


def test_no_relay_says_how_to_name_one(standing: Any) -> None:
    told = _send(standing, "me@example.org")
    assert "no relay is configured" in told["problems"][0]["message"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"to": "x"}', b"\xff"])
def test_a_wish_that_is_none(standing: Any, body: bytes) -> None:
    assert _post(standing, body).status == 400


def test_a_wish_that_is_too_long(standing: Any) -> None:
    assert _post(standing, b" " * 5000).status == 413


def test_from_the_page(window: Any, ready: Any, catcher: Any) -> None:
    page = window.open(ready.url).page
    page.locator("#trial-to").fill("me@example.org")
    page.locator("#trial-to").press("Enter")
    page.wait_for_selector("#trial-result .good")
    assert "queued as 42" in page.locator("#trial-result").text_content()
    assert len(catcher.caught) == 1
    page.locator("#trial-to").fill("refused@example.org")
    page.locator("#trial button").click()
    page.wait_for_selector("#trial-result .bad")
    ready.edit("content/007.yaml", "原来的一句话", "改过的一句话")
    window.mail.get_by_text("改过的一句话").wait_for()
    assert page.locator("#trial-to").input_value() == "refused@example.org"
    assert "no such user" in page.locator("#trial-result").text_content()
