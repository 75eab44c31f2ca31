"""What every test folder shares: golden files, and the system's programs that some tests need.

With REQUIRE_ALL=1, as in .ci/run, a skipped test fails: a missing program must not pass for a green run.
"""

from __future__ import annotations

import gc
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A busy machine is no reason to fail: no test depends on time.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

HEADLESS_SHELL = "chromium-headless-shell"
"""The same Chromium without a desktop's parts, for less than half of the processor time."""
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PACKAGES = {
    "chromium": "chromium-headless-shell",
    "smtp-sink": "postfix",
    "smtp-source": "postfix",
    "postfix": "postfix",
    "postgrey": "postgrey",
    "strace": "strace",
    "openssl": "openssl",
    "systemd-analyze": "systemd",
    "git": "git",
    "java": "default-jre-headless",
    "npm": "npm",
    "spamassassin": "spamassassin",
    "dovecot": "dovecot-imapd",
}
"""Debian's package for each program that a test may ask for; .ci/run installs all of them."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files instead of comparing"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, bytes], None]:
    """`golden(path, data)` compares with the file, or writes it when asked to."""

    def compare(path: Path, data: bytes) -> None:
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        assert path.exists(), f"no {path.name} yet: run pytest --update-golden and read it"
        assert data.decode() == path.read_bytes().decode(), "see the difference, or --update-golden"

    return compare


@pytest.fixture(scope="session")
def requires() -> Callable[[str], Path]:
    """`requires("chromium")`: where that program is; the test is skipped, by name, where it is not."""
    places = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"

    def find(program: str) -> Path:
        found = shutil.which(program, path=places)
        if found is None:
            pytest.skip(f"no {program} here: apt-get install {PACKAGES[program]}")
        return Path(found)

    return find


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`call("list", cwd=…, env=…)`: a command in this very process, for the many variants of one answer.

    Starting Python and importing everything takes longer than most answers. Whatever depends on being a process, and
    one answer of every command at least, is tested with a process.
    """
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}

    def newsletter(
        *words: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        from newsletter.cli import main

        capsys.readouterr()
        arguments = [str(word) for word in words]
        with monkeypatch.context() as patched:
            for name in os.environ:
                patched.delenv(name)
            for name, value in {**kept, "COLUMNS": "80", **(env or {})}.items():
                patched.setenv(name, value)
            patched.chdir(cwd or tmp_path)
            patched.setattr(sys, "stdin", io.StringIO())
            threshold = gc.get_threshold()
            try:
                code = main(arguments)
            finally:
                gc.set_threshold(*threshold)
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, out, err)

    return newsletter


@pytest.fixture(scope="module")
def browser(requires: Callable[[str], Path]) -> Iterator[Browser]:
    """A real Chromium, gone at the end of the file.

    Playwright's event loop stays the running one while it lives, so two of them, or one and an `asyncio.run`, cannot
    be at the same time.
    """
    program = shutil.which(HEADLESS_SHELL) or requires("chromium")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=20_000)  # what comes late on a busy machine comes all the same
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(program), args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have measured: `record_property("totals", text)`, from whatever process they ran in."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, text in getattr(report, "user_properties", ()):
            if name == "totals" and report.when == "call":
                terminalreporter.section(report.nodeid, sep="-")
                terminalreporter.write_line(str(text))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one when everything is required."""
    report = yield
    if not hasattr(report, "wasxfail"):
        _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file."""
    report = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("REQUIRE_ALL") == "1" and report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason} (REQUIRE_ALL=1 allows no skip)"
