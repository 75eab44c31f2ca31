"""`Renderer`: an issue becomes an edition.

What templates can rely on, in full in docs/templates.md:

* `issue.html.j2` and `issue.txt.j2` make the two parts; `blocks/KIND.html.j2` and `.txt.j2` an item.
* They see `publication`, `issue`, `sections` (visible items only), `subject`, `preheader`, the
  personal values `subscriber`, `unsubscribe_url` and `online_url`, and in blocks `item`.
* They call `block(item)`, `image(src, width)`, `qr(url, size)` and `stylesheet(name)`, and filter with
  `markdown`, `markdown_inline`, `fallback`, `date`, `weekday_zh` and `host`, besides Jinja's own.
* The HTML is parsed once: tokens get the landing of their place, CSS is inlined, one tree is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from newsletter.config import CONFIG_NAME, Publication
from newsletter.content.models import BUILT_IN_KINDS, Block, Issue, Location
from newsletter.errors import Place, Problem, TemplateError
from newsletter.rendering import document
from newsletter.rendering.edition import Edition, Landing
from newsletter.rendering.environment import Theme
from newsletter.rendering.folders import PACKAGED_THEME, ThemeFolders
from newsletter.rendering.images import Embedded, Hosted, Shelf
from newsletter.rendering.inline import inline_tree
from newsletter.rendering.landing import land_tokens
from newsletter.rendering.markers import Marker, SubscriberView, TokenBook
from newsletter.rendering.mistake import Mistake
from newsletter.rendering.plaintext import finish_text
from newsletter.rendering.stage import Pass, functions, template_filters

_BLOCK_FILE = re.compile(r"blocks/([^\W_][\w-]*)\.(html|txt)\.j2")


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleGroup:
    """A group without its hidden items."""

    title: str
    items: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleSection:
    """A section without its hidden items."""

    title: str | None
    items: tuple[Block, ...]
    groups: tuple[VisibleGroup, ...]


class Renderer:
    """Renders the issues of one publication.

    Args:
        publication: newsletter.yaml.
        root: its folder; nothing outside it is read, except the packaged theme.
        packaged: the folder of the packaged theme.

    Raises:
        TemplateError: the templates folder is not inside the publication's.

    """

    def __init__(
        self, publication: Publication, *, root: Path, packaged: Path = PACKAGED_THEME
    ) -> None:
        self.publication = publication
        self.root = root
        try:
            self._folders = ThemeFolders.of(root, publication.templates, packaged=packaged)
        except Mistake as mistake:
            problem = Problem(message=mistake.message, place=Place(path=CONFIG_NAME))
            raise TemplateError(problems=[problem]) from None
        self._theme = Theme(
            self._folders,
            filters=template_filters(publication.zone),
            functions=functions(self._folders),
        )
        self._pictures: set[Path] = set()

    @property
    def dependencies(self) -> frozenset[Path]:
        """Every file that was read so far: templates, style sheets, pictures."""
        return frozenset(self._folders.read | self._pictures)

    @property
    def kinds(self) -> frozenset[str]:
        """The publication's own kinds of block: those with both templates.

        Raises:
            TemplateError: a kind has only one of its two templates.

        """
        have: dict[str, set[str]] = {}
        for name in self._folders.names():
            match = _BLOCK_FILE.fullmatch(name)
            if match and match.group(1) not in BUILT_IN_KINDS:
                have.setdefault(match.group(1), set()).add(match.group(2))
        missing = [
            f"blocks/{kind}.{part}.j2"
            for kind, parts in sorted(have.items())
            for part in ("html", "txt")
            if part not in parts
        ]
        if missing:
            raise TemplateError(problems=[self._half_a_kind(name) for name in missing])
        return frozenset(have)

    def render(self, issue: Issue, *, hidden: frozenset[Location] = frozenset()) -> Edition:
        """The edition of `issue` without the `hidden` items.

        Raises:
            TemplateError: a template is missing or wrong, with path and line.

        """
        source = repr(issue.model_dump(exclude={"status"}))
        book = TokenBook(source, where=self._theme.running)
        shelf = Shelf(self.root, self._placement())
        context = self._context(issue, hidden, book)
        try:
            html, warnings = self._html(book, shelf, context)
            text = self._text(book, shelf, context)
        finally:
            self._pictures |= shelf.read
        return Edition(
            issue=issue.number,
            subject=self.subject(issue),
            preheader=issue.preheader or "",
            language=self.publication.language,
            html=html,
            text=text,
            slots=tuple(dict.fromkeys([*book.slots(html), *book.slots(text)])),
            images=shelf.embedded(html),
            hosted=shelf.hosted(html),
            warnings=warnings,
        )

    def subject(self, issue: Issue) -> str:
        """The Subject of `issue`: its own, or by the publication's pattern."""
        return issue.subject or self.publication.subject.format(
            name=self.publication.name, number=issue.number, title=issue.title
        )

    def _html(
        self, book: TokenBook, shelf: Shelf, context: Mapping[str, Any]
    ) -> tuple[str, tuple[Problem, ...]]:
        stage = Pass(html=True, theme=self._theme, shelf=shelf, context=context)
        with self._placing(stage):
            book.begin_part()
            made = stage.render()
            printed = book.prints(made)
            tree = document.parse(made)
            land_tokens(tree, book, printed=printed)
            found = inline_tree(tree, sheets=stage.sheets, templates=self._theme.sources)
            html = document.serialise(tree, doctype=document.doctype(made))
            _same_number(printed.total(), book.slots(html).total())
        entry = Place(path=f"{self._folders.folders[0].shown}/{stage.entry}")
        return html, tuple(replace(each, place=each.place or entry) for each in found)

    def _text(self, book: TokenBook, shelf: Shelf, context: Mapping[str, Any]) -> str:
        stage = Pass(html=False, theme=self._theme, shelf=shelf, context=context)
        with self._placing(stage):
            book.begin_part()
            made = stage.render()
            printed = book.prints(made)
            settled = book.settle(made, lambda value, at: Landing.TEXT)
            text = finish_text(
                settled,
                width=self.publication.text.wrap,
                language=self.publication.language,
            )
            _same_number(printed.total(), book.slots(text).total())
        return text

    @contextmanager
    def _placing(self, stage: Pass) -> Iterator[None]:
        """Turn a mistake that shows only in the output into an error of the template."""
        try:
            yield
        except Mistake as mistake:
            place = mistake.place or Place(path=f"{self._folders.folders[0].shown}/{stage.entry}")
            problem = self._theme.problem(mistake.message, hint=mistake.hint, place=place)
        else:
            return
        raise TemplateError(problems=[problem])

    def _context(
        self, issue: Issue, hidden: frozenset[Location], book: TokenBook
    ) -> dict[str, Any]:
        return {
            "publication": self.publication,
            "issue": issue,
            "sections": visible_sections(issue, hidden),
            "subscriber": SubscriberView(book),
            "unsubscribe_url": Marker("unsubscribe_url", book=book),
            "online_url": Marker("online_url", book=book),
            "subject": self.subject(issue),
            "preheader": issue.preheader or "",
        }

    def _placement(self) -> Hosted | Embedded:
        if self.publication.site_url:
            return Hosted(self.publication.site_url)
        return Embedded(self.publication.list_identifier)

    def _half_a_kind(self, missing: str) -> Problem:
        stem, part, _ = missing.rsplit(".", 2)
        have = self._folders.find(f"{stem}.{'txt' if part == 'html' else 'html'}.j2")
        own = self._folders.folders[0].shown
        return Problem(
            message=f"a kind of block needs two templates, and {own}/{missing} is missing",
            place=Place(path=have.shown if have else f"{own}/{stem}"),
        )


def visible_sections(issue: Issue, hidden: frozenset[Location]) -> tuple[VisibleSection, ...]:
    """The sections of `issue` without the hidden items, and without what is empty for that reason."""
    sections = []
    for s, section in enumerate(issue.sections):
        here: Location = ("sections", s)
        groups = tuple(
            VisibleGroup(title=group.title, items=items)
            for g, group in enumerate(section.groups)
            if (items := _visible(group.items, (*here, "groups", g), hidden))
        )
        items = _visible(section.items, here, hidden)
        if items or groups:
            sections.append(VisibleSection(title=section.title, items=items, groups=groups))
    return tuple(sections)


def _visible(
    items: tuple[Any, ...], here: Location, hidden: frozenset[Location]
) -> tuple[Block, ...]:
    return tuple(item for i, item in enumerate(items) if (*here, "items", i) not in hidden)


def _same_number(printed: int, landed: int) -> None:
    if printed != landed:
        raise Mistake(f"of {printed} personal values only {landed} reached the message")
