"""The map from caniemail's features to uses is whole, and each of its words can be used."""

from __future__ import annotations

import pytest
from compat_samples import atoms_of, sample

from newsletter.checks.compatibility.data import database
from newsletter.checks.compatibility.features import IGNORED, MAP, UNTESTED, Weight

SLUGS = sorted(database().features)


@pytest.mark.parametrize("slug", SLUGS)
def test_every_feature_is_mapped_or_ignored_with_a_reason(slug: str) -> None:
    assert (slug in MAP) != (slug in IGNORED), "put it into features.py"
    if slug in IGNORED:
        assert len(IGNORED[slug].split()) > 4


def test_nothing_is_mapped_that_the_data_does_not_have() -> None:
    assert sorted({*MAP, *IGNORED} - set(SLUGS)) == []


@pytest.mark.parametrize("slug", sorted(MAP))
def test_every_word_of_the_map_is_found_in_a_mail_that_uses_it(slug: str) -> None:
    assert MAP[slug].atoms
    for atom in MAP[slug].atoms:
        assert atom in atoms_of(sample(atom)), f"{slug}: {atom} in {sample(atom)}"


def test_words_of_one_feature_are_not_those_of_another_by_accident() -> None:
    shared = {
        atom: sorted(slug for slug, mapped in MAP.items() if atom in mapped.atoms)
        for atom in {atom for mapped in MAP.values() for atom in mapped.atoms}
    }
    assert {atom: slugs for atom, slugs in shared.items() if len(slugs) > 1} == {
        "property:column-count": ["css-column-count", "css-column-layout-properties"],
        "property:flex-flow": ["css-flex-direction", "css-flex-wrap"],
        "property:inline-size": ["css-block-inline-size", "css-inline-size"],
    }


def test_properties_without_a_page_have_none() -> None:
    mapped = {atom for each in MAP.values() for atom in each.atoms}
    assert {name for name in UNTESTED if f"property:{name}" in mapped} == set()


@pytest.mark.parametrize(
    ("slug", "weight"),
    [
        ("css-display-flex", Weight.LAYOUT),
        ("css-variables", Weight.LAYOUT),
        ("css-unit-rem", Weight.LAYOUT),
        ("css-border-radius", Weight.LOOKS),
        ("css-at-media", Weight.LOOKS),
        ("css-pseudo-class-hover", Weight.LOOKS),
        ("css-color-without-commas", Weight.SPOILS),
    ],
)
def test_weights(slug: str, weight: Weight) -> None:
    assert MAP[slug].weight is weight
