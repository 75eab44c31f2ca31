"""Commands run as a user runs them: a process of their own, 80 columns, nothing from this environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from newsletter.scaffold import start_publication

Result = subprocess.CompletedProcess[str]
Run = Callable[..., Result]


@pytest.fixture(scope="session")
def environ() -> dict[str, str]:
    """What a command sees: no NEWSLETTER_ variables, UTC, 80 columns."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "COLUMNS": "80", "LINES": "24", "LANG": "C.UTF-8", "TZ": "UTC"}


@pytest.fixture
def run(environ: dict[str, str], tmp_path: Path) -> Run:
    """`run("list", cwd=…)`: the finished process; a traceback fails the test."""

    def newsletter(
        *words: str | Path,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        stdin: str = "",
    ) -> Result:
        result = subprocess.run(
            [sys.executable, "-m", "newsletter", *map(str, words)],
            cwd=cwd or tmp_path,
            env={**environ, **(env or {})},
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert "Traceback" not in result.stderr, result.stderr
        return result

    return newsletter


@pytest.fixture
def publication(tmp_path: Path) -> Path:
    """A new publication in `weekly`, as `newsletter init` makes it, dated Monday 2022-11-07."""
    monday = datetime(2022, 11, 7, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
    start_publication(tmp_path / "weekly", first_date=monday)
    return tmp_path / "weekly"
