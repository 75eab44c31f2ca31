"""The import rules, both ways: the code keeps every one of them, and every one of them can be broken."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "src" / "newsletter"
CONTRACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))[
    "tool"
]["importlinter"]["contracts"]
LAYERS: list[list[str]] = [
    [name.strip() for name in re.split(r"[|:]", line)] for line in CONTRACTS[0]["layers"]
]

# Contract, the module that goes wrong, and the line that breaks the rule.
UPWARD = [
    ("layers", "mail/address.py", "from newsletter.config import Publication as _p"),
    ("layers", "content/models.py", "from newsletter.audience import models as _m"),
    ("layers", "rendering/render.py", "from newsletter.composing import compose as _c"),
    ("layers", "transport/smtp.py", "from newsletter.delivery import states as _s"),
    ("layers", "delivery/sender.py", "from newsletter.storage.sqlite import ledger as _l"),
    ("layers", "project.py", "import newsletter.cli.send"),
    ("layers", "delivery/sender.py", "def _lazy() -> None:\n    import newsletter.sending"),
]
SMUGGLED = [
    (contract["id"], "mailing.py", f"import {library}")
    for contract in CONTRACTS
    if contract["type"] == "forbidden"
    for library in contract["forbidden_modules"]
]
OFFENCES = UPWARD + SMUGGLED


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the package below `root`/src with the contracts of `root`/pyproject.toml."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=root,
        env={"PYTHONPATH": str(root / "src"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package and its contracts, to be spoiled."""
    shutil.copy2(ROOT / "pyproject.toml", tmp_path)
    ignored = shutil.ignore_patterns("__pycache__", "theme", "static", "files")
    shutil.copytree(PACKAGE, tmp_path / "src" / "newsletter", ignore=ignored)
    return tmp_path


def test_the_code_keeps_every_rule() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(("contract", "module", "line"), OFFENCES)
def test_an_offence_breaks_its_rule(copy: Path, contract: str, module: str, line: str) -> None:
    name = next(known["name"] for known in CONTRACTS if known["id"] == contract)
    path = copy / "src" / "newsletter" / module
    path.write_text(f"{path.read_text('utf-8')}\n\n{line}\n", "utf-8")
    done = lint(copy)
    assert done.returncode == 1
    assert f"{name} BROKEN" in done.stdout


def test_every_rule_has_an_offence_here() -> None:
    assert {contract for contract, _, _ in OFFENCES} == {known["id"] for known in CONTRACTS}


def test_a_new_room_needs_a_place_in_the_plan(copy: Path) -> None:
    room = copy / "src" / "newsletter" / "attic"
    room.mkdir()
    (room / "__init__.py").write_text('"""A room that nobody planned."""\n', "utf-8")
    done = lint(copy)
    assert done.returncode == 1
    assert "attic" in done.stdout


def test_a_door_that_is_no_door_any_more_is_noticed(copy: Path) -> None:
    path = copy / "src/newsletter/rendering/inline.py"
    path.write_text(path.read_text("utf-8").replace("premailer", "premailed"), "utf-8")
    assert lint(copy).returncode != 0


def test_the_picture_in_the_docs_shows_the_same_layers() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    block = re.search(r"<!-- layers -->\n+```text\n(.*?)```", text, re.DOTALL)
    assert block is not None
    shown = [
        re.findall(r"\w+", line.split("  ")[0]) for line in block[1].splitlines() if line.strip()
    ]
    assert shown == [layer for layer in LAYERS if layer != ["__main__"]]
