"""Which checks there are."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from newsletter.checks.model import Check

FAMILIES: dict[str, str] = {
    "broken": "What cannot be read",
    "content": "Content",
    "dates": "Dates",
    "chinese": "Chinese copy-editing",
    "marks": "Marks",
    "leftovers": "Leftovers",
    "links": "Links",
    "link_texts": "Texts of links",
    "images": "Images",
    "accessibility": "Accessibility",
    "legibility": "Legibility",
    "size": "Size",
    "inbox": "Inbox",
    "headers": "Headers",
    "list_headers": "Headers of a mail to many",
    "structure": "Parts of the message",
    "spam": "Spam, offline",
    "dropped": "Dropped CSS",
    "compatibility": "Mail programs",
    "online": "Links and images over the network",
    "spamassassin": "SpamAssassin",
    "acceptance": "Accepted findings",
}
"""Modules of this package that hold checks, in the order of the documentation, with their headings."""


@cache
def all_checks() -> tuple[Check, ...]:
    """Every check, family by family, in the order of its module."""
    return tuple(
        value
        for family in FAMILIES
        for value in vars(import_module(f"newsletter.checks.{family}")).values()
        if isinstance(value, Check) and value.family == family.rpartition(".")[2]
    )


@cache
def checks_by_code() -> dict[str, Check]:
    """Every check by its code."""
    return {check.code: check for check in all_checks()}
