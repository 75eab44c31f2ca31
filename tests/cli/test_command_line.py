"""What holds for every command: help, errors, exit codes, encodings, signals, no needless imports."""

from __future__ import annotations

import errno
import importlib.metadata
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.cli.lazy import COMMANDS

Run = Callable[..., "subprocess.CompletedProcess[str]"]

HEAVY = {
    "aiosmtplib",
    "email_validator",
    "jinja2",
    "lxml",
    "markdown_it",
    "premailer",
    "pydantic",
    "rich",
    "segno",
    "sqlite3",
    "starlette",
    "tinycss2",
    "uvicorn",
    "watchfiles",
    "wcwidth",
    "yaml",
}
LOADED = "import sys; from newsletter.cli import main; main({words!r}); print(*sys.modules, file=sys.stderr)"


def loaded_by(words: list[str], environ: dict[str, str]) -> set[str]:
    """The top-level modules that a command has loaded by its end."""
    result = subprocess.run(
        [sys.executable, "-c", LOADED.format(words=words)],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in result.stderr.split()}


class TestHelp:
    def test_lists_every_command_in_one_screen(self, run: Run) -> None:
        result = run("--help")
        assert result.returncode == 0
        lines = result.stdout.splitlines()
        assert len(lines) <= 13 + len(COMMANDS)  # a line each, and little else
        for name, (_, short) in COMMANDS.items():
            assert any(line.split()[:1] == [name] and short in line for line in lines)

    def test_is_what_no_command_gets_too(self, run: Run) -> None:
        result = run()
        assert result.returncode == 2
        assert "Usage: newsletter" in result.stderr

    @pytest.mark.parametrize("name", COMMANDS)
    def test_of_every_command_fits_80_columns(self, call: Run, name: str) -> None:
        result = call(name, "--help")
        assert result.returncode == 0
        assert result.stdout.startswith(f"Usage: newsletter {name}")
        assert result.stdout == call(name, "-h").stdout
        assert max(map(len, result.stdout.splitlines())) <= 80

    def test_version_is_the_one_of_the_package(self, run: Run) -> None:
        result = run("--version")
        assert result.stdout == f"newsletter {importlib.metadata.version('newsletter')}\n"

    @pytest.mark.parametrize("words", [["--help"], ["--version"], ["completion", "bash"]])
    def test_loads_no_heavy_library(self, environ: dict[str, str], words: list[str]) -> None:
        assert not loaded_by(words, environ) & HEAVY

    @pytest.mark.parametrize("name", COMMANDS)
    def test_of_a_command_loads_none_either(self, environ: dict[str, str], name: str) -> None:
        assert not loaded_by([name, "--help"], environ) & HEAVY


class TestCompletion:
    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_prints_a_script(self, call: Run, shell: str) -> None:
        result = call("completion", shell)
        assert result.returncode == 0
        assert f"_NEWSLETTER_COMPLETE={shell}_complete" in result.stdout

    def test_of_an_unknown_shell_names_the_known_ones(self, call: Run) -> None:
        result = call("completion", "csh")
        assert result.returncode == 2
        assert "'bash', 'zsh', 'fish'" in result.stderr

    def complete(self, call: Run, *words: str, cwd: Path | None = None) -> list[str]:
        env = {
            "_NEWSLETTER_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(["newsletter", *words]),
            "COMP_CWORD": str(len(words)),
        }
        lines = call(cwd=cwd, env=env).stdout.splitlines()
        return [line.partition(",")[2] for line in lines if line]

    def test_of_commands(self, run: Run) -> None:
        assert self.complete(run, "s") == [name for name in COMMANDS if name.startswith("s")]

    def test_of_options(self, run: Run) -> None:
        assert self.complete(run, "--v") == ["--version"]

    def test_of_issues_goes_by_the_names_of_the_files(self, run: Run, publication: Path) -> None:
        for name in ("064-slug.yaml", "065.md", "notes.txt", "066.md~"):
            (publication / "content" / name).write_text("not even YAML: [")
        assert self.complete(run, "render", "6", cwd=publication) == ["64", "65"]
        assert self.complete(run, "-C", str(publication), "preview", "6") == ["64", "65"]
        assert self.complete(run, "render", "6") == []

    def test_loads_no_heavy_library(self, environ: dict[str, str]) -> None:
        code = (
            "import sys, atexit; atexit.register(lambda: print(*sys.modules, file=sys.stderr));"
            "from newsletter.cli import main; main([])"
        )
        env = {
            **environ,
            "_NEWSLETTER_COMPLETE": "bash_complete",
            "COMP_WORDS": "newsletter ",
            "COMP_CWORD": "1",
        }
        result = subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
        )
        assert "plain,send" in result.stdout
        assert not {name.partition(".")[0] for name in result.stderr.split()} & HEAVY


class TestMistakes:
    def test_an_unknown_command_gets_a_suggestion(self, run: Run) -> None:
        result = run("snd", "64")
        assert result.returncode == 2
        assert "No such command 'snd'. Did you mean 'send'?" in result.stderr
        assert "Did you mean" not in run("xyzzy").stderr

    def test_an_unknown_option_is_a_usage_error(self, call: Run) -> None:
        result = call("list", "--colour")
        assert result.returncode == 2
        assert "No such option" in result.stderr

    @pytest.mark.parametrize(
        "name", ["list", "new", "render", "preview", "send", "status", "log", "schedule"]
    )
    def test_a_folder_without_a_publication_says_what_to_do(self, call: Run, name: str) -> None:
        result = call(
            name, *(["1"] if name in ("render", "preview", "send", "status", "log") else [])
        )
        assert result.returncode == 2
        assert result.stdout == ""
        assert result.stderr.startswith("error: there is no newsletter.yaml")
        assert "newsletter init" in result.stderr

    @pytest.mark.parametrize(
        ("name", "number"),
        [
            ("render", "../1"),
            ("preview", "1.5"),
            ("send", "²"),
            ("status", "/etc/passwd"),
            ("log", "1234567"),
        ],
    )
    def test_what_is_no_number_is_a_usage_error(
        self, call: Run, publication: Path, name: str, number: str
    ) -> None:
        result = call(name, number, cwd=publication)
        assert result.returncode == 2
        assert "number" in result.stderr.lower()

    @pytest.mark.parametrize("name", ["render", "send", "status", "log"])
    def test_an_unknown_issue_names_the_nearest(
        self, call: Run, publication: Path, name: str
    ) -> None:
        result = call(name, "64", cwd=publication)
        assert result.returncode == 2
        assert "no issue 64" in result.stderr
        assert "1" in result.stderr

    def test_every_mistake_of_a_source_is_told_at_once_with_its_place(
        self, run: Run, publication: Path
    ) -> None:
        path = publication / "content" / "001.yaml"
        path.write_text("number: 1\ntitel: x\nsections:\n  - items:\n      - kind: txt\n")
        result = run("render", "1", cwd=publication)
        assert result.returncode == 1
        assert "content/001.yaml:2:1: " in result.stderr
        assert "content/001.yaml:5:" in result.stderr
        assert "error: " not in result.stderr
        assert result.stdout == ""

    def test_a_mistake_of_the_settings_exits_2(self, call: Run, publication: Path) -> None:
        (publication / "newsletter.yaml").write_text("name: x\nfrom: {name: x, address: nobody}\n")
        result = call("list", cwd=publication)
        assert result.returncode == 2
        assert "newsletter.yaml:2:" in result.stderr

    def test_a_file_that_cannot_be_written_is_one_line(self, call: Run, publication: Path) -> None:
        result = call("render", "1", "--out", "newsletter.yaml/out", cwd=publication)
        assert result.returncode == 1
        assert result.stderr == "error: newsletter.yaml/out: Not a directory\n"


class TestFolder:
    def test_another_folder(self, run: Run, publication: Path, tmp_path: Path) -> None:
        assert "你好，读者" in run("-C", publication, "list").stdout
        assert run("-C", "weekly", "render", "1", "--out", "made").returncode == 0
        assert (publication / "made" / "001.html").exists()

    def test_that_does_not_exist(self, call: Run) -> None:
        result = call("-C", "nowhere", "list")
        assert result.returncode == 2
        assert result.stderr == "error: -C nowhere: No such file or directory\n"


class TestSurroundings:
    @pytest.mark.parametrize(
        "env",
        [
            {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
            {"PYTHONIOENCODING": "latin-1"},
        ],
    )
    def test_chinese_comes_out_as_utf8_whatever_the_locale(
        self, run: Run, publication: Path, env: dict[str, str]
    ) -> None:
        assert "你好，读者" in run("list", cwd=publication, env=env).stdout
        (publication / "content" / "001.yaml").write_text("number: 1\n标题: 你好\n", "utf-8")
        result = run("render", "1", cwd=publication, env=env)
        assert result.returncode == 1
        assert "标题: 你好" in result.stderr

    def test_a_reader_that_has_gone_is_no_error(
        self, publication: Path, environ: dict[str, str]
    ) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        result = subprocess.run(
            [sys.executable, "-m", "newsletter", "list"],
            cwd=publication,
            env=environ,
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
        os.close(writing)
        assert result.stderr == b""
        assert result.returncode == 1

    def test_ctrl_c_ends_it_without_a_word(
        self, publication: Path, environ: dict[str, str]
    ) -> None:
        # A list that is a pipe: whoever reads it waits until we write, which we never do.
        (publication / "subscribers.csv").unlink()
        os.mkfifo(publication / "subscribers.csv")
        process = subprocess.Popen(
            [sys.executable, "-m", "newsletter", "render", "1"],
            cwd=publication,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        pipe = _open_once_somebody_reads(publication / "subscribers.csv", process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        os.close(pipe)
        assert process.returncode == 130
        assert out == b""
        assert err.strip() == b""


def _open_once_somebody_reads(path: Path, process: subprocess.Popen[bytes]) -> int:
    while process.poll() is None:
        try:
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as nobody_yet:
            if nobody_yet.errno != errno.ENXIO:
                raise
            time.sleep(0.02)
    raise AssertionError(process.communicate())
