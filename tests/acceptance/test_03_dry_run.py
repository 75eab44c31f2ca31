"""`send --dry-run`: every recipient's real bytes, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from story import Desk, Finished, Mail

Told = Callable[..., Finished]


def eml(folder_files: dict[str, bytes], prefix: str) -> dict[str, bytes]:
    """The messages below a folder, by recipient, from `000001-RECIPIENT.eml`."""
    return {
        name.removeprefix(prefix).partition("-")[2].removesuffix(".eml"): data
        for name, data in folder_files.items()
        if name.startswith(prefix)
    }


def test_its_bytes_are_those_of_the_real_send(desk: Desk, mail: Mail) -> None:
    dry = desk.run("send", "64", "--dry-run", "--out", "dry")
    assert dry.code == 0
    assert "11 messages built" in dry.out
    assert mail.messages() == {}
    sent = desk.run("send", "64", "--yes", NEWSLETTER_RELAY=mail.url)
    assert sent.code == 0
    built = eml(desk.snapshot(), "dry/")
    assert len(built) == 11
    assert sorted(built.values()) == sorted(mail.messages().values())


def test_before_a_send_it_changes_nothing(desk: Desk) -> None:
    before = desk.snapshot()
    assert desk.run("send", "64", "--dry-run").code == 0
    assert desk.snapshot() == before


def test_after_a_send_it_changes_nothing_either(desk: Desk, mail: Mail) -> None:
    assert desk.run("send", "64", "--yes", NEWSLETTER_RELAY=mail.url).code == 0
    before = desk.snapshot()
    assert desk.run("send", "64", "--dry-run").code == 0
    assert desk.snapshot() == before
    assert len(mail.recipients()) == 11


def test_without_a_secret_it_makes_the_key_file_that_the_send_will_use(
    desk: Desk, mail: Mail
) -> None:
    desk.variables.clear()
    assert desk.run("send", "64", "--dry-run", "--out", "dry").code == 0
    made = [name for name in desk.snapshot() if name.startswith(".newsletter/")]
    assert made == [".newsletter/secret"]
    assert (desk.root / made[0]).stat().st_mode & 0o077 == 0
    assert desk.run("send", "64", "--yes", NEWSLETTER_RELAY=mail.url).code == 0
    assert sorted(eml(desk.snapshot(), "dry/").values()) == sorted(mail.messages().values())


def test_a_draft_can_be_tried_too(told: Told) -> None:
    done = told("send", "65", "--dry-run")
    assert done.code == 0
    assert "11 messages built" in done.out


def test_who_is_left_out_is_said(told: Told) -> None:
    done = told("send", "64", "--dry-run")
    assert "left out of the list: " in done.out
    assert "1 unsubscribed" in done.out
    assert "1 pending" in done.out
    assert "1 duplicate" in done.out
