"""The cascade as far as the checks need it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lxml import etree

from newsletter.checks.rules import rules_of, specificity
from newsletter.checks.styles import Styles, length

DARK = "@media (prefers-color-scheme: dark) {{ {} }}"
Looks = Callable[..., tuple[Styles, etree._Element]]


@pytest.fixture
def looks() -> Looks:
    """`looks(html, css, dark=…)`: the styles of a document, and the element with id `it`."""

    def make(
        html: str, css: str = "", *, dark: bool = False, **files: str
    ) -> tuple[Styles, etree._Element]:
        tree = etree.fromstring(f"<html><body>{html}</body></html>", etree.HTMLParser())
        node = next(
            one for one in tree.iter() if isinstance(one.tag, str) and one.get("id") == "it"
        )
        named = {f"{name}.css": text for name, text in files.items()}
        return Styles(tree, blocks=[css] if css else [], files=named, dark=dark), node

    return make


@pytest.mark.parametrize(
    ("html", "css", "colour"),
    [
        ('<p id="it">x</p>', "", "#000000"),
        ('<p id="it" style="color:#111">x</p>', "", "#111111"),
        ('<div style="color:#111"><p id="it">x</p></div>', "", "#111111"),
        ('<div style="color:#111"><p id="it" style="color:inherit">x</p></div>', "", "#111111"),
        ('<p id="it" class="a" style="color:#111">x</p>', ".a { color: #222 }", "#111111"),
        (
            '<p id="it" class="a" style="color:#111">x</p>',
            ".a { color: #222 !important }",
            "#222222",
        ),
        ('<p id="it" class="a b">x</p>', "p.a { color: #222 } .b { color: #333 }", "#222222"),
        ('<p id="it" class="a">x</p>', ".a { color: #222 } .a { color: #333 }", "#333333"),
        ('<a id="it" href="x">x</a>', "", "#0000ee"),
        ('<p style="color:#111"><a id="it" href="x">x</a></p>', "", "#0000ee"),
        ('<a href="x" style="color:#111"><b id="it">x</b></a>', "", "#111111"),
        ('<p><font id="it" color="#333333">x</font></p>', "", "#333333"),
        ('<p id="it" class="a">x</p>', "@media print { .a { color: #222 } }", "#000000"),
        ('<p id="it" class="a">x</p>', ".a::before { color: #222 } p { color: #333 }", "#333333"),
    ],
)
def test_the_colour_of_words(looks: Looks, html: str, css: str, colour: str) -> None:
    styles, node = looks(html, css)
    assert str(styles.colour(node)[0]) == colour


@pytest.mark.parametrize(
    ("html", "colour"),
    [
        ('<p id="it">x</p>', "#ffffff"),
        ('<td bgcolor="#eef3f1"><p id="it">x</p></td>', "#eef3f1"),
        ('<div style="background:#111 url(x.png) no-repeat"><p id="it">x</p></div>', "#111111"),
        (
            '<div style="background-color:#000"><p id="it" style="background-color:transparent">x</p></div>',
            "#000000",
        ),
        (
            '<div style="background-color:#fff"><p id="it" style="background:rgba(0,0,0,.5)">x</p></div>',
            "#808080",
        ),
        (
            '<div style="background-color:#000"><p id="it" style="background:none">x</p></div>',
            "#000000",
        ),
    ],
)
def test_the_ground_behind_words(looks: Looks, html: str, colour: str) -> None:
    styles, node = looks(html)
    assert str(styles.ground(node)[0]) == colour


def test_the_dark_has_rules_of_its_own(looks: Looks) -> None:
    html = '<p id="it" class="a" style="color:#111">x</p>'
    css = DARK.format(".a { color: #eee !important } .a { background-color: #111 }")
    light, node = looks(html, css)
    assert str(light.colour(node)[0]) == "#111111"
    assert light.has_dark
    dark, node = looks(html, css, dark=True)
    assert str(dark.colour(node)[0]) == "#eeeeee"
    assert str(dark.ground(node)[0]) == "#111111"


def test_a_document_without_such_rules_has_no_dark(looks: Looks) -> None:
    css = "@media (prefers-color-scheme: light) { p { color: red } } @media print { p { color: red } }"
    assert not looks('<p id="it">x</p>', css)[0].has_dark


@pytest.mark.parametrize(
    ("html", "size"),
    [
        ('<p id="it">x</p>', 16),
        ('<p id="it" style="font-size:14px">x</p>', 14),
        ('<div style="font-size:20px"><p id="it" style="font-size:0.5em">x</p></div>', 10),
        ('<div style="font-size:20px"><p id="it" style="font-size:50%">x</p></div>', 10),
        ('<p id="it" style="font-size:12pt">x</p>', 16),
        ('<p id="it" style="font:bold 14px/20px serif">x</p>', 14),
        ('<p id="it" style="font-size:small">x</p>', 13),
        ('<h1 id="it">x</h1>', 32),
    ],
)
def test_the_size_of_letters(looks: Looks, html: str, size: float) -> None:
    styles, node = looks(html)
    assert styles.font_size(node) == pytest.approx(size)


@pytest.mark.parametrize(
    ("style", "height"),
    [
        ("", 22.4),
        ("line-height:1.7", 27.2),
        ("line-height:28px", 28),
        ("line-height:150%", 24),
        ("line-height:normal", 22.4),
    ],
)
def test_the_height_of_lines(looks: Looks, style: str, height: float) -> None:
    styles, node = looks(f'<p id="it" style="{style}">x</p>')
    assert styles.line_height(node) == pytest.approx(height)


@pytest.mark.parametrize(
    ("style", "sides"),
    [
        ("padding:12px", (12, 12)),
        ("padding:12px 4px", (12, 12)),
        ("padding:1px 2px 3px 4px", (1, 3)),
        ("padding:1px; padding-top:9px", (9, 1)),
        ("", (0, 0)),
    ],
)
def test_padding(looks: Looks, style: str, sides: tuple[float, float]) -> None:
    styles, node = looks(f'<p id="it" style="{style}">x</p>')
    assert styles.padding(node) == sides


@pytest.mark.parametrize(
    "style", ["display:none", "visibility:hidden", "mso-hide:all", "opacity:0", "max-height:0"]
)
def test_what_is_hidden(looks: Looks, style: str) -> None:
    styles, node = looks(f'<div style="{style}"><p id="it">x</p></div>')
    assert styles.hidden(node)
    styles, node = looks('<div><p id="it">x</p></div>')
    assert not styles.hidden(node)


def test_the_line_of_a_style_sheet_that_gave_a_value(looks: Looks) -> None:
    sheet = "p { color: #111 }\n.a { font-size: 14px;\n  color: #999999 }\ntd { color: #999 }\n"
    styles, node = looks('<p id="it" class="a" style="color:#999">x</p>', sheet=sheet)
    place = styles.place(styles.colour(node)[1], "color")
    assert place is not None
    assert (place.path, place.line, place.column) == ("sheet.css", 3, 3)


def test_a_value_that_no_sheet_gave_has_no_line(looks: Looks) -> None:
    styles, node = looks('<p id="it" style="color:#999">x</p>', sheet="p { color: #111 }")
    assert styles.place(styles.colour(node)[1], "color") is None
    assert styles.place(None, "color") is None


def test_rules_in_media_and_out() -> None:
    css = "p, .a { color: red } @media screen { p { color: blue } } " + DARK.format(
        "p { color: #eee }"
    )
    assert [(rule.selector, rule.dark) for rule in rules_of(css)] == [
        ("p", False),
        (".a", False),
        ("p", True),
    ]


def test_broken_style_sheets_are_read_as_far_as_they_go() -> None:
    assert [rule.selector for rule in rules_of("p { color: red } } .b { color: blue ")] != []
    assert rules_of("@media (prefers-color-scheme: dark);") == []


def test_specificity() -> None:
    assert specificity("#a") > specificity(".a.b") > specificity("p.a") > specificity("p")
    assert specificity("p::???") == (0, 0, 0)


@pytest.mark.parametrize(
    ("text", "pixels"),
    [
        ("12px", 12),
        ("1em", 20),
        ("50%", 10),
        ("12pt", 16),
        ("7", 7),
        ("medium", 16),
        ("auto", None),
        (".5em", 10),
    ],
)
def test_lengths(text: str, pixels: float | None) -> None:
    assert length(text, base=20) == (None if pixels is None else pytest.approx(pixels))
