"""Confirmation mails when the relay says no, not now, or nothing; and what strangers cannot put into them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.utils import getaddresses
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from hypothesis import given, settings
from hypothesis import strategies as st
from web_stage import CONFIG, NOW, Clock, Endpoint, no_room

from newsletter.audience.register import DAY, Change, Confirmation
from newsletter.composing.confirmation import ConfirmationMail
from newsletter.delivery.retry import HOUR, MINUTE
from newsletter.mail.address import parse_address
from newsletter.mail.wellformed import defects
from newsletter.membership import Membership
from newsletter.rendering.pages import Pages

NOWHERE = "smtp://127.0.0.1:1"


class Moody:
    """What aiosmtpd asks: an answer for each recipient, 250 for who has none; it counts what was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.asked: list[str] = []
        self.go_on = threading.Event()
        self.go_on.set()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        who = address.partition("@")[0]
        self.asked.append(who)
        await asyncio.to_thread(self.go_on.wait)
        if who in self.answers:
            return self.answers[who]
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.fixture(scope="module")
def moody() -> Iterator[tuple[Moody, str]]:
    """A relay with moods, and its URL."""
    handler, loop = Moody(), asyncio.new_event_loop()
    listening = loop.create_server(
        lambda: SMTP(handler, hostname="localhost", loop=loop), "127.0.0.1", 0
    )
    server = loop.run_until_complete(listening)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield handler, f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def subscribe(endpoint: Endpoint, who: str) -> None:
    assert endpoint.post("/subscribe", f"email={who}@example.org").status == 200


def nudge(endpoint: Endpoint) -> None:
    """Wake the outbox, as any visitor does."""
    endpoint.post("/subscribe", "email=robot@example.org&website=x")


def told(endpoint: Endpoint, who: str) -> list[tuple[Change, str]]:
    """What happened to a person, with the reasons."""

    def read(membership: Membership) -> list[tuple[Change, str]]:
        found = membership.register.history(membership.register.identify(f"{who}@example.org"))
        return [(event.change, event.reason) for event in found]

    return endpoint.look(read)


def due(endpoint: Endpoint, *, now: float) -> list[Confirmation]:
    """What waits to be sent."""
    return list(endpoint.look(lambda m: m.register.to_confirm(now=now, limit=100)))


def test_not_now_is_tried_again_for_a_day(
    serving: Callable[..., Endpoint], moody: tuple[Moody, str], clock: Clock
) -> None:
    handler, url = moody
    handler.answers["later"] = "451 4.7.1 greylisted"
    endpoint = serving(relay=url)

    def tried_so_often(times: int) -> bool:
        return handler.asked.count("later") == times and not due(endpoint, now=clock())

    subscribe(endpoint, "later")
    for tried, pause in enumerate((1 * MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, HOUR), 1):
        endpoint.settle(partial(tried_so_often, tried))
        assert not due(endpoint, now=clock() + pause - 1)
        assert due(endpoint, now=clock() + pause)
        clock.now += pause
        nudge(endpoint)
    clock.now = NOW + DAY
    nudge(endpoint)
    endpoint.settle(lambda: not due(endpoint, now=NOW + 9 * DAY))
    assert told(endpoint, "later")[-1] == (Change.UNREACHABLE, "tried for a day")


def test_later_is_not_too_late(
    serving: Callable[..., Endpoint], moody: tuple[Moody, str], clock: Clock
) -> None:
    handler, url = moody
    handler.answers["slow"] = "450 4.2.0 busy"
    endpoint = serving(relay=url)
    subscribe(endpoint, "slow")
    endpoint.settle(lambda: "slow" in handler.asked and not due(endpoint, now=clock()))
    del handler.answers["slow"]
    clock.now += MINUTE
    nudge(endpoint)
    endpoint.settle(lambda: told(endpoint, "slow")[-1][0] is Change.ASKED)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("550 5.1.1 <dead@example.org>: no such user", "refused: 550 5.1.1"),
        ("550 mailbox unavailable: dead@example.org", "refused: 550"),
    ],
)
def test_no_is_no(
    serving: Callable[..., Endpoint], moody: tuple[Moody, str], reply: str, reason: str
) -> None:
    handler, url = moody
    handler.answers["dead"] = reply
    endpoint = serving(relay=url)
    subscribe(endpoint, "dead")
    endpoint.settle(lambda: len(told(endpoint, "dead")) == 2)
    assert told(endpoint, "dead")[-1] == (Change.UNREACHABLE, reason)
    assert not due(endpoint, now=NOW + 9 * DAY)


def test_a_no_that_is_about_us_is_not_about_the_address(
    serving: Callable[..., Endpoint], moody: tuple[Moody, str], clock: Clock
) -> None:
    handler, url = moody
    handler.answers["rate"] = "550 5.7.1 Mail frequency limited"
    endpoint = serving(relay=url)
    subscribe(endpoint, "rate")
    endpoint.settle(lambda: "rate" in handler.asked and not due(endpoint, now=clock()))
    assert due(endpoint, now=clock() + MINUTE)


def test_a_relay_that_is_away_loses_nothing_and_a_restart_goes_on(
    serving: Callable[..., Endpoint],
    relay: str,
    caught: Path,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    with Endpoint(root_of(tmp_path), relay=NOWHERE, clock=clock) as endpoint:
        subscribe(endpoint, "patient")
        endpoint.settle(lambda: not due(endpoint, now=clock()))
        assert due(endpoint, now=clock() + MINUTE)
    assert "sending confirmation mails failed: the relay cannot be used" in caplog.text
    clock.now += MINUTE
    with Endpoint(root_of(tmp_path), relay=relay, clock=clock) as endpoint:
        endpoint.settle(lambda: told(endpoint, "patient")[-1][0] is Change.ASKED)
    assert len(list(caught.glob("patient@*"))) == 1


def root_of(tmp_path: Path) -> Path:
    (tmp_path / "newsletter.yaml").write_text(CONFIG, "utf-8")
    return tmp_path


def test_two_processes_send_each_mail_once(
    relay: str, caught: Path, clock: Clock, tmp_path: Path
) -> None:
    root = root_of(tmp_path)
    with (
        Endpoint(root, relay=relay, clock=clock) as first,
        Endpoint(root, relay=relay, clock=clock) as second,
    ):
        nudge(first)  # so that it has taken the outbox
        subscribe(second, "once")
        second.run(asyncio.sleep(0.1))
        assert due(second, now=clock())
        nudge(first)
        first.settle(lambda: told(first, "once")[-1][0] is Change.ASKED)
    assert len(list(caught.glob("once@*"))) == 1


def test_an_answer_that_cannot_be_written_down_is_not_asked_for_again(
    serving: Callable[..., Endpoint], moody: tuple[Moody, str], caplog: pytest.LogCaptureFixture
) -> None:
    handler, url = moody
    endpoint = serving(relay=url)
    handler.go_on.clear()
    subscribe(endpoint, "held")
    endpoint.settle(lambda: "held" in handler.asked)
    with no_room():
        handler.go_on.set()
        endpoint.settle(lambda: "sending confirmation mails failed" in caplog.text)
    assert told(endpoint, "held")[-1][0] is Change.REQUESTED
    nudge(endpoint)
    endpoint.settle(lambda: told(endpoint, "held")[-1][0] is Change.ASKED)
    assert handler.asked.count("held") == 1


def test_who_never_confirms_is_dropped(relay: str, clock: Clock, tmp_path: Path) -> None:
    with Endpoint(root_of(tmp_path), relay=relay, clock=clock) as endpoint:
        subscribe(endpoint, "vague")
        endpoint.settle(lambda: not due(endpoint, now=clock()))
        clock.now += 31 * DAY
        nudge(endpoint)
        endpoint.settle(lambda: told(endpoint, "vague")[-1] == (Change.REMOVED, "never confirmed"))


# What strangers type

TEXT = st.text(max_size=60) | st.text(
    st.sampled_from("ab@.\r\n\0\t :;,<>\"'()[]\\=?é名\u2028\u202e\x85%&"), max_size=40
)
ADDRESSES = TEXT | st.builds("{}@example.org".format, TEXT) | st.builds("a@{}".format, TEXT)
LINE_BREAK = st.sampled_from(["\r\n", "\n", "\r", "\u2028", "\0", "%0d%0a", "=0D=0A"])
INJECTED = st.builds("a@example.org{}Bcc: b@example.net".format, LINE_BREAK)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """An endpoint whose mails stay in the register."""
    root = tmp_path_factory.mktemp("stranger")
    config = CONFIG.replace("answer_after: 0", "answer_after: 0, per_network: 1000000")
    (root / "newsletter.yaml").write_text(config, "utf-8")
    with Endpoint(root, relay=NOWHERE, clock=Clock()) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def asking(stranger: Endpoint) -> ConfirmationMail:
    """What makes the mails."""
    publication = stranger.project.publication
    pages = Pages(publication, root=stranger.project.root)
    return ConfirmationMail(publication, pages, keyring=stranger.keyring, signer=None)


@settings(max_examples=150)
@given(email=ADDRESSES | INJECTED, name=TEXT)
def test_nothing_that_is_typed_gets_into_a_header(
    stranger: Endpoint, asking: ConfirmationMail, email: str, name: str
) -> None:
    form = urlencode(
        {"email": email.encode("utf-8", "replace"), "name": name.encode("utf-8", "replace")}
    )
    answer = stranger.post("/subscribe", form)
    assert answer.status in (200, 422)
    assert "<script" not in answer.text
    if answer.status == 422:
        return
    address = parse_address(email)
    member = stranger.look(lambda m: m.register.find(m.register.identify(address.key)))
    assert member.subscriber.name.isprintable() or "\u200c" in name or "\u200d" in name
    message = asking.message(Confirmation(member=member, attempts=0, requested_at=NOW))
    assert list(defects(message.data)) == []
    parsed = message_from_bytes(message.data, policy=policy.SMTP)
    assert len(parsed.keys()) == 9
    assert message.envelope.forward_path.casefold() == address.envelope.casefold()
    assert not set("\r\n\0 ") & set(message.envelope.forward_path)
    (to,) = [field for field in message.data.split(b"\r\n") if field.startswith(b"To:")]
    assert len(getaddresses([to.decode().removeprefix("To: ")])) == 1
