from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def units(out: str) -> dict[str, str]:
    """The unit files in the output of `newsletter schedule`, by name."""
    found: dict[str, str] = {}
    name = None
    for line in out.splitlines():
        if line.startswith("# ~/.config/systemd/user/"):
            name = line.rpartition("/")[2]
            found[name] = ""
        elif name:
            found[name] += line + "\n"
    return found


def cron_lines(out: str) -> list[str]:
    cron = out.partition("# ~/.config")[0].splitlines()
    return [line for line in cron if line and not line.startswith("#")]


def test_prints_a_crontab_line_for_this_folder(run: Run, publication: Path) -> None:
    result = run("schedule", cwd=publication, env={"TZ": "Asia/Shanghai"})
    assert result.returncode == 0
    assert result.stderr == ""
    (line,) = cron_lines(result.stdout)
    assert line.startswith("0 9 * * 1 /")
    command = shlex.split(line.removeprefix("0 9 * * 1 "))
    assert Path(command[0]).is_absolute()
    assert command[-5:] == ["-C", str(publication), "send", "--due", "--yes"]


def test_the_command_of_the_line_runs_from_anywhere(
    run: Run, publication: Path, environ: dict[str, str]
) -> None:
    (line,) = cron_lines(run("schedule", cwd=publication, env={"TZ": "Asia/Shanghai"}).stdout)
    command = line.removeprefix("0 9 * * 1 ").replace("send --due --yes", "list")
    result = subprocess.run(
        ["/bin/sh", "-c", command], cwd="/", env={"PATH": "/usr/bin:/bin"}, capture_output=True,
        encoding="utf-8", check=True,
    )  # fmt: skip
    assert "你好，读者" in result.stdout


def test_says_so_when_this_machine_goes_by_another_clock(run: Run, publication: Path) -> None:
    out = run("schedule", cwd=publication, env={"TZ": "UTC"}).stdout
    assert "CRON_TZ=Asia/Shanghai\n0 9 * * 1 " in out
    assert "01:00 UTC on this machine" in out
    assert "CRON_TZ" not in run("schedule", cwd=publication, env={"TZ": "Asia/Shanghai"}).stdout


def test_prints_a_systemd_timer_that_makes_up_for_lost_time(run: Run, publication: Path) -> None:
    found = units(run("schedule", cwd=publication).stdout)
    assert list(found) == ["newsletter-weekly.service", "newsletter-weekly.timer"]
    timer = found["newsletter-weekly.timer"]
    assert "OnCalendar=Mon *-*-* 09:00:00 Asia/Shanghai\nPersistent=true\n" in timer
    service = found["newsletter-weekly.service"]
    assert f"WorkingDirectory={publication}\n" in service
    assert "send --due --yes\n" in service


def test_two_slots_make_two_lines_of_the_timer(run: Run, publication: Path) -> None:
    path = publication / "newsletter.yaml"
    path.write_text(path.read_text().replace("0 9 * * 1", "0 9 1 * 1"))
    assert run("schedule", cwd=publication).stdout.count("OnCalendar=") == 2


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
@pytest.mark.parametrize("name", ["weekly", "周刊", "50% off & $HOME", 'a "b" \\c'])
def test_systemd_accepts_the_units_of_any_folder(
    run: Run, publication: Path, tmp_path: Path, name: str
) -> None:
    folder = publication.rename(tmp_path / name)
    found = units(run("schedule", cwd=folder).stdout)
    for unit, content in found.items():
        (tmp_path / unit).write_text(content)
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--user", *(str(tmp_path / unit) for unit in found)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)},
    )
    assert str(tmp_path) not in checked.stderr
    assert checked.returncode == 0, checked.stderr


def test_percent_signs_do_not_break_the_crontab_line(
    run: Run, publication: Path, tmp_path: Path
) -> None:
    publication.rename(tmp_path / "50% off")
    (_, line) = cron_lines(run("schedule", cwd=tmp_path / "50% off").stdout)
    assert r"50\% off" in line
    assert line.replace(r"\%", "").count("%") == 0


def test_a_schedule_that_is_none_is_told(run: Run, publication: Path) -> None:
    path = publication / "newsletter.yaml"
    path.write_text(path.read_text().replace("0 9 * * 1", "every monday"))
    result = run("schedule", cwd=publication)
    assert result.returncode == 2
    assert result.stderr == (
        "error: newsletter.yaml: `schedule: every monday`: a cron expression has five fields: "
        "minute hour day month weekday\n"
    )


def test_names_the_program_that_is_running(run: Run, publication: Path) -> None:
    out = run("schedule", cwd=publication).stdout
    assert f"ExecStart={Path(sys.executable).with_name('newsletter')} send" in out
