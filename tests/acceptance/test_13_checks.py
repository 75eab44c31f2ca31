"""Checks as a story: the sample is clean, a broken copy shows all faults, and a send refuses it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from story import ROOT, Desk, Finished, Mail

Told = Callable[..., Finished]

TALK = "title: 语言模型的新微调方式"
LOG = ".newsletter/log/064.jsonl"
LINE = next(
    number
    for number, line in enumerate((ROOT / "content/064.yaml").read_text("utf-8").split("\n"), 1)
    if TALK in line
)


@pytest.fixture
def faulty(desk: Desk) -> Desk:
    """The sample with a talk on the wrong weekday."""
    desk.edit("content/064.yaml", TALK, "title: 11月9日(周二) 语言模型的新微调方式")
    return desk


def records(desk: Desk) -> list[dict[str, object]]:
    return [json.loads(line) for line in (desk.root / LOG).read_text("utf-8").splitlines()]


@pytest.mark.parametrize("number", ["64", "65"])
def test_the_sample_has_no_errors(told: Told, number: str) -> None:
    done = told("check", number, "--format", "json")
    assert done.code == 0
    assert "error" not in {one["severity"] for one in json.loads(done.out)["findings"]}


def test_a_broken_copy_shows_all_its_faults_in_one_run(faulty: Desk, told: Told) -> None:
    faulty.edit("content/064.yaml", "label: 阅读原文", "lable: 阅读原文")
    faulty.edit("content/064.yaml", "在群里您可以：", "在群里您可以：TODO")
    faulty.edit("templates/blocks/event.html.j2", "item.speaker.name", "item.speaker.nam")
    faulty.edit("templates/styles/inlined.css", ".end { font-size: 40px;", ".end { inset: 1px 2px;")
    found = json.loads(told("check", "64", "--format", "json").out)["findings"]
    errors = {(one["code"], one["path"]) for one in found if one["severity"] == "error"}
    assert errors >= {
        ("weekday-wrong", "content/064.yaml"),
        ("source-invalid", "content/064.yaml"),
        ("todo-left", "content/064.yaml"),
        ("template-invalid", "templates/blocks/event.html.j2"),
    }


def test_a_send_refuses_an_issue_with_errors(faulty: Desk, mail: Mail) -> None:
    done = faulty.run("send", "64", "--yes", NEWSLETTER_RELAY=mail.url)
    assert done.code == 1
    assert (
        f"content/064.yaml:{LINE}:16: error: 11月9日(周二): 2022-11-09 is a Wednesday" in done.err
    )
    assert "issue 64 is not sent: the checks found 1 error in it" in done.err
    assert mail.messages() == {}
    assert not (faulty.root / ".newsletter/newsletter.db").exists()


@pytest.mark.usefixtures("faulty")
def test_what_is_due_is_refused_too_and_the_exit_code_says_so(told: Told, mail: Mail) -> None:
    done = told("send", "--due", NEWSLETTER_RELAY=mail.url)
    assert done.code == 1
    assert "weekday-wrong" in done.err
    assert mail.messages() == {}


def test_force_sends_and_is_named_in_the_log(faulty: Desk, mail: Mail) -> None:
    done = faulty.run("send", "64", "--yes", "--force", NEWSLETTER_RELAY=mail.url)
    assert done.code == 0, done.said
    assert "--force: 1 error of the checks is overruled" in done.err
    assert len(mail.messages()) == 11
    first, *others = records(faulty)
    assert first["event"] == "forced"
    assert first["findings"] == [
        {
            "code": "weekday-wrong",
            "severity": "error",
            "message": "11月9日(周二): 2022-11-09 is a Wednesday",
            "path": "content/064.yaml",
            "line": LINE,
            "column": 16,
        }
    ]
    assert len(others) == 11
    assert all("event" not in record for record in others)


def test_a_send_that_has_begun_goes_on_without_another_question(faulty: Desk, mail: Mail) -> None:
    faulty.run("send", "64", "--yes", "--force", "--limit", "3", NEWSLETTER_RELAY=mail.url)
    done = faulty.run("send", "64", "--yes", NEWSLETTER_RELAY=mail.url)
    assert done.code == 0
    assert len(mail.messages()) == 11
    assert [record.get("event") for record in records(faulty)].count("forced") == 1


def test_force_without_errors_leaves_no_trace(desk: Desk, told: Told, mail: Mail) -> None:
    done = told("send", "64", "--yes", "--force", NEWSLETTER_RELAY=mail.url)
    assert done.code == 0
    assert "--force" not in done.err
    assert not [record for record in records(desk) if "event" in record]


def test_an_accepted_error_does_not_stop_a_send(faulty: Desk, told: Told, mail: Mail) -> None:
    accept = "accept: [{code: weekday-wrong, reason: 会期按报名人数另行通知}]"
    faulty.edit("content/064.yaml", "status: ready\n", f"status: ready\n{accept}\n")
    assert told("send", "64", "--yes", NEWSLETTER_RELAY=mail.url).code == 0
    assert len(mail.messages()) == 11


def test_a_dry_run_and_a_test_send_only_show_them(faulty: Desk, mail: Mail, tmp_path: Path) -> None:
    dry = faulty.run("send", "64", "--dry-run")
    assert dry.code == 0, dry.said
    assert f"content/064.yaml:{LINE}:16: error: 11月9日(周二)" in dry.err
    assert "a real send would be refused: newsletter check 64" in dry.err
    tried = faulty.run("send", "64", "--to", "me@example.com", NEWSLETTER_RELAY=mail.url)
    assert tried.code == 0
    assert "weekday-wrong" in tried.err
    assert len(mail.messages()) == 1
