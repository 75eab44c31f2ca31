"""What checks look at: one issue with everything that was made of it, each thing computed once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any
from urllib.parse import SplitResult, urlsplit

from lxml import etree

from newsletter.checks.placing import Places, Value
from newsletter.checks.prose import Copy, copy_of
from newsletter.checks.styles import Styles
from newsletter.checks.wire import Wire
from newsletter.config import CONFIG_NAME, Publication
from newsletter.content.models import Issue
from newsletter.content.reader import IssueSource
from newsletter.errors import Place
from newsletter.rendering.edition import Edition
from newsletter.source.tree import Location, YamlDocument


def split_address(address: str) -> SplitResult:
    """The parts of a URL; of one that cannot be split, such as `https://[x]`, only the path."""
    try:
        return urlsplit(address)
    except ValueError:
        return SplitResult("", "", address, "", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherIssue:
    """Another issue of the publication, unread: its number, its file, and what the file says."""

    number: int
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Element:
    """An element of the HTML part."""

    node: etree._Element
    places: Places = field(repr=False)

    @property
    def place(self) -> Place | None:
        """The line of the source or of a template that it comes from."""
        return self.places.of_element(self.node)

    def get(self, name: str) -> str | None:
        """An attribute, white space around it removed."""
        value = self.node.get(name)
        return None if value is None else value.strip()

    @property
    def words(self) -> str:
        """The text in it, white space collapsed."""
        return " ".join("".join(map(str, self.node.itertext())).split())

    @property
    def label(self) -> str:
        """What a screen reader says of it: its `aria-label`, or its words with those of pictures."""
        if named := self.get("aria-label"):
            return named
        pictures = [node.get("alt") or "" for node in self.node.iter("img")]
        return " ".join([self.words, *pictures]).strip() or (self.get("title") or "")

    @property
    def address(self) -> str:
        """Where a link leads; empty when it does not say."""
        return self.get("href") or ""

    @property
    def parts(self) -> SplitResult:
        """The parts of `address`."""
        return split_address(self.address)

    @property
    def host(self) -> str:
        """The host of `address` in lower case; empty when there is none."""
        try:
            return (self.parts.hostname or "").lower()
        except ValueError:
            return ""


@dataclass(kw_only=True)
class Checked:
    """One issue under examination.

    Attributes:
        publication: newsletter.yaml.
        source: the issue with its file and the place of every value.
        edition: what was rendered, every item shown, tokens in it.
        html: the HTML part as the longest recipient gets it.
        text: the plain-text part as that recipient gets it, with line feeds.
        message: the whole message to that recipient, as it goes over the wire.
        files: templates and style sheets that were read for it: path as the user would type it,
            and text. Those of the packaged theme are `newsletter/theme/…`. newsletter.yaml is there too.
        settings: newsletter.yaml, to find lines in it.
        other_issues: gives the publication's other issues, by number.
        hidden: sets of items that some readers of the list do not see, each with how many do not.
        services: what checks with `needs` use, by name; absent means that they do not run.

    """

    publication: Publication
    source: IssueSource
    edition: Edition
    html: str
    text: str
    message: bytes
    files: Mapping[str, str] = field(default_factory=dict)
    settings: YamlDocument | None = None
    other_issues: Callable[[], Sequence[OtherIssue]] = tuple
    hidden: Mapping[frozenset[Location], int] = field(default_factory=dict)
    services: Mapping[str, Any] = field(default_factory=dict)

    @property
    def issue(self) -> Issue:
        """The issue as its author wrote it."""
        return self.source.issue

    @property
    def today(self) -> date | None:
        """The day of the issue's own date, in the publication's time zone."""
        moment = self.issue.date
        return moment.astimezone(self.publication.zone).date() if moment else None

    @cached_property
    def others(self) -> tuple[OtherIssue, ...]:
        """The publication's other issues, by number; read on first use."""
        return tuple(self.other_issues())

    @cached_property
    def tree(self) -> etree._Element:
        """The HTML part, parsed as lenient as mail programs are."""
        parser = etree.HTMLParser(encoding="utf-8")
        tree = etree.fromstring(self.html.encode() or b"<html></html>", parser)
        return etree.Element("html") if tree is None else tree

    @cached_property
    def elements(self) -> tuple[etree._Element, ...]:
        """Every element of the HTML part in its order, without comments."""
        return tuple(node for node in self.tree.iter() if isinstance(node.tag, str))

    @cached_property
    def words(self) -> str:
        """The text of the HTML part: what readers see of its body, white space collapsed."""
        return _words(self.tree, leave_out=frozenset(_UNSEEN))

    @cached_property
    def words_without_code(self) -> str:
        """The same without what stands as code."""
        return _words(self.tree, leave_out=frozenset((*_UNSEEN, "code", "pre")))

    @cached_property
    def links(self) -> tuple[Element, ...]:
        """Every `<a>` that is a link, or was to be one."""
        return tuple(
            self.placed(node)
            for node in self.elements
            if node.tag == "a"
            and ("href" in node.attrib or not (node.get("name") or node.get("id")))
        )

    @cached_property
    def images(self) -> tuple[Element, ...]:
        """Every `<img>`, with its place."""
        return tuple(self.placed(node) for node in self.elements if node.tag == "img")

    @cached_property
    def style_blocks(self) -> tuple[str, ...]:
        """The text of every `<style>` that is in the HTML part."""
        return tuple(node.text or "" for node in self.elements if node.tag == "style")

    @cached_property
    def styles(self) -> Styles:
        """How the elements look."""
        return Styles(self.tree, blocks=self.style_blocks, files=self.files)

    @cached_property
    def dark_styles(self) -> Styles:
        """How they look in the author's own dark colours."""
        return Styles(self.tree, blocks=self.style_blocks, files=self.files, dark=True)

    @cached_property
    def places(self) -> Places:
        """Finds lines of source, templates and style sheets."""
        return Places(self.source, self.files)

    @property
    def values(self) -> tuple[Value, ...]:
        """Every text of the issue source, with the place of each of its characters."""
        return self.places.index.values

    @cached_property
    def copy(self) -> tuple[Copy, ...]:
        """The words for readers in the issue source, code and addresses masked."""
        return tuple(copy_of(self.values))

    @cached_property
    def headers(self) -> Wire:
        """The message, read from its octets."""
        return Wire(self.message)

    def template(self, name: str) -> Place | None:
        """The file of a template that was read, such as `issue.txt.j2`."""
        path = next((path for path in self.files if path.endswith(f"/{name}")), None)
        return Place(path=path) if path else None

    def setting(self, *location: str) -> Place:
        """Where newsletter.yaml says something, or the file."""
        if self.settings is None:
            return Place(path=CONFIG_NAME)
        return self.settings.place(location, key=True)

    def placed(self, node: etree._Element) -> Element:
        """An element with the line it comes from."""
        return Element(node, self.places)


_UNSEEN = ("head", "style", "script", "title")


def _words(node: etree._Element, *, leave_out: frozenset[str]) -> str:
    pieces: list[str] = []

    def gather(element: etree._Element) -> None:
        if isinstance(element.tag, str) and element.tag not in leave_out:
            pieces.append(element.text or "")
            for child in element:
                gather(child)
                pieces.append(child.tail or "")
        # between blocks there is always white space of some kind
        if element.tag in ("p", "td", "div", "li", "br", "tr", "h1", "h2", "h3", "h4", "h5", "h6"):
            pieces.append(" ")

    gather(node)
    return " ".join("".join(pieces).split())
