"""SpamAssassin's own opinion of the message, with `--spamassassin`, where it is installed.

It is run without the network, without the user's own preferences and without what it has learnt, so
that the same message gets the same score everywhere.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import compat32
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from newsletter.checks.model import Example, Found, Severity, check
from newsletter.errors import UsageError

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked

SERVICE = "spamassassin"
PATIENCE = 120.0
"""Seconds for one message."""

_SETTINGS = (
    "use_bayes 0",
    "skip_rbl_checks 1",
    "report_safe 0",
    "fold_headers 0",
    "clear_headers",
    "add_header all Sum _SCORE_",
    "add_header all Rules _TESTSSCORES(,)_",
    "add_header all Words _REPORT_",
)
_POINTS = r"\*\s+-?\d+(?:\.\d+)?"
_WORDS = re.compile(rf"{_POINTS}\s+(\w+)\s+(.*?)(?=\s{_POINTS}\s+\w+\s|$)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of SpamAssassin that fits the message.

    Attributes:
        name: such as HTML_FONT_LOW_CONTRAST.
        points: that it gives; less than 0 speaks for the message.
        words: what it is about.

    """

    name: str
    points: float
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What SpamAssassin says; 5.0 is its own limit for spam.

    Attributes:
        points: in total.
        rules: that fit, the worst first.

    """

    points: float
    rules: tuple[Rule, ...] = ()


class SpamFilter(Protocol):
    """Somebody who scores messages: the service that this check needs."""

    def score(self, message: bytes) -> Score:
        """The score of a message as it goes over the wire."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Gives the same score to everything: for examples and tests."""

    said: Score

    def score(self, message: bytes) -> Score:
        """That score."""
        return self.said


@check(
    "spam-score",
    title="SpamAssassin finds the message suspicious",
    severity=Severity.WARNING,
    needs=SERVICE,
    passing=(
        Example(body="好。", services={SERVICE: Fixed(Score(points=-0.3))}),
        Example(body="好。", services={SERVICE: Fixed(Score(points=1.0))}),
    ),
    failing=(
        Example(body="好。", services={SERVICE: Fixed(Score(points=1.1))}),
        Example(
            body="好。",
            services={SERVICE: Fixed(Score(points=6.2, rules=(Rule(name="X", points=6.2),)))},
        ),
    ),
)
def spam_score(checked: Checked) -> Iterator[Found]:
    """Many servers ask SpamAssassin, and refuse or sort out what gets 5 points. This runs its rules on
    the very message that goes out, on this machine: no network, no learnt words.

    More than 1.0 is a warning, more than 5.0 an error; `checks: {spam_score: {warning: 2, error: 4}}`
    in newsletter.yaml says otherwise. The finding names the rules that gave points, the worst first.
    """
    service: SpamFilter = checked.services[SERVICE]
    limits = checked.publication.checks.spam_score
    score = service.score(checked.message)
    if score.points > limits.warning:
        bad = [rule for rule in score.rules if rule.points > 0]
        listed = ", ".join(f"{rule.name} {rule.points:g}" for rule in bad)
        yield Found(
            f"SpamAssassin gives {score.points:g} points" + (f": {listed}" if listed else ""),
            hint="; ".join(f"{rule.name}: {rule.words}" for rule in bad if rule.words) or None,
            severity=Severity.ERROR if score.points > limits.error else Severity.WARNING,
        )


class SpamAssassin:
    """The program `spamassassin` of this machine.

    Args:
        program: where it is; looked for when absent.

    Raises:
        UsageError: it is not installed.

    """

    def __init__(self, program: Path | None = None) -> None:
        found = program or shutil.which("spamassassin")
        if found is None:
            raise UsageError(
                "--spamassassin needs the program, which is not installed"
                " (apt-get install spamassassin)"
            )
        self._program = str(found)

    def score(self, message: bytes) -> Score:
        """The score of a message, by local rules only.

        Raises:
            UsageError: the program fails, or gives no score.

        """
        with tempfile.TemporaryDirectory(prefix="newsletter-spam-") as home:
            preferences = Path(home, "user_prefs")
            preferences.write_text("")
            settings = [f"--cf={line}" for line in _SETTINGS]
            try:
                done = subprocess.run(
                    [self._program, "--local", f"--prefspath={preferences}", *settings],
                    input=message,
                    capture_output=True,
                    timeout=PATIENCE,
                    check=False,
                    cwd=home,
                    env={
                        "PATH": os.environ.get("PATH", os.defpath),
                        "HOME": home,
                        "LC_ALL": "C.UTF-8",
                    },
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise UsageError(f"{self._program} cannot be run: {error}") from None
        score = read_score(done.stdout)
        if done.returncode or score is None:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            reason = said[-1] if said else f"exit code {done.returncode}"
            raise UsageError(f"{self._program} gives no score: {reason}")
        return score


def read_score(output: bytes) -> Score | None:
    """The score in a message that SpamAssassin has marked; None when it has not."""
    header = message_from_bytes(output, policy=compat32)
    total = header["X-Spam-Sum"]
    try:
        points = float(str(total).strip())
    except ValueError:
        return None
    found = _WORDS.findall(" ".join(str(header["X-Spam-Words"] or "").split()))
    words = {name: " ".join(text.replace("*", " ").split()) for name, text in found}
    pairs = re.findall(r"(\w+)=(-?\d+(?:\.\d+)?)", str(header["X-Spam-Rules"] or ""))
    rules = [
        Rule(name=name, points=float(value), words=words.get(name, "")) for name, value in pairs
    ]
    rules.sort(key=lambda rule: -rule.points)
    return Score(points=points, rules=tuple(rules))
