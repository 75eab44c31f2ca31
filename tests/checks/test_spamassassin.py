"""SpamAssassin's score: of issue 64, of a mail that is spam, and how its answers are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.checking import check_issue
from newsletter.checks.model import Example, Finding, Severity
from newsletter.checks.spamassassin import Fixed, Rule, Score, SpamAssassin, read_score
from newsletter.errors import UsageError
from newsletter.project import Project

ROOT = Path(__file__).resolve().parents[2]
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
MARKED = b"""X-Spam-Sum: 1.7
X-Spam-Rules: HTML_MESSAGE=0.001,BAD_ONE=2.7,GOOD=-1.0
X-Spam-Words: \t*  2.7 BAD_ONE BODY: words that run over
\t*      two lines
\t*  0.0 HTML_MESSAGE BODY: HTML included in message
\t* -1.0 GOOD Known list
Subject: x

body
"""


def scored(findings: Callable[..., list[Finding]], score: Score, **limits: float) -> list[Finding]:
    example = Example(
        body="好。",
        services={"spamassassin": Fixed(score)},
        publication={"checks": {"spam_score": limits}} if limits else {},
    )
    return findings(example, select=["spam-score"])


@pytest.mark.parametrize(
    ("points", "severity"),
    [(1.0, None), (1.01, Severity.WARNING), (5.0, Severity.WARNING), (5.1, Severity.ERROR)],
)
def test_limits(
    findings: Callable[..., list[Finding]], points: float, severity: Severity | None
) -> None:
    found = scored(findings, Score(points=points))
    assert [each.severity for each in found] == ([severity] if severity else [])


def test_limits_can_be_set(findings: Callable[..., list[Finding]]) -> None:
    assert scored(findings, Score(points=1.9), warning=2) == []
    (found,) = scored(findings, Score(points=3.5), warning=2, error=3)
    assert found.severity is Severity.ERROR


def test_the_rules_that_gave_points_are_named(findings: Callable[..., list[Finding]]) -> None:
    rules = (Rule(name="A", points=2.5, words="too loud"), Rule(name="B", points=-0.5, words="ok"))
    (found,) = scored(findings, Score(points=2.0, rules=rules))
    assert found.message == "SpamAssassin gives 2 points: A 2.5"
    assert found.hint == "A: too loud"


def test_without_the_service_nothing_is_asked(findings: Callable[..., list[Finding]]) -> None:
    assert findings(Example(body="好。"), select=["spam-score"]) == []


def test_marks_are_read() -> None:
    assert read_score(MARKED) == Score(
        points=1.7,
        rules=(
            Rule(name="BAD_ONE", points=2.7, words="BODY: words that run over two lines"),
            Rule(name="HTML_MESSAGE", points=0.001, words="BODY: HTML included in message"),
            Rule(name="GOOD", points=-1.0, words="Known list"),
        ),
    )


@pytest.mark.parametrize("output", [b"", b"Subject: x\n\nbody\n", b"X-Spam-Sum: ?\n\n"])
def test_a_message_without_marks_has_no_score(output: bytes) -> None:
    assert read_score(output) is None


def test_a_program_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="apt-get install spamassassin"):
        SpamAssassin()
    with pytest.raises(UsageError, match="cannot be run"):
        SpamAssassin(tmp_path / "spamassassin").score(b"Subject: x\n\n")


def test_a_program_that_fails_says_why(tmp_path: Path) -> None:
    program = tmp_path / "spamassassin"
    program.write_text("#!/bin/sh\necho 'no rules found' >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(UsageError, match="gives no score: no rules found"):
        SpamAssassin(program).score(b"Subject: x\n\n")


@pytest.fixture(scope="module")
def assassin(requires: Callable[[str], Path]) -> SpamAssassin:
    return SpamAssassin(requires("spamassassin"))


@pytest.mark.parametrize("number", [64, 65])
def test_the_sample_issues_are_above_suspicion(assassin: SpamAssassin, number: int) -> None:
    project = Project.open(ROOT, environ={"NEWSLETTER_SECRET": "0123456789abcdef" * 4})
    found = check_issue(project, number, select=["spam-score"], services={"spamassassin": assassin})
    assert [each.message for each in found] == []


def test_spam_is_known_without_the_network(assassin: SpamAssassin) -> None:
    score = assassin.score(
        f"From: a@example.org\nTo: b@example.org\nSubject: x\n\n{GTUBE}\n".encode()
    )
    assert score.points > 100
    assert score.rules[0].name == "GTUBE"
    assert score.rules[0].words


def test_the_same_message_gets_the_same_score_and_leaves_nothing_behind(
    assassin: SpamAssassin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    message = b"From: a@example.org\nTo: b@example.org\nSubject: hello\n\nWords.\n"
    assert assassin.score(message) == assassin.score(message)
    assert list(tmp_path.iterdir()) == []
