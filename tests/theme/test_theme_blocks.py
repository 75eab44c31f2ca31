"""Every kind of block, full and bare, in both parts; and the theme in another language."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree, html

from newsletter.config import Publication
from newsletter.content.models import BUILT_IN_KINDS, Issue
from newsletter.rendering.edition import Edition
from newsletter.rendering.render import Renderer

Render = Callable[..., Edition]

FULL: dict[str, dict[str, Any]] = {
    "paper": {
        "title": "A & B <C>",
        "title_zh": "甲与乙",
        "institutions": ["AT&T", "清华"],
        "institutions_complete": False,
        "authors": ["Li Lei", "Han Meimei"],
        "authors_complete": False,
        "summary": "一段**要紧**的话。",
        "url": "https://a.example/abs?x=1&y=2",
        "download": "https://a.example/pdf",
    },
    "event": {
        "title": "会",
        "series": "第 1 期",
        "speaker": {"name": "甲", "role": "工程师"},
        "starts": "2022-11-09T23:00:00+08:00",
        "ends": "2022-11-10T01:00:00+08:00",
        "online": True,
        "venue": "北京",
        "summary": "一段话。",
        "url": "https://a.example/live",
    },
    "article": {
        "title": "文章",
        "url": "https://a.example/post",
        "summary": "一段话。",
        "source": "某站",
        "author": "某人",
        "published": "2022-11-01",
    },
    "text": {"title": "小标题", "body": "一段**话**，见 [网页](https://a.example/page) 。"},
    "image": {
        "src": "assets/masthead.png",
        "alt": "一幅图",
        "caption": "图注",
        "url": "https://a.example/picture",
        "width": 300,
    },
    "divider": {"src": "assets/divider-2.png"},
    "qr": {
        "url": "https://a.example/join",
        "title": "入群",
        "caption": "请**扫码**。",
        "label": "入群链接",
    },
    "button": {"label": "报名", "url": "https://a.example/sign-up"},
    "quote": {"body": "一句话。", "by": "某人", "url": "https://a.example/quote"},
}
BARE: dict[str, dict[str, Any]] = {
    "paper": {"title": "题", "summary": "话。", "download": "https://a.example/pdf"},
    "event": {"title": "会", "starts": "2022-11-09T09:00:00+08:00"},
    "article": {"title": "文章", "url": "https://a.example/post"},
    "text": {"body": "话。"},
    "image": {"src": "assets/divider-1.png", "alt": "图"},
    "divider": {},
    "qr": {"url": "https://a.example/join"},
    "button": FULL["button"],
    "quote": {"body": "一句话。"},
}


def tree(edition: Edition) -> etree._Element:
    return html.document_fromstring(edition.html)


def test_the_theme_has_both_templates_of_every_built_in_kind(root: Path):
    names = {path.name for path in (root / "templates/blocks").iterdir()}
    assert names == {f"{kind}.{part}.j2" for kind in BUILT_IN_KINDS for part in ("html", "txt")}
    assert set(FULL) == set(BARE) == set(BUILT_IN_KINDS)


def test_the_theme_ships_in_the_package(root: Path):
    shipped = root / "src/newsletter/theme"
    assert shipped.is_symlink()
    assert shipped.resolve() == root / "templates"


@pytest.mark.parametrize("kind", sorted(FULL))
def test_a_full_block_shows_every_field_in_both_parts(kind: str, render: Render):
    edition = render({"kind": kind, **FULL[kind]})
    seen = " ".join(tree(edition).find("body").itertext())
    urls = [link.get("href") for link in tree(edition).iter("a")]
    for name, value in FULL[kind].items():
        if name in ("url", "download"):
            assert value in urls
            assert value in edition.text.splitlines()
        elif isinstance(value, str) and name in ("title", "title_zh", "series", "label", "by"):
            assert value in seen
            assert value in edition.text
    assert edition.warnings == ()


@pytest.mark.parametrize("kind", sorted(BARE))
def test_a_bare_block_leaves_nothing_behind(kind: str, render: Render):
    edition = render({"kind": kind, **BARE[kind]})
    assert "None" not in edition.html + edition.text
    assert "\n\n\n" not in edition.text
    for cell in tree(edition).xpath("//td[contains(@class, 'value')]"):
        assert cell.text_content().strip()


@pytest.mark.parametrize("kind", sorted(FULL))
@pytest.mark.parametrize("grouped", [False, True])
def test_no_block_skips_a_heading_level(kind: str, grouped: bool, render: Render):
    edition = render({"kind": kind, **FULL[kind]}, grouped=grouped)
    levels = [int(node.tag[1]) for node in tree(edition).iter("h1", "h2", "h3", "h4")]
    assert levels[:3] == ([1, 2, 3] if grouped or len(levels) > 2 else [1, 2])
    assert max(levels) <= (4 if grouped else 3)


def test_text_is_escaped_once(render: Render):
    edition = render({"kind": "paper", **FULL["paper"]})
    assert "A &amp; B &lt;C&gt;" in edition.html
    assert "AT&amp;T" in edition.html
    assert "&amp;amp;" not in edition.html
    assert "A & B <C>（甲与乙）" in edition.text
    assert "AT&T、清华等 | " in edition.text


def test_a_download_that_is_the_page_is_printed_once_in_the_text(render: Render):
    link = "https://a.example/both"
    edition = render({"kind": "paper", **BARE["paper"], "url": link, "download": link})
    assert edition.text.count(link) == 1


def test_an_event_over_midnight_names_both_days(render: Render):
    text = render({"kind": "event", **FULL["event"]}).text
    assert "时间：2022年11月9日 周三 23:00–2022年11月10日 01:00（北京时间）" in text
    assert "地点：北京、线上" in text


def test_an_event_elsewhere_names_its_time_zone(render: Render):
    edition = render({"kind": "event", **BARE["event"]}, timezone="Europe/Berlin")
    assert "2022年11月9日 周三 02:00（Europe/Berlin）" in edition.text


def test_a_divider_without_any_picture_is_still_a_pause(render: Render):
    edition = render({"kind": "divider"}, divider=None)
    assert "divider" in edition.html
    assert len(list(tree(edition).iter("img"))) == 1, "the masthead alone"


def test_a_wide_picture_stays_inside_the_column(render: Render):
    item = {"kind": "image", "src": "assets/masthead.png", "alt": "刊头"}
    picture = list(tree(render(item)).iter("img"))[-1]
    assert picture.get("width") == "560"


def test_a_linked_picture_has_an_alt_and_its_link_in_words(render: Render):
    links = [
        link
        for link in tree(render({"kind": "image", **FULL["image"]})).iter("a")
        if link.get("href") == "https://a.example/picture"
    ]
    assert [bool(link.text_content().strip()) for link in links] == [False, True]
    assert links[0].find("img").get("alt") == "一幅图"


def test_a_linked_picture_without_alt_gets_one_and_a_decoration_does_not(render: Render):
    item = {"kind": "image", "src": "assets/divider-1.png", "alt": ""}
    linked = render({**item, "url": "https://a.example/x"})
    assert list(tree(linked).iter("img"))[-1].get("alt") == "https://a.example/x"
    assert list(tree(render(item)).iter("img"))[-1].get("alt") == ""


def test_a_button_is_a_coloured_cell_44_pixels_high(render: Render):
    (cell,) = tree(render({"kind": "button", **FULL["button"]})).xpath("//td[@bgcolor='#0b6b58']")
    assert "padding:12px 28px" in cell.get("style")
    assert "line-height:20px" in cell.find("a").get("style")


def test_without_a_web_address_there_is_no_online_reading(render: Render):
    edition = render({"kind": "text", **BARE["text"]}, public_url=None, site_url=None)
    assert "在线阅读" not in edition.html + edition.text


def test_a_bare_publication_has_no_empty_lines_in_its_head_and_foot(render: Render):
    nothing: dict[str, Any] = dict.fromkeys(("masthead", "publisher", "byline", "contact"))
    edition = render({"kind": "text", **BARE["text"]}, extra={}, **nothing)
    for node in tree(edition).xpath("//p[contains(@class, 'foot')]"):
        assert node.text_content().strip()
    assert "来源" not in edition.text
    assert "联系我们" not in edition.text
    assert "None" not in edition.html + edition.text


@pytest.mark.parametrize("kind", sorted(FULL))
def test_in_english_no_word_of_the_theme_is_chinese(
    kind: str, publication: Publication, tmp_path: Path, root: Path
):
    english = publication.model_copy(
        update={
            "name": "Weekly",
            "language": "en",
            "publisher": "Us",
            "byline": None,
            "extra": {},
            "timezone": "UTC",
        }
    )
    shutil.copytree(root / "assets", tmp_path / "assets")
    chinese = {"kind": kind, **FULL[kind]}
    item = {
        name: value if name in ("kind", "src", "starts", "ends", "published") else _latin(value)
        for name, value in chinese.items()
    }
    issue = Issue.model_validate(
        {
            "number": 1,
            "title": "One",
            "date": "2022-11-07T09:00:00+00:00",
            "subject": "One",
            "sections": [{"title": "S", "groups": [{"title": "G", "items": [item]}]}],
        }
    )
    edition = Renderer(english, root=tmp_path).render(issue)
    for part in (edition.html, edition.text):
        assert not [
            char
            for char in part
            if "\u3000" <= char <= "\u9fff" or ("\uff00" <= char < "\uffff" and char != "\ufeff")
        ]
    assert "7 November 2022" in edition.text
    assert "because you subscribed to Weekly." in edition.text
    assert "Unsubscribe from Weekly:" in edition.text
    assert 'lang="en"' in edition.html


def _latin(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else "Words."
    if isinstance(value, list):
        return [_latin(part) for part in value]
    if isinstance(value, dict):
        return {name: _latin(part) for name, part in value.items()}
    return value
