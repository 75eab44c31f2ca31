"""docs/architecture.md shows what the code does: the arrows between states, and the words it uses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from newsletter.delivery.retry import RetrySchedule
from newsletter.delivery.states import FOLLOWERS, State

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "docs" / "architecture.md").read_text("utf-8")


def test_the_arrows_between_states(page: str) -> None:
    block = re.search(r"<!-- states -->\n```text\n(.*?)```", page, re.DOTALL)
    assert block is not None
    shown = {}
    for line in block[1].splitlines():
        state, _, followers = line.partition(" -> ")
        shown[State(state.strip())] = frozenset(
            State(name) for name in followers.split() if name != "(final)"
        )
    assert shown == FOLLOWERS


def test_the_retry_times(page: str) -> None:
    retry = RetrySchedule()
    steps = [f"{step / 60:.0f}" for step in retry.steps]
    told = f"{', '.join(steps[:-1])} and {steps[-1]} minutes, then every {retry.then:.0f} seconds"
    words = " ".join(page.split())
    assert told in words
    assert f"end after {retry.give_up / 3600:.0f} hours" in words


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_every_path_and_link_of_a_document_leads_somewhere(name: str) -> None:
    path = ROOT / name
    text = path.read_text("utf-8")
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#]+)", text)
    assert [link for link in links if not (path.parent / link).exists()] == []
    files = re.findall(r"`((?:src|tests|tools|docs|requirements|schema)/[\w./-]+)`", text)
    real = [file for file in files if not {"ROOM", "KIND"} & set(re.split(r"\W", file))]
    assert [file for file in real if not (ROOT / file).exists()] == []
    doors = re.findall(r"`((?:rendering|transport|delivery|composing|storage)/\w+\.py)`", text)
    assert [door for door in doors if not (ROOT / "src/newsletter" / door).exists()] == []


def test_every_document_is_named_somewhere() -> None:
    documents = {path.name for path in (ROOT / "docs").glob("*.md")}
    readme = (ROOT / "README.md").read_text("utf-8")
    assert {name for name in documents if f"docs/{name}" not in readme} == set()
