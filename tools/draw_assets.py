"""Draws the pictures of the sample publication: `python tools/draw_assets.py` writes assets/*.png.

The masthead is an image cut into patches of which most are masked, as in masked image modelling; the three
dividers are a row of tokens of which more and more are filled in. Chromium draws SVG, `png.py` makes it small.
The pictures are committed, so nobody needs a browser to send a newsletter.
"""

from __future__ import annotations

import random
from pathlib import Path

import png
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync", "--no-first-run", "--disable-lcd-text"]

INK, MASKED, LAND, LIGHT, PAPER = "#10312d", "#17403b", "#2a6a60", "#86d6c1", "#f3f7f5"
HILL = "#d4ebe3"
ACCENT = "#2c9b83"


def masthead() -> str:
    """640 x 168, shown at full width: the title at the left, the half-masked picture at the right."""
    step, size, left, top = 24, 20, 334, 0
    columns, rows = 13, 7
    dice = random.Random(64)
    cells = [(column, row) for row in range(rows) for column in range(columns)]
    odds = {cell: dice.random() for cell in cells}
    seen, masked = [], []
    for column, row in cells:
        box = f'x="{left + column * step}" y="{top + row * step + 2}" width="{size}" height="{size}" rx="3"'
        # The picture fades in from the left: the title's side stays calm.
        if odds[column, row] < 0.06 + 0.68 * column / columns:
            seen.append(f"<rect {box}/>")
        elif odds[column, row] < 0.2 + 0.9 * column / columns:
            masked.append(f'<rect {box} fill="{MASKED}"/>')
    return f"""
<svg xmlns="http://www.w3.org/2000/svg" width="640" height="168">
  <defs><clipPath id="seen">{"".join(seen)}</clipPath></defs>
  <rect width="640" height="168" fill="{INK}"/>
  {"".join(masked)}
  <g clip-path="url(#seen)">
    <rect x="{left - 20}" width="340" height="168" fill="{LAND}"/>
    <circle cx="536" cy="70" r="58" fill="{LIGHT}"/>
    <path d="M300 168 L430 92 L486 128 L560 84 L660 150 V168 Z" fill="{HILL}"/>
  </g>
  <text x="40" y="92" fill="{PAPER}" font-family="Noto Serif CJK SC" font-weight="700"
        font-size="50" letter-spacing="3">预训练周刊</text>
  <text x="43" y="124" fill="{LIGHT}" font-family="Noto Sans CJK SC" font-weight="500"
        font-size="13.5" letter-spacing="3.4">PRETRAINING WEEKLY</text>
</svg>"""


def divider(filled: int) -> str:
    """152 x 12, transparent: seven tokens, the first `filled` of them no longer masked."""
    tokens = []
    for at in range(7):
        shape = (
            f'fill="{ACCENT}"'
            if at < filled
            else f'fill="none" stroke="{ACCENT}" stroke-width="1.5"'
        )
        inset = 0.0 if at < filled else 0.75
        side = 8 - 2 * inset
        tokens.append(
            f'<rect x="{at * 24 + inset}" y="{2 + inset}" width="{side}" height="{side}" rx="1.5" {shape}/>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="152" height="12">{"".join(tokens)}</svg>'
    )


def draw(browser: Browser, svg: str, path: Path, *, size: tuple[int, int], colours: int) -> None:
    """Render `svg` at twice its `size` in CSS pixels and write it with so many `colours`."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, device_scale_factor=2)
    page.set_content(f"<style>body{{margin:0}}svg{{display:block}}</style>{svg}")
    shot = page.screenshot(omit_background=True)
    page.close()
    path.write_bytes(png.encode(png.decode(shot), colours=colours))
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")


def main() -> None:
    """Draw every picture anew."""
    ASSETS.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        draw(browser, masthead(), ASSETS / "masthead.png", size=(640, 168), colours=32)
        for number, filled in enumerate((2, 4, 7), start=1):
            path = ASSETS / f"divider-{number}.png"
            draw(browser, divider(filled), path, size=(152, 12), colours=12)
        browser.close()


if __name__ == "__main__":
    main()
