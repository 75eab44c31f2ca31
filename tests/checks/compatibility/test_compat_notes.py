"""A note is told where it is about what the mail does, and nowhere else."""

from __future__ import annotations

import pytest
from compat_samples import the_use, uses_of

from newsletter.checks.compatibility.data import database
from newsletter.checks.compatibility.notes import EXCUSES, RULES, applies, excused

NOTES = sorted(
    {
        note
        for feature in database().features.values()
        for answer in feature.answers.values()
        for note in answer.notes
    }
)

# The note, what it is about, and mails that it is and is not about.
CASES = [
    ("Negative values are not supported.", "property:margin", "margin: -8px", "margin: 8px"),
    ("`auto` value is not supported.", "property:margin", "margin: 0 auto", "margin: 0 8px"),
    (
        "Flow-relative values `start` and `end` are not supported.",
        "property:text-align",
        "text-align: start",
        "text-align: left",
    ),
    (
        "`pre` value is not supported.",
        "property:white-space",
        "white-space: pre",
        "white-space: pre-wrap",
    ),
    ("`rem` values are not supported.", "property:font-size", "font-size: 1rem", "font-size: 16px"),
    (
        "Does not support `rem` and `ch` values.",
        "property:word-spacing",
        "word-spacing: 1ch",
        "word-spacing: 1px",
    ),
    (
        "Supports `relative`, `absolute` but not `sticky` and `fixed`.",
        "property:position",
        "position: sticky",
        "position: absolute",
    ),
    (
        "`overline` is not supported.",
        "property:text-decoration",
        "text-decoration: overline",
        "text-decoration: underline",
    ),
    (
        "Alpha value is not supported (`rgb(0, 128, 0, 0.5)`).",
        "function:rgb",
        "color: rgb(0, 1, 0, 0.5)",
        "color: rgb(0, 1, 0)",
    ),
    (
        "A border can not be bigger than 8px.",
        "property:border",
        "border: 9px solid red",
        "border: 1px solid red",
    ),
    (
        "Does not support multiple values. The comma between two values is removed.",
        "property:background-image",
        "background-image: url(a), url(b)",
        "background-image: url(a)",
    ),
    (
        "Does not support the `/ value` shorthand for `background-size`.",
        "property:background",
        "background: url(a) 0 0 / 10px",
        "background: url(a) 0 0",
    ),
    (
        "Not supported with multiple values.",
        "property:text-decoration",
        "text-decoration: underline dotted",
        "text-decoration: underline",
    ),
    (
        "Only `background-color` values are supported.",
        "property:background",
        "background: url(a)",
        "background: #ffffff",
    ),
    (
        "Only supports `display:none` (but not on `<img>`).",
        "property:display",
        "display: block",
        "display: none",
    ),
    (
        "Values set in `em` are smaller.",
        "property:letter-spacing",
        "letter-spacing: 1em",
        "letter-spacing: 1px",
    ),
    (
        "`<number>` values between 0 and 599 are set as normal font weight.",
        "property:font-weight",
        "font-weight: 500",
        "font-weight: 700",
    ),
    (
        "`<number>` values are not supported as per CSS Fonts Level 4.",
        "property:font-weight",
        "font-weight: 550",
        "font-weight: 600",
    ),
    (
        "`em` and `px` units behave weirdly. Use `mso-line-height-rule:exactly`.",
        "property:line-height",
        "line-height: 28px",
        "line-height: 28px; mso-line-height-rule: exactly",
    ),
    (
        "`background-color` is included inside the `margin`.",
        "property:margin",
        "margin: 8px; background-color: red",
        "margin: 8px; color: red",
    ),
    (
        "Cannot scroll through to hidden content.",
        "property:overflow",
        "overflow: scroll",
        "overflow: hidden",
    ),
    (
        "Supports `system-ui` only.",
        "property:font-family",
        "font-family: ui-serif",
        "font-family: system-ui",
    ),
    (
        "Supports `min-content` and `fit-content` only.",
        "property:width",
        "width: max-content",
        "width: min-content",
    ),
    (
        "`visibility:collapse` applied to a `<tr>`.",
        "property:visibility",
        "visibility: collapse",
        "visibility: hidden",
    ),
    ("Only supported in lowercase.", "important", "color: red !IMPORTANT", "color: red !important"),
    (
        "Only supported with a space before.",
        "important",
        "color: red!important",
        "color: red !important",
    ),
    ("URL is not supported.", "property:cursor", "cursor: url(a), pointer", "cursor: pointer"),
]
ELEMENTS = [
    (
        "Only supported on table cells.",
        "property:padding",
        '<p style="padding: 8px">',
        '<td style="padding: 8px">',
    ),
    (
        "Only supported on table cells.",
        "property:padding",
        '<p style="padding: 8px">',
        '<p style="padding: 0">',
    ),
    (
        "Not supported on `<span>` and `<body>` elements.",
        "property:margin",
        '<span style="margin: 8px">',
        '<p style="margin: 8px">',
    ),
    (
        "Only works on `<table>` elements.",
        "property:max-width",
        '<img style="max-width: 9px">',
        '<table style="max-width: 9px">',
    ),
    (
        "Only works on the `<table>` tag.",
        "attribute:role",
        '<div role="article">',
        '<table role="presentation">',
    ),
    ("Not supported on `<td>` elements.", "attribute:lang", '<td lang="zh">', '<p lang="zh">'),
    (
        "Unreliable if used on a `<p>` or a `<div>`.",
        "property:border",
        '<div style="border: 1px">',
        '<td style="border: 1px">',
    ),
    (
        "Does not work when applied directly to an `<img>` element.",
        "property:display",
        '<img style="display: none">',
        '<p style="display: none">',
    ),
    (
        "Does not inherit onto nested `<table>` elements.",
        "property:display",
        '<div style="display: none"><table></table></div>',
        '<div style="display: none"><p></p></div>',
    ),
    ("Buggy on anchor `<a>` tags.", "attribute:dir", '<a dir="ltr">', '<p dir="ltr">'),
    ("The client applies an `rtl` direction.", "attribute:dir", '<p dir="rtl">', '<p dir="ltr">'),
    ("`<details>` and `<main>` are not supported.", "element:main", "<main>x</main>", None),
    ("`<details>` and `<main>` are not supported.", "element:time", None, "<time>x</time>"),
    ("Only `<time>` is supported.", "element:nav", "<nav>x</nav>", None),
    (
        "The `reversed` attribute on `<ol>` is not supported.",
        "element:ol",
        "<ol reversed>",
        "<ol start=2>",
    ),
    ("The `title` attribute is removed.", "element:dfn", "<dfn title=a>x</dfn>", "<dfn>x</dfn>"),
    (
        "Percentage width on `<img>` elements are wrong.",
        "attribute:width",
        '<img width="50%">',
        '<img width="50">',
    ),
    (
        "Sizes set in attributes don't scale in 120 dpi mode.",
        "attribute:width",
        '<img width="50">',
        '<body><!--[if mso]><o:PixelsPerInch>96</o:PixelsPerInch><![endif]--><img width="50"></body>',
    ),
    (
        "`bcc` is not supported.",
        "link:mailto",
        '<a href="mailto:a@b.c?bcc=d@e.f">',
        '<a href="mailto:a@b.c">',
    ),
    (
        "`left` and `right` do not work on `<table>` elements.",
        "attribute:align",
        "<table align=left>",
        "<table align=center>",
    ),
    (
        "Not supported inside the `<body>`.",
        "element:style",
        "<body><style>p{}</style></body>",
        "<head><style>p{}</style></head>",
    ),
    (
        "The size of the `<style>` tag is limited to 16 KB.",
        "element:style",
        f"<head><style>p {{ color: red }} {' ' * 16400}</style></head>",
        "<head><style>p { color: red }</style></head>",
    ),
    (
        "Vertical padding will be the same for all cells of a same row.",
        "property:padding",
        '<table><tr><td style="padding: 8px">a</td><td>b</td></tr></table>',
        '<table><tr><td style="padding: 8px">a</td></tr></table>',
    ),
]
BLOCKS = [
    (
        "Only supported on type selectors.",
        "pseudo:hover",
        ".a:hover { color: red }",
        "a:hover { color: red }",
    ),
    (
        "Does not support nested media queries.",
        "media:min-width",
        "@media screen { @media (min-width: 9px) { } }",
        "@media (min-width: 9px) { }",
    ),
    (
        "Does not support height based media queries.",
        "at:media",
        "@media (min-height: 9px) { }",
        "@media (min-width: 9px) { }",
    ),
    (
        "Only supports `screen`, `min-width`, `max-width`, `min-height` and `max-height` based media queries.",
        "at:media",
        "@media print { }",
        "@media screen and (max-width: 9px) { }",
    ),
    (
        "Only supports `screen`, `min-width` based.",
        "at:media",
        "@media (width < 9px) { }",
        "@media (min-width: 9px) { }",
    ),
    ("Only supports `[attr=value]` syntax.", "selector:attribute", "[a^=b] { }", "[a=b] { }"),
    (
        "Only supports `[attr]`, `[attr=value]`, `[attr~=value]` syntaxes.",
        "selector:attribute",
        "[a$=b] { }",
        "[a] { }",
    ),
    (
        "Only supports `[attr~=value]` syntax. Only `class` works.",
        "selector:attribute",
        "[a] { }",
        "[class~=b] { }",
    ),
    (
        "Can not be used with a class selector (`.test[class]`).",
        "selector:attribute",
        ".a[b] { }",
        "td[b] { }",
    ),
    (
        'A `class="test"` is prefixed, but an attribute selector stays unprefixed.',
        "selector:attribute",
        "[class=a] { }",
        "[align=left] { }",
    ),
]


@pytest.mark.parametrize(("note", "atom", "yes", "no"), CASES)
def test_notes_about_values(note: str, atom: str, yes: str, no: str) -> None:
    assert applies(note, the_use(f'<p style="{yes}">x</p>', atom))
    assert not applies(note, the_use(f'<p style="{no}">x</p>', atom))


@pytest.mark.parametrize(("note", "atom", "yes", "no"), ELEMENTS)
def test_notes_about_elements(note: str, atom: str, yes: str | None, no: str | None) -> None:
    assert yes is None or applies(note, the_use(yes, atom))
    assert no is None or not applies(note, the_use(no, atom))


@pytest.mark.parametrize(("note", "atom", "yes", "no"), BLOCKS)
def test_notes_about_style_blocks(note: str, atom: str, yes: str, no: str) -> None:
    assert applies(note, the_use(f"<style>{yes}</style>", atom))
    assert not applies(note, the_use(f"<style>{no}</style>", atom))


def test_kinds_of_mailbox_are_told_once_of_a_style_block_and_always_of_the_rest() -> None:
    note = "Not supported with non Google accounts."
    assert applies(note, the_use('<p style="opacity: 1">x</p>', "property:opacity"))
    assert not applies(note, the_use("<style>p { opacity: 1 }</style>", "property:opacity"))
    assert applies(note, the_use("<head><style>p { opacity: 1 }</style></head>", "element:style"))


def test_inline_only() -> None:
    note = "Not supported inline. (See email-bugs#31)"
    assert applies(note, the_use('<p style="color: red !important">', "important"))
    assert not applies(note, the_use("<style>p { color: red !important }</style>", "important"))


def test_a_note_that_no_rule_knows_is_about_every_use() -> None:
    use = next(iter(uses_of("<p>x</p>")))
    assert applies("Turns the page upside down.", use)


def test_what_happens_instead_may_be_no_worse() -> None:
    note = "Replaces `height` by `min-height`."
    assert excused(note, the_use('<img style="height: auto">', "property:height"))
    assert not excused(note, the_use('<p style="height: 9px">', "property:height"))
    assert not excused("Is removed.", the_use('<p style="height: auto">', "property:height"))


@pytest.mark.parametrize(
    "pattern",
    [pattern for pattern, _ in (*RULES, *EXCUSES)],
    ids=lambda pattern: pattern.pattern[:40],
)
def test_every_rule_is_about_a_note_that_exists(pattern: object) -> None:
    assert any(pattern.search(note) for note in NOTES)  # type: ignore[attr-defined]
