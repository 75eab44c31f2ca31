"""Where each token of an HTML document lands, and which places it must not land in."""

from __future__ import annotations

from lxml import etree

from newsletter.rendering.document import RAW_TEXT
from newsletter.rendering.edition import Landing, Slot
from newsletter.rendering.markers import LINKS, TokenBook
from newsletter.rendering.mistake import Mistake

URL_ATTRIBUTES = frozenset(
    {"href", "src", "background", "action", "formaction", "cite", "longdesc", "poster", "srcset"}
)


def land_tokens(tree: etree._Element, book: TokenBook) -> None:
    """Give every token of `tree` the landing of its place.

    Raises:
        Mistake: a token stands where no value can be put safely.
    """
    for node in tree.iter():
        if not isinstance(node.tag, str):
            _refuse(node.text, book, "a comment")
        else:
            _land_element(node, book)


def _land_element(node: etree._Element, book: TokenBook) -> None:
    tag = str(node.tag)
    _refuse(tag, book, "the name of a tag")
    if tag in RAW_TEXT:
        _refuse(node.text, book, f"<{tag}>")
    for name, value in node.attrib.items():
        _refuse(str(name), book, "the name of an attribute")
        if book.count(str(value)):
            node.attrib[name] = _land_attribute(str(name).lower(), str(value), book)


def _land_attribute(name: str, value: str, book: TokenBook) -> str:
    if name == "style" or name.startswith("on"):
        _refuse(value, book, f"the attribute {name}")
    if name.rpartition(":")[2] not in URL_ATTRIBUTES:
        return value

    def landing(slot: Slot, start: int, end: int) -> Landing:
        whole = slot.name in LINKS and not value[:start].strip()
        return Landing.HTML if whole else Landing.URL

    return book.replace(value, landing)


def _refuse(text: str | None, book: TokenBook, place: str) -> None:
    for token in book.count(text or ""):
        name = book.slot(token).name
        shown = name if name in LINKS else f"subscriber.{name}"
        raise Mistake(f"`{shown}` stands in {place}, where no personal value can be put safely")
