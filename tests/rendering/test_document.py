"""HTML in, tree, HTML out: nothing is lost that a mail program looks at."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.rendering import document
from newsletter.rendering.mistake import Mistake


def again(html: str) -> str:
    return document.serialise(document.parse(html), doctype=document.doctype(html))


WHOLE = """<!doctype html>
<html lang="zh-CN" dir="ltr" xmlns:v="urn:schemas-microsoft-com:vml">
<head>
<meta charset="utf-8">
<title>标题 &amp; more</title>
<!--[if mso]><xml><o:PixelsPerInch>96</o:PixelsPerInch></xml><![endif]-->
<style>.a > .b { color: red } /* <b> */</style>
</head>
<body class="body">
<!--[if !mso]><!--><p title="&lt;x&gt; &quot;y&quot;">中文<br>é 🙂 &lt;b&gt; &amp;amp;</p><!--<![endif]-->
<table role="presentation" width="100%" cellpadding="0"><tr><td bgcolor="#ffffff">x</td></tr></table>
<a href="https://x.example/?a=1&amp;b=2#c">x</a><img src="cid:a@b" alt="" width="10">
</body>
</html>
"""


class _Events(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.events: list[object] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.events.append((tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        self.events.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        self.events.append(data)

    def handle_comment(self, data: str) -> None:
        self.events.append(("!", data))


def _events(html: str) -> list[object]:
    reader = _Events()
    reader.feed(html)
    return reader.events


def test_another_parser_sees_the_same_before_and_after():
    assert _events(again(WHOLE)) == _events(WHOLE)


def test_twice_is_the_same_as_once():
    assert again(again(WHOLE)) == again(WHOLE)


def test_a_charset_in_the_head_does_not_garble():
    assert "中文" in again('<html><head><meta charset="gbk"></head><body>中文</body></html>')


def test_comments_and_styles_are_letter_for_letter():
    inside = " \u00a0 &nbsp; -- <p> \u200b 中 keep0x0z \n"
    html = again(
        f"<html><head><style>{inside}</style></head><body><!--{inside}-->a\u00a0b</body></html>"
    )
    assert f"<style>{inside}</style>" in html
    assert f"<!--{inside}-->" in html
    assert "a&nbsp;b" in html


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet="keep0123xz-<>& \u00a0中", max_size=30))
def test_no_text_is_mistaken_for_a_place(text):
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    html = again(f"<html><head><style>a</style></head><body><!--c--><p>{escaped}</p></body></html>")
    assert f"<p>{escaped}</p>".replace("\u00a0", "&nbsp;") in html
    assert "<style>a</style>" in html
    assert "<!--c-->" in html


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=60))
def test_text_is_read_back_as_it_was(text):
    text = document.printable(text).replace("\r", "")
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    out = again(f"<html><body><p>x{escaped}x</p></body></html>")
    data = [event for event in _events(out) if isinstance(event, str) and event[:2] != "/p"]
    assert f"x{text}x" in "".join(data)


@pytest.mark.parametrize("html", ["", " ", "\0", "<!-- x -->", "<frameset></frameset>"])
def test_no_document(html):
    with pytest.raises(Mistake, match="does not make an HTML document"):
        document.parse(html)


def test_a_piece_of_html_becomes_a_document():
    assert again("<p>x</p>") == "<!doctype html>\n<html><body><p>x</p></body></html>\n"


def test_what_cannot_be_in_a_document_is_dropped():
    assert "<p>ab</p>" in again("<html><body><p>a\0\x0b\x1b\ufffeb</p></body></html>")
    assert document.printable("a\ud800b\tc\nd") == "ab\tc\nd"
