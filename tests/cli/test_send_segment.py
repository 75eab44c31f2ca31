"""`newsletter send --segment`: what it says on the terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Told = Callable[..., CompletedProcess[str]]

LIST = "email,name,tags\nann@example.net,Ann,cv\nbob@example.net,Bob,nlp\ncid@example.net,Cid,cv\n"


@pytest.fixture
def told(call: Told, publication: Path, environ: dict[str, str]) -> Told:
    """`told("--segment", …)`: `newsletter send 1 …` in a publication with three readers."""
    (publication / "subscribers.csv").write_text(LIST, "utf-8")
    source = publication / "content" / "001.yaml"
    source.write_text(source.read_text("utf-8").replace("status: draft", "status: ready"), "utf-8")
    settings = {**environ, "NEWSLETTER_RELAY": "smtp://127.0.0.1:9"}  # nobody answers there
    return lambda *words: call("send", *words, cwd=publication, env=settings)


def test_a_dry_run_tells_how_many_match(told: Told) -> None:
    done = told("1", "--dry-run", "--segment", "tag ＝ cv or got 0 or tag = x")
    assert done.returncode == 0
    assert "dry run: 2 messages built" in done.stdout
    assert "left out of the list: 1 outside the segment\n" in done.stdout
    assert "in the segment: 2 of 3, tag = cv or got 0 or tag = x\n" in done.stdout
    assert "next: newsletter send 1 --segment 'tag = cv or got 0 or tag = x'\n" in done.stdout
    assert "note: issue 0 was never sent from here, so nobody got it\n" in done.stderr
    assert "note: `tag = x` is true of nobody on the list\n" in done.stderr


def test_the_number_to_be_typed_is_that_of_the_segment(told: Told) -> None:
    done = told("1", "--segment", "tag = cv or tag = x")
    assert done.returncode == 2
    assert "sending issue 1 to 2 recipients" in done.stderr
    assert done.stderr.count("note: ") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["1", "--segment", "tags = cv"], "--segment:1:1: `tags` is nothing to ask about (did"),
        (["1", "--segment", "tag = （cv"], "\n    1 | tag = （cv\n              ^\n"),
        (["1", "--segment", ""], "--segment:1:1: the segment is empty"),
        (["--due", "--segment", "all"], "--due sends whole issues"),
        (["1", "--to", "a@example.org", "--segment", "all"], "exclude each other"),
    ],
)
def test_what_cannot_be_meant(told: Told, words: list[str], said: str) -> None:
    done = told(*words, "--yes")
    assert done.returncode == 2
    assert said in done.stderr
