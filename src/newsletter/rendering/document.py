"""The HTML document between template and message: parsed once, changed as a tree, written once."""

from __future__ import annotations

import re
from typing import cast

from lxml import etree

from newsletter.rendering.mistake import Mistake

DOCTYPE = "<!doctype html>"
RAW_TEXT = frozenset({"style", "script"})
_INVISIBLE = re.compile("[\u00a0\u00ad\u034f\u2000-\u200f\u2028-\u202f\u2060-\u2064\ufeff]")
_DOCTYPE = re.compile(r"\s*(<!doctype[^>]*>)", re.IGNORECASE)


def parse(html: str) -> etree._Element:
    """The tree of a whole document.

    Raises:
        Mistake: there is no document in it.
    """
    if not html.strip():
        raise Mistake("issue.html.j2 made an empty document")
    tree = etree.fromstring(html.strip(), etree.HTMLParser())
    if tree is None or tree.tag != "html":
        raise Mistake("issue.html.j2 does not make an HTML document")
    return cast("etree._Element", tree)


def doctype(html: str) -> str:
    """The document type of `html`, or that of HTML."""
    match = _DOCTYPE.match(html)
    return match.group(1) if match else DOCTYPE


def serialise(tree: etree._Element, *, doctype: str = DOCTYPE) -> str:
    """The document as text. Invisible characters are written as references, style blocks and comments letter for letter."""
    kept: list[str] = []
    nodes = [node for node in tree.iter() if node.tag is etree.Comment or node.tag in RAW_TEXT]
    for node in nodes:
        kept.append(node.text or "")
        node.text = f"newsletter-keeps-{len(kept) - 1}-"
    try:
        out = etree.tostring(tree, method="html", encoding="unicode", with_tail=False)
    finally:
        for node, text in zip(nodes, kept, strict=True):
            node.text = text
    out = _INVISIBLE.sub(_reference, out)
    out = re.sub(r"newsletter-keeps-(\d+)-", lambda match: kept[int(match.group(1))], out)
    return f"{doctype}\n{out}\n"


def _reference(match: re.Match[str]) -> str:
    char = match.group()
    return "&nbsp;" if char == "\u00a0" else f"&#{ord(char)};"
