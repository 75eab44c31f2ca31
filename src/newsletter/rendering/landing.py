"""Where each token of an HTML document lands, and which places it must not land in."""

from __future__ import annotations

from collections import Counter

from lxml import etree

from newsletter.rendering.document import RAW_TEXT, is_element, printable
from newsletter.rendering.edition import Landing
from newsletter.rendering.markers import LINKS, Print, TokenBook
from newsletter.rendering.mistake import Mistake

URL_ATTRIBUTES = frozenset(
    {"href", "src", "background", "action", "formaction", "cite", "longdesc", "poster", "srcset"}
)


def land_tokens(tree: etree._Element, book: TokenBook, *, printed: Counter[str]) -> None:
    """Give every token of `tree` the landing of its place.

    Args:
        tree: changed in place.
        book: knows the tokens.
        printed: the tokens of the document before it was parsed.

    Raises:
        Mistake: a token stands where no value can be put safely, or did not survive the parser.

    """
    found: Counter[str] = Counter()
    for node in tree.iter():
        _refuse_names(node, book)
        found += _land_texts(node, book)
        found += _land_attributes(node, book)
    for token in printed - found:
        value = book.printed(token)
        raise Mistake(f"{value.shown} stands in broken HTML and got lost", place=value.place)


def _refuse_names(node: etree._Element, book: TokenBook) -> None:
    if not is_element(node):
        _refuse(node.text, book, "a comment")
        return
    _refuse(node.tag, book, "the name of a tag")
    for name in node.attrib:
        _refuse(str(name), book, "the name of an attribute")
    if node.tag in RAW_TEXT:
        _refuse(node.text, book, f"<{node.tag}>")


def _land_texts(node: etree._Element, book: TokenBook) -> Counter[str]:
    found: Counter[str] = Counter()
    for name in ("text", "tail"):
        text = getattr(node, name)
        if text and (tokens := book.prints(text)):
            settled = book.settle(printable(text), lambda value, at: Landing.HTML)
            setattr(node, name, settled)
            found += tokens
    return found


def _land_attributes(node: etree._Element, book: TokenBook) -> Counter[str]:
    found: Counter[str] = Counter()
    for key, value in node.attrib.items():
        name, text = str(key).lower(), printable(str(value))
        if tokens := book.prints(text):
            if name == "style" or name.startswith("on"):
                _refuse(text, book, f"the attribute {name}")
            node.attrib[key] = _settle_attribute(name, text, book)
            found += tokens
    return found


def _settle_attribute(name: str, text: str, book: TokenBook) -> str:
    """A link that begins with one of the reader's own links keeps it as it is."""
    is_url = name.rpartition(":")[2] in URL_ATTRIBUTES

    def landing(value: Print, at: int) -> Landing:
        begins = value.name in LINKS and not text[:at].strip()
        return Landing.URL if is_url and not begins else Landing.HTML

    return book.settle(text, landing)


def _refuse(text: str | None, book: TokenBook, where: str) -> None:
    value = book.mentioned(text or "")
    if value:
        raise Mistake(
            f"{value.shown} stands in {where}, where no value can be put safely",
            hint="personal values go into text and into attributes",
            place=value.place,
        )
