"""Every control of the page in a real browser: views, widths, clients, readers, keys, languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect


@pytest.fixture
def page(window: Any, standing: Any) -> Any:
    """The page of issue 7, opened afresh; nothing of the publication is changed here."""
    return window.open(standing.url).page


@pytest.mark.parametrize(
    ("key", "tab", "words"),
    [
        ("2", "text", "林晓雨，您好！"),
        ("3", "inbox", "Apple Mail"),
        ("4", "source", "<!doctype html>"),
        ("5", "headers", "List-Unsubscribe"),
        ("6", "raw", "MIME-Version: 1.0"),
        ("7", "size", "dot.png"),
    ],
)
def test_views(page: Any, key: str, tab: str, words: str) -> None:
    pane = page.locator(f"#pane-{tab}")
    page.locator(f"#tab-{tab}").click()
    expect(pane).to_contain_text(words)
    expect(page.locator(f"#tab-{tab}")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("1")
    expect(pane).to_be_hidden()
    page.keyboard.press(key)
    expect(pane).to_be_visible()
    expect(page).to_have_url(re.compile(f"tab={tab}"))


def test_tabs_by_arrow_keys(page: Any) -> None:
    page.locator("#tab-html").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-text")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#tab-size")).to_be_focused()


def test_headers_as_written(page: Any) -> None:
    page.keyboard.press("5")
    pane = page.locator("#pane-headers")
    expect(pane).to_contain_text("测试周刊 No.7｜第七期的标题")
    page.locator("#raw-headers").check()
    expect(pane).to_contain_text("=?utf-8?")


def test_the_source_is_numbered_and_complete(page: Any) -> None:
    page.keyboard.press("4")
    lines = page.locator("#pane-source .line")
    expect(lines.first).to_have_attribute("data-at", "1")
    expect(lines.first).to_have_text(re.compile("^<!doctype html>"))
    expect(lines.last).to_have_text(re.compile("</html>"))


@pytest.mark.parametrize(("key", "width"), [("d", 640), ("p", 375)])
def test_widths(page: Any, key: str, width: int) -> None:
    page.keyboard.press("p" if key == "d" else "d")
    page.keyboard.press(key)
    assert _inner_width(page) == width
    expect(page.locator("#width")).to_have_value(str(width))


def test_a_phone_s_styles_hold_at_its_width(page: Any) -> None:
    size = "getComputedStyle(document.querySelector('iframe.mail').contentDocument.querySelector('h1')).fontSize"
    assert page.evaluate(size) == "32px"
    page.locator("input[value='375']").check(force=True)
    assert page.evaluate(size) == "20px"


def test_a_width_typed_in(page: Any) -> None:
    page.locator("#width").fill("500")
    page.locator("#width").press("Enter")
    assert _inner_width(page) == 500
    page.locator("#width").fill("99999")
    page.locator("#width").blur()
    expect(page.locator("#width")).to_have_value("1200")


def test_the_edge_can_be_dragged(page: Any) -> None:
    box = page.locator("#handle").bounding_box()
    x, y = box["x"] + 8, box["y"] + 100
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y, steps=4)
    page.mouse.up()
    assert _inner_width(page) == 520
    page.mouse.move(x - 200, y)
    assert _inner_width(page) == 520


def test_the_edge_moves_by_keys(page: Any) -> None:
    handle = page.locator("#handle")
    handle.focus()
    page.keyboard.press("ArrowLeft")
    expect(handle).to_have_attribute("aria-valuenow", "635")
    page.keyboard.press("Shift+ArrowRight")
    expect(handle).to_have_attribute("aria-valuenow", "685")
    page.keyboard.press("Home")
    assert _inner_width(page) == 280


def test_a_mail_wider_than_the_window_is_scaled_and_says_so(page: Any) -> None:
    page.locator("#width").fill("1200")
    page.locator("#width").press("Enter")
    assert _inner_width(page) == 1200
    expect(page.locator("#caption")).to_contain_text(re.compile(r"1200 px.*%"))
    seen = page.locator("#device").bounding_box()["width"]
    assert seen < page.locator("#pane-html").bounding_box()["width"]


def test_a_mail_that_does_not_fit_is_told(page: Any) -> None:
    caption = page.locator("#caption")
    expect(caption).to_have_text("640 px")
    page.locator("#width").fill("300")
    page.locator("#width").press("Enter")
    expect(caption.locator(".warn")).to_contain_text("24 px")


def test_zoom(page: Any) -> None:
    for _ in range(2):
        page.keyboard.press("+")
    expect(page.locator("#zoom")).to_have_text("150%")
    assert _inner_width(page) == 427
    assert round(page.locator("#device").bounding_box()["width"]) == 640
    page.locator("#smaller").click()
    expect(page.locator("#zoom")).to_have_text("125%")
    page.keyboard.press("0")
    assert _inner_width(page) == 640


def test_images_off_and_on(page: Any, window: Any) -> None:
    image = window.mail.locator("img")
    expect(image).to_have_js_property("naturalWidth", 600)
    page.keyboard.press("i")
    expect(image).to_have_js_property("naturalWidth", 0)
    expect(page.locator("#images")).not_to_be_checked()
    page.locator("#images").check(force=True)
    expect(image).to_have_js_property("naturalWidth", 600)


def test_dark_modes(page: Any, window: Any) -> None:
    body = window.mail.locator("body")
    for mode, colour in {
        "author": "rgb(16, 20, 24)",
        "partial": "rgb(51, 51, 51)",
        "outlook": "rgb(51, 51, 51)",
        "full": "rgb(51, 51, 51)",
        "off": "rgb(255, 255, 255)",
    }.items():
        page.locator("#dark").select_option(mode)
        expect(body).to_have_css("background-color", colour)
    page.keyboard.press("m")
    expect(page.locator("#dark")).to_have_value("author")
    expect(body).to_have_css("background-color", "rgb(16, 20, 24)")


def test_the_system_s_dark_setting_does_not_reach_the_mail(page: Any, window: Any) -> None:
    page.emulate_media(color_scheme="dark")
    page.reload()
    expect(window.mail.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(21, 22, 24)"


def test_gmail_without_styles(page: Any, window: Any) -> None:
    page.keyboard.press("p")
    heading = window.mail.locator("h1")
    expect(heading).to_have_css("font-size", "20px")
    page.keyboard.press("g")
    expect(heading).to_have_css("font-size", "32px")
    expect(page.locator("#styles")).to_be_checked()


def test_another_reader(page: Any, window: Any) -> None:
    page.keyboard.press("a")
    search = page.locator("#search")
    expect(search).to_be_focused()
    options = page.locator("#people [role=option]")
    expect(options).to_have_count(5)
    expect(options.first).to_contain_text("版本 1")
    search.fill("wolf")
    expect(options).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#reading-as")).to_contain_text("long@example.net")
    expect(window.mail.locator("body")).to_contain_text("Wolfeschlegelsteinhausenbergerdorff，您好")
    expect(window.mail.locator("body")).not_to_contain_text("只给读论文的人")
    page.reload()
    expect(page.locator("#reading-as")).to_contain_text("long@example.net")


def test_a_reader_by_arrow_keys(page: Any) -> None:
    page.keyboard.press("/")
    expect(page.locator("#people .active")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    active = page.locator("#people .active")
    expect(page.locator("#search")).to_have_attribute(
        "aria-activedescendant", str(active.get_attribute("id"))
    )
    key = active.get_attribute("data-key")
    page.keyboard.press("Enter")
    expect(page.locator("#reading-as")).to_contain_text(str(key))
    page.keyboard.press("a")
    page.keyboard.press("Escape")
    expect(page.locator("#picker")).to_be_hidden()


def test_the_help_sheet_and_turning_keys_off(page: Any) -> None:
    page.keyboard.press("?")
    expect(page.locator("#key-list dt")).to_have_count(15)
    page.locator("#keys-on").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    expect(page.locator("#pane-text")).to_be_hidden()
    page.locator("#help").click()
    page.locator("#keys-on").check()
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    expect(page.locator("#pane-text")).to_be_visible()


def test_keys_do_not_disturb_typing(page: Any) -> None:
    page.locator("#width").focus()
    page.keyboard.press("2")
    expect(page.locator("#pane-html")).to_be_visible()


def test_keys_hold_inside_the_mail(page: Any, window: Any) -> None:
    window.mail.locator("h1").click()
    page.keyboard.press("2")
    expect(page.locator("#pane-text")).to_be_visible()


def test_chinese_and_english(page: Any) -> None:
    tab = page.locator("#tab-inbox")
    expect(tab).to_have_text("收件箱")
    page.keyboard.press("l")
    expect(tab).to_have_text("Inbox")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.reload()
    expect(tab).to_have_text("Inbox")
    page.locator("#language").click()
    expect(tab).to_have_text("收件箱")


def test_every_word_is_there_in_both_languages(page: Any) -> None:
    for _ in range(2):
        missing = page.evaluate(
            """[...document.querySelectorAll('[data-word], [data-label]')].filter((node) =>
                node.textContent === node.dataset.word ||
                (node.dataset.label && node.getAttribute('aria-label') === node.dataset.label)
            ).map((node) => node.outerHTML)"""
        )
        assert missing == []
        page.keyboard.press("l")


def test_the_interface_in_light_and_dark(page: Any) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(243, 242, 239)"
    page.keyboard.press("t")
    page.keyboard.press("t")
    assert page.evaluate(ground) == "rgb(21, 22, 24)"
    page.reload()
    assert page.evaluate(ground) == "rgb(21, 22, 24)"
    page.keyboard.press("t")
    assert page.evaluate(ground) == "rgb(243, 242, 239)"


def test_links_are_shown_and_not_followed(page: Any, window: Any) -> None:
    window.mail.get_by_text("一篇值得读的文章").click()
    link = page.locator("#link")
    expect(link).to_contain_text("https://example.net/article")
    expect(link.locator("a")).to_have_attribute("rel", "noopener noreferrer")
    expect(window.mail.locator("h1")).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()


def test_the_size_meter(page: Any) -> None:
    meter = page.get_by_role("meter")
    expect(meter).to_have_attribute("aria-valuemax", "102000")
    assert int(meter.get_attribute("aria-valuenow")) > 500
    expect(meter).to_have_class(re.compile("fine"))


def test_everything_that_can_be_used_has_a_name(page: Any) -> None:
    nameless = page.evaluate(
        """[...document.querySelectorAll('button, input, select, a[href], iframe, [tabindex="0"]')]
            .filter((node) => !(node.textContent.trim() || node.getAttribute('aria-label') ||
                node.getAttribute('aria-labelledby') || node.labels?.length || node.title))
            .map((node) => node.outerHTML)"""
    )
    assert nameless == []


@pytest.mark.parametrize("width", [375, 768, 1024])
def test_nothing_is_cut_off_on_smaller_screens(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for key in "1234567":
        page.keyboard.press(key)
        assert page.evaluate("document.documentElement.scrollWidth") == width
    page.locator("#side-button").click()
    expect(page.locator("#side")).to_be_visible()
    expect(page.locator("#side")).to_contain_text("lin@example.com")
    page.locator("#side-button").click()
    expect(page.locator("#side")).to_be_hidden()


def test_on_a_phone_the_ways_to_show_unfold(page: Any) -> None:
    page.set_viewport_size({"width": 375, "height": 800})
    expect(page.locator("#modes")).to_be_hidden()
    page.locator("#modes-button").click()
    page.locator("#dark").select_option("author")
    expect(page).to_have_url(re.compile("dark=author"))


def test_details_can_be_put_away_on_a_wide_screen(page: Any) -> None:
    expect(page.locator("#side")).to_be_visible()
    page.keyboard.press("s")
    expect(page.locator("#side")).to_be_hidden()
    page.keyboard.press("f")
    expect(page.locator("#findings")).to_be_focused()


def test_a_finding_shows_its_line_and_marks_its_place(window: Any, preview: Any) -> None:
    preview.edit("templates/styles/inlined.css", "body {", "p:not(.a,.b) { color: red; }\nbody {")
    window.open(preview.url)
    finding = window.page.locator(".finding")
    expect(finding).to_have_count(1)
    expect(window.page.locator("#found .badge")).to_have_text("1")
    finding.click()
    expect(finding).to_have_attribute("aria-expanded", "true")
    expect(window.page.locator(".snippet .here")).to_contain_text("p:not(.a,.b)")
    finding.click()
    expect(window.page.locator(".snippet")).to_be_hidden()


def test_what_the_checks_find_leads_to_its_place(
    window: Any, start: Any, publication: Path
) -> None:
    source = publication / "content" / "007.yaml"
    source.write_text(source.read_text("utf-8").replace("一句话。", "一句话。。"), "utf-8")
    page = window.open(start(publication, checks=True).url).page
    finding = page.locator(".finding", has_text="007.yaml:10").first
    finding.click(timeout=20_000)
    expect(page.locator(".findings .hint")).to_have_text("keep one of them")
    expect(page.locator(".snippet .here")).to_contain_text("原来的一句话。。")
    expect(window.mail.locator("[data-marked]")).to_have_text("原来的一句话。。")
    expect(page.locator("#found .group-of.note ul")).to_be_hidden()


def _inner_width(page: Any) -> int:
    width = page.evaluate("document.querySelector('iframe.mail').contentWindow.innerWidth")
    assert isinstance(width, int)
    return width
