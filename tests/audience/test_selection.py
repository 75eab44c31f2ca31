from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.audience.csvfile import ListRow, read_subscribers
from newsletter.audience.selection import Choice, Reason, select, standing, unsubscribed_keys


def rows(folder: Path, content: str) -> list[ListRow]:
    (folder / "s.csv").write_text(content)
    return list(read_subscribers(Path("s.csv"), root=folder))


def outcome(choices: list[Choice]) -> list[str]:
    return [
        str(choice.recipient.address) if choice.recipient else str(choice.left_out)
        for choice in choices
    ]


def test_only_active_subscribers_are_recipients(tmp_path: Path) -> None:
    found = rows(
        tmp_path,
        "email,status\na@example.com,\nb@example.com,pending\nc@example.com,unsubscribed\n",
    )
    assert outcome(list(select(found))) == ["a@example.com", "pending", "unsubscribed"]


def test_of_several_spellings_the_first_active_row_is_taken(tmp_path: Path) -> None:
    found = rows(
        tmp_path,
        "email,status\nLin@example.com,pending\nLIN@Example.com,\nlin@example.com,\na@xn--fsqu00a.org,\na@例子.org,\n",
    )
    choices = list(select(found))
    assert outcome(choices) == [
        "pending",
        "LIN@example.com",
        "duplicate",
        "a@例子.org",
        "duplicate",
    ]
    assert [choice.first_row for choice in choices] == [None, None, 3, None, 5]
    assert choices[2].explanation == "the same address as row 3"


def test_a_bad_row_is_a_choice_of_its_own(tmp_path: Path) -> None:
    (bad, good) = select(rows(tmp_path, "email\nnobody\na@example.com\n"))
    assert bad.left_out is Reason.BAD_ROW
    assert bad.recipient is None
    assert "@-sign" in bad.explanation
    assert good.recipient is not None
    assert good.explanation == ""


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_who_has_unsubscribed_in_any_row_gets_nothing(
    tmp_path: Path, order: tuple[int, int]
) -> None:
    lines = ["Ada@example.com,active\n", "ada@example.com,unsubscribed\n"]
    found = rows(tmp_path, "email,status\n" + "".join(lines[n] for n in order) + "b@example.com,\n")
    gone = unsubscribed_keys(found)
    choices = list(select(found, unsubscribed=gone))
    assert outcome(choices) == ["unsubscribed", "unsubscribed", "b@example.com"]
    assert {choice.explanation for choice in choices[:2]} == {"has unsubscribed"}
    assert [standing(row, unsubscribed=gone) for row in found] == [
        Reason.UNSUBSCRIBED,
        Reason.UNSUBSCRIBED,
        None,
    ]


def test_every_reason_has_an_explanation(tmp_path: Path) -> None:
    found = rows(
        tmp_path,
        "email,status\nnobody,\na@example.com,pending\nb@example.com,unsubscribed\nc@example.com,\nC@example.com,\n",
    )
    choices = list(select(found))
    assert {choice.left_out for choice in choices} == {None, *Reason}
    assert all(bool(choice.explanation) == (choice.left_out is not None) for choice in choices)


def test_rows_are_taken_one_by_one(tmp_path: Path) -> None:
    def endless() -> list[ListRow]:
        yield from rows(tmp_path, "email\na@example.com\n")
        raise AssertionError("read ahead")

    assert next(select(endless())).recipient is not None
