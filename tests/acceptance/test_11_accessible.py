"""axe-core finds no serious fault in the preview page, nor in the mail of the sample issue."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from accessibility import grave
from playwright.sync_api import Browser
from story import SECRET, Desk, copy_sample

SCHEMES: tuple[Any, ...] = ("light", "dark")
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
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A copy of the sample publication that nobody changes."""
    root = copy_sample(tmp_path_factory.mktemp("accessible") / "weekly")
    desk = Desk(root=root, variables={"NEWSLETTER_SECRET": SECRET})
    yield desk
    desk.close()


@pytest.fixture(scope="module")
def preview(sample: Desk) -> str:
    """The address of the sample's preview, ending in a slash."""
    process = sample.start("preview", "64", "--no-open")
    assert process.stdout is not None
    return process.stdout.readline().split()[-1].rpartition("/")[0] + "/"


@pytest.mark.parametrize("view", VIEWS)
def test_the_preview_page(browser: Browser, preview: str, axe: str, view: str) -> None:
    # axe runs as a script of ours, which the page's own policy would rightly refuse.
    context = browser.new_context(bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    page.goto(preview + view, wait_until="networkidle")
    faults = {}
    for width, scheme in product((1440, 375), SCHEMES):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        faults[width, scheme] = grave(page, axe)
    context.close()
    assert not any(faults.values()), faults


@pytest.mark.parametrize("number", ["64", "65"])
def test_the_mail(browser: Browser, sample: Desk, axe: str, number: str) -> None:
    assert sample.run("render", number, "--out", "out").code == 0
    page = browser.new_page(viewport={"width": 800, "height": 900})
    page.goto((sample.root / "out" / f"{int(number):03d}.html").as_uri())
    faults = {}
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        faults[scheme] = grave(page, axe)
    page.close()
    assert not any(faults.values()), faults
