"""Every public page in a real browser: axe-core finds no serious fault, the keyboard is enough, nothing is too wide."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from accessibility import grave
from page_screenshots import LANGUAGES, LOOKS, PAGES, free_port, prepare, walk
from playwright.sync_api import Browser
from story import Desk, Mail, part

from newsletter.project import Project


@pytest.fixture
def endpoint(desk: Desk, mail: Mail) -> Iterator[str]:
    """The sample publication's endpoint with everything to choose from; its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    prepare(desk.root)
    desk.variables |= {"NEWSLETTER_RELAY": mail.url, "NEWSLETTER_PUBLIC_URL": url}
    assert desk.run("send", "64", "--yes", "--force").code == 0
    process = desk.start("serve", "--port", str(port))
    assert process.stdout is not None
    assert process.stdout.readline() == f"Serving: {url}\n"
    yield url
    process.terminate()
    process.communicate()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_serious_fault_on_any_page(
    browser: Browser, endpoint: str, desk: Desk, axe: str, language: str
) -> None:
    # axe runs as a script of ours, which the pages' own policy would rightly refuse.
    context = browser.new_context(locale=language, bypass_csp=True)
    page = context.new_page()
    faults: dict[str, Any] = {}
    project = Project.open(desk.root, environ=desk.variables)
    seen = []
    for name in walk(page, endpoint, project):
        seen.append(name)
        assert page.locator("html").get_attribute("lang") in (language, "zh-CN", "en")
        for scheme, size in LOOKS:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(size)
            if found := grave(page, axe):
                faults[f"{name}, {scheme}, {size['width']}"] = found
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= size["width"], f"{name} is {wide} pixels wide"
    context.close()
    assert faults == {}
    assert tuple(seen) == PAGES


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
