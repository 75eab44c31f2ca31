"""What is told of uses and answers: each lack once, and nothing twice."""

from __future__ import annotations

from typing import Any

import pytest
from compat_samples import uses_of

from newsletter.checks.compatibility.data import Database, build, database
from newsletter.checks.compatibility.report import Degree, Lack, counts, lacks, named, untested

FAMILIES = ("gmail", "apple-mail", "outlook", "yahoo")


def known(**answers: dict[str, str]) -> Database:
    """A database of three mail programs: `known(css_float={"a/web": "n #1"})`."""
    features = []
    for name, said in answers.items():
        support: dict[str, dict[str, str]] = {}
        for client, state in said.items():
            family, platform = client.split("/")
            support.setdefault(family, {})[platform] = state
        notes = {
            "1": "Negative values are not supported.",
            "2": "Not supported with non Google accounts.",
        }
        features.append(
            {
                "slug": name.replace("_", "-"),
                "title": name,
                "category": "css",
                "url": f"https://www.caniemail.com/features/{name}/",
                "support": support,
                "notes": notes,
            }
        )
    data: dict[str, Any] = {"version": "1", "data_of": "2026", "features": features}
    return build(data | {"clients": {"a": "Mail A", "b": "Mail B"}}, {})


def told(html: str, data: Database, *clients: str) -> list[tuple[str, Degree, list[str]]]:
    found = lacks(uses_of(html), data, clients=clients or ("a", "b"))
    return [(lack.feature.slug, lack.degree, ["/".join(c) for c in lack.clients]) for lack in found]


def real(html: str, slug: str) -> list[Lack]:
    return [
        lack
        for lack in lacks(uses_of(html), database(), clients=FAMILIES)
        if lack.feature.slug == slug
    ]


def test_supported_and_unknown_are_nothing() -> None:
    data = known(css_float={"a/ios": "y", "a/android": "u"})
    assert told('<p style="float: left">', data) == []


def test_not_supported_breaks_a_layout_and_costs_a_nicety() -> None:
    data = known(css_float={"a/ios": "n"}, css_opacity={"a/ios": "n"})
    assert told('<p style="float: left; opacity: 1">', data) == [
        ("css-float", Degree.BROKEN, ["a/ios"]),
        ("css-opacity", Degree.IGNORED, ["a/ios"]),
    ]


def test_one_lack_for_all_uses_and_clients() -> None:
    data = known(css_float={"a/ios": "n", "b/ios": "n", "b/android": "y"})
    html = '<p style="float: left">a</p><p style="float: right">b</p>'
    (lack,) = lacks(uses_of(html), data, clients=("a", "b"))
    assert list(lack.clients) == [("a", "ios"), ("b", "ios")]
    assert [use.shown for use in lack.uses] == ["float: left", "float: right"]


def test_partial_support_is_told_when_its_note_is_about_the_use() -> None:
    data = known(css_margin={"a/ios": "a #1"})
    assert told('<p style="margin: 8px">', data) == []
    assert told('<p style="margin: -8px">', data) == [("css-margin", Degree.PARTIAL, ["a/ios"])]


def test_partial_support_without_a_note_is_told() -> None:
    data = known(css_margin={"a/ios": "a"})
    assert told('<p style="margin: 8px">', data) == [("css-margin", Degree.PARTIAL, ["a/ios"])]


def test_what_is_under_a_condition_is_an_addition() -> None:
    data = known(css_float={"a/ios": "n"})
    under = "<style>@media screen { p { float: left } }</style>"
    assert told(under, data) == [("css-float", Degree.IGNORED, ["a/ios"])]
    assert told("<style>p { float: left }</style>", data) == [
        ("css-float", Degree.BROKEN, ["a/ios"])
    ]
    assert told("<style>p:hover { float: left }</style>", data)[0][1] is Degree.IGNORED


def test_where_no_style_block_is_read_its_rules_are_not_told_again() -> None:
    data = known(css_float={"a/ios": "n"}, html_style={"a/ios": "n", "a/android": "y"})
    assert told("<style>p { float: left }</style>", data) == [
        ("html-style", Degree.IGNORED, ["a/ios"])
    ]


def test_where_a_condition_is_unknown_what_it_holds_is_not_told_again() -> None:
    data = known(css_float={"a/ios": "n", "b/ios": "n"}, css_at_media={"a/ios": "n", "b/ios": "y"})
    assert told("<style>@media screen { p { float: left } }</style>", data) == [
        ("css-at-media", Degree.IGNORED, ["a/ios"]),
        ("css-float", Degree.IGNORED, ["b/ios"]),
    ]


def test_media_features_are_told_where_media_queries_are_known() -> None:
    data = known(
        css_at_media={"a/ios": "n", "b/ios": "y"},
        css_at_media_prefers_color_scheme={"a/ios": "n", "b/ios": "n"},
    )
    html = "<style>@media (prefers-color-scheme: dark) { p { color: #fff } }</style>"
    assert told(html, data)[1] == (
        "css-at-media-prefers-color-scheme",
        Degree.IGNORED,
        ["b/ios"],
    )


def test_what_spoils_other_styles_is_bad_anywhere() -> None:
    data = known(css_color_without_commas={"a/ios": "n"})
    html = "<style>@media screen { p { color: rgb(0 0 0) } }</style>"
    assert told(html, data) == [("css-color-without-commas", Degree.BROKEN, ["a/ios"])]


def test_hidden_by_one_of_several_ways_is_hidden() -> None:
    hidden = '<div style="display: none; max-height: 0; overflow: hidden; float: left">x</div>'
    no_box = {"css_max_height": {"a/ios": "n"}, "css_overflow": {"a/ios": "y"}}
    answers = {"css_float": {"a/ios": "n"}, **no_box}
    assert told(hidden, known(css_display_none={"a/ios": "y"}, **answers)) == []
    assert told(hidden, known(css_display_none={"a/ios": "n"}, **answers)) != []
    box = {"css_max_height": {"a/ios": "y"}, "css_overflow": {"a/ios": "a"}}
    assert told(hidden, known(css_display_none={"a/ios": "n"}, **box)) == []


def test_a_rule_for_one_mail_program_is_not_held_against_others() -> None:
    html = "<style>[data-ogsc] p { opacity: 1 }</style>"
    data = known(css_opacity={"gmail/ios": "n", "outlook/ios": "n", "outlook/windows": "n"})
    assert told(html, data, "gmail", "outlook") == [
        ("css-opacity", Degree.IGNORED, ["outlook/ios"])
    ]


def test_an_assumption_breaks_nothing() -> None:
    row = {
        "feature": "css-float",
        "client": "qq",
        "platforms": ["ios"],
        "support": "n",
        "source": "x",
    }
    data = {"version": "1", "data_of": "2026", "clients": {}, "features": []}
    feature = {"slug": "css-float", "title": "", "category": "css", "url": ""}
    for evidence, degree in (("assumed", Degree.IGNORED), ("reported", Degree.BROKEN)):
        overlay = {"feature": [feature], "row": [row | {"evidence": evidence}]}
        assert told('<p style="float: left">', build(data, overlay), "qq")[0][1] is degree


@pytest.mark.parametrize(
    ("chosen", "without", "expected"),
    [
        (["outlook"], [], True),
        (["outlook/windows"], [], True),
        (["outlook/ios"], [], False),
        (["gmail"], [], False),
        (["outlook"], ["outlook/windows"], False),
        (["outlook/windows"], ["outlook"], True),
    ],
)
def test_which_mail_programs_count(chosen: list[str], without: list[str], expected: bool) -> None:
    assert counts(("outlook", "windows"), chosen, without=without) is expected


def test_names_for_people() -> None:
    data = known(css_float={"a/ios": "n", "a/android": "n", "b/ios": "n", "b/windows": "y"})
    feature = data.features["css-float"]
    clients = [("a", "ios"), ("a", "android"), ("b", "ios")]
    assert named(clients, data, of=feature) == "Mail A, Mail B (iOS)"
    assert named([("a", "ios"), ("b", "windows")], data) == "Mail A (iOS), Mail B (Windows)"


def test_what_nobody_has_tested() -> None:
    html = '<p style="colour: red; color: red; --x: 1; flex: 1">x</p><style>@container x {} @media x {}</style>'
    assert [use.shown for use in untested(uses_of(html))] == ["colour: red", "@container x"]


@pytest.mark.parametrize(
    ("html", "slug", "degree", "client"),
    [
        ('<div style="display: flex">', "css-display-flex", Degree.BROKEN, ("outlook", "windows")),
        ('<div style="display: grid">', "css-display-grid", Degree.BROKEN, ("outlook", "windows")),
        ('<p style="color: var(--x)">', "css-variables", Degree.BROKEN, ("outlook", "windows")),
        ('<p style="margin-top: -8px">', "css-margin", Degree.PARTIAL, ("gmail", "android")),
        ('<p style="padding: 8px">', "css-padding", Degree.PARTIAL, ("outlook", "windows")),
        (
            '<p style="color: hsl(0, 9%, 9%)">',
            "css-function-hsl",
            Degree.BROKEN,
            ("outlook", "windows"),
        ),
        ('<img src="a.svg">', "image-svg", Degree.BROKEN, ("gmail", "desktop-webmail")),
        ('<img src="a.webp">', "image-webp", Degree.BROKEN, ("outlook", "windows")),
        ("<video src=a></video>", "html-video", Degree.BROKEN, ("gmail", "ios")),
        (
            '<td style="border-radius: 4px">',
            "css-border-radius",
            Degree.IGNORED,
            ("outlook", "windows"),
        ),
    ],
)
def test_well_known_lacks(html: str, slug: str, degree: Degree, client: tuple[str, str]) -> None:
    assert any(lack.degree is degree and client in lack.clients for lack in real(html, slug))


@pytest.mark.parametrize(
    ("html", "slug"),
    [
        ('<p style="margin: 8px 0">', "css-margin"),
        ('<td style="padding: 8px">', "css-padding"),
        ('<table style="max-width: 640px">', "css-max-width"),
        ('<p style="color: rgb(1, 2, 3)">', "css-rgb"),
        ('<td style="width: 120px">', "css-width"),
        ('<img style="height: auto">', "css-height"),
        ('<td style="border: 1px solid red">', "css-border"),
        ('<p style="font-weight: 700">', "css-font-weight"),
        ("<head><style>p { margin: 0 }</style></head>", "css-margin"),
    ],
)
def test_well_known_good_practice_is_nothing(html: str, slug: str) -> None:
    assert real(html, slug) == []
