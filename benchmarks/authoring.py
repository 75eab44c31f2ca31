"""How long an author waits, from a save to the repaint, and for `newsletter check`: `make bench-authoring`."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import stage
from playwright.sync_api import Page, sync_playwright

CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
SAVES = 15

# Two animation frames after the mail has loaded, its pixels are on the screen.
WATCH = """
window.shown = [];
document.addEventListener('mailshown', () => requestAnimationFrame(() => requestAnimationFrame(
    () => shown.push(performance.timeOrigin + performance.now()))));
"""


def repaints(folder: Path) -> list[float]:
    """Milliseconds from each save of issue 64 to its repaint in Chromium."""
    command = [*stage.NEWSLETTER, "-C", str(folder), "preview", "64", "--no-open"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    url = server.stdout.readline().split()[-1]
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=CHROMIUM
            )
            page = browser.new_page()
            page.goto(url)
            page.wait_for_selector("iframe.mail:not(.waiting)")
            page.wait_for_timeout(1500)
            page.evaluate(WATCH)
            waits = [save(page, folder / "content" / "064.yaml", count) for count in range(SAVES)]
            browser.close()
    finally:
        server.terminate()
        server.wait()
    return waits


def save(page: Page, source: Path, count: int) -> float:
    """One save, as editors do it: a new file in the place of the old one."""
    text = source.read_text(encoding="utf-8")
    draft = source.with_suffix(".tmp")
    draft.write_text(text.replace("本期导读", f"本期导读{count}", 1), encoding="utf-8")
    saved = time.time() * 1000
    draft.replace(source)
    while page.evaluate("shown.length") <= count:  # the page's own policy forbids wait_for_function
        page.wait_for_timeout(20)
    shown = float(page.evaluate(f"shown[{count}]"))
    page.wait_for_timeout(400)
    return shown - saved


def check_seconds(folder: Path) -> list[float]:
    """Seconds of `newsletter check 64`, each a new process."""
    waits = []
    for _ in range(6):
        started = time.perf_counter()
        command = [*stage.NEWSLETTER, "-C", str(folder), "check", "64"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        waits.append(time.perf_counter() - started)
    return waits


def warm_check(folder: Path) -> float:
    """Milliseconds of a check in a process that has checked before, the best of five."""
    script = (
        "import time\n"
        "from pathlib import Path\n"
        "from newsletter.project import Project\n"
        "from newsletter.checking import check_issue\n"
        f"project = Project.open(Path({str(folder)!r}))\n"
        "best = 9.0\n"
        "for _ in range(6):\n"
        "    started = time.perf_counter()\n"
        "    check_issue(project, 64)\n"
        "    best = min(best, time.perf_counter() - started)\n"
        "print(best * 1000)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="newsletter-authoring-") as name:
        folder = stage.publication(Path(name))
        stage.write_list(folder, 100)
        cold = check_seconds(folder)
        warm = warm_check(folder)
        waits = repaints(folder)
    print("| waiting for | median | worst |\n|---|---|---|")
    print(
        f"| save to repaint, issue 64 | {statistics.median(waits):.0f} ms | {max(waits):.0f} ms |"
    )
    print(
        f"| `newsletter check 64`, a new process | {statistics.median(cold):.2f} s | {max(cold):.2f} s |"
    )
    print(f"| the same, warm | {warm:.0f} ms | |")


if __name__ == "__main__":
    main()
