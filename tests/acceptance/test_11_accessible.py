"""axe-core finds no serious fault in the preview page, nor in the mail of the sample issue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from node_package import CannotFetch, fetched
from playwright.sync_api import Browser, Page
from story import Desk

VERSION = "4.14.1"
GRAVE = ("serious", "critical")
VIEWS = (
    "64",
    "64?tab=text",
    "64?tab=inbox",
    "64?tab=source",
    "64?tab=headers",
    "64?tab=raw",
    "64?tab=size",
    "",
)


@pytest.fixture(scope="module")
def axe(requires: Callable[[str], Path]) -> str:
    """The script of axe-core."""
    requires("npm")
    try:
        return (fetched("axe-core", VERSION) / "axe.min.js").read_text("utf-8")
    except CannotFetch as error:
        pytest.skip(f"axe-core {VERSION} cannot be had: {error}")


@pytest.fixture
def preview(desk: Desk) -> Iterator[str]:
    """The address of the sample's preview, ending in a slash."""
    process = desk.start("preview", "64", "--no-open")
    assert process.stdout is not None
    yield process.stdout.readline().split()[-1].rpartition("/")[0] + "/"
    process.terminate()
    process.communicate()


def grave(page: Page, axe: str) -> list[str]:
    """What axe-core finds serious or worse, a line each."""
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate("axe.run(document, {iframes: false})")
    return [
        f"{fault['id']}: {fault['nodes'][0]['target']} {fault['nodes'][0]['failureSummary']}"
        for fault in found["violations"]
        if fault["impact"] in GRAVE
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 375])
def test_the_preview_page(
    browser: Browser, preview: str, axe: str, scheme: Any, width: int
) -> None:
    # axe runs as a script of ours, which the page's own policy would rightly refuse.
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    faults = {}
    for view in VIEWS:
        page.goto(preview + view)
        page.wait_for_timeout(700)
        faults[view] = grave(page, axe)
    context.close()
    assert not [fault for found in faults.values() for fault in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("number", [64, 65])
def test_the_mail(browser: Browser, desk: Desk, axe: str, scheme: Any, number: int) -> None:
    assert desk.run("render", str(number), "--out", "out").code == 0
    page = browser.new_page(viewport={"width": 800, "height": 900}, color_scheme=scheme)
    page.goto((desk.root / "out" / f"{number:03d}.html").as_uri())
    faults = grave(page, axe)
    page.close()
    assert faults == []
