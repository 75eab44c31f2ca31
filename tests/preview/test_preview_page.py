"""The page in a real browser: what it shows, and what it does when something is saved."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

STYLESHEET = '<link rel="stylesheet" href="%s/style.css">'


def test_shows_the_mail_and_who_it_is_for(window: Any, preview: Any) -> None:
    window.open(preview.url)
    expect(window.mail.locator("body")).to_contain_text("原来的一句话。")
    expect(window.page.locator("#side")).to_contain_text("测试周刊")
    expect(window.page.locator("#reading-as")).to_contain_text("lin@example.com")
    assert "第七期的标题" in window.page.title()
    assert window.page.locator("html").get_attribute("lang") == "zh-CN"
    assert window.complaints == []


def test_a_saved_source_shows(window: Any, preview: Any) -> None:
    window.open(preview.url)
    preview.edit("content/007.yaml", "原来的一句话", "改过的一句话")
    expect(window.mail.locator("body")).to_contain_text("改过的一句话")
    expect(window.mail.locator("body")).not_to_contain_text("原来的一句话")


def test_a_source_replaced_by_rename_shows_again_and_again(window: Any, preview: Any) -> None:
    window.open(preview.url)
    preview.replace("content/007.yaml", "原来的一句话", "第一次替换")
    expect(window.mail.locator("body")).to_contain_text("第一次替换")
    preview.replace("content/007.yaml", "第一次替换", "第二次替换")
    expect(window.mail.locator("body")).to_contain_text("第二次替换")


def test_a_saved_template_shows(window: Any, preview: Any) -> None:
    window.open(preview.url)
    preview.insert("<p>模板里的新句子</p>")
    expect(window.mail.locator("body")).to_contain_text("模板里的新句子")


def test_a_saved_picture_shows(window: Any, preview: Any) -> None:
    window.open(preview.url)
    image = window.mail.locator('img[alt="一个红点"]')
    before = image.evaluate("node => node.naturalWidth")
    preview.draw("assets/dot.png", 800, 200)
    expect(image).to_have_js_property("naturalWidth", 800)
    assert before == 600


def test_a_saved_list_shows(window: Any, preview: Any) -> None:
    window.open(preview.url)
    preview.edit("subscribers.csv", "林晓雨", "林改名")
    expect(window.page.locator("#reading-as")).to_contain_text("林改名")


def test_saved_settings_show(window: Any, preview: Any) -> None:
    window.open(preview.url)
    preview.edit("newsletter.yaml", "name: 测试周刊\nfrom", "name: 新名字\nfrom")
    expect(window.page.locator("#publication")).to_have_text("新名字")


def test_a_broken_source_shows_its_place_over_the_last_good_view(window: Any, preview: Any) -> None:
    window.open(preview.url)
    overlay = window.page.locator("#overlay")
    expect(overlay).to_be_hidden()
    preview.edit("content/007.yaml", "    items:\n", "    itmes:\n")
    expect(overlay).to_be_visible()
    expect(overlay.locator(".place").first).to_contain_text("content/007.yaml:8")
    expect(overlay).to_contain_text("itmes")
    expect(overlay.locator(".snippet").first).to_contain_text("itmes")
    expect(window.mail.locator("body")).to_contain_text("原来的一句话。")

    preview.edit("content/007.yaml", "    itmes:\n", "    items:\n")
    expect(overlay).to_be_hidden()


def test_every_mistake_is_listed(window: Any, preview: Any) -> None:
    window.open(preview.url)
    text = (preview.root / "content" / "007.yaml").read_text("utf-8")
    preview.write(
        "content/007.yaml",
        text.replace("status: ready", "status: sent").replace("kind: image", "kind: imagee"),
    )
    expect(window.page.locator("#overlay .problems > li")).to_have_count(2)


def test_a_broken_template_shows_template_and_line(window: Any, preview: Any) -> None:
    window.open(preview.url)
    template = preview.root / "templates" / "issue.html.j2"
    good = template.read_text("utf-8")
    lines = good.count("\n")
    preview.write("templates/issue.html.j2", good.rstrip("\n") + "\n{{ nothing.like.this }}\n")
    overlay = window.page.locator("#overlay")
    expect(overlay.locator(".place")).to_contain_text(f"templates/issue.html.j2:{lines + 1}")
    preview.write("templates/issue.html.j2", good)
    expect(overlay).to_be_hidden()


def test_broken_settings_show_their_line_and_mend(window: Any, preview: Any) -> None:
    window.open(preview.url)
    preview.edit("newsletter.yaml", "language: zh-CN", "langauge: zh-CN")
    overlay = window.page.locator("#overlay")
    expect(overlay.locator(".place").first).to_contain_text("newsletter.yaml:3")
    preview.edit("newsletter.yaml", "langauge: zh-CN", "language: zh-CN")
    expect(overlay).to_be_hidden()


def test_an_issue_broken_from_the_start_appears_when_mended(
    window: Any, start: Any, publication: Path
) -> None:
    source = publication / "content" / "007.yaml"
    good = source.read_text("utf-8")
    source.write_text(good.replace("title: 导读", "title: [导读"), "utf-8")
    window.page.goto(start(publication).url)
    overlay = window.page.locator("#overlay")
    expect(overlay).to_be_visible()
    expect(overlay).to_contain_text("content/007.yaml")
    source.write_text(good, "utf-8")
    expect(overlay).to_be_hidden()
    expect(window.mail.locator("body")).to_contain_text("原来的一句话。")


def test_the_overlay_folds_and_a_new_mistake_opens_it(window: Any, preview: Any) -> None:
    window.open(preview.url)
    preview.edit("content/007.yaml", "status: ready", "status: sent")
    problems = window.page.locator("#overlay .problems")
    expect(problems).to_be_visible()
    window.page.keyboard.press("Escape")
    expect(problems).to_have_count(0)
    expect(window.page.locator("#overlay")).to_be_visible()
    preview.edit("content/007.yaml", "status: sent", "status: gone")
    expect(problems).to_be_visible()


def test_a_save_keeps_place_width_and_tab(window: Any, preview: Any) -> None:
    window.page.set_viewport_size({"width": 1200, "height": 420})
    window.open(preview.url)
    window.page.keyboard.press("p")
    window.page.evaluate("document.getElementById('pane-html').scrollTop = 150")
    preview.edit("content/007.yaml", "原来的一句话", "改过的一句话")
    expect(window.mail.locator("body")).to_contain_text("改过的一句话")
    assert window.page.evaluate("document.getElementById('pane-html').scrollTop") == 150
    expect(window.page.locator("#width")).to_have_value("375")

    window.page.keyboard.press("2")
    preview.edit("content/007.yaml", "改过的一句话", "又改了一次")
    expect(window.page.locator("#text")).to_contain_text("又改了一次")
    window.page.reload()
    expect(window.page.locator("#text")).to_be_visible()


def test_no_request_leaves_the_preview(window: Any, preview: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as outside:
        outside.setblocking(False)
        elsewhere = f"http://127.0.0.1:{outside.getsockname()[1]}"
        preview.insert(
            f'<img src="{elsewhere}/pixel.gif" alt="pixel" width="1">'
            f'<div style="background:url({elsewhere}/bg.png)">x</div>'
            f'<iframe src="{elsewhere}/frame"></iframe>'
            f'<meta http-equiv="refresh" content="0; url={elsewhere}/refresh">'
            f'<a href="{elsewhere}/read" target="_self">read on</a>'
        )
        preview.edit("templates/issue.html.j2", "<title>", f"{STYLESHEET % elsewhere}<title>")
        window.open(preview.url)
        for key in "1234567m":
            window.page.keyboard.press(key)
        window.page.keyboard.press("1")
        window.mail.locator("a", has_text="read on").click()
        expect(window.page.locator("#link")).to_contain_text(f"{elsewhere}/read")
        window.page.wait_for_timeout(300)
        with pytest.raises(BlockingIOError):
            outside.accept()
    assert {urlsplit(url).netloc for url in window.reached} == {f"127.0.0.1:{preview.port}"}
    assert len(window.reached) > 15
    expect(window.page.locator(".elsewhere")).to_contain_text(f"{elsewhere}/pixel.gif")


def test_nothing_in_a_mail_can_run(window: Any, preview: Any) -> None:
    preview.insert(
        "<script>parent.document.title='hacked'</script>"
        '<img src="x" alt="" onerror="parent.document.title=\'hacked\'">'
    )
    window.open(preview.url)
    window.page.wait_for_timeout(300)
    assert "hacked" not in window.page.title()
    frame = window.page.locator("iframe.mail").first
    assert frame.get_attribute("sandbox") == "allow-same-origin"


def test_a_stopped_preview_says_so_and_comes_back(
    window: Any, start: Any, publication: Path
) -> None:
    first = start(publication)
    window.open(first.url)
    first.stop()
    expect(window.page.locator("#live")).to_have_attribute("data-state", "offline")


def test_a_hidden_page_catches_up_when_it_is_seen_again(window: Any, preview: Any) -> None:
    hide = """hidden => {
        Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
        document.dispatchEvent(new Event('visibilitychange'));
    }"""
    window.open(preview.url)
    window.page.evaluate(hide, True)
    preview.edit("content/007.yaml", "原来的一句话", "背着改的话")
    window.page.wait_for_timeout(300)
    expect(window.mail.locator("body")).to_contain_text("原来的一句话")
    window.page.evaluate(hide, False)
    expect(window.mail.locator("body")).to_contain_text("背着改的话")


def test_moves_between_issues_without_a_restart(window: Any, preview: Any) -> None:
    window.open(preview.url)
    window.page.locator("#next").click()
    expect(window.mail.locator("body")).to_contain_text("第八期的正文")
    expect(window.page).to_have_url(re.compile(r"/8$"))
    window.page.go_back()
    expect(window.mail.locator("body")).to_contain_text("原来的一句话")
    window.page.locator("#issue").select_option("8")
    expect(window.mail.locator("body")).to_contain_text("第八期的正文")


def test_an_issue_that_is_not_there_can_be_left(window: Any, preview: Any) -> None:
    window.page.goto(f"{preview.base}99")
    expect(window.page.locator("#overlay")).to_contain_text("nearest: 7, 8")
    expect(window.page.locator("#device")).to_be_hidden()
    expect(window.page.locator("#issue")).to_have_value("")
    window.page.locator("#issue").select_option("8")
    expect(window.mail.locator("body")).to_contain_text("第八期的正文")
    expect(window.page.locator("#overlay")).to_be_hidden()


def test_the_index_lists_every_issue(window: Any, preview: Any) -> None:
    window.page.goto(preview.base)
    entries = window.page.locator("#index .issue")
    expect(entries).to_have_count(2)
    expect(entries.nth(0)).to_contain_text("第八期")
    expect(entries.nth(1)).to_contain_text("2026-03-02")
    preview.write("content/009.md", "---\nnumber: 9\ntitle: 新的一期\n---\n\n正文。\n")
    expect(entries).to_have_count(3)
    preview.write("content/009.md", "---\nnumber: 9\ntitel: 新的一期\n---\n\n正文。\n")
    expect(entries.nth(0).locator(".state")).to_have_class(re.compile("broken"))
    entries.nth(2).click()
    expect(window.mail.locator("body")).to_contain_text("原来的一句话")
