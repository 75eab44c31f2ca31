"""What is in the wheel is enough: built here, unpacked into a fresh environment, run in an empty folder."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Newsletter = Callable[..., str]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has our wheel and borrows the libraries of this one."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    venv.create(folder / "venv", symlinks=True)
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(site)
    # A path in a .pth file brings the libraries, but not the editable install that lies among them.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "venv" / "bin" / "python"


@pytest.fixture
def newsletter(installed: Path, environ: dict[str, str]) -> Newsletter:
    def run(*words: str, cwd: Path) -> str:
        return subprocess.run(
            [installed, "-m", "newsletter", *words],
            cwd=cwd,
            env=environ,
            check=True,
            capture_output=True,
            encoding="utf-8",
        ).stdout

    return run


def test_the_wheel_is_what_runs(installed: Path, tmp_path: Path, environ: dict[str, str]) -> None:
    code = "import newsletter; print(newsletter.__file__)"
    result = subprocess.run(
        [installed, "-c", code],
        cwd=tmp_path,
        env=environ,
        check=True,
        capture_output=True,
        text=True,
    )
    assert result.stdout.startswith(str(installed.parents[1]))


def test_from_an_empty_folder_to_every_message(newsletter: Newsletter, tmp_path: Path) -> None:
    newsletter("init", "x", cwd=tmp_path)
    folder = tmp_path / "x"
    assert "你好，读者" in newsletter("list", cwd=folder)
    newsletter("render", "1", cwd=folder)
    assert (folder / "out" / "001.html").stat().st_size > 10_000
    newsletter("new", "--prose", cwd=folder)
    newsletter("render", "2", cwd=folder)
    assert "send --due --yes" in newsletter("schedule", cwd=folder)
    newsletter("send", "1", "--dry-run", cwd=folder)


def test_the_theme_is_in_the_wheel_as_real_files(installed: Path) -> None:
    (theme,) = installed.parents[1].glob("lib/python*/site-packages/newsletter/theme")
    assert not theme.is_symlink()
    ours = {path.relative_to(ROOT / "templates") for path in (ROOT / "templates").rglob("*.j2")}
    assert {path.relative_to(theme) for path in theme.rglob("*.j2")} == ours


def test_preview_starts(installed: Path, tmp_path: Path, environ: dict[str, str]) -> None:
    subprocess.run([installed, "-m", "newsletter", "init"], cwd=tmp_path, env=environ, check=True)
    process = subprocess.Popen(
        [installed, "-m", "newsletter", "preview", "1", "--no-open", "--port", "0"],
        cwd=tmp_path,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    process.terminate()
    process.communicate(timeout=30)
    assert line.startswith("Preview: http://127.0.0.1:")
    assert line.endswith("/1\n")
