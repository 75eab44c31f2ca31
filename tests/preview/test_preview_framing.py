"""The preview's copy of a mail: what changes in it, and that nothing else does."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.preview.framing import (
    Client,
    Dark,
    opening_words,
    pictures_elsewhere,
    preview_copy,
)

MAIL = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8">
<!--[if mso]><style>p { color: red }</style><![endif]-->
<style>
@media (max-width:480px) { p { font-size: 14px } }
@media (prefers-color-scheme: dark) and (max-width:480px) { p { color: #eee } }
@media (prefers-color-scheme:light) { p { color: #111 } }
</style></head>
<body bgcolor="#ffffff"><p style="color:#222222">A &amp; B > C "quoted"</p>
<img src="cid:one@list" alt='the "one"' width=300><a href="https://x.example/?a=1&amp;b=2">link</a>
</body></html>"""


def nowhere(_url: str) -> str | None:
    return None


def here(url: str) -> str | None:
    return f"/here/{url[4:]}" if url.startswith("cid:") else None


def _copy(html: str, client: Client | None = None) -> str:
    return preview_copy(html, client=client or Client(), local=here)


def _without_prologue(html: str) -> str:
    return re.sub(r'<base target="_blank"><style>.*?</style>', "", html, count=1)


def test_nothing_but_images_schemes_and_prologue_changes() -> None:
    copy = _without_prologue(_copy(MAIL))
    expected = (
        MAIL.replace("cid:one@list", "/here/one@list")
        .replace("(prefers-color-scheme: dark)", "(max-width:0)")
        .replace("(prefers-color-scheme:light)", "(min-width:0)")
        .replace("width=300", "width=300")
    )
    assert copy == expected


@given(st.text(alphabet="<>!-/ab =\"'\n&;中", max_size=80))
def test_strangers_markup_neither_breaks_nor_changes(text: str) -> None:
    html = f"<html><head></head><body>{text}</body></html>"
    assert _without_prologue(preview_copy(html, client=Client(), local=nowhere)) == html


@given(st.text(max_size=200))
def test_any_text_is_kept_but_for_what_leads_out(text: str) -> None:
    copy = preview_copy(text, client=Client(), local=nowhere)
    assert "<base" in copy
    assert len(copy) <= len(text) + 200


def test_the_prologue_comes_first_in_the_head() -> None:
    copy = _copy(MAIL)
    assert copy.index("<base") < copy.index("<meta charset")
    assert copy.startswith("<!doctype html>")


def test_a_fragment_without_a_head_gets_it_at_the_front() -> None:
    assert _copy("<p>x</p>").startswith('<base target="_blank"><style>')


def test_the_reader_s_own_dark_setting_changes_nothing() -> None:
    assert "color-scheme:light!important" in _copy(MAIL)
    assert "prefers-color-scheme" not in _copy(MAIL)


def test_the_author_s_dark_styles_hold_when_asked() -> None:
    copy = _copy(MAIL, Client(dark=Dark.AUTHOR))
    assert "@media (min-width:0) and (max-width:480px)" in copy
    assert "@media (max-width:0) { p { color: #111 } }" in copy
    assert "color-scheme:dark!important" in copy


def test_a_client_without_styles_keeps_inline_ones_and_comments() -> None:
    copy = _copy(MAIL, Client(styles=False))
    assert "@media" not in copy
    assert 'style="color:#222222"' in copy
    assert "<!--[if mso]>" in copy


def test_image_urls_everywhere() -> None:
    html = (
        "<table background='cid:a'><tr><td style=\"background:url('cid:b') no-repeat\">"
        "<style>.x{background-image:url( cid:c )}</style>"
        '<img src=cid:d><img src="https://x.example/e.png">'
    )
    copy = _without_prologue(_copy(html))
    assert "background='/here/a'" in copy
    assert "url(/here/b) no-repeat" in copy
    assert "url(/here/c)" in copy
    assert '<img src="/here/d">' in copy
    assert 'src="https://x.example/e.png"' in copy


def test_urls_are_unescaped_before_they_are_looked_up_and_escaped_after() -> None:
    asked: list[str] = []

    def local(url: str) -> str | None:
        asked.append(url)
        return '/x?a=1&b="2"'

    copy = preview_copy('<img src="cid:a&amp;b">', client=Client(), local=local)
    assert asked == ["cid:a&b"]
    assert 'src="/x?a=1&amp;b=&quot;2&quot;"' in copy


@pytest.mark.parametrize(
    "tag",
    [
        '<link rel="stylesheet" href="https://x.example/a.css">',
        '<link rel=preconnect href="https://x.example">',
        '<base href="https://x.example/">',
        '<meta http-equiv="refresh" content="0; url=https://x.example">',
        "<META HTTP-EQUIV='Refresh' content='1'>",
        '<iframe src="https://x.example">',
        '<embed src="https://x.example">',
        '<object data="https://x.example">',
    ],
)
def test_what_opens_connections_is_left_out(tag: str) -> None:
    assert "x.example" not in _copy(f"<p>before</p>{tag}<p>after</p>")


def test_every_link_goes_to_a_window_that_the_sandbox_refuses() -> None:
    copy = _copy('<a href="https://x.example" target="_self">x</a>')
    assert "_self" not in copy
    assert '<base target="_blank">' in copy


def test_other_meta_stays() -> None:
    tag = '<meta http-equiv="content-type" content="text/html">'
    assert tag in _copy(tag)


def test_forced_dark_turns_styles_attributes_and_canvas() -> None:
    copy = _copy(MAIL, Client(dark=Dark.OUTLOOK))
    assert 'data-ogsb="#ffffff"' in copy
    assert 'data-ogsc="#222222"' in copy
    assert "html{background-color:#333333" in copy
    assert 'bgcolor="#333333"' in copy
    assert "data-ogs" not in _copy(MAIL, Client(dark=Dark.PARTIAL))
    assert "data-ogs" not in _copy(MAIL, Client(dark=Dark.FULL))


def test_pictures_elsewhere_once_each_in_their_order() -> None:
    html = (
        '<img src="https://x.example/b.png"><img src="cid:a"><img src="//x.example/c.png">'
        '<div style="background:url(http://x.example/a.png)"></div>'
        '<img src="https://x.example/b.png"><a href="https://x.example/page">x</a>'
    )
    assert pictures_elsewhere(html, local=here) == (
        "https://x.example/b.png",
        "//x.example/c.png",
        "http://x.example/a.png",
    )


def test_opening_words_are_preheader_then_text_without_filler() -> None:
    html = (
        "<html><head><title>T</title><style>p{}</style></head><body>"
        '<div style="display:none">Hidden&#8199;&#65279;&#847;&#8199;&#65279;&#847; words</div>'
        "<!-- not this --><h1>Title</h1><p>Tom &amp; Li</p></body></html>"
    )
    assert opening_words(html) == "Hidden words Title Tom & Li"
    assert opening_words(html, limit=6) == "Hidden"
    assert opening_words("") == ""
