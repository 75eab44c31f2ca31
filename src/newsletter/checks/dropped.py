"""CSS that inlining left out: rules and declarations that reached neither an element nor the head."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from newsletter.checks.model import Example, Found, Severity, check

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked

_SHEET = "templates/styles/inlined.css"
_GOOD = "p, td, h1, h2, h3, h4, li { font-family: sans-serif }\n"


@check(
    "css-dropped",
    title="CSS that did not reach the mail",
    severity=Severity.WARNING,
    passing=Example(body="好。", files={_SHEET: _GOOD}),
    failing=(
        Example(body="好。", files={_SHEET: _GOOD + "p { color: rgb(0 0 0 / 50%) }\n"}),
        Example(body="好。", files={_SHEET: _GOOD + "@font-face { font-family: x }\n"}),
    ),
)
def css_dropped(checked: Checked) -> Iterator[Found]:
    """The inliner knows older CSS only, and drops the rest without a word: `@font-face`, `:is()`,
    nesting, `rgb(0 0 0 / 50%)`, the first of a fallback pair.

    What must not be inlined stands in the other style block, `<style data-premailer="ignore">`.
    """
    for problem in checked.edition.warnings:
        yield Found(
            problem.message, place=problem.place, hint=problem.hint, snippet=problem.snippet
        )
