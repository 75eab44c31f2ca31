"""CSS into style attributes, and word of what did not get there."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import TemplateError
from newsletter.rendering.inline import inline_css


def page(css: str, body: str = '<p class="x">x</p><p>y</p>', *, head: str = "") -> str:
    return (
        f"<!doctype html>\n<html><head><style>{css}</style>{head}</head><body>{body}</body></html>"
    )


def inlined(css: str, body: str = '<p class="x">x</p><p>y</p>') -> str:
    html, problems = inline_css(page(css, body))
    assert not problems
    return html


def lost(css: str, body: str = '<p class="x">x</p><p>y</p>') -> list[str]:
    return [str(problem).splitlines()[0] for problem in inline_css(page(css, body))[1]]


def test_rules_become_style_attributes_by_the_cascade():
    html = inlined(
        "p { color: red; margin: 0 } .x { color: blue } p.x { line-height: 1.7 }",
        '<p class="x" style="margin:1px">x</p>',
    )
    assert '<p class="x" style="color:blue; margin:1px; line-height:1.7">x</p>' in html


def test_the_block_is_gone_and_classes_stay():
    html = inlined("p { color: red }")
    assert "<style" not in html
    assert 'class="x"' in html


@pytest.mark.parametrize(
    "doctype", ["<!doctype html>", "<!DOCTYPE html>", '<!DOCTYPE html SYSTEM "a">']
)
def test_the_doctype_is_put_back(doctype):
    html, _ = inline_css(page("p{top:0}").replace("<!doctype html>", doctype))
    assert html.startswith(f"{doctype}\n<html>")
    assert html.lower().count("<!doctype") == 1


def test_a_document_without_doctype_gets_one():
    assert inline_css("<html><body>x</body></html>")[0].startswith("<!doctype html>\n<html>")


KEPT = """
/* 深色 */
@media (prefers-color-scheme:dark){ .x , .y>b { color : #FFF !important } }
@font-face { font-family: "\u00a0x"; src: url(https://x.example/a.woff) }
[data-ogsc] .x{color:#fff}
a:hover{text-decoration:underline!important}
"""


def test_an_ignored_block_comes_out_letter_for_letter():
    html, problems = inline_css(
        page("p{top:0}", head=f'<style data-premailer="ignore">{KEPT}</style>')
    )
    assert f"<style>{KEPT}</style>" in html
    assert not problems


def test_a_block_for_print_comes_out_letter_for_letter():
    html, _ = inline_css(page("p{top:0}", head=f'<style media="print">{KEPT}</style>'))
    assert f'<style media="print">{KEPT}</style>' in html


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet="{}@:;,.# aAé\u00a0中\u200b\n/*\"'()!<>&", max_size=60))
def test_any_ignored_block_comes_out_letter_for_letter(css):
    css = css.replace("</", "").replace("<!", "").replace("@", "")
    html, _ = inline_css(page("p{top:0}", head=f'<style data-premailer="ignore">{css}</style>'))
    assert f"<style>{css}</style>" in html


def test_important_survives():
    assert 'style="color:red !important"' in inlined("p { color: red !important }")


def test_hover_stays_in_a_block():
    html = inlined("a { color: red } a:hover { color: blue }", '<a href="#">x</a>')
    assert "<style>a:hover {color:blue !important}</style>" in html
    assert '<a href="#" style="color:red">' in html


def test_media_queries_stay_in_a_block():
    assert "@media (max-width: 600px)" in inlined("@media (max-width: 600px) { p { color: red } }")


def test_outlooks_comments_survive():
    body = (
        '<!--[if mso]><table role="presentation" width="600"><tr><td><![endif]-->'
        '<!--[if !mso]><!--><p class="x">x</p><!--<![endif]-->'
        '<!--[if mso]></td></tr></table><v:rect xmlns:v="urn:x" fill="t\u00a0"><![endif]-->'
    )
    html = inlined("td { color: red } p { color: red }", body)
    for comment in (
        "<!--[if mso]><table role",
        "<!--[if !mso]><!-->",
        "<!--<![endif]-->",
        'fill="t\u00a0"',
    ):
        assert comment in html
    assert "<td style" not in html


def test_odd_spaces_are_written_as_references():
    html = inlined(
        "p{top:0}", "<p title='a\u00a0b'>a&nbsp;b&#8199;&#65279;&#847;\u200b\u2003中</p>"
    )
    assert 'title="a&nbsp;b"' in html
    assert "a&nbsp;b&#8199;&#65279;&#847;&#8203;&#8195;中" in html
    assert "\u00a0" not in html


def test_links_are_not_rewritten():
    html = inlined(
        "a{top:0}", '<a href="#x">x</a><a href="cid:a@b">x</a><a href="/?a=1&amp;b=%E4">x</a>'
    )
    for href in ("#x", "cid:a@b", "/?a=1&amp;b=%E4"):
        assert f'href="{href}"' in html


def test_only_widths_that_mail_programs_know_become_attributes():
    cell = "<table><tr><td>x</td></tr></table>"
    for value, attribute in {
        "120px": 'width="120"',
        "50%": 'width="50%"',
        "calc(100% - 2px)": "",
        "10em": "",
        "auto": "",
        "min(10px, 5%)": "",
    }.items():
        html = inlined(f"td {{ width: {value} }}", cell)
        assert f'style="width:{value}" {attribute}'.strip() + ">" in html
        assert (" width=" in html) is bool(attribute)


def test_other_copied_attributes_are_clean():
    css = "td { height: 44px; text-align: start; vertical-align: sub; background-color: rgba(0,0,0,.5) }"
    html = inlined(css, "<table><tr><td>x</td></tr></table>")
    for name in ("height", "align", "valign", "bgcolor"):
        assert f" {name}=" not in html
    css = "td { text-align: center; vertical-align: top; background-color: #abc }"
    html = inlined(css, "<table><tr><td>x</td></tr></table>")
    assert 'align="center" valign="top" bgcolor="#aabbcc"' in html


def test_the_authors_own_attributes_stay():
    html = inlined(
        "img { width: 100%; height: auto }", '<img width="320" height="200" src="a" alt="">'
    )
    assert '<img width="320" height="200" src="a" alt="" style="width:100%; height:auto">' in html


LOST = {
    "@font-face { font-family: x }": "1:1: @font-face is not inlined, and left out",
    "p { top: 0 }\n  @supports (display: grid) { p { top: 1px } }": "2:3: @supports is not inlined, and left out",
    "@layer a { p { top: 0 } }": "1:1: @layer is not inlined, and left out",
    "@container (width > 1px) { p { top: 0 } }": "1:1: @container is not inlined, and left out",
    "\n:is(p, b) { top: 0 }": "2:1: `:is(p, b)` could not be inlined, and is left out",
    "b,\np:not(.x, .y) { top: 0 }": "1:1: `p:not(.x, .y)` could not be inlined, and is left out",
    "p:nth-child(even) { top: 0 }": "1:1: `p:nth-child(even)` could not be inlined, and stays in a style block",
    "p:not(.x) { top: 0 }": "1:1: `p:not(.x)` could not be inlined, and stays in a style block",
    "* { top: 0 }": "1:1: `*` could not be inlined, and is left out",
    "P { top: 0 }": "1:1: `P` could not be inlined, and is left out",
    "p[class='x:y'], p { top: 0 }": None,
    "p { color: rgb(0 0 0 / 50%) }": "1:5: `p { color: rgb(0 0 0 / 50%) }` could not be inlined, and is left out",
    "p {\n  top: 0;\n  filter: progid:X.Y(a=1) }": "3:3: `p { filter: progid:X.Y(a=1) }` could not be inlined",
    "p { color: unset }": "1:5: `p { color: unset }` could not be inlined",
    "p { display: block; display: flex }": (
        "1:5: `p { display: block }` gives way to `display: flex` in the same rule, and is left out"
    ),
    "p { top: 0; &:hover { top: 1px } }": "1:13: `p`: a rule inside a rule is left out",
    "p { *zoom: 1; top: 0 }": "1:13: `p`: a declaration cannot be read, and is left out",
    "p { top: 0 } }": "1:14: the style sheet cannot be read",
    "p::before { content: 'a;b' }": '1:13: `p::before { content: "a;b" }` is cut at its semicolon',
}


@pytest.mark.parametrize(("css", "message"), LOST.items())
def test_what_gets_lost_is_told(css, message):
    found = lost(css)
    if message is None:
        assert found == []
    else:
        (problem,) = found
        assert problem.startswith(f"<style>:{message}")


NOT_LOST = [
    "",
    "/* nothing */",
    "b { color: red }",
    "b:is(i) { color: rgb(0 0 0 / 50%) }",
    "p { color: red } p { color: blue }",
    ".x { color: red } p { color: blue }",
    "p { color: red; color: red }",
    "p { color: red; COLOR: RED }",
    "p { mso-line-height-rule: exactly; -webkit-text-size-adjust: 100% }",
    "p { font-family: 'PingFang SC', \"Microsoft YaHei\", sans-serif }",
    "p { background: #fff url('https://x.example/a.png') no-repeat }",
    "p + p { color: red } p > b { color: red } p:first-child { color: red }",
    "a:hover, a:visited { color: red } p::selection { color: red }",
    "@charset 'utf-8'; p { color: red }",
    "p { width: calc(100% - 2px); height: clamp(1px, 2vw, 3px); color: var(--x); --x: 1 }",
    "<!-- p { color: red } -->",
    "p {} .x { }",
    "p { color: red;; }",
]


@pytest.mark.parametrize("css", NOT_LOST)
def test_what_is_not_lost_is_not_told(css):
    assert lost(css) == []


def test_an_overridden_declaration_is_not_lost():
    assert lost("p { color: red } #a { color: blue }", '<p id="a" style="color:green">x</p>') == []


def test_a_lost_declaration_of_a_style_attribute_is_told():
    found = lost("p { top: 0 }", '<p style="color: rgb(0 0 0 / 50%); left: 0">x</p>')
    assert found == [
        '<p style="color: rgb(0 0 0 / 50%)">: the declaration is left out (write it in older CSS)'
    ]


def test_problems_come_in_the_order_of_the_source():
    css = "p { color: unset }\n@layer a {}\n:is(p) { top: 0 }\np { left: unset }"
    assert [line.split(":")[1] for line in lost(css)] == ["1", "2", "3", "4"]


def test_problems_show_the_line_and_not_too_much_of_it():
    (problem,) = inline_css(page("p { top: 0 }\n:is(p) { top: 0 }" + " " * 500 + "/* x */"))[1]
    assert problem.snippet == "    2 | :is(p) { top: 0 }" + " " * 103


REFUSED = {
    "p { top: 0 }\n@import url(https://x.example/a.css);": "<style>:2:1: @import cannot be used in a mail",
    "@import 'a.css';": "<style>:1:1: @import cannot be used in a mail",
    "@media print {\n p { top: 0 }\n @media (x) { p { top: 1px } } }": (
        "<style>:3:2: @media inside @media cannot be inlined"
    ),
    "@media print { @supports (x) { p { top: 1px } } }": (
        "<style>:1:16: @supports inside @media cannot be inlined"
    ),
}


@pytest.mark.parametrize(("css", "message"), REFUSED.items())
def test_what_premailer_cannot_stand_is_refused(css, message):
    with pytest.raises(TemplateError) as caught:
        inline_css(page(css))
    assert str(caught.value).startswith(message)


def test_import_is_refused_in_a_kept_block_too():
    with pytest.raises(TemplateError, match="@import cannot be used"):
        inline_css(page("", head='<style data-premailer="ignore">@import "a.css";</style>'))


def test_nesting_in_a_kept_block_is_a_problem():
    kept = "<style data-premailer='ignore'>@media (x) {\n@supports (y) { p { top: 0 } } }</style>"
    html, (problem,) = inline_css(page("", head=kept))
    assert str(problem).startswith("<style>:2:1: @supports inside @media: some mail programs")
    assert "@supports (y)" in html


def test_all_refusals_are_told_at_once():
    with pytest.raises(TemplateError) as caught:
        inline_css(page("@import 'a';\n@import 'b';"))
    assert len(caught.value.problems) == 2


def test_a_misspelt_wish_is_refused():
    with pytest.raises(TemplateError, match='<style data-premailer="ingore"> means nothing'):
        inline_css(page("", head='<style data-premailer="ingore">p{top:0}</style>'))


def test_a_linked_sheet_is_a_problem():
    _, (problem,) = inline_css(
        page("", head='<link rel="stylesheet" href="https://x.example/a.css">')
    )
    assert problem.message.startswith("the style sheet https://x.example/a.css is only linked")


@pytest.mark.parametrize("html", ["", "  \n", "<!-- x -->", "<frameset></frameset>"])
def test_no_document_is_refused(html):
    with pytest.raises(TemplateError, match="does not make an HTML document"):
        inline_css(html)


def test_nothing_is_fetched(monkeypatch):
    def refuse(*args: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    head = '<link rel="stylesheet" href="https://x.example/a.css"><base href="https://x.example/">'
    inline_css(page("p { background: url(https://x.example/a.png) }", head=head))


def test_nothing_is_said_on_stderr():
    program = (
        "from newsletter.rendering.inline import inline_css\n"
        "css = ':is(p){top:0} p{colour:reed; top:; color:rgb(0 0 0 / 50%)} @font-face{} p{*z:1}'\n"
        "print(len(inline_css('<html><head><style>'+css+'</style></head><body><p>x</p></body></html>')[1]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert (run.stdout, run.stderr) == ("5\n", "")


def test_style_sheets_are_found_in_the_block():
    sheets = {
        "templates/styles/a.css": "p { top: 0 }\n",
        "templates/styles/b.css": "b {}\np { left: unset }",
    }
    css = "\n/* a */\n" + sheets["templates/styles/a.css"] + "\n" + sheets["templates/styles/b.css"]
    _, (problem,) = inline_css(page(css + "\n"), sheets=sheets)
    assert str(problem.place) == "templates/styles/b.css:2:5"
    assert problem.snippet == "    2 | p { left: unset }"


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.sampled_from(
            [
                "p",
                ".x",
                "#a",
                "p.x",
                "div p",
                "p > b",
                "b",
                "p, b",
                "[title]",
                "p:first-child",
                "a:hover",
            ]
        ),
        max_size=5,
    ),
    st.lists(st.sampled_from(["color: red", "top: 0", "width: 5px", "margin: 0 auto"]), max_size=3),
)
def test_plain_css_is_never_called_lost(selectors, declarations):
    css = "\n".join(f"{selector} {{ {'; '.join(declarations)} }}" for selector in selectors)
    body = '<div><p id="a" class="x" title="t">x <b>y</b></p><p>z</p></div>'
    fallback_pairs = [problem for problem in lost(css, body) if "gives way" not in problem]
    assert fallback_pairs == []


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet="pbx.#:[]=()>+~*,{};@ \n'\"/-!0%", max_size=40))
def test_any_css_is_inlined_or_refused(css):
    """A stranger's style sheet never ends in a traceback."""
    with contextlib.suppress(TemplateError):
        html, _ = inline_css(page(css.replace("</", "")))
        assert html.endswith("</html>\n")
