"""What a mail uses, in words."""

from __future__ import annotations

import pytest
from compat_samples import atoms_of, the_use, uses_of
from hypothesis import given
from hypothesis import strategies as st

from newsletter.checks.compatibility.blocks import uses_of_block
from newsletter.checks.compatibility.declarations import declared_in
from newsletter.checks.compatibility.selectors import selectors_of
from newsletter.checks.compatibility.uses import Where

CSS = st.text(alphabet="abp.:#[]{}()@!>+~*,;=\"'/\\-_0123456789%é 元\n", max_size=80)


def inline(style: str) -> set[str]:
    return {atom for each in declared_in(style) for atom in each.atoms}


def selector(text: str) -> set[str]:
    import tinycss2

    (rule,) = tinycss2.parse_stylesheet(f"{text} {{}}")
    return {atom for each in selectors_of(rule.prelude) for atom in each.atoms}


@pytest.mark.parametrize(
    ("style", "atoms"),
    [
        ("DISPLAY: Flex", {"property:display", "value:display=flex", "ident:flex"}),
        ("width: calc(100% - 2REM)", {"property:width", "function:calc", "unit:%", "unit:rem"}),
        ("margin: 0 0 12px", {"property:margin", "unit:px", "list:several"}),
        ("margin: 0", {"property:margin", "number:zero"}),
        ("margin: 0 auto", {"property:margin", "list:several", "ident:auto", "value:margin=auto"}),
        ("text-indent: -8px", {"property:text-indent", "unit:px", "number:negative"}),
        ("--brand: #fff", {"custom-property"}),
        (
            "color: var(--brand)",
            {"property:color", "function:var", "ident:--brand", "value:color=--brand"},
        ),
        (
            "color: rgb(0, 0, 0)",
            {"property:color", "function:rgb", "number:zero"} - {"number:zero"},
        ),
        (
            "color: rgb(1 2 3 / 50%)",
            {"property:color", "function:rgb", "unit:%", "colour:without-commas", "colour:alpha"},
        ),
        (
            "color: hsla(1, 2%, 3%, .5)",
            {"property:color", "function:hsla", "unit:%", "colour:alpha"},
        ),
        ("background: url(a.png)", {"property:background", "value:url"}),
        (
            "background: url('a.png'), red",
            {
                "property:background",
                "value:url",
                "function:url",
                "list:comma",
                "list:several",
                "ident:red",
                "value:background=red",
            },
        ),
        (
            "border-radius: 1px / 2px",
            {"property:border-radius", "unit:px", "list:slash", "list:several"},
        ),
        ("mso-hide: all", set()),
        ("-webkit-user-select: none", set()),
        ("*zoom: 1", set()),
        ("nonsense", set()),
    ],
)
def test_declarations(style: str, atoms: set[str]) -> None:
    assert inline(style) == atoms


def test_important_and_its_spellings() -> None:
    assert "important" in inline("color: red !important")
    assert not inline("color: red !important") & {"important:tight", "important:capitals"}
    assert "important:tight" in inline("color: red!important")
    assert "important:capitals" in inline("color: red !Important")


@pytest.mark.parametrize(
    ("text", "atoms"),
    [
        ("p", {"selector:type"}),
        (".a", {"selector:class"}),
        ("#a", {"selector:id"}),
        ("*", {"selector:universal"}),
        ("p, .a", {"selector:type", "selector:class", "selector:grouping"}),
        ("p .a", {"selector:type", "selector:class", "combinator: "}),
        ("p > a", {"selector:type", "combinator:>"}),
        ("p+a", {"selector:type", "combinator:+"}),
        ("p ~a", {"selector:type", "combinator:~"}),
        (".a.b", {"selector:class", "selector:chaining"}),
        ("td.a", {"selector:type", "selector:class"}),
        ("a:hover", {"selector:type", "pseudo:hover"}),
        (".a:hover", {"selector:class", "pseudo:hover", "pseudo-on:class"}),
        ("p::before", {"selector:type", "pseudo-element:before"}),
        ("p:BEFORE", {"selector:type", "pseudo-element:before"}),
        ("li:nth-child(2n+1)", {"selector:type", "pseudo:nth-child"}),
        ("[a]", {"selector:attribute", "attribute-name:a", "attribute-operator:none"}),
        ("[a^='x']", {"selector:attribute", "attribute-name:a", "attribute-operator:^="}),
        (
            ".b[a=x]",
            {
                "selector:class",
                "selector:attribute",
                "attribute-name:a",
                "attribute-operator:=",
                "attribute-on:class",
            },
        ),
        ("p /* c */ a", {"selector:type", "combinator: "}),
    ],
)
def test_selectors(text: str, atoms: set[str]) -> None:
    assert selector(text) == atoms


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("[data-ogsc] .a", "outlook"),
        (".ExternalClass p", "outlook"),
        ("a[x-apple-data-detectors]", "apple-mail"),
        ("u + .body .a", "gmail"),
        (".yshortcuts a", "yahoo"),
        ("#MessageViewBody a", "samsung-email"),
        (".qmbox p", "qq"),
    ],
)
def test_selectors_for_one_mail_program(text: str, family: str) -> None:
    use = the_use(f"<style>{text} {{ color: red }}</style>", "property:color")
    assert {client[0] for client in use.only} == {family}
    assert use.extra
    assert ("outlook", "windows") not in use.only


def test_a_rule_for_one_and_for_all_is_for_all() -> None:
    use = the_use("<style>[data-ogsc] p, p { color: red }</style>", "property:color")
    assert not use.only
    assert not use.extra


def test_what_a_declaration_stands_under() -> None:
    html = "<style>@media screen and (max-width: 9px) { a:hover { color: red } }</style>"
    assert the_use(html, "property:color").within == {
        "at:media",
        "media-type:screen",
        "media:max-width",
        "pseudo:hover",
    }


def test_a_condition_that_only_one_selector_has_is_none() -> None:
    assert the_use("<style>a, a:hover { color: red }</style>", "property:color").within == set()


def test_media_queries() -> None:
    assert {"media:width", "media-range"} <= atoms_of("<style>@media (width <= 9px) {}</style>")
    assert {"media:hover", "media:min-width"} <= atoms_of(
        "<style>@media not all and ((hover) or (min-width: 9px)) {}</style>"
    )
    assert "nested" in atoms_of("<style>@media screen { @supports (color: red) { } }</style>")


def test_what_font_face_and_keyframes_hold_is_no_style_of_the_mail() -> None:
    html = "<style>@font-face { src: url(a) } @keyframes k { to { opacity: 0 } }</style>"
    assert {atom for atom in atoms_of(html) if not atom.startswith(("at:", "element:"))} == set()
    assert {"at:font-face", "at:keyframes"} <= atoms_of(html)


def test_lines_and_columns_in_a_block() -> None:
    uses = uses_of("<style>p { color: red }\n\n@media screen {\n  p { opacity: 1 }\n}</style>")
    at = {
        use.shown: (o.block, o.line, o.column)
        for use, [o, *_] in uses.items()
        if o.block is not None
    }
    assert at["color: red"] == (0, 1, 5)
    assert at["opacity: 1"] == (0, 4, 7)
    assert at["@media screen"] == (0, 3, 1)


def test_the_same_use_in_many_places_is_one_with_many_origins() -> None:
    uses = uses_of(
        '<p style="color: red">a</p><p style="color:  red">b</p><b style="color: red">c</b>'
    )
    counts = {(use.tag, use.shown): len(o) for use, o in uses.items() if use.where is Where.INLINE}
    assert counts == {("p", "color: red"): 2, ("b", "color: red"): 1}


@pytest.mark.parametrize(
    ("html", "atoms"),
    [
        ('<img src="a.PNG?x=1.gif">', {"image:png"}),
        ('<img src="a.jpeg">', {"image:jpg"}),
        ('<img src="data:image/svg+xml;utf8,<svg/>">', {"image:svg", "image:base64"}),
        ('<img src="cid:a@b">', {"image:png"}),
        ('<img src="cid:unknown">', set()),
        ('<img src="https://example.org/picture">', set()),
        ('<a href="#top">x</a>', {"link:#"}),
        ('<a href="mailto:a@b.c?bcc=x">x</a>', {"link:mailto", "link:mailto-bcc"}),
        ('<input type="CHECKBOX">', {"type:input=checkbox"}),
        ("<input>", {"type:input=text"}),
        ("<button>x</button>", {"type:button=submit"}),
        ('<meta name="color-scheme">', {"meta:color-scheme"}),
        ('<td align="left">', {"attribute:align", "value:align=left"}),
    ],
)
def test_markup(html: str, atoms: set[str]) -> None:
    found = {atom for use in uses_of(html, **{"a@b": "image/png"}) for atom in use.atoms}
    kinds = ("image", "link", "type", "meta", "attribute:align", "value:align")
    assert {atom for atom in found if atom.startswith(kinds)} == atoms


def test_an_empty_style_and_a_plain_body_are_nothing() -> None:
    assert not atoms_of("<body><style> </style></body>") & {"element:style", "element:body"}


def test_conditional_comments_are_comments() -> None:
    html = "<p><!--[if mso]><table width=9><![endif]--></p>"
    assert "element:table" not in atoms_of(html)
    assert "comment:html" in atoms_of(html)


@given(css=CSS)
def test_any_text_can_be_a_style_block(css: str) -> None:
    for use, origin in uses_of_block(css, 0):
        assert use.shown
        assert origin.line >= 1


@given(css=CSS)
def test_any_text_can_be_a_style_attribute(css: str) -> None:
    for each in declared_in(css):
        assert each.shown
