"""Markdown to HTML: CommonMark for Latin text, and manners for Chinese, Japanese and Korean."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html
from markdown_it import MarkdownIt

from newsletter.content.cjk import is_cjk, is_cjk_punctuation, is_hangul
from newsletter.content.markdown import (
    is_web_link,
    markdown_html,
    markdown_inline_html,
    markdown_text,
    refused_links,
)

EMPHASIS = [
    # CommonMark leaves every one of these as it is, except where noted.
    ("**注意：**别碰", "<strong>注意：</strong>别碰"),
    ("**“开放”**的模型", "<strong>“开放”</strong>的模型"),
    ("他说**“你好”**。", "他说<strong>“你好”</strong>。"),
    ("这是**《预训练周刊》**第64期", "这是<strong>《预训练周刊》</strong>第64期"),
    ("**（重要）**请看", "<strong>（重要）</strong>请看"),
    ("请看**（重要）**", "请看<strong>（重要）</strong>"),
    ("**PaLM（540B）**相比", "<strong>PaLM（540B）</strong>相比"),
    ("**PaLM (540B)**相比", "<strong>PaLM (540B)</strong>相比"),
    ("更难得的是**“开放”：**模型", "更难得的是<strong>“开放”：</strong>模型"),
    ("*强调。*然后", "<em>强调。</em>然后"),
    ("***又粗又斜：***然后", "<em><strong>又粗又斜：</strong></em>然后"),
    ("**`code`**的用法", "<strong><code>code</code></strong>的用法"),
    ("使用**`code`**", "使用<strong><code>code</code></strong>"),
    ("**日本語。**です", "<strong>日本語。</strong>です"),
    ("これは**「強調」**です", "これは<strong>「強調」</strong>です"),
    ("**마크다운(Markdown)**을", "<strong>마크다운(Markdown)</strong>을"),
    ("**“한국어”**를", "<strong>“한국어”</strong>를"),
    ("~~删除。~~保留", "<s>删除。</s>保留"),
    ("保留~~“删除”~~保留", "保留<s>“删除”</s>保留"),
    ("——**破折号**——", "——<strong>破折号</strong>——"),
    ("**全角！**２０２２年", "<strong>全角！</strong>２０２２年"),
    # The same as CommonMark.
    ("中文**加粗**中文", "中文<strong>加粗</strong>中文"),
    ("中文_不是_强调", "中文_不是_强调"),
    ("** 空格**", "** 空格**"),
    ("2*3*4", "2<em>3</em>4"),
    ("snake_case_name", "snake_case_name"),
    ("**emoji!**😀", "<strong>emoji!</strong>😀"),
    ("a**“b”**c", "a**“b”**c"),
]


@pytest.mark.parametrize(("source", "expected"), EMPHASIS)
def test_emphasis_beside_cjk_characters(source: str, expected: str) -> None:
    assert markdown_inline_html(source) == expected


def stock() -> MarkdownIt:
    options = {"html": False, "linkify": True, "xhtmlOut": False}
    parser = MarkdownIt("commonmark", options).enable(["linkify", "strikethrough", "table"])
    assert parser.linkify is not None
    parser.linkify.set({"fuzzy_link": False, "fuzzy_email": False})
    parser.validateLink = is_web_link  # type: ignore[method-assign]
    return parser


@pytest.mark.parametrize("alphabet", ["*_~ ab.", "*_~`[]()<>\\ a.b:/\n-#|&;\"'", None])
def test_ascii_comes_out_as_markdown_it_makes_it(alphabet: str | None) -> None:
    # Images aside: for those the stock parser has no hook.
    letters = alphabet or "".join(map(chr, range(0x20, 0x7F))).replace("!", "") + "\n\t"
    generator, parser = random.Random(64), stock()
    for _ in range(20_000 // 3 + 1):
        source = "".join(generator.choices(letters, k=generator.randrange(1, 40)))
        assert markdown_html(source) == parser.render(source), source


WORDS = st.sampled_from(
    [
        "**",
        "*",
        "_",
        "~~",
        "`",
        "[",
        "](https://a.b/c)",
        "https://a.b/甲",
        "注意：",
        "“好”",
        "。",
        "\n",
        "한국",
        "word",
        " ",
        "（",
        "- ",
        "> ",
        "|",
        "<b>",
        "&amp;",
        "\\",
        "😀",
        "1. ",
        "# ",
        "\t",
    ]
)


@settings(deadline=None)
@given(st.lists(WORDS, max_size=25).map("".join))
def test_mixtures_give_well_formed_html_with_every_link(source: str) -> None:
    page = lxml_html.fromstring(f"<div>{markdown_html(source)}</div>")
    text = markdown_text(source)
    assert all(a.attrib["href"] in text for a in page.iter("a"))


@settings(deadline=None)
@given(st.text())
def test_any_text_can_be_rendered_when_images_are_allowed(source: str) -> None:
    def picture(src: str, alt: str, title: str) -> str:
        return "<img>"

    assert isinstance(markdown_html(source, image=picture), str)
    assert isinstance(markdown_text(source), str)


def test_blocks() -> None:
    assert markdown_html("# 标题\n\n- 甲\n- 乙\n") == (
        "<h1>标题</h1>\n<ul>\n<li>甲</li>\n<li>乙</li>\n</ul>\n"
    )
    assert "<table>" in markdown_html("| a | b |\n|---|---|\n| 1 | 2 |\n")
    assert markdown_html("") == ""


def test_raw_html_is_shown_as_written() -> None:
    assert markdown_inline_html("<script>x</script> & <b>y</b>") == (
        "&lt;script&gt;x&lt;/script&gt; &amp; &lt;b&gt;y&lt;/b&gt;"
    )
    assert markdown_html("<div>\nx\n</div>") == "<p>&lt;div&gt;\nx\n&lt;/div&gt;</p>\n"


@pytest.mark.parametrize(
    ("source", "href", "rest"),
    [
        ("https://example.com，谢谢", "https://example.com", "，谢谢"),
        ("https://example.com/路径。好", "https://example.com/%E8%B7%AF%E5%BE%84", "。好"),
        ("https://example.com/a（见下）", "https://example.com/a", "（见下）"),
        ("https://example.com/a、https", "https://example.com/a", "、https"),
        ("https://example.com/a?b=c&d=e；好", "https://example.com/a?b=c&amp;d=e", "；好"),
        ("https://example.com/a「b」", "https://example.com/a", "「b」"),
        ("https://example.com/a.", "https://example.com/a", "."),
        ("https://example.com/a_(b) c", "https://example.com/a_(b)", " c"),
        ("mailto:a@example.com，好", "mailto:a@example.com", "，好"),
    ],
)
def test_a_bare_link_ends_at_the_first_cjk_mark(source: str, href: str, rest: str) -> None:
    result = markdown_inline_html(source)
    assert result.startswith(f'<a href="{href}">')
    assert result.endswith(f"</a>{rest}")


def test_two_bare_links_parted_by_a_cjk_mark() -> None:
    page = lxml_html.fromstring(markdown_html("https://a.example/甲。https://b.example/乙，好"))
    assert [a.text for a in page.iter("a")] == ["https://a.example/甲", "https://b.example/乙"]


def test_a_bare_link_inside_emphasis() -> None:
    assert markdown_inline_html("**见 https://a.example/b**。") == (
        '<strong>见 <a href="https://a.example/b">https://a.example/b</a></strong>。'
    )


@pytest.mark.parametrize(
    "source", ["example.com", "www.example.com", "a@example.com", "//x.example"]
)
def test_what_only_looks_like_a_link_is_none(source: str) -> None:
    assert "<a" not in markdown_html(source)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "http://例子.example/路",
        "HTTPS://EXAMPLE.COM",
        "mailto:a@example.com",
        "https://[::1]:8080/",
        "mailto:a@example.com?subject=x",
    ],
)
def test_web_links(url: str) -> None:
    assert is_web_link(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "#top",
        "page.html",
        "/page",
        "//example.com",
        "javascript:alert(1)",
        "data:text/html,x",
        "JaVaScRiPt:x",
        "ftp://example.com",
        "https:",
        "https://",
        "mailto:",
        "file:///etc/passwd",
        "vbscript:x",
        "tel:123",
        "https:/example.com",
        "cid:a@b",
    ],
)
def test_other_addresses_are_no_web_links(url: str) -> None:
    assert not is_web_link(url)
    assert "href" not in markdown_inline_html(f"[x](<{url}>)")


def test_refused_links_are_named_as_written() -> None:
    source = "[甲](页.html) [乙](https://ok.example) <ftp://x.example> [丙](javascript:alert(1))"
    assert refused_links(source) == ["页.html", "ftp://x.example", "javascript:alert(1)"]
    assert refused_links("`[甲](页.html)` \\[乙](x)") == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("点[这里](https://a.example)看", '点 <a href="https://a.example">这里</a> 看'),
        ("点**[这里](https://a.example)**看", None),
        ("[甲](https://a.example)[乙](https://b.example)", None),
        ("点 [这里](https://a.example) 看", '点 <a href="https://a.example">这里</a> 看'),
        ("（[这里](https://a.example)）。", '（<a href="https://a.example">这里</a>）。'),
        ("see[this](https://a.example)now", 'see<a href="https://a.example">this</a>now'),
        ("[这里](https://a.example)", '<a href="https://a.example">这里</a>'),
    ],
)
def test_links_keep_a_distance_from_cjk_letters(source: str, expected: str | None) -> None:
    result = markdown_inline_html(source)
    if expected is not None:
        assert result == expected
    elif "**" in source:
        assert result == '点 <strong><a href="https://a.example">这里</a></strong> 看'
    else:
        assert "</a> <a" in result


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("第一行\n第二行", "第一行第二行"),
        ("第一行，\n第二行", "第一行，第二行"),
        ("**第一行**\n第二行", "<strong>第一行</strong>第二行"),
        ("日本\nです", "日本です"),
        ("한국\n어", "한국\n어"),
        ("Latin\n中文", "Latin\n中文"),
        ("中文\nLatin", "中文\nLatin"),
        ("中\n😀", "中\n😀"),
        ("中  \n文", "中<br>\n文"),
        ("[甲](https://a.example)\n乙", '<a href="https://a.example">甲</a>\n乙'),
    ],
)
def test_a_line_end_between_cjk_characters_is_no_space(source: str, expected: str) -> None:
    assert markdown_inline_html(source) == expected


def test_images_need_somebody_who_finds_them() -> None:
    for render in (markdown_html, markdown_inline_html):
        with pytest.raises(ValueError, match=r"an image cannot stand here: 图片/a\.png"):
            render("![图](图片/a.png)")


def test_images_are_made_by_the_hook() -> None:
    seen: list[tuple[str, str, str]] = []

    def picture(src: str, alt: str, title: str) -> str:
        seen.append((src, alt, title))
        return "<img>"

    source = '![一张**图**](图片/a%20b.png "题") ![](https://a.example/b.png)'
    assert markdown_html(source, image=picture) == "<p><img> <img></p>\n"
    assert seen == [("图片/a b.png", "一张图", "题"), ("https://a.example/b.png", "", "")]


def test_an_image_inside_a_link() -> None:
    source = "[![图](a.png)](https://a.example)"
    result = markdown_inline_html(source, image=lambda src, alt, title: f"<img src={src}>")
    assert result == '<a href="https://a.example"><img src=a.png></a>'


@pytest.mark.parametrize("src", ["javascript:x", "data:image/png;base64,x", "file:///etc/passwd"])
def test_images_from_nowhere_stay_text(src: str) -> None:
    assert markdown_inline_html(f"![x]({src})") == f"![x]({src})"


def test_an_image_does_not_let_other_links_through() -> None:
    result = markdown_inline_html("![a](b.png)[x](b.html)", image=lambda *_: "<img>")
    assert result == "<img>[x](b.html)"


@pytest.mark.parametrize("char", "你。，：（「》ａ１かカ한ｶ　")
def test_cjk_characters(char: str) -> None:
    assert is_cjk(char)


@pytest.mark.parametrize("char", "a.é“”—…·😀⌚€\u200b ")
def test_other_characters(char: str) -> None:
    assert not is_cjk(char)


def test_kinds_of_cjk_characters() -> None:
    assert [char for char in "你。한「ａ" if is_cjk_punctuation(char)] == ["。", "「"]
    assert [char for char in "你。한ㄱｶ" if is_hangul(char)] == ["한", "ㄱ"]


@pytest.mark.parametrize("source", ["*" * 5000 + "a", "[" * 5000, "https://" * 2000, "> " * 3000])
def test_nothing_explodes(source: str) -> None:
    assert markdown_html(source)
    assert markdown_text(source) is not None
