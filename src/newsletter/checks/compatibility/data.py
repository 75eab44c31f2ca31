"""What mail programs support: caniemail's data, and our overlay on it.

A mail program is a *client* such as `outlook` on a *platform* such as `windows`. An answer is one of
caniemail's: `y` supported, `n` not supported, `a` in part, `u` unknown, with the numbers of notes.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

RETIRED = {("outlook", "windows-mail"): "Microsoft ended Windows Mail on 31 December 2024"}
"""Mail programs that are left out of every report, with the reason."""

PLATFORMS = {
    "desktop-app": "desktop",
    "desktop-webmail": "web",
    "mobile-webmail": "mobile web",
    "webmail": "web",
    "ios": "iOS",
    "android": "Android",
    "windows": "Windows",
    "macos": "macOS",
    "outlook-com": "web",
}
"""How platforms are called in a finding."""

_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_DEGREE = re.compile(r"^(?:Partial(?:ly supported| support)?|Buggy|Not supported)[.:]\s+")

Client = tuple[str, str]
"""Family and platform."""


class State(StrEnum):
    """caniemail's answers."""

    YES = "y"
    NO = "n"
    PART = "a"
    UNKNOWN = "u"


class Evidence(StrEnum):
    """How we know."""

    TESTED = "tested"  # caniemail's own
    REPORTED = "reported"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one mail program makes of one feature.

    Attributes:
        state: supported or not.
        notes: what is special about it, in caniemail's words.
        evidence: how we know.
        source: where an answer of the overlay is from.

    """

    state: State
    notes: tuple[str, ...] = ()
    evidence: Evidence = Evidence.TESTED
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """Something in HTML or CSS that mail programs may or may not support.

    Attributes:
        slug: caniemail's name for it, such as `css-display-flex`.
        title: for people.
        category: `css`, `html`, `image` or `others`.
        url: where to read more.
        answers: by client and platform; who is not there is unknown.

    """

    slug: str
    title: str
    category: str
    url: str
    answers: Mapping[Client, Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """Everything that is known.

    Attributes:
        version: of the npm package that the data is from.
        data_of: the day of caniemail's data, in ISO format.
        families: names of mail programs for people, by client.
        features: by slug.

    """

    version: str
    data_of: str
    families: Mapping[str, str]
    features: Mapping[str, Feature]


@cache
def database() -> Database:
    """The data that is shipped, the overlay laid on it."""
    folder = files("newsletter.checks.compatibility") / "data"
    data = json.loads((folder / "caniemail.json").read_text("utf-8"))
    overlay = tomllib.loads((folder / "overlay.toml").read_text("utf-8"))
    return build(data, overlay)


@cache
def known_clients() -> frozenset[str]:
    """What newsletter.yaml may call mail programs: `outlook`, or `outlook/windows`."""
    clients = {client for feature in database().features.values() for client in feature.answers}
    return frozenset({*(family for family, _ in clients), *map("/".join, clients)})


def build(data: Mapping[str, Any], overlay: Mapping[str, Any]) -> Database:
    """A database from caniemail's data and an overlay, as their files say it.

    Raises:
        ValueError: a row of the overlay names a feature that neither has.

    """
    answers = {row["slug"]: dict(_answers(row)) for row in data["features"]}
    known = {row["slug"]: row for row in data["features"]}
    for feature in overlay.get("feature", ()):
        known[feature["slug"]] = feature
        answers[feature["slug"]] = {}
    for row in overlay.get("row", ()):
        if row["feature"] not in known:
            raise ValueError(f"overlay: there is no feature {row['feature']}")
        for platform in row["platforms"]:
            answers[row["feature"]][row["client"], platform] = _overlaid(row)
    return Database(
        version=data["version"],
        data_of=data["data_of"],
        families={**data["clients"], **overlay.get("clients", {})},
        features={
            slug: Feature(
                slug=slug,
                title=row["title"],
                category=row["category"],
                url=row["url"],
                answers=answers[slug],
            )
            for slug, row in known.items()
        },
    )


def _answers(row: Mapping[str, Any]) -> Iterator[tuple[Client, Answer]]:
    for family, platforms in row["support"].items():
        for platform, said in platforms.items():
            if (family, platform) in RETIRED:
                continue
            state, *numbers = said.replace("#", " ").split()
            notes = tuple(plain(row["notes"][n]) for n in numbers if n in row["notes"])
            yield (family, platform), Answer(state=State(state), notes=notes)


def _overlaid(row: Mapping[str, Any]) -> Answer:
    return Answer(
        state=State(row["support"]),
        notes=(plain(row["note"]),) if "note" in row else (),
        evidence=Evidence(row["evidence"]),
        source=row["source"],
    )


def plain(note: str) -> str:
    """A note without links, and without the degree that we say in our own words."""
    return _DEGREE.sub("", " ".join(_LINK.sub(r"\1", note).split()))
