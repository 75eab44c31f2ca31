"""Every figure of benchmarks/README.md, side by side on this machine: `make bench`.

Rounds are interleaved, so that a busy moment hits everybody; medians and their ratios are printed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import stage

CONTENDERS = Path(__file__).parent / "contenders"
CACHE = Path(__file__).parent / ".cache"


def connections_setting(count: int) -> str:
    return f"\nsend:\n  connections: {count}\n  messages_per_connection: 100000\n"


class Bench:
    """The figures of one evening."""

    def __init__(self, *, rounds: int, messages: int) -> None:
        self.rounds = rounds
        self.messages = messages
        self.scratch = Path(tempfile.mkdtemp(prefix="newsletter-bench-"))

    def prepare(self) -> None:
        """Publications for each number of connections, and the issue's two parts for the others."""
        for connections in (1, 4, 10):
            folder = self.scratch / f"plain{connections}"
            folder.mkdir()
            stage.publication(folder, settings=connections_setting(connections))
            stage.write_list(folder, self.messages)
        command = [*stage.NEWSLETTER, "-C", str(self.scratch / "plain4"), "render", "64"]
        subprocess.run(
            [*command, "--out", str(self.scratch)], check=True, stdout=subprocess.DEVNULL
        )
        self.size = (self.scratch / "064.eml").stat().st_size

    def ours(self, kind: str, connections: int) -> Callable[[int], float]:
        return lambda port: stage.send(self.scratch / f"{kind}{connections}", port).rate

    def smtp_source(self, connections: int) -> Callable[[int], float]:
        tool = stage.postfix_tool("smtp-source")
        many = str(self.messages)

        def run(port: int) -> float:
            started = time.perf_counter()
            subprocess.run(
                [
                    tool,
                    "-d",
                    "-s",
                    str(connections),
                    "-m",
                    many,
                    "-l",
                    str(self.size),
                    f"127.0.0.1:{port}",
                ],
                check=True,
            )
            return self.messages / (time.perf_counter() - started)

        return run

    def other(self, *command: str, connections: int, share: int) -> Callable[[int], float]:
        """A contender that prints its rate; it sends fewer messages where it takes its time."""
        count = str(max(100, self.messages // share))

        def run(port: int) -> float:
            arguments = [*command, str(port), str(connections), count, str(self.scratch)]
            environ = dict(os.environ, NODE_PATH=str(CACHE / "node_modules"))
            done = subprocess.run(
                arguments, check=True, capture_output=True, text=True, env=environ
            )
            return float(done.stdout)

        return run

    def with_dkim(self) -> None:
        """A publication that signs with RSA-2048."""
        folder = self.scratch / "dkim4"
        folder.mkdir()
        stage.publication(folder, settings=connections_setting(4))
        new = [*stage.NEWSLETTER, "-C", str(folder), "dkim", "new", "--selector", "bench"]
        subprocess.run([*new, "--type", "rsa"], check=True, stdout=subprocess.DEVNULL)
        with (folder / "newsletter.yaml").open("a", encoding="utf-8") as file:
            file.write("\ndkim:\n  keys:\n    - selector: bench\n")
        stage.write_list(folder, self.messages)

    def contenders(self) -> dict[str, Callable[[int], float]]:
        found: dict[str, Callable[[int], float]] = {}
        for connections in (1, 4, 10):
            found[f"newsletter, {connections} connections"] = self.ours("plain", connections)
            found[f"smtp-source, {connections} connections"] = self.smtp_source(connections)
        self.with_dkim()
        found["newsletter with DKIM (RSA-2048), 4 connections"] = self.ours("dkim", 4)
        usual = str(CONTENDERS / "aiosmtplib_usual.py")
        found["aiosmtplib's usual way, 10 connections"] = self.other(
            sys.executable, usual, connections=10, share=10
        )
        if script := nodemailer():
            found["nodemailer's pool, 10 connections"] = self.other(
                "node", script, connections=10, share=5
            )
        if mailmerge := mailmerge_runner(self):
            found["mailmerge (one connection, one by one)"] = mailmerge
        return found

    def run(self) -> dict[str, float]:
        contenders = self.contenders()
        figures: dict[str, list[float]] = {name: [] for name in contenders}
        for number in range(1, self.rounds + 1):
            for name, contender in contenders.items():
                with stage.sink() as port:
                    figures[name].append(contender(port))
                print(f"round {number}: {name}: {figures[name][-1]:.0f}/s", file=sys.stderr)
        return {name: statistics.median(rates) for name, rates in figures.items()}

    def round_trips(self) -> float:
        """Messages per round trip on one connection, 20 ms away in each direction."""
        folder = self.scratch / "plain1"
        stage.write_list(folder, 300)
        with stage.sink() as port, stage.delayed(port, 20) as far:
            rates = [stage.send(folder, far).rate for _ in range(self.rounds)]
        return statistics.median(rates) * 0.040


def nodemailer() -> str | None:
    """The script beside an installed nodemailer, or None where there is no node."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        print("node is missing: nodemailer is left out", file=sys.stderr)
        return None
    if not (CACHE / "node_modules" / "nodemailer").exists():
        CACHE.mkdir(exist_ok=True)
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(CACHE), "nodemailer"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    script = CACHE / "nodemailer_pool.mjs"  # beside node_modules, where node looks
    shutil.copy(CONTENDERS / "nodemailer_pool.mjs", script)
    return str(script)


def mailmerge_runner(bench: Bench) -> Callable[[int], float] | None:
    """Mailmerge in an environment of its own, since it wants older libraries."""
    home = CACHE / "mailmerge"
    program = home / "bin" / "mailmerge"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        pip = [str(home / "bin" / "pip"), "install", "--quiet", "mailmerge"]
        if subprocess.run(pip, check=False).returncode:
            print("mailmerge cannot be installed and is left out", file=sys.stderr)
            return None
    count = max(50, bench.messages // 50)
    folder = bench.scratch / "mailmerge"
    folder.mkdir()
    html = (
        (bench.scratch / "064.html").read_text(encoding="utf-8").replace("{{", "").replace("{%", "")
    )
    head = "TO: {{email}}\nSUBJECT: 64\nFROM: weekly@example.org\nContent-Type: text/html\n\n"
    (folder / "mailmerge_template.txt").write_text(head + html, encoding="utf-8")
    people = "".join(f"user{i:07d}@example.com\n" for i in range(count))
    (folder / "mailmerge_database.csv").write_text("email\n" + people, encoding="utf-8")

    def run(port: int) -> float:
        config = f"[smtp_server]\nhost = 127.0.0.1\nport = {port}\n"
        (folder / "mailmerge_server.conf").write_text(config, encoding="utf-8")
        started = time.perf_counter()
        subprocess.run(
            [str(program), "--no-dry-run", "--no-limit"],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return count / (time.perf_counter() - started)

    return run


def scale(counts: tuple[int, ...]) -> dict[int, stage.Run]:
    """Memory and time by length of the list, with the small issue, where overhead shows most."""
    runs = {}
    for count in counts:
        with tempfile.TemporaryDirectory(prefix="newsletter-scale-") as name:
            folder = stage.publication(Path(name), settings=connections_setting(4))
            source = folder / "content" / "065.md"
            source.write_text(
                source.read_text(encoding="utf-8").replace("draft", "ready", 1), encoding="utf-8"
            )
            stage.write_list(folder, count)
            with stage.sink() as port:
                runs[count] = stage.send(folder, port, number=65)
        print(f"{count:>9,} recipients: {runs[count]}", file=sys.stderr)
    return runs


def start_time() -> tuple[float, float]:
    """Seconds for `newsletter --help` and for `import click` alone, the best of many, interleaved."""
    program = str(Path(sys.executable).with_name("newsletter"))
    commands = ([program, "--help"], [sys.executable, "-c", "import click"])
    best = [9.0, 9.0]
    for _ in range(25):
        for which, command in enumerate(commands):
            started = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            best[which] = min(best[which], time.perf_counter() - started)
    return best[0], best[1]


def table(medians: dict[str, float], size: int) -> str:
    lines = [f"| sender | messages a second ({size:,} octets each) |", "|---|---|"]
    lines += [f"| {name} | {rate:,.0f} |" for name, rate in medians.items()]
    return "\n".join(lines)


def verdicts(medians: dict[str, float], trips: float, runs: dict[int, stage.Run]) -> str:
    rows: list[tuple[str, float, str]] = []
    for connections in (1, 4, 10):
        ours = medians[f"newsletter, {connections} connections"]
        limit = medians[f"smtp-source, {connections} connections"]
        rows.append((f"against smtp-source, {connections} connections", ours / limit, "≥ 0.8"))
    ten = medians["newsletter, 10 connections"]
    for name, wanted in (
        ("nodemailer's pool, 10 connections", "≥ 6"),
        ("aiosmtplib's usual way, 10 connections", "≥ 15"),
    ):
        if name in medians:
            rows.append((f"against {name}", ten / medians[name], wanted))
    rows.append(("messages per round trip, 20 ms each way", trips, "≥ 0.8"))
    signed = medians["newsletter with DKIM (RSA-2048), 4 connections"]
    rows.append(
        ("with DKIM, against unsigned", signed / medians["newsletter, 4 connections"], "≥ 0.4")
    )
    if len(runs) > 1:
        small, large = min(runs), max(runs)
        rows.append(
            (
                f"peak memory, {large:,} against {small:,}",
                runs[large].peak / runs[small].peak,
                "≤ 1.2",
            )
        )
        per = {n: (run.seconds) / n for n, run in runs.items()}
        rows.append(
            (f"time per recipient, {large:,} against {small:,}", per[large] / per[small], "≤ 1.15")
        )
    ours, click = start_time()
    rows.append(("`newsletter --help` against `import click`", ours / click, "≤ 1.5"))
    lines = ["| figure | here | wanted |", "|---|---|---|"]
    lines += [f"| {name} | {value:.2f} | {wanted} |" for name, value, wanted in rows]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=5000, help="per run of the fast senders")
    parser.add_argument(
        "--scale", default="10000,100000,1000000", help="lengths of lists, or nothing"
    )
    options = parser.parse_args()
    bench = Bench(rounds=options.rounds, messages=options.messages)
    try:
        bench.prepare()
        medians = bench.run()
        trips = bench.round_trips()
        runs = scale(tuple(int(n) for n in options.scale.split(",") if n))
        print(table(medians, bench.size), end="\n\n")
        if runs:
            print(
                "| recipients | seconds in all | accepted a second | peak MB |\n|---|---|---|---|"
            )
            for count, run in runs.items():
                print(f"| {count:,} | {run.seconds:.1f} | {run.rate:,.0f} | {run.peak:.0f} |")
            print()
        print(verdicts(medians, trips, runs))
    finally:
        shutil.rmtree(bench.scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
