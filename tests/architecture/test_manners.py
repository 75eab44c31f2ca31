"""House manners that no linter knows: who may print, what may be slow, how long a file may be."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "src" / "newsletter"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "theme" not in path.parts)
HEAVY = {
    "aiosmtplib",
    "email_validator",
    "jinja2",
    "lxml",
    "markdown_it",
    "premailer",
    "pydantic",
    "rich",
    "sqlite3",
    "starlette",
    "uvicorn",
    "yaml",
}
TEXT = {".py", ".md", ".yaml", ".toml", ".txt", ".csv", ".j2", ".css", ".js", ".html", ".sql", ""}


def calls(path: Path) -> Iterator[tuple[str, int]]:
    """The dotted name of every call in a module, with its line."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_command_line_prints_and_exits(path: Path) -> None:
    if path.is_relative_to(PACKAGE / "cli") or path.name == "__main__.py":
        return
    forbidden = {"print", "input", "exit", "quit", "sys.exit", "os._exit", "sys.stdout.write"}
    assert [(name, line) for name, line in calls(path) if name in forbidden] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 400
    assert path.stem not in {"utils", "helpers", "common", "misc"}


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from newsletter.cli import main; main(['--help'])\n"
        "print(*{name.split('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Commands:" in done.stdout
    assert HEAVY & set(done.stderr.split()) == set()


@pytest.fixture(scope="module")
def tracked(request: pytest.FixtureRequest) -> dict[str, str]:
    """Every text file that is in git, by path; of the folder itself where this is no clone."""
    requires: Callable[[str], Path] = request.getfixturevalue("requires")
    listed = subprocess.run(
        [requires("git"), "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    paths = [ROOT / name for name in listed if Path(name).suffix in TEXT]
    return {
        str(path.relative_to(ROOT)): path.read_text("utf-8")
        for path in paths
        if path.is_file() and not path.is_symlink()
    }


def test_no_file_names_a_registrys_host(tracked: dict[str, str]) -> None:
    hosts = re.compile(r"(py" + r"pi\.org|pythonhosted\.|npm" + r"js\.|crates\.i" + r"o)")
    assert [name for name, text in tracked.items() if hosts.search(text)] == []


def test_no_work_is_left_for_later(tracked: dict[str, str]) -> None:
    marks = re.compile(r"(#|//|/\*|--|\{#)\s*(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
    sources = {name: text for name, text in tracked.items() if name.startswith(("src/", "tools/"))}
    assert sources
    assert [name for name, text in sources.items() if marks.search(text)] == []
