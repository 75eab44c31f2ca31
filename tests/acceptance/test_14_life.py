"""A reader's life in a real browser: subscribe, confirm, read, leave by one click; and the next issue stays away."""

from __future__ import annotations

import re
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from email.message import EmailMessage

import pytest
from playwright.sync_api import Browser
from story import Desk, Mail, part

NEW = "chen.xin@example.org"
COMPANION = "stays@example.org"
PATIENCE = 60.0


class Endpoint:
    """A `newsletter serve` that runs."""

    def __init__(self, desk: Desk, mail: Mail) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        port = self.url.rpartition(":")[2]
        desk.variables |= {"NEWSLETTER_RELAY": mail.url, "NEWSLETTER_PUBLIC_URL": self.url}
        self.process: subprocess.Popen[str] = desk.start("serve", "--port", port)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == f"Serving: {self.url}\n"

    def post(self, url: str, body: str, kind: str = "application/x-www-form-urlencoded") -> str:
        """The page that a POST is answered with, as any mail provider's program would send it."""
        request = urllib.request.Request(url, body.encode(), {"Content-Type": kind})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            assert answer.status in (200, 202)
            assert answer.url == url, "not redirected"
            assert answer.headers["Set-Cookie"] is None
            return str(answer.read().decode())

    def end(self) -> str:
        """Stop it; what it wrote down."""
        self.process.terminate()
        _, log = self.process.communicate(timeout=PATIENCE)
        return log


@pytest.fixture(params=["subscribers.example.csv", "database"])
def endpoint(request: pytest.FixtureRequest, desk: Desk, mail: Mail) -> Iterator[Endpoint]:
    """The sample publication's endpoint, its list in a file or in the database."""
    desk.edit("newsletter.yaml", "audience: subscribers.example.csv", f"audience: {request.param}")
    desk.edit("content/065.md", "status: draft", "status: ready")
    return Endpoint(desk, mail)


def test_subscribe_confirm_receive_leave(
    browser: Browser,
    desk: Desk,
    mail: Mail,
    endpoint: Endpoint,
    arrived: Callable[..., EmailMessage],
) -> None:
    join_by_program(endpoint, arrived)
    page = browser.new_page()
    page.goto(endpoint.url)
    page.get_by_label("邮箱地址").fill(NEW)
    page.get_by_label("称呼").fill("陈欣")
    page.get_by_role("button", name="订阅").click()
    assert "请查收确认信" in page.get_by_role("heading").inner_text()

    asking = arrived(NEW)
    assert asking["To"] == f"<{NEW}>" or asking["To"] == NEW
    assert asking["Auto-Submitted"] == "auto-generated"
    assert "陈欣" not in part(asking, "plain") + part(asking, "html"), "no word of the visitor"
    page.set_content(part(asking, "html"))
    page.get_by_role("link", name="确认订阅").click()
    page.get_by_role("button", name="确认订阅").click()
    assert "订阅成功" in page.get_by_role("heading").inner_text()

    # The checks rightly refuse links that lead to this very machine.
    assert desk.run("send", "64", "--yes", "--force").code == 0
    issue = arrived(NEW, number=2)
    assert "陈欣，您好" in part(issue, "plain")
    online = re.search(rf"{endpoint.url}/v/64/\S+", part(issue, "plain"))
    assert online
    page.goto(online[0])
    assert "陈欣，您好" in page.inner_text("body")
    pictures = page.locator("img").evaluate_all("found => found.map(one => one.naturalWidth)")
    assert pictures
    assert all(pictures), "every picture is shown"

    (url,) = re.findall(r"<(http[^>]*)>", issue["List-Unsubscribe"])
    page.goto(url)
    assert "退订" in page.get_by_role("button").inner_text(), "a look changes nothing"
    assert issue["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "您已退订" in endpoint.post(url, "List-Unsubscribe=One-Click")
    page.close()

    sent = desk.run("send", "65", "--yes", "--force")
    assert sent.code == 0, sent.said
    arrived(COMPANION, number=3)
    assert not (mail.folder / f"{NEW}-3.eml").exists()
    told = desk.run("explain", "65", NEW).out
    assert "unsubscribed" in told
    assert "one-click" in told
    log = endpoint.end()
    assert "POST /subscribe 200" in log
    assert "@" not in log
    assert url.rpartition("/")[2] not in log


def join_by_program(endpoint: Endpoint, arrived: Callable[..., EmailMessage]) -> None:
    """Somebody who stays, so that there is a next send."""
    endpoint.post(f"{endpoint.url}/subscribe", f'{{"email": "{COMPANION}"}}', "application/json")
    (link,) = re.findall(rf"{endpoint.url}/c/\S+", part(arrived(COMPANION), "plain"))
    assert "订阅成功" in endpoint.post(link, "")
