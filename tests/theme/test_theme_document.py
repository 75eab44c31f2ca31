"""The rendered HTML of issue 64 against the craft of mail: what mail programs need of the document."""

from __future__ import annotations

import itertools
import re

from lxml import etree

from newsletter.config import Publication
from newsletter.rendering.edition import Edition

GMAIL_CLIPS_AT = 102 * 1024
HEAD_LIMIT = 16 * 1024


def style_of(node: etree._Element) -> dict[str, str]:
    pairs = (part.split(":", 1) for part in (node.get("style") or "").split(";") if ":" in part)
    return {name.strip(): value.strip() for name, value in pairs}


def has_own_words(node: etree._Element) -> bool:
    inline = {"a", "span", "strong", "em", "code", "br"}
    words = [node.text or ""]
    for child in node:
        words.append(child.tail or "")
        if child.tag in inline:
            words += child.itertext()
    return any(word.strip() for word in words)


def test_document_says_its_type_language_and_direction(edition: Edition, page: etree._Element):
    assert edition.html.startswith("<!doctype html>")
    assert (page.get("lang"), page.get("dir")) == ("zh-CN", "ltr")


def test_head_begins_with_the_charset_and_has_every_meta(page: etree._Element, edition: Edition):
    head = page.find("head")
    assert head[0].get("charset") == "utf-8"
    metas = {meta.get("name"): meta.get("content") for meta in head.iter("meta")}
    assert metas["viewport"] == "width=device-width, initial-scale=1"
    assert metas["color-scheme"] == metas["supported-color-schemes"] == "light dark"
    assert "telephone=no" in metas["format-detection"]
    assert head.findtext("title") == edition.subject


def test_body_has_one_child_which_is_an_article(page: etree._Element, edition: Edition):
    (article,) = page.find("body")
    assert article.tag == "div"
    assert article.get("role") == "article"
    assert article.get("aria-roledescription") == "email"
    assert article.get("aria-label") == edition.subject
    assert (article.get("lang"), article.get("dir")) == ("zh-CN", "ltr")


def test_preheader_comes_first_hidden_and_padded(page: etree._Element, edition: Edition):
    first = page.find("body")[0][0]
    assert first.text.startswith(edition.preheader)
    assert style_of(first)["display"] == "none"
    filler = first.text.removeprefix(edition.preheader)
    assert set(filler) == {"\u2007", "\ufeff", "\u034f"}
    assert 195 <= len(first.text) <= 205
    assert "\u200e" not in edition.html
    assert "\u200f" not in edition.html


def test_every_table_is_for_layout_and_has_no_default_gaps(page: etree._Element):
    for table in page.iter("table"):
        assert table.get("role") == "presentation"
        assert table.get("cellpadding") == table.get("cellspacing") == table.get("border") == "0"


def test_one_column_of_640_pixels_with_a_ghost_table_for_word(
    edition: Edition, page: etree._Element
):
    (sheet,) = page.xpath('//table[contains(@class, "sheet")]')
    assert style_of(sheet)["max-width"] == "640px"
    assert sheet.get("width") == "100%"
    comments = [node.text for node in page.iter(etree.Comment)]
    assert sum("<table" in text and 'width="640"' in text for text in comments) == 1
    assert comments[-1] == "[if mso]></td></tr></table><![endif]"
    assert edition.html.count("[if mso]") == 3


def test_only_cells_have_padding_because_of_word(page: etree._Element):
    allowed = {"td", "ul", "ol", "blockquote", "body"}
    for node in page.find("body").iter(etree.Element):
        padded = [name for name in style_of(node) if name.startswith("padding")]
        if node.tag == "a":
            assert "inline-block" in style_of(node).get("display", "") or not padded
        elif padded:
            assert node.tag in allowed, etree.tostring(node, encoding="unicode")[:200]


def test_everything_that_holds_text_names_the_fonts(page: etree._Element):
    for node in page.find("body").iter("td", "p", "li", "h1", "h2", "h3", "h4", "h5", "h6"):
        if has_own_words(node) and (node.text_content() or "").strip("\xa0\n "):
            fonts = style_of(node).get("font-family", "")
            assert "PingFang SC" in fonts, etree.tostring(node, encoding="unicode")[:200]
            assert "Microsoft YaHei" in fonts
            assert fonts.endswith("sans-serif")


def test_no_text_is_smaller_than_14_pixels_or_set_too_tight(page: etree._Element):
    for node in page.find("body").iter("td", "p", "li", "h1", "h2", "h3", "h4", "a", "span"):
        style = style_of(node)
        if "font-size" not in style or not node.text_content().strip("\xa0\n "):
            continue
        size = int(style["font-size"].removesuffix("px"))
        assert size >= 14
        if node.tag in ("p", "li") and size >= 16:
            assert int(style["line-height"].removesuffix("px")) >= 1.7 * size


def test_headings_do_not_skip_a_level(page: etree._Element):
    levels = [int(node.tag[1]) for node in page.iter("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert levels.count(4) == 8, "one for each paper, under its group"


def test_block_a_is_inlined_and_block_b_is_kept(edition: Edition, page: etree._Element):
    (style,) = page.iter("style")
    for part in ("prefers-color-scheme: dark", "max-width: 599px", "[data-ogsc]", ":hover"):
        assert part in style.text
    assert len(style.text.encode()) < HEAD_LIMIT
    assert "@import" not in style.text
    assert not re.search(r"@media[^{]*\{[^{}]*@", style.text), "a nested at-rule"
    assert page.find("body").get("style")
    assert edition.warnings == ()


def test_head_block_is_the_file_letter_for_letter(edition: Edition, root):
    assert (root / "templates/styles/head.css").read_text().strip() in edition.html


def test_every_image_has_a_width_and_a_text_and_is_never_a_data_uri(page: etree._Element):
    images = list(page.iter("img"))
    assert len(images) == 7
    for image in images:
        assert image.get("src").startswith("cid:")
        assert int(image.get("width")) <= 640
        assert image.get("alt") is not None
        assert style_of(image)["display"] == "block"
        if image.getparent().tag == "a":
            assert image.get("alt")


def test_qr_codes_stand_on_white_with_their_link_in_words(page: etree._Element):
    codes = [node for node in page.iter("img") if node.get("alt").startswith("二维码：")]
    assert len(codes) == 3
    for code in codes:
        cell = code.getparent()
        assert cell.tag == "td"
        assert cell.get("bgcolor") == "#ffffff"
        row = cell.xpath("ancestor::tr")[-1]
        nearest = cell.xpath("ancestor::table[contains(@class, 'entry')]")[0]
        assert row is not None
        assert nearest.xpath(".//a[@href and normalize-space()]")


def test_every_embedded_image_is_shown_and_the_other_way_round(edition: Edition):
    shown = re.findall(r'src="cid:([^"]+)"', edition.html)
    assert list(dict.fromkeys(shown)) == [image.content_id for image in edition.images]


def test_every_link_has_words_of_its_own(page: etree._Element):
    for link in page.iter("a"):
        words = link.text_content().strip()
        assert words
        assert words not in ("点击这里", "点此", "这里", "here", "click here")
        assert link.get("href")
        assert not link.get("href").startswith("#")


def test_links_have_space_or_an_edge_on_both_sides(page: etree._Element):
    edges = {"td", "p", "h1", "h2", "h3", "h4", "li", "div"}
    for link in page.iter("a"):
        parent, before = link.getparent(), link.getprevious()
        assert parent.tag in edges | {"strong", "em"}
        text_before = (parent.text if before is None else before.tail) or ""
        assert not text_before.strip() or text_before[-1].isspace(), words_near(link)
        assert not (link.tail or "").strip() or link.tail[0].isspace(), words_near(link)


def words_near(link: etree._Element) -> str:
    return str(link.getparent().text_content())[:80]


def test_reading_online_is_at_the_top_and_leaving_at_the_bottom(
    edition: Edition, page: etree._Element
):
    tokens = {slot.token: slot.name for slot in edition.slots}
    names = [tokens.get(link.get("href")) for link in page.iter("a")]
    assert names[0] == "online_url"
    assert names[-1] == "unsubscribe_url"
    for link in (next(page.iter("a")), list(page.iter("a"))[-1]):
        style = style_of(link)
        assert style["display"] == "inline-block"
        assert style["padding"].startswith("12px")
        assert style["line-height"] == "20px", "with the padding, 44 px to tap"


def test_the_reader_is_named_and_the_sender_is_known(edition: Edition, publication: Publication):
    shown = {slot.name for slot in edition.slots if slot.token in edition.html}
    assert shown == {"name", "email", "unsubscribe_url", "online_url"}
    (name,) = {slot.fallback for slot in edition.slots if slot.name == "name"}
    assert name == "读者"
    foot = edition.html.split('class="cell footer"')[1]
    assert publication.contact in foot
    assert publication.extra["rights"] in foot
    assert f"来源：{publication.extra['source']}" in foot


def test_html_is_far_below_what_gmail_clips(edition: Edition):
    size = len(edition.html.encode())
    assert size < 80_000 < GMAIL_CLIPS_AT
    assert size < 64_000, "the aim of this theme"


def test_colours_are_hex_and_styles_have_nothing_modern(edition: Edition):
    styles = " ".join(re.findall(r"style=(?:\"[^\"]*\"|'[^']*')", edition.html))
    assert not re.search(r"rgb|hsl|var\(|calc\(|flex|grid|position|!important", styles)
    assert set(re.findall(r"#[0-9A-Za-z]+", styles)) == {
        colour.lower() for colour in re.findall(r"#[0-9A-Za-z]+", styles)
    }
