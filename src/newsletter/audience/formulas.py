"""Cells that a spreadsheet would take for a formula, and the apostrophe that keeps it from doing so.

A name such as `=HYPERLINK(…)` is harmless here, and runs on the machine of whoever opens an export in a spreadsheet.
"""

from __future__ import annotations

import re

# What a formula begins with, full width too, after any apostrophes: those are doubled, so that nothing is lost.
_DANGEROUS = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_GUARDED = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")


def guard(value: str) -> str:
    """A cell that is text in every spreadsheet; `unguard` gives the value back."""
    return f"'{value}" if _DANGEROUS.match(value) else value


def unguard(value: str) -> str:
    """The value of a cell that `guard` wrote; others are what they are."""
    return value[1:] if value[:1] == "'" and _GUARDED.match(value) else value
