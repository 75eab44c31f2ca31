"""The HTML document between template and message: parsed once, changed as a tree, written once."""

from __future__ import annotations

import re
from itertools import count

from lxml import etree

from newsletter.rendering.mistake import Mistake

DOCTYPE = "<!doctype html>"
RAW_TEXT = frozenset({"style", "script"})
_INVISIBLE = re.compile("[\u00a0\u00ad\u034f\u2000-\u200f\u2028-\u202f\u205f-\u2064\ufeff]")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_DOCTYPE = re.compile(r"\s*(<!doctype[^>]*>)", re.IGNORECASE)


def parse(html: str) -> etree._Element:
    """The tree of a whole document.

    Raises:
        Mistake: there is no document in it.

    """
    text = printable(html.strip())
    tree = etree.fromstring(text, etree.HTMLParser()) if text else None
    if tree is None or tree.tag != "html" or tree.find("body") is None:
        raise Mistake("does not make an HTML document", hint="it needs <html>, <head> and <body>")
    return tree


def printable(text: str) -> str:
    """`text` without the control characters that no document can hold."""
    return _UNPRINTABLE.sub("", text)


def is_element(node: etree._Element) -> bool:
    """Whether `node` is an element, not a comment or a processing instruction."""
    tag: object = node.tag
    return isinstance(tag, str)


def doctype(html: str) -> str:
    """The document type of `html`, or that of HTML."""
    match = _DOCTYPE.match(html)
    return match.group(1) if match else DOCTYPE


def serialise(tree: etree._Element, *, doctype: str = DOCTYPE) -> str:
    """The document as text; `tree` is used up.

    Style blocks, scripts and comments come out letter for letter. Elsewhere, invisible characters
    and spaces that look like others are written as references, so that they survive editors.
    """
    nodes = [node for node in tree.iter() if not is_element(node) or node.tag in RAW_TEXT]
    kept = [node.text or "" for node in nodes]
    stem = _absent_from(etree.tostring(tree, method="html", encoding="unicode"))
    for number, node in enumerate(nodes):
        node.text = f"{stem}{number}z"
    out = etree.tostring(tree, method="html", encoding="unicode", with_tail=False)
    out = _INVISIBLE.sub(_reference, out)
    out = re.sub(rf"{stem}(\d+)z", lambda match: kept[int(match.group(1))], out)
    return f"{doctype}\n{out}\n"


def _absent_from(text: str) -> str:
    """A word that does not occur in `text`."""
    return next(word for i in count() if (word := f"keep{i}x") not in text)


def _reference(match: re.Match[str]) -> str:
    char = match.group()
    return "&nbsp;" if char == "\u00a0" else f"&#{ord(char)};"
