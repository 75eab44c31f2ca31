"""axe-core, and what it finds serious."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

VERSION = "4.14.1"
GRAVE = ("serious", "critical")


def grave(page: Page, axe: str) -> list[str]:
    """What axe-core finds serious or worse, a line each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    found: dict[str, Any] = page.evaluate(
        "axe.run(document, {iframes: false, resultTypes: ['violations']})"
    )
    return [
        f"{fault['id']}: {fault['nodes'][0]['target']} {fault['nodes'][0]['failureSummary']}"
        for fault in found["violations"]
        if fault["impact"] in GRAVE
    ]
