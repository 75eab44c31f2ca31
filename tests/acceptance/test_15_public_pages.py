"""Every public page in a real browser: axe-core finds no serious fault, the keyboard is enough, nothing is too wide."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from accessibility import grave
from playwright.sync_api import Browser, Page
from story import Desk, Mail, part

from newsletter.audience.confirming import confirmation_token
from newsletter.audience.tokens import Purpose
from newsletter.project import Project

SETTINGS = """
signup:
  topics: {papers: 论文, events: 活动}
  languages: {zh-CN: 中文, en: English}
  privacy_url: https://weekly.example.org/privacy
"""
READER = "lin.xiaoyu@example.com"
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 375, "height": 740}
LOOKS = [("light", WIDE), ("dark", WIDE), ("light", PHONE), ("dark", PHONE)]


@pytest.fixture
def endpoint(desk: Desk, mail: Mail) -> Iterator[str]:
    """The sample publication's endpoint with everything to choose from; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    desk.edit("newsletter.yaml", "audience: subscribers.example.csv", "audience: subscribers.csv")
    (desk.root / "subscribers.example.csv").rename(desk.root / "subscribers.csv")
    with (desk.root / "newsletter.yaml").open("a", encoding="utf-8") as settings:
        settings.write(SETTINGS)
    desk.variables |= {"NEWSLETTER_RELAY": mail.url, "NEWSLETTER_PUBLIC_URL": url}
    assert desk.run("send", "64", "--yes", "--force").code == 0
    process = desk.start("serve", "--port", str(port))
    assert process.stdout is not None
    assert process.stdout.readline() == f"Serving: {url}\n"
    yield url
    process.terminate()
    process.communicate()


def submit(page: Page) -> None:
    """Press the page's first button."""
    with page.expect_navigation():
        page.get_by_role("button").first.click()


def walk(page: Page, url: str, desk: Desk) -> Iterator[str]:
    """Go to every public page, one after the other; gives what it is called."""
    project = Project.open(desk.root, environ=desk.variables)
    keyring = project.keyring
    who = keyring.subscriber_id(READER)
    token = keyring.token(Purpose.UNSUBSCRIBE, who)
    for name, path in {
        "subscribe": "/",
        "missing": "/nothing",
        "wrong link": "/u/forged",
        "expired": "/c/forged",
        "issue": f"/v/64/{keyring.token(Purpose.VIEW, who)}",
        "preferences": f"/p/{token}",
    }.items():
        page.goto(url + path)
        yield name
    submit(page)
    yield "saved"
    page.goto(url)
    page.fill("#email", "no address")
    page.fill("#name", "=1")
    submit(page)
    yield "mistakes"
    page.fill("#email", f"reader{time.monotonic_ns()}@example.org")
    page.fill("#name", "")
    submit(page)
    yield "sent"
    confirming = confirmation_token(keyring, who, until=time.time() + 900)
    page.goto(f"{url}/c/{confirming}")
    yield "confirm"
    submit(page)
    yield "confirmed"
    page.goto(f"{url}/u/{token}")
    yield "leave"
    submit(page)
    yield "left"
    page.goto(f"{url}/p/{token}")
    yield "not subscribed"


PAGES = 14


@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
def test_no_serious_fault_on_any_page(
    browser: Browser, endpoint: str, desk: Desk, axe: str, language: str
) -> None:
    # axe runs as a script of ours, which the pages' own policy would rightly refuse.
    context = browser.new_context(locale=language, bypass_csp=True)
    page = context.new_page()
    faults: dict[str, Any] = {}
    seen = []
    for name in walk(page, endpoint, desk):
        seen.append(name)
        assert page.locator("html").get_attribute("lang") in (language, "zh-CN", "en")
        for scheme, size in LOOKS:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.set_viewport_size(size)  # type: ignore[arg-type]
            if found := grave(page, axe):
                faults[f"{name}, {scheme}, {size['width']}"] = found
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= size["width"], f"{name} is {wide} pixels wide"
    context.close()
    assert faults == {}
    assert len(seen) == PAGES


def test_with_the_keyboard_alone_and_without_scripts(
    browser: Browser, endpoint: str, mail: Mail, arrived: Callable[..., Any]
) -> None:
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    page.goto(endpoint)
    keyboard = page.keyboard
    keyboard.press("Tab")
    keyboard.press("Tab")
    keyboard.type("wrong")
    keyboard.press("Enter")
    assert "还差一点" in page.get_by_role("alert").inner_text()
    page.get_by_role("link", name="邮箱地址").press("Enter")
    email = page.get_by_role("textbox", name="邮箱地址")
    email.press("Control+A")
    keyboard.type("keys@example.org")
    keyboard.press("Tab")
    keyboard.type("键盘")
    keyboard.press("Tab")
    keyboard.press("ArrowDown")
    keyboard.press("Tab")
    keyboard.press("Space")
    keyboard.press("Enter")
    page.get_by_role("heading", name="请查收确认信").wait_for()
    (link,) = re.findall(rf"{endpoint}/c/\S+", part(arrived("keys@example.org"), "plain"))
    page.goto(link)
    page.get_by_role("button").press("Enter")
    page.get_by_role("heading", name="订阅成功").wait_for()
    context.close()
