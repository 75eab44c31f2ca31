"""Screenshots of a rendered issue, to look at and for the README.

`python tools/screenshots.py 64` writes the chosen ones to docs/images/; `--all DIR` writes every view of `VIEWS` to DIR
instead: wide and narrow, light and dark, inverted by force as some mail programs do it, and with images off.
"""

from __future__ import annotations

import argparse
import base64
import html
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import png
from playwright.sync_api import Browser, FloatRect, sync_playwright

from newsletter.config import load_publication
from newsletter.content.reader import read_issue
from newsletter.rendering.edition import Edition
from newsletter.rendering.render import Renderer

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync", "--no-first-run"]

READER = {
    "name": "林小满",
    "email": "xiaoman@example.org",
    "unsubscribe_url": "https://weekly.example.org/u/sample",
    "online_url": "https://weekly.example.org/o/sample",
}
# What Gmail on a phone and Outlook on Windows do to a mail in the dark: colours are inverted, pictures are not.
INVERTED = "html { background: #fff; filter: invert(1) hue-rotate(180deg) } "
INVERTED += "img { filter: invert(1) hue-rotate(180deg) }"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One way to look at the mail; the width is in CSS pixels."""

    width: int
    scheme: Literal["light", "dark"] = "light"
    inverted: bool = False
    images: bool = True


VIEWS = {
    "wide": View(width=760),
    "wide-dark": View(width=760, scheme="dark"),
    "wide-inverted": View(width=760, inverted=True),
    "wide-no-images": View(width=760, images=False),
    "phone": View(width=375),
    "phone-dark": View(width=375, scheme="dark"),
    "phone-inverted": View(width=375, inverted=True),
    "phone-no-images": View(width=375, images=False),
}


def edition_of(number: int) -> Edition:
    """The edition of issue `number` of the sample publication."""
    publication = load_publication(ROOT, environ={})
    renderer = Renderer(publication, root=ROOT)
    path = next(ROOT.glob(f"content/{number:03}.*"))
    source = read_issue(path, root=ROOT, kinds=renderer.kinds, zone=publication.zone)
    return renderer.render(source.issue)


def page_of(edition: Edition, *, images: bool = True) -> str:
    """The HTML part as one reader sees it, with the embedded images in data URIs or left out."""
    page = edition.html
    for slot in edition.slots:
        page = page.replace(slot.token, html.escape(READER.get(slot.name, slot.fallback)))
    for image in edition.images:
        data = base64.b64encode(image.data).decode()
        url = f"data:{image.mime_type};base64,{data}" if images else "data:,"
        page = page.replace(f"cid:{image.content_id}", url)
    return page


def shoot(
    browser: Browser, edition: Edition, view: View, *, height: int | None = None, start: str = ""
) -> bytes:
    """A PNG of the whole mail, or of `height` CSS pixels from the top or from `start`."""
    page = browser.new_page(viewport={"width": view.width, "height": 900}, color_scheme=view.scheme)
    page.set_content(page_of(edition, images=view.images))
    if view.inverted:
        page.add_style_tag(content=INVERTED)
    box = page.locator(start).first.bounding_box() if start else None
    y = box["y"] if box else 0.0
    clip: FloatRect | None = None
    if height is not None:
        clip = {"x": 0, "y": y, "width": view.width, "height": height}
    shot = page.screenshot(full_page=True, clip=clip)
    page.close()
    return shot


def poster(browser: Browser, edition: Edition) -> bytes:
    """The picture of the README: the wide mail, and beside it a phone by day and by night."""
    small, gap = 726, 24
    tall = 2 * small + gap
    wide = shoot(browser, edition, VIEWS["wide"], height=tall)
    day = shoot(browser, edition, VIEWS["phone"], height=small)
    night = shoot(browser, edition, VIEWS["phone-dark"], height=small, start=".cell.group")
    boxes = "".join(
        f'<img src="data:image/png;base64,{base64.b64encode(shot).decode()}"'
        f' style="position:absolute;left:{left}px;top:{top}px">'
        for shot, left, top in (
            (wide, gap, gap),
            (day, 760 + 2 * gap, gap),
            (night, 760 + 2 * gap, small + 2 * gap),
        )
    )
    page = browser.new_page(viewport={"width": 760 + 375 + 3 * gap, "height": tall + 2 * gap})
    page.set_content(f'<body style="background:#c3cfca">{boxes}')
    shot = page.screenshot()
    page.close()
    return shot


def write_chosen(browser: Browser, edition: Edition) -> None:
    """The pictures of the README."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    path = IMAGES / f"issue-{edition.issue:03}.png"
    path.write_bytes(png.encode(png.decode(poster(browser, edition)), colours=200))
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")


def main() -> None:
    """Parse the arguments and write the pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("number", type=int, nargs="?", default=64)
    parser.add_argument("--all", type=Path, metavar="DIR", help="write every view here instead")
    parser.add_argument("--only", default="", help="only views whose name fits this pattern")
    arguments = parser.parse_args()
    edition = edition_of(arguments.number)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        if arguments.all is None:
            write_chosen(browser, edition)
        else:
            arguments.all.mkdir(parents=True, exist_ok=True)
            for name, view in VIEWS.items():
                if re.search(arguments.only, name):
                    (arguments.all / f"{name}.png").write_bytes(shoot(browser, edition, view))
        browser.close()


if __name__ == "__main__":
    main()
