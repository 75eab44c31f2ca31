"""Takes the pictures of the preview page in docs/images: `python tools/preview_screenshots.py`.

The sample publication is copied, shown by the real `newsletter preview`, and looked at in Debian's Chromium in its main
modes: as it opens, in the dark, on a tablet and a phone, in the inbox, with a finding, and with a mistake over it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import png
from playwright.sync_api import Browser, Page, sync_playwright
from screenshots import CHROMIUM, FLAGS, IMAGES, ROOT

WIDE, TABLET, PHONE = (1440, 900), (768, 1024), (375, 812)
Act = Callable[[Page, Path], None]


def nothing(page: Page, folder: Path) -> None:
    """As it opens."""


def misspell(page: Page, folder: Path) -> None:
    """A field that does not exist."""
    change(folder, "preheader:", "preheadr:")
    page.wait_for_timeout(1500)


def find_something(page: Page, folder: Path) -> None:
    """A weekday that does not fit its date, and a full stop too many."""
    change(folder, "周三上午还有一场", "11月9日（周二）上午还有一场")
    change(folder, "欢迎参加。", "欢迎参加。。")
    page.wait_for_timeout(3500)


def change(folder: Path, old: str, new: str) -> None:
    """Save issue 64 with one thing changed."""
    source = folder / "content" / "064.yaml"
    text = source.read_text("utf-8")
    if old not in text:
        raise SystemExit(f"issue 64 no longer says {old!r}; change this script with it")
    source.write_text(text.replace(old, new, 1), "utf-8")


VIEWS: dict[str, tuple[tuple[int, int], str, str, Act]] = {
    "preview": (WIDE, "light", "64", nothing),
    "preview-dark": (WIDE, "dark", "64?dark=author", nothing),
    "preview-inbox": (WIDE, "light", "64?tab=inbox", nothing),
    "preview-tablet": (TABLET, "light", "64", nothing),
    "preview-phone": (PHONE, "light", "64", nothing),
    "preview-findings": (WIDE, "light", "64", find_something),
    "preview-mistake": (WIDE, "light", "64", misspell),
}


def shoot(browser: Browser, name: str) -> bytes:
    """One view, from a preview of its own."""
    (width, height), scheme, address, act = VIEWS[name]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for entry in ("content", "templates", "assets"):
            shutil.copytree(ROOT / entry, folder / entry)
        for entry in ("newsletter.yaml", "subscribers.example.csv"):
            shutil.copy(ROOT / entry, folder)
        command = [sys.executable, "-m", "newsletter", "-C", scratch, "preview", "64", "--no-open"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            url = server.stdout.readline().split()[-1]
            size = {"width": width, "height": height}
            page = browser.new_page(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(url.rpartition("/")[0] + "/" + address)
            page.wait_for_timeout(3500)
            act(page, folder)
            shot = page.screenshot()
            page.close()
        finally:
            server.terminate()
            server.wait()
    return shot


def main() -> None:
    """Write the pictures whose names are given, or all of them."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name in sys.argv[1:] or VIEWS:
            path = IMAGES / f"{name}.png"
            path.write_bytes(png.encode(png.decode(shoot(browser, name)), colours=200))
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")
        browser.close()


if __name__ == "__main__":
    main()
