"""A wheel, built and installed elsewhere, begins a publication in an empty folder and works there."""

from __future__ import annotations

import signal
import subprocess
import sys
import sysconfig
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest
from story import ROOT, Desk, environment, finish


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this source tree without the network."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    done = subprocess.run(
        [*command, str(ROOT)], capture_output=True, text=True, env=environment(), check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`newsletter` in an environment of its own that sees this one's libraries, but not its package."""
    home = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(home, with_pip=False)
    python = home / "bin/python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run(
        [*command, "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)],
        env=environment(),
        check=True,
    )
    (site,) = home.glob("lib/python*/site-packages")
    # A path file is not read for further path files, so the editable install stays invisible.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    return home / "bin/newsletter"


@pytest.fixture
def started(program: Path, tmp_path: Path) -> Desk:
    """A new publication that the installed program has just written into an empty folder."""
    begun = Desk(root=tmp_path, program=(str(program),)).run("init", "x")
    assert begun.code == 0
    return Desk(root=tmp_path / "x", program=(str(program),))


def test_the_wheel_has_the_theme_and_the_other_files_that_are_no_code(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for template in (ROOT / "templates").rglob("*.*"):
        assert f"newsletter/theme/{template.relative_to(ROOT / 'templates')}" in names
    assert "newsletter/py.typed" in names
    assert "newsletter/storage/sqlite/migrations/0001_ledger.sql" in names
    assert "newsletter/preview/static/index.html" in names
    assert "newsletter/scaffold/files/content/001.yaml" in names
    assert not [name for name in names if "test" in name or name.startswith("tools")]


def test_it_is_the_installed_package_that_runs(program: Path) -> None:
    asked = "import newsletter; print(newsletter.__file__)"
    python = program.with_name("python")
    done = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).is_relative_to(program.parent.parent)


def test_init_writes_a_publication_that_is_complete(started: Desk) -> None:
    for name in ("newsletter.yaml", "content/001.yaml", "templates/issue.html.j2", ".gitignore"):
        assert (started.root / name).is_file()
    again = started.run("init")
    assert again.code == 2
    assert "exists already" in again.err


def test_render(started: Desk) -> None:
    done = started.run("render", "1")
    assert done.code == 0
    assert {path.name for path in (started.root / "out").glob("001.*")} == {
        "001.html",
        "001.txt",
        "001.eml",
    }


def test_dry_run(started: Desk) -> None:
    done = started.run("send", "1", "--dry-run")
    assert done.code == 0
    assert "2 messages built" in done.out


def test_preview(started: Desk) -> None:
    process = started.start("preview", "1", "--no-open", "--port", "0")
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip().removeprefix("Preview: ")
        with urllib.request.urlopen(url, timeout=20) as answer:
            assert answer.status == 200
            assert b"<html" in answer.read()
    finally:
        process.send_signal(signal.SIGINT)
        done = finish(process)
    assert done.code == 0


def test_new_and_list_and_schedule(started: Desk) -> None:
    assert started.run("new").code == 0
    listed = started.run("list")
    assert listed.code == 0
    assert [line.split()[0] for line in listed.out.splitlines()[1:]] == ["1", "2"]
    assert str(started.program[0]) in started.run("schedule").out
