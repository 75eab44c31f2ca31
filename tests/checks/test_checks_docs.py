"""docs/checks.md says what the checks say."""

from __future__ import annotations

import re

import update_checks_docs

from newsletter.checks.registry import FAMILIES, all_checks


def test_the_page_is_current() -> None:
    assert update_checks_docs.PAGE.read_text("utf-8") == update_checks_docs.page(), (
        "run python tools/update_checks_docs.py"
    )


def test_every_check_and_family_has_its_heading() -> None:
    page = update_checks_docs.page()
    assert re.findall(r"^### (\S+)$", page, re.MULTILINE) == [check.code for check in all_checks()]
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == list(FAMILIES.values())


def test_the_links_of_the_contents_lead_to_headings() -> None:
    page = update_checks_docs.page()
    headings = re.findall(r"^#{2,3} (.+)$", page, re.MULTILINE)
    anchors = {update_checks_docs._anchor(heading) for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= anchors
