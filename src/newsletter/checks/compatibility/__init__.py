"""What mail programs make of the mail's HTML and CSS, by caniemail's tests and an overlay of ours.

The final mail is read (`uses`), each use is looked up (`features`, `data`), what a mail program lacks
is put together by feature (`report`, `notes`), and traced to the line of a style sheet or template
(`locate`). One finding for each feature and degree, however often it is used. Which mail programs
count is `checks.clients` of newsletter.yaml.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import TYPE_CHECKING

from newsletter.checks.compatibility.blocks import uses_of_block
from newsletter.checks.compatibility.data import Answer, Evidence, database
from newsletter.checks.compatibility.locate import Locator
from newsletter.checks.compatibility.markup import uses_of_markup
from newsletter.checks.compatibility.report import CLIENTS, Degree, Lack, lacks, named, untested
from newsletter.checks.compatibility.uses import Use, Uses, collect
from newsletter.checks.model import Example, Found, Severity, check
from newsletter.errors import Place

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked

MOST_LINES = 6
"""Lines that one finding names."""

_SHIPPED = "newsletter/theme/"

_CELL = '<table role="presentation"><tr><td style="%s">字</td></tr></table>'
_TEXT = "templates/blocks/text.html.j2"
_HEAD = "templates/styles/head.css"


@check(
    "client-unsupported",
    title="The layout needs something that a mail program does not know",
    severity=Severity.WARNING,
    passing=(
        Example(html=_CELL % "padding:8px"),
        Example(
            html='<p style="display:flex">字</p>',
            publication={"checks": {"clients": {"outlook": "off"}}},
        ),
    ),
    failing=(
        Example(html='<div style="display:flex">字</div>'),
        Example(html='<p style="color:hsl(0, 50%, 50%)">字</p>'),
        Example(html="<p>字</p>", css="p { color: rgb(0 0 0 / 50%) }"),
    ),
)
def client_unsupported(checked: Checked) -> Iterator[Found]:
    """Some of your readers' mail programs ignore a property, value, element or attribute that the
    layout needs: for them the mail is in disorder, or a part is missing. The finding names the mail
    programs, the line of the style sheet or template, and where to read more.

    The data is that of caniemail.com, with an overlay for QQ Mail, NetEase Mail and new spellings of
    colours; each row of that overlay names its source. What is under a condition (a media query,
    `:hover`, `[data-ogsc]`) is an addition to a mail that is complete without it, and is at most a note.

    Choose the mail programs that count in newsletter.yaml: `checks: {clients: {outlook: error,
    thunderbird: note, qq: off}}`; `outlook/windows` is one of a family. About QQ Mail and NetEase Mail
    little is published: no finding is no proof there.
    """
    yield from _found(checked, Degree.BROKEN)


@check(
    "client-ignored",
    title="A mail program leaves out a nicety",
    severity=Severity.NOTE,
    passing=(
        Example(html=_CELL % "padding:8px"),
        Example(files={_TEXT: _CELL % "padding:8px"}),
    ),
    failing=(
        Example(files={_TEXT: _CELL % "border-radius:4px"}),
        Example(files={_HEAD: "@media (prefers-color-scheme: dark) { p { color: #fff } }"}),
    ),
)
def client_ignored(checked: Checked) -> Iterator[Found]:
    """Some mail programs do not know this, and the mail is plainer there but whole: corners are square,
    no colour changes under the mouse, there is no dark mode of your own. Good to know, seldom worth a
    change; `checks: {ignore: [client-ignored]}` in newsletter.yaml hides it once you have looked.

    The packaged theme is not reported on: it has been looked at.
    """
    yield from _found(checked, Degree.IGNORED)


@check(
    "client-partial",
    title="A mail program supports something with exceptions that matter here",
    severity=Severity.NOTE,
    passing=(
        Example(html=_CELL % "padding:8px"),
        Example(files={_TEXT: _CELL % "margin:8px"}),
    ),
    failing=(
        Example(files={_TEXT: _CELL % "margin:-8px"}),
        Example(files={_TEXT: '<p style="padding:8px">{{ item.body }}</p>'}),
    ),
)
def client_partial(checked: Checked) -> Iterator[Found]:
    """Caniemail says "partially supported", and the exception is about what you wrote: negative margins
    in Gmail, padding outside table cells in Outlook. Exceptions that are not about your mail are left
    out, and so is the packaged theme.
    """
    yield from _found(checked, Degree.PARTIAL)


@check(
    "css-untested",
    title="Nobody has tested this CSS in mail programs",
    severity=Severity.NOTE,
    passing=Example(html='<p style="color:#333333">字</p>'),
    failing=(
        Example(html='<p style="colour:#333333">字</p>'),
        Example(html="<p>字</p>", css="@container (width > 400px) { p { color: #333 } }"),
    ),
)
def css_untested(checked: Checked) -> Iterator[Found]:
    """Caniemail has no page about this property or at-rule. Either it is new, and it is wise to assume
    that mail programs ignore it, or it is misspelt.
    """
    read = _reading(checked)
    for use in untested(read.uses):
        places = list(islice(read.locator.places(use, read.uses[use]), MOST_LINES))
        yield Found(
            f"nobody has tested `{use.shown}` in mail programs{_also(places)}",
            place=places[0] if places else None,
            hint="is it spelt right? Do not rely on it",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What the four checks share."""

    uses: Uses
    locator: Locator
    clients: dict[str, str]
    lacks: tuple[Lack, ...]


_TOLD_ELSEWHERE = frozenset(
    [
        *(f"image:{kind}" for kind in ("svg", "webp", "avif", "bmp", "tiff", "ico", "heif")),
        *("image:base64", "element:svg", "element:picture", "element:script", "element:form"),
        *("element:iframe", "element:object", "element:embed"),
        *("element:input", "element:frame"),
    ]
)
"""What `image-format`, `image-data-uri` and `element-active` say, whatever the mail program."""

_latest: tuple[weakref.ref[Checked], _Reading] | None = None


def _reading(checked: Checked) -> _Reading:
    """What this mail uses and what is lacking, made once for all four checks."""
    global _latest
    if _latest is not None and _latest[0]() is checked:
        return _latest[1]
    embedded = {image.content_id: image.mime_type for image in checked.edition.images}
    found = list(uses_of_markup(checked.elements, embedded=embedded))
    for number, css in enumerate(checked.style_blocks):
        found += uses_of_block(css, number)
    uses = collect(found)
    clients = {**CLIENTS, **checked.publication.checks.clients}
    counted = [client for client, severity in clients.items() if severity != "off"]
    off = [client for client, severity in clients.items() if severity == "off"]
    reading = _Reading(
        uses=uses,
        locator=Locator(checked),
        clients=clients,
        lacks=tuple(lacks(uses, database(), clients=counted, without=off)),
    )
    _latest = (weakref.ref(checked), reading)
    return reading


def _found(checked: Checked, degree: Degree) -> Iterator[Found]:
    read = _reading(checked)
    for lack in read.lacks:
        if lack.degree is not degree:
            continue
        where = {
            use: list(read.locator.places(use, read.uses[use]))
            for use in lack.uses
            if not use.atoms & _TOLD_ELSEWHERE
        }
        if degree is not Degree.BROKEN:
            where = {use: places for use, places in where.items() if not _shipped(places)}
        if not where:
            continue
        lines = list(
            islice(_lines(place for places in where.values() for place in places), MOST_LINES)
        )
        yield Found(
            _message(lack, list(where)) + _also(lines),
            place=lines[0] if lines else None,
            hint=_hint(lack),
            severity=_severity(lack, read.clients) if degree is Degree.BROKEN else None,
        )


def _shipped(places: list[Place]) -> bool:
    """Whether something is in the packaged theme only, which its user does not change."""
    return bool(places) and all(place.path.startswith(_SHIPPED) for place in places)


def _lines(places: Iterable[Place]) -> Iterator[Place]:
    """Each line once."""
    seen: set[tuple[str, int | None]] = set()
    for place in places:
        if (place.path, place.line) not in seen:
            seen.add((place.path, place.line))
            yield place


def _message(lack: Lack, uses: list[Use]) -> str:
    more = f" (and {len(uses) - 1} more)" if len(uses) > 1 else ""
    subject = f"`{uses[0].shown}`{more}"
    clients = list(lack.clients.items())
    known = database()
    if lack.degree is not Degree.PARTIAL:
        names = named([client for client, _ in clients], known, of=lack.feature)
        verb = "does not work in" if lack.degree is Degree.BROKEN else "is left out by"
        return f"{subject} {verb} {names}{_evidence([answer for _, answer in clients])}"
    said = []
    by_notes = sorted(clients, key=lambda item: item[1].notes)
    for notes, group in groupby(by_notes, key=lambda item: item[1].notes):
        members = list(group)
        names = named([client for client, _ in members], known, of=lack.feature)
        words = " ".join(notes).rstrip(".") or "supported in part"
        said.append(f"{names}: {words}{_evidence([answer for _, answer in members])}")
    return f"{subject}: {'; '.join(said)}"


def _evidence(answers: list[Answer]) -> str:
    """Says so when an answer is not a test's."""
    kinds = {answer.evidence for answer in answers}
    if Evidence.TESTED in kinds:
        return ""
    return f" ({', '.join(sorted(kinds))})"


def _also(places: list[Place]) -> str:
    """The further lines, by file."""
    files = {
        path: ", ".join(str(place.line) for place in group)
        for path, group in groupby(places[1:], key=lambda place: place.path)
    }
    rest = "; ".join(f"{path}:{lines}" for path, lines in files.items())
    return f" (also {rest})" if rest else ""


def _hint(lack: Lack) -> str:
    notes = (
        {}
        if lack.degree is Degree.PARTIAL
        else dict.fromkeys(note for answer in lack.clients.values() for note in answer.notes)
    )
    sources = dict.fromkeys(answer.source for answer in lack.clients.values() if answer.source)
    return " ".join([*notes, ", ".join((lack.feature.url, *sources))])


def _severity(lack: Lack, clients: dict[str, str]) -> Severity:
    """The worst that newsletter.yaml says of the mail programs concerned."""
    said = [
        Severity(clients.get("/".join(client), clients.get(client[0], "warning")))
        for client in lack.clients
    ]
    return min(said, key=lambda severity: severity.rank)
