"""How long an import takes, and how much memory: a million rows against fewer, `make bench-importing`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import stage

CONFIG = """\
name: Weekly
timezone: UTC
from: {name: Weekly, address: weekly@example.org}
audience: database
"""
SIZES = (10_000, 100_000, 1_000_000)
STATUSES = ("active",) * 18 + ("pending", "unsubscribed")
ENVIRONMENT = {"PATH": os.environ["PATH"], "NEWSLETTER_SECRET": "the secret of the benchmark"}


def write_list(path: Path, rows: int) -> None:
    """Names in two scripts, tags, a language and a field; one row in a hundred is no address."""
    with path.open("w", encoding="utf-8") as file:
        file.write("email,name,status,tags,language,joined,city\n")
        for number in range(rows):
            address = f"reader{number:07d}@example.net" if number % 100 else f"reader{number}"
            name, city = ("李华", "北京") if number % 10 == 0 else (f"Reader {number}", "Bonn")
            status = STATUSES[number % len(STATUSES)]
            file.write(f"{address},{name},{status},cv;nlp,zh-CN,2026-01-31,{city}\n")


def bring_in(folder: Path, name: str) -> tuple[float, int]:
    """Seconds and peak memory (KiB) of one import."""
    command = ["subscribers", "import", name, "--yes", "--rejects", "rejects.csv"]
    begun = time.perf_counter()
    done = subprocess.Popen(
        [*stage.NEWSLETTER, *command],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(done.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        sys.exit(f"the import of {name} failed")
    return time.perf_counter() - begun, usage.ru_maxrss


def main() -> None:
    figures: dict[int, int] = {}
    print("| rows | import | seconds | rows a second | peak memory, MiB |\n|---|---|---|---|---|")
    for rows in SIZES:
        with tempfile.TemporaryDirectory() as root:
            folder = Path(root)
            (folder / "newsletter.yaml").write_text(CONFIG, encoding="utf-8")
            write_list(folder / "people.csv", rows)
            for which in ("first", "again"):
                seconds, memory = bring_in(folder, "people.csv")
                figures[rows] = max(memory, figures.get(rows, 0))
                rate = rows / seconds
                print(f"| {rows:,} | {which} | {seconds:.1f} | {rate:,.0f} | {memory / 1024:.0f} |")
    most = figures.pop(SIZES[-1])
    for rows, memory in figures.items():
        print(f"memory, {SIZES[-1]:,} rows against {rows:,}: {most / memory:.2f}")


if __name__ == "__main__":
    main()
