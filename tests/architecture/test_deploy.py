"""The files in deploy/ are what their programs accept."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"


def test_systemd_accepts_the_unit(requires: Callable[[str], Path], tmp_path: Path) -> None:
    program = requires("systemd-analyze")
    unit = (DEPLOY / "newsletter.service").read_text("utf-8")
    here = unit.replace("/opt/newsletter/bin/newsletter", sys.executable)
    copy = tmp_path / "newsletter.service"
    copy.write_text(here, "utf-8")
    done = subprocess.run([program, "verify", copy], capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if "newsletter" in line]
    assert said == []
    assert done.returncode == 0


def test_the_image_is_made_of_what_is_there() -> None:
    steps = (DEPLOY / "Containerfile").read_text("utf-8")
    for copied in re.findall(r"^COPY (.+) \S+$", steps, flags=re.MULTILINE):
        for path in copied.split():
            assert (ROOT / path).exists(), path


def test_one_port_everywhere() -> None:
    ports = {
        name: set(re.findall(r"\b80\d\d\b", (DEPLOY / name).read_text("utf-8")))
        for name in ("newsletter.service", "Caddyfile", "nginx.conf", "Containerfile")
    }
    assert set().union(*ports.values()) == {"8064"}
    assert all(ports.values())
