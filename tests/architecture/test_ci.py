"""A bare machine gets everything: .ci/run installs what tests ask for, and runs both checks and tests."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / ".ci" / "run"


@pytest.fixture(scope="module")
def script() -> str:
    return SCRIPT.read_text("utf-8")


@pytest.fixture(scope="module")
def installed(script: str) -> set[str]:
    """The packages of the plain list at the top."""
    block = re.search(r"^packages=\(\n(.*?)^\)", script, re.DOTALL | re.MULTILINE)
    assert block is not None
    return {line.split("#")[0].strip() for line in block[1].splitlines()}


def asked() -> dict[str, str]:
    """Program to package, as tests/conftest.py has it; reading it imports no fixtures."""
    for node in ast.parse((ROOT / "tests/conftest.py").read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PACKAGES":
            value: dict[str, str] = ast.literal_eval(node.value)
            return value
    raise AssertionError("tests/conftest.py has no PACKAGES")


def test_it_installs_what_tests_may_ask_for(installed: set[str]) -> None:
    assert set(asked().values()) - installed == set()


def test_every_program_that_a_test_asks_for_has_its_package() -> None:
    tests = [path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py")]
    programs = {
        program for text in tests for program in re.findall(r'requires\("([\w-]+)"\)', text)
    }
    assert programs
    assert programs - set(asked()) == set()


def test_it_allows_no_skip_and_reads_no_input(script: str) -> None:
    assert "export REQUIRE_ALL=1" in script
    assert "exec </dev/null" in script
    assert script.rstrip().endswith("make check\nmake test")


def test_it_is_a_script_that_bash_understands() -> None:
    assert SCRIPT.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", SCRIPT], check=True)
