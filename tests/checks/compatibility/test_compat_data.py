"""caniemail's data and the overlay: complete, attributed, and read right."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.resources import files
from typing import Any

import pytest

from newsletter.checks.compatibility.data import (
    PLATFORMS,
    RETIRED,
    Evidence,
    State,
    build,
    database,
    plain,
)

FOLDER = files("newsletter.checks.compatibility") / "data"
OVERLAY: dict[str, Any] = tomllib.loads((FOLDER / "overlay.toml").read_text("utf-8"))
DATA: dict[str, Any] = json.loads((FOLDER / "caniemail.json").read_text("utf-8"))


def test_the_data_says_what_it_is() -> None:
    readme = (FOLDER / "README.md").read_text("utf-8")
    for fact in ("version", "licence", "data_of", "taken_over"):
        assert DATA[fact] in readme
    assert "Permission is hereby granted" in (FOLDER / "LICENSE.caniemail").read_text("utf-8")
    assert len(DATA["features"]) == 307


def test_every_answer_is_one_of_caniemails_and_its_notes_are_there() -> None:
    missing = set()
    for feature in DATA["features"]:
        for platforms in feature["support"].values():
            for said in platforms.values():
                assert re.fullmatch(r"[ynau]( #\d+)*", said)
                numbers = re.findall(r"#(\d+)", said)
                missing |= {feature["slug"] for number in numbers if number not in feature["notes"]}
    assert missing == {"css-pseudo-class-link"}, "caniemail forgot the text of one note"


def test_the_four_big_families_are_known_about_nearly_everything() -> None:
    for family in ("gmail", "apple-mail", "outlook", "yahoo"):
        known = [f for f in database().features.values() if any(c[0] == family for c in f.answers)]
        assert len(known) >= 307


def test_platforms_have_names() -> None:
    used = {platform for f in database().features.values() for _, platform in f.answers}
    assert used <= set(PLATFORMS)


def test_the_retired_are_left_out() -> None:
    assert {client for f in database().features.values() for client in f.answers} & set(
        RETIRED
    ) == set()


@pytest.mark.parametrize("row", OVERLAY["row"], ids=lambda row: f"{row['client']}-{row['feature']}")
def test_every_row_of_the_overlay_has_a_source(row: dict[str, Any]) -> None:
    assert row["source"].startswith("https://")
    assert 2010 < row["year"] <= 2026
    assert row["evidence"] in (Evidence.REPORTED, Evidence.ASSUMED)
    assert row["support"] in set(State)
    assert set(row["platforms"]) <= set(PLATFORMS)
    assert row["client"] in database().families
    assert row["support"] == "y" or row["note"].endswith(".")


def test_an_assumption_never_says_no() -> None:
    assumed = [row for row in OVERLAY["row"] if row["evidence"] == Evidence.ASSUMED]
    assert assumed
    assert {row["support"] for row in assumed} == {"a"}


def test_overlay_rows_are_told_apart_from_tests() -> None:
    features = database().features
    assert features["css-float"].answers["qq", "desktop-webmail"].evidence is Evidence.REPORTED
    assert features["css-at-media"].answers["qq", "ios"].evidence is Evidence.ASSUMED
    assert features["css-at-media"].answers["gmail", "ios"].evidence is Evidence.TESTED
    assert features["css-function-hsl"].answers["outlook", "windows"].state is State.NO


def test_a_row_about_nothing_is_refused() -> None:
    row = {"feature": "css-nothing", "client": "qq", "platforms": ["ios"], "support": "n"}
    with pytest.raises(ValueError, match="css-nothing"):
        build(DATA, {"row": [row | {"evidence": "reported", "source": "https://example.org"}]})


def test_the_overlay_has_the_last_word() -> None:
    row = {
        "feature": "css-float",
        "client": "gmail",
        "platforms": ["ios"],
        "support": "n",
        "evidence": "reported",
        "source": "https://example.org/",
        "note": "Partial. See [here](https://example.org/x).",
    }
    answer = build(DATA, {"row": [row]}).features["css-float"].answers["gmail", "ios"]
    assert answer.state is State.NO
    assert answer.notes == ("See here.",)
    assert answer.source == "https://example.org/"


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("Partial. Negative values are not supported.", "Negative values are not supported."),
        ("Buggy. See [#192](https://example.org/192).", "See #192."),
        ("Not supported. `x` is\nremoved.", "`x` is removed."),
        ("Not supported with non Google accounts.", "Not supported with non Google accounts."),
        ("Partially supported. Only here.", "Only here."),
    ],
)
def test_notes_are_said_without_links_and_degree(note: str, said: str) -> None:
    assert plain(note) == said
