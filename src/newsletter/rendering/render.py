"""`Renderer`: an issue becomes an edition."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsletter.config import Publication
from newsletter.content.models import BUILT_IN_KINDS, Block, Issue, Location
from newsletter.errors import Place, Problem, TemplateError
from newsletter.rendering import document
from newsletter.rendering.edition import Edition, Landing, Slot
from newsletter.rendering.environment import Theme
from newsletter.rendering.folders import ThemeFolders
from newsletter.rendering.images import Embedded, Hosted, Shelf
from newsletter.rendering.inline import inline_tree
from newsletter.rendering.landing import land_tokens
from newsletter.rendering.markers import Marker, SubscriberView, TokenBook
from newsletter.rendering.mistake import Mistake
from newsletter.rendering.plaintext import finish_text
from newsletter.rendering.stage import Pass, functions, template_filters

_BLOCK_FILE = re.compile(r"blocks/([a-z][a-z0-9_-]*)\.(html|txt)\.j2")


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

    Raises:
        TemplateError: the templates folder is not inside the publication's.
    """

    def __init__(self, publication: Publication, *, root: Path) -> None:
        self.publication = publication
        self.root = root
        try:
            self._folders = ThemeFolders.of(root, publication.templates)
        except Mistake as mistake:
            raise _located(mistake, "newsletter.yaml") from None
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
        book = TokenBook(issue.model_dump_json(exclude={"status"}))
        shelf = Shelf(self.root, self._placement())
        try:
            return self._edition(issue, hidden, book, shelf)
        except Mistake as mistake:
            raise _located(mistake, f"{self.publication.templates}/issue.html.j2") from None
        finally:
            self._pictures |= shelf.read

    def _edition(
        self, issue: Issue, hidden: frozenset[Location], book: TokenBook, shelf: Shelf
    ) -> Edition:
        stages = {
            html: Pass(
                html=html,
                theme=self._theme,
                shelf=shelf,
                context=self._context(issue, hidden, book, html=html),
            )
            for html in (True, False)
        }
        html, warnings = self._html(stages[True], book)
        text = finish_text(self._part(stages[False]), width=self.publication.text.wrap)
        return Edition(
            issue=issue.number,
            subject=self.subject(issue),
            preheader=issue.preheader or "",
            language=self.publication.language,
            html=html,
            text=text,
            slots=_slots(book, html, text),
            images=shelf.embedded(html),
            hosted=shelf.hosted(html),
            warnings=warnings,
        )

    def subject(self, issue: Issue) -> str:
        """The Subject of `issue`: its own, or by the publication's pattern."""
        return issue.subject or self.publication.subject.format(
            name=self.publication.name, number=issue.number, title=issue.title
        )

    def _html(self, stage: Pass, book: TokenBook) -> tuple[str, tuple[Problem, ...]]:
        made = self._part(stage)
        before = _names(book, made)
        tree = document.parse(made)
        land_tokens(tree, book)
        warnings = inline_tree(tree, sheets=stage.sheets)
        html = document.serialise(tree, doctype=document.doctype(made))
        if (after := _names(book, html)) != before:
            lost = ", ".join(sorted(before - after) or sorted(after - before))
            raise Mistake(f"personal values got lost between template and message: {lost}")
        return html, warnings

    def _part(self, stage: Pass) -> str:
        with stage.under_way():
            return self._theme.render(f"issue{stage.suffix}", stage.context)

    def _context(
        self, issue: Issue, hidden: frozenset[Location], book: TokenBook, *, html: bool
    ) -> dict[str, Any]:
        landing = Landing.HTML if html else Landing.TEXT
        return {
            "publication": self.publication,
            "issue": issue,
            "sections": visible_sections(issue, hidden),
            "subscriber": SubscriberView(book=book, landing=landing),
            "unsubscribe_url": Marker("unsubscribe_url", book=book, landing=landing),
            "online_url": Marker("online_url", book=book, landing=landing),
            "subject": self.subject(issue),
            "preheader": issue.preheader or "",
        }

    def _placement(self) -> Hosted | Embedded:
        if self.publication.site_url:
            return Hosted(self.publication.site_url)
        return Embedded(self.publication.list_identifier)

    def _half_a_kind(self, name: str) -> Problem:
        other = name.replace(".html.", ".~.").replace(".txt.", ".html.").replace(".~.", ".txt.")
        found = self._folders.find(other)
        return Problem(
            message=f"a block needs both templates, and {self.publication.templates}/{name} is missing",
            place=Place(path=found.shown if found else other),
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


def _names(book: TokenBook, text: str) -> Counter[str]:
    names: Counter[str] = Counter()
    for token, count in book.count(text).items():
        names[book.slot(token).name] += count
    return names


def _slots(book: TokenBook, html: str, text: str) -> tuple[Slot, ...]:
    tokens = [*book.count(html), *book.count(text)]
    return tuple(book.slot(token) for token in dict.fromkeys(tokens))


def _located(mistake: Mistake, path: str) -> TemplateError:
    problem = Problem(message=mistake.message, hint=mistake.hint, place=Place(path=path))
    return TemplateError(problems=[problem])
