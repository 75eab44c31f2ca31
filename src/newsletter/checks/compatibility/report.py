"""Uses and answers put together: what each mail program makes of this mail, feature by feature."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from newsletter.checks.compatibility.data import (
    PLATFORMS,
    Answer,
    Client,
    Database,
    Evidence,
    Feature,
    State,
)
from newsletter.checks.compatibility.features import MAP, UNTESTED, Mapped, Weight
from newsletter.checks.compatibility.notes import HIDDEN, applies, excused
from newsletter.checks.compatibility.uses import Use, Uses, Where
from newsletter.checks.model import Severity

CLIENTS: Mapping[str, str] = dict.fromkeys(
    ("gmail", "apple-mail", "outlook", "yahoo", "qq", "163"), Severity.WARNING.value
)
"""The mail programs that are looked at, with the severity of what breaks in them."""

STYLE, MEDIA = "html-style", "css-at-media"


class Degree(StrEnum):
    """How bad it is for the reader."""

    BROKEN = "broken"  # not supported, and the layout needs it
    IGNORED = "ignored"  # not supported, and the mail is plainer for it
    PARTIAL = "partial"  # supported with exceptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """What some mail programs lack of one feature.

    Attributes:
        feature: the feature.
        degree: how bad it is.
        clients: who lacks it, with what their answers say.
        uses: the uses that are affected, the weightiest first.

    """

    feature: Feature
    degree: Degree
    clients: Mapping[Client, Answer]
    uses: tuple[Use, ...]


def lacks(
    uses: Uses, database: Database, *, clients: Sequence[str], without: Sequence[str] = ()
) -> Iterator[Lack]:
    """What mail programs lack of what is used, one for each feature and degree.

    Args:
        uses: what the mail uses.
        database: what is known.
        clients: families of mail programs that count, such as `outlook`, or one of them,
            `outlook/windows`.
        without: those of them that do not, in the same form.

    """
    survey = _Survey(database, clients, without)
    for slug, mapped in MAP.items():
        affected = [use for use in uses if use.atoms & mapped.atoms]
        if affected and slug in database.features:
            yield from survey.feature(database.features[slug], mapped, affected)


def untested(uses: Uses) -> Iterator[Use]:
    """Declarations and at-rules that caniemail has no page about: nobody knows, or a slip of the pen."""
    known = {atom for mapped in MAP.values() for atom in mapped.atoms}
    for use in uses:
        names = use.named("property")
        unknown = {name for name in names if f"property:{name}" not in known} - UNTESTED
        unknown |= {
            name
            for name in use.named("at")
            if f"at:{name}" not in known and name not in ("charset", "namespace")
        }
        if unknown and use.where is not Where.MARKUP:
            yield use


@dataclass(frozen=True, slots=True)
class _Survey:
    """Asks what is known about one feature after the other."""

    database: Database
    clients: Sequence[str]
    without: Sequence[str]

    def feature(self, feature: Feature, mapped: Mapped, uses: Sequence[Use]) -> Iterator[Lack]:
        found: dict[Degree, tuple[dict[Client, Answer], dict[Use, None]]] = {}
        for client, answer in feature.answers.items():
            if answer.state not in (State.NO, State.PART):
                continue
            if not counts(client, self.clients, without=self.without):
                continue
            for use in uses:
                notes = self._trouble(feature, mapped, client, answer, use)
                if notes is None:
                    continue
                degree = _degree(mapped, answer, use)
                answers, affected = found.setdefault(degree, ({}, {}))
                old = answers[client].notes if client in answers else ()
                answers[client] = _told(answer, tuple(dict.fromkeys((*old, *notes))))
                affected[use] = None
        for degree, (answers, affected) in sorted(found.items(), key=lambda item: item[0]):
            weightiest = sorted(affected, key=lambda use: use.extra)
            yield Lack(feature=feature, degree=degree, clients=answers, uses=tuple(weightiest))

    def _trouble(
        self, feature: Feature, mapped: Mapped, client: Client, answer: Answer, use: Use
    ) -> tuple[str, ...] | None:
        """The notes that are about this use; None when there is no trouble, or it is told elsewhere."""
        if use.only and client not in use.only:
            return None
        if self._implied(feature, client, use) or self._hidden(client, use):
            return None
        if answer.state is State.NO and any(excused(note, use) for note in answer.notes):
            return None
        notes = tuple(note for note in answer.notes if applies(note, use))
        if answer.state is State.PART and answer.notes and not notes:
            return None
        return notes

    def _implied(self, feature: Feature, client: Client, use: Use) -> bool:
        """Whether something around the use is unknown already, which is a finding of its own."""
        around = [STYLE] if use.where is Where.BLOCK else []
        around += [MEDIA] if feature.slug.startswith(f"{MEDIA}-") else []
        around += features_of(use.within)
        return any(
            self._answer(slug, client).state is State.NO for slug in around if slug != feature.slug
        )

    def _hidden(self, client: Client, use: Use) -> bool:
        """Whether an element is hidden in this mail program, in one of the ways that are tried."""
        return any(self._hides(way, client) for way in HIDDEN & use.beside)

    def _hides(self, way: str, client: Client) -> bool:
        match way:
            case "hides:display":
                return self._works("css-display-none", client)
            case "hides:mso":
                return client == ("outlook", "windows")
            case _:
                return self._works("css-max-height", client) and self._works("css-overflow", client)

    def _works(self, slug: str, client: Client) -> bool:
        return self._answer(slug, client).state in (State.YES, State.PART)

    def _answer(self, slug: str, client: Client) -> Answer:
        feature = self.database.features.get(slug)
        unknown = Answer(state=State.UNKNOWN)
        return feature.answers.get(client, unknown) if feature else unknown


@lru_cache(maxsize=1000)
def features_of(atoms: frozenset[str]) -> tuple[str, ...]:
    """The features that have one of these atoms, by slug."""
    return tuple(slug for slug, mapped in MAP.items() if atoms & mapped.atoms)


def _degree(mapped: Mapped, answer: Answer, use: Use) -> Degree:
    if answer.state is State.PART:
        return Degree.PARTIAL
    if mapped.weight is Weight.SPOILS:
        return Degree.BROKEN
    breaks = mapped.weight is Weight.LAYOUT and not use.extra
    return Degree.BROKEN if breaks and answer.evidence is not Evidence.ASSUMED else Degree.IGNORED


def _told(answer: Answer, notes: tuple[str, ...]) -> Answer:
    return Answer(state=answer.state, notes=notes, evidence=answer.evidence, source=answer.source)


def counts(client: Client, chosen: Sequence[str], *, without: Sequence[str] = ()) -> bool:
    """Whether a mail program is among the chosen: by platform if it is named, else by family."""
    own = "/".join(client)
    if own in chosen or own in without:
        return own in chosen
    return client[0] in chosen


def named(clients: Sequence[Client], database: Database, *, of: Feature | None = None) -> str:
    """Mail programs for people: `Outlook (Windows), Gmail`; a family in whole when all of it is meant."""
    families: dict[str, list[str]] = {}
    for family, platform in clients:
        families.setdefault(family, []).append(platform)
    return ", ".join(
        _family(database.families.get(family, family), family, platforms, of)
        for family, platforms in families.items()
    )


def _family(name: str, family: str, platforms: Sequence[str], feature: Feature | None) -> str:
    whole = {platform for kin, platform in feature.answers if kin == family} if feature else set()
    if whole and whole <= set(platforms) and len(whole) > 1:
        return name
    return f"{name} ({', '.join(PLATFORMS.get(platform, platform) for platform in platforms)})"
