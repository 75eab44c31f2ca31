"""Bad sources: every mistake at once, each with its place, the line and what to do; nothing is sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from story import Desk, Finished

Told = Callable[..., Finished]

MISTAKES = """\
number: 64
titel: 微调新范式
date: gestern
status: redy
sections:
  - title: 论文推荐
    items:
      - kind: article
        title: 一篇文章
        url: https://example.org/a
        url: https://example.org/b
      - kind: papper
        title: 一篇论文
      - kind: text
        body: 12
"""


@pytest.mark.parametrize(
    "words",
    [("send", "99", "--dry-run"), ("send", "99", "--yes"), ("render", "99"), ("status", "99")],
)
def test_an_unknown_issue_names_the_nearest_ones(told: Told, words: tuple[str, ...]) -> None:
    done = told(*words)
    assert done.code == 2
    assert "99" in done.err
    assert "64" in done.err
    assert "65" in done.err


@pytest.mark.parametrize("number", ["../64", "64/../65", "sixty-four", "-1", "６４", "6 4", ""])
def test_only_a_number_is_a_number(desk: Desk, told: Told, number: str) -> None:
    done = told("render", "--", number)
    assert done.code == 2
    assert "is not the number of an issue" in done.err
    assert not (desk.root / "out").exists()


def test_every_mistake_of_a_file_at_once(desk: Desk) -> None:
    desk.write("content/064.yaml", MISTAKES)
    done = desk.run("send", "64", "--yes", NEWSLETTER_RELAY="smtp://127.0.0.1:9")
    assert done.code == 1
    places = {
        line.split(": ")[0] for line in done.err.splitlines() if line.startswith("content/064")
    }
    lines = {int(place.split(":")[1]) for place in places}
    assert {2, 3, 4, 11, 12} <= lines
    assert all(len(place.split(":")) == 3 for place in places)
    assert "title" in done.err  # what `titel` was meant to be
    assert "paper" in done.err  # … and `papper`
    assert "url: https://example.org/b" in done.err  # the line itself


def test_broken_yaml_is_shown_with_its_line(desk: Desk, told: Told) -> None:
    desk.write("content/064.yaml", "number: 64\ntitle: [a, b\nsections: []\n")
    done = told("render", "64")
    assert done.code == 1
    assert "content/064.yaml:" in done.err


def test_a_file_that_is_no_text_is_said_to_be_none(desk: Desk, told: Told) -> None:
    desk.write("content/064.yaml", b"number: 64\ntitle: \xff\xfe\n")
    done = told("render", "64")
    assert done.code == 1
    assert "content/064.yaml" in done.err
    assert "UTF-8" in done.err


def test_two_files_for_one_number_are_both_named(desk: Desk, told: Told) -> None:
    desk.write("content/64-again.md", "---\nnumber: 64\ntitle: 又一次\n---\n")
    done = told("render", "64")
    assert done.code == 1
    assert "content/064.yaml" in done.err
    assert "content/64-again.md" in done.err


def test_a_template_that_names_what_does_not_exist(desk: Desk) -> None:
    path = desk.root / "templates/blocks/event.txt.j2"
    desk.write("templates/blocks/event.txt.j2", path.read_text("utf-8") + "{{ item.venu }}\n")
    line = len(path.read_text("utf-8").splitlines())
    done = desk.run("send", "64", "--yes", NEWSLETTER_RELAY="smtp://127.0.0.1:9")
    assert done.code == 1
    assert f"templates/blocks/event.txt.j2:{line}" in done.err
    assert "venu" in done.err


@pytest.mark.parametrize("source", ["../../secret.png", "/etc/hostname", "assets/../../secret.png"])
def test_a_picture_outside_the_folder_is_refused(desk: Desk, told: Told, source: str) -> None:
    (desk.root.parent / "secret.png").write_bytes((desk.root / "assets/masthead.png").read_bytes())
    desk.write(
        "content/066.yaml",
        "number: 66\ntitle: 图\nsections:\n  - items:\n"
        f"      - {{kind: image, src: '{source}', alt: 图}}\n",
    )
    done = told("render", "66")
    assert done.code == 1
    assert "content/066.yaml:5" in done.err
    assert not list(desk.root.glob("out/066.*"))


def test_a_picture_behind_a_symlink_that_leads_out_is_refused(desk: Desk, told: Told) -> None:
    (desk.root.parent / "secret.png").write_bytes((desk.root / "assets/masthead.png").read_bytes())
    (desk.root / "assets/inside.png").symlink_to(desk.root.parent / "secret.png")
    desk.write(
        "content/066.yaml",
        "number: 66\ntitle: 图\nsections:\n  - items:\n"
        "      - {kind: image, src: assets/inside.png, alt: 图}\n",
    )
    done = told("render", "66")
    assert done.code == 1
    assert "assets/inside.png" in done.err


@pytest.mark.parametrize("name", ["../secret.j2", "/etc/passwd", "blocks/../../secret.j2"])
def test_a_template_includes_nothing_from_outside(desk: Desk, told: Told, name: str) -> None:
    (desk.root / "secret.j2").write_text("SECRET", "utf-8")
    path = desk.root / "templates/issue.txt.j2"
    desk.write("templates/issue.txt.j2", f'{{% include "{name}" %}}\n' + path.read_text("utf-8"))
    done = told("render", "64")
    assert done.code == 1
    assert "templates/issue.txt.j2:1" in done.err


def test_a_draft_is_not_sent(desk: Desk) -> None:
    done = desk.run("send", "65", "--yes", NEWSLETTER_RELAY="smtp://127.0.0.1:9")
    assert done.code == 1
    assert "draft" in done.err
    assert "content/065.md:" in done.err


def test_without_a_publication_it_says_how_to_get_one(desk: Desk) -> None:
    (desk.root / "newsletter.yaml").unlink()
    done = desk.run("list")
    assert done.code == 2
    assert "newsletter init" in done.err


def test_mistakes_in_the_settings_come_all_at_once(desk: Desk, told: Told) -> None:
    desk.edit("newsletter.yaml", "timezone: Asia/Shanghai", "timezone: Mars/Olympus")
    desk.edit("newsletter.yaml", "list_id: weekly.example.org", "list-id: weekly.example.org")
    done = told("list")
    assert done.code == 2
    assert done.err.count("newsletter.yaml:") >= 2
    assert "list_id" in done.err
