"""`newsletter schedule`: the crontab line and the systemd timer for this folder."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from newsletter.project import Project
    from newsletter.timetable import Timetable


@click.command()
def command() -> None:
    """Print the weekly crontab line and a systemd timer for this folder.

    Nothing is installed. What runs is `newsletter send --due --yes`: every issue that is `ready` and
    whose date has come. Running it more often than needed is harmless.
    """
    from newsletter.errors import ConfigError
    from newsletter.project import Project
    from newsletter.timetable import Timetable

    project = Project.open(Path.cwd())
    expression = project.publication.schedule
    try:
        timetable = Timetable.parse(expression)
        first = timetable.next_after(datetime.now(UTC), zone=project.publication.zone)
    except ValueError as error:
        raise ConfigError(f"newsletter.yaml: `schedule: {expression}`: {error}") from None
    program = _program()
    click.echo(_crontab(project, first, program))
    click.echo(_systemd(project, timetable, program))


def _program() -> list[str]:
    """What runs this command line from anywhere: the script next to this Python, or Python itself."""
    beside = Path(sys.executable).with_name("newsletter")
    script = str(beside) if beside.is_file() else shutil.which("newsletter")
    return [script] if script else [sys.executable, "-m", "newsletter"]


def _crontab(project: Project, first: datetime, program: list[str]) -> str:
    from shlex import join

    command_line = join([*program, "-C", str(project.root), "send", "--due", "--yes"])
    command_line = command_line.replace("%", r"\%")  # crontab(5): % is a line break
    line = f"{project.publication.schedule} {command_line}"
    zone = project.publication.timezone
    here = first.astimezone()
    lines = ["# crontab -e"]
    if here.utcoffset() != first.utcoffset():
        # cronie obeys CRON_TZ; Debian's cron does not, so the difference is said as well.
        lines += [
            f"# The slot is by the clock of {zone}: the next one is {first:%Y-%m-%d %H:%M} there and",
            f"# {here:%Y-%m-%d %H:%M %Z} on this machine. If your cron ignores CRON_TZ (Debian's does),",
            "# write that time into the line, or use the systemd timer, which knows time zones.",
            f"CRON_TZ={zone}",
        ]
    return "\n".join([*lines, line, ""])


def _systemd(project: Project, timetable: Timetable, program: list[str]) -> str:
    name = f"newsletter-{_unit_name(project.root.name)}"
    words = " ".join(_unit_word(word) for word in [*program, "send", "--due", "--yes"])
    slots = timetable.on_calendar(zone=project.publication.zone)
    title = project.publication.name.replace("%", "%%")
    return "\n".join(
        [
            f"# ~/.config/systemd/user/{name}.service",
            "[Unit]",
            f"Description={title}: send what is due",
            "",
            "[Service]",
            "Type=exec",
            f"WorkingDirectory={_unit_path(project.root)}",
            f"ExecStart={words}",
            "# 75: the relay was away or deferred somebody; what is settled is not sent again.",
            "RestartForceExitStatus=75",
            "RestartSec=15min",
            "# Variables such as NEWSLETTER_RELAY_PASSWORD, in a file with mode 0600:",
            "# EnvironmentFile=%h/.config/newsletter.env",
            "",
            f"# ~/.config/systemd/user/{name}.timer",
            "[Unit]",
            f"Description={title}: when to send",
            "",
            "[Timer]",
            *(f"OnCalendar={slot}" for slot in slots),
            "Persistent=true",
            "",
            "[Install]",
            "WantedBy=timers.target",
            "",
            "# systemctl --user daemon-reload",
            f"# systemctl --user enable --now {name}.timer",
            "# loginctl enable-linger    (or it runs only while you are logged in)",
        ]
    )


def _unit_name(text: str) -> str:
    kept = "".join(char if char.isascii() and char.isalnum() else "-" for char in text).strip("-")
    return kept.lower() or "weekly"


def _unit_path(path: Path) -> str:
    return str(path).replace("%", "%%")


def _unit_word(word: str) -> str:
    """One argument of ExecStart as systemd.service(5) quotes it."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != word or " " in word or not word else word
