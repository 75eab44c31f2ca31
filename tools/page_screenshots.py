"""Takes the pictures of the public pages: `python tools/page_screenshots.py` writes those of docs/deploying.md.

`--all DIR` writes every page in Chinese and English, wide and narrow, light and dark, to be looked at. The sample
publication is copied, sent to a mail server that keeps everything, and served by the real `newsletter serve`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import catcher
import png
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from screenshots import CHROMIUM, FLAGS, IMAGES, ROOT

from newsletter.audience.confirming import confirmation_token
from newsletter.audience.tokens import Purpose
from newsletter.project import Project

READER = "lin.xiaoyu@example.com"
SETTINGS = """
signup:
  topics: {papers: 论文, events: 活动}
  languages: {zh-CN: 中文, en: English}
  privacy_url: https://weekly.example.org/privacy
"""
LANGUAGES = ("zh-CN", "en-GB")
Scheme = Literal["light", "dark"]
LOOKS: tuple[tuple[Scheme, ViewportSize], ...] = tuple(
    (scheme, ViewportSize(width=width, height=height))
    for width, height in ((1280, 800), (375, 740))
    for scheme in ("light", "dark")
)
PAGES = (
    "subscribe", "missing", "wrong-link", "expired", "issue", "preferences", "saved", "mistakes", "sent", "confirm",
    "confirmed", "leave", "left", "not-subscribed",
)  # fmt: skip
SHOWN: dict[str, tuple[str, Scheme, int]] = {
    "page-subscribe": ("subscribe", "light", 1280),
    "page-preferences": ("preferences", "dark", 375),
}


def prepare(root: Path) -> None:
    """Let the publication in `root` ask for everything that there is, its list in a file that may be written to."""
    settings = root / "newsletter.yaml"
    (root / "subscribers.example.csv").rename(root / "subscribers.csv")
    text = settings.read_text("utf-8").replace("subscribers.example.csv", "subscribers.csv")
    settings.write_text(text + SETTINGS, "utf-8")


def free_port() -> int:
    """A port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def walk(page: Page, url: str, project: Project) -> Iterator[str]:
    """Go to every public page, one after the other, as a reader who has got issue 64; gives the names of `PAGES`."""
    keyring = project.keyring
    who = keyring.subscriber_id(READER)
    token = keyring.token(Purpose.UNSUBSCRIBE, who)
    for name, path in {
        "subscribe": "/",
        "missing": "/nothing",
        "wrong-link": "/u/forged",
        "expired": "/c/forged",
        "issue": f"/v/64/{keyring.token(Purpose.VIEW, who)}",
        "preferences": f"/p/{token}",
    }.items():
        page.goto(url + path)
        yield name
    _submit(page)
    yield "saved"
    page.goto(url)
    page.fill("#email", "no address")
    page.fill("#name", "=1")
    _submit(page)
    yield "mistakes"
    page.fill("#email", f"reader{time.monotonic_ns()}@example.org")
    page.fill("#name", "")
    _submit(page)
    yield "sent"
    page.goto(f"{url}/c/{confirmation_token(keyring, who, until=time.time() + 900)}")
    yield "confirm"
    _submit(page)
    yield "confirmed"
    page.goto(f"{url}/u/{token}")
    yield "leave"
    _submit(page)
    yield "left"
    page.goto(f"{url}/p/{token}")
    yield "not-subscribed"


def _submit(page: Page) -> None:
    """Press the page's first button."""
    with page.expect_navigation():
        page.get_by_role("button").first.click()


@contextlib.contextmanager
def serving(root: Path, relay: str) -> Iterator[tuple[str, Project]]:
    """The endpoint of a publication whose issue 64 was sent; its address, and the publication."""
    url = f"http://127.0.0.1:{free_port()}"
    environ = {**os.environ, "NEWSLETTER_RELAY": relay, "NEWSLETTER_PUBLIC_URL": url}
    newsletter = [sys.executable, "-m", "newsletter", "-C", str(root)]
    # Links that lead to this very machine are an error to the checks.
    subprocess.run(
        [*newsletter, "send", "64", "--yes", "--force"],
        env=environ,
        check=True,
        capture_output=True,
    )
    server = subprocess.Popen(
        [*newsletter, "serve", "--port", url.rpartition(":")[2]],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert server.stdout is not None
        server.stdout.readline()
        yield url, Project.open(root, environ=environ)
    finally:
        server.terminate()
        server.communicate()


def shoot(
    browser: Browser, url: str, project: Project, language: str
) -> Iterator[tuple[str, Scheme, int, bytes]]:
    """Every page in every look: name, scheme, width, picture."""
    page = browser.new_page(locale=language)
    for name in walk(page, url, project):
        for scheme, size in LOOKS:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(size)
            yield name, scheme, size["width"], page.screenshot(full_page=True)
    page.close()


def main() -> None:
    """Write the pictures that the documents show, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", type=Path, metavar="DIR")
    folder: Path | None = parser.parse_args().all
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        relay = stack.enter_context(catcher.running(scratch / "caught"))
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=CHROMIUM, args=FLAGS
        )
        for language in LANGUAGES if folder else LANGUAGES[:1]:
            root = scratch / language
            for entry in ("content", "templates", "assets"):
                shutil.copytree(ROOT / entry, root / entry)
            for entry in ("newsletter.yaml", "subscribers.example.csv"):
                shutil.copy(ROOT / entry, root)
            prepare(root)
            url, project = stack.enter_context(serving(root, relay))
            for name, scheme, width, picture in shoot(browser, url, project, language):
                if folder:
                    folder.mkdir(parents=True, exist_ok=True)
                    path = folder / f"{name}-{language}-{width}-{scheme}.png"
                    path.write_bytes(picture)
                for shown, wanted in SHOWN.items():
                    if not folder and wanted == (name, scheme, width):
                        path = IMAGES / f"{shown}.png"
                        path.write_bytes(png.encode(png.decode(picture), colours=200))
                        print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")
        browser.close()


if __name__ == "__main__":
    main()
