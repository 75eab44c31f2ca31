"""Editions to findings: what is wrong with an issue, as a list of codes, places and words.

One file per family of checks. A check is a function with a code, a title, a severity, a docstring and
an example each way (`checks.model`); it looks at a `Checked` (`checks.checked`), where everything is
computed once. Nothing here reads a project: `newsletter.checking` puts a `Checked` together.
"""

from newsletter.checks.model import Check, Example, Finding, Found, Severity, check
from newsletter.checks.run import run_checks

__all__ = ["Check", "Example", "Finding", "Found", "Severity", "check", "run_checks"]
