"""The line in the inbox."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.preview.inbox import INBOXES, cells, clip, inbox_lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", 0), ("abc", 3), ("周刊", 4), ("a周", 3), ("e\u0301", 1), ("\x07a", 1)],
)
def test_cells(text: str, expected: int) -> None:
    assert cells(text) == expected


@pytest.mark.parametrize(
    ("text", "room", "expected"),
    [
        ("预训练周刊", 10, ("预训练周刊", False)),
        ("预训练周刊", 9, ("预训练周", True)),
        ("预训练周刊", 8, ("预训练", True)),
        ("abc def", 5, ("abc", True)),
        ("abc", 0, ("", True)),
        ("", 0, ("", False)),
    ],
)
def test_clip(text: str, room: int, expected: tuple[str, bool]) -> None:
    assert clip(text, room) == expected


@given(st.text(max_size=60), st.integers(0, 50))
def test_clip_never_takes_more_than_its_room(text: str, room: int) -> None:
    shown, cut = clip(text, room)
    assert text.startswith(shown)
    assert cells(shown) <= room
    assert cut == (shown != text)


def test_every_client_on_both_screens() -> None:
    lines = list(inbox_lines(sender="周刊", subject="主题", opening="开头"))
    assert [line.code for line in lines] == [inbox.code for inbox in INBOXES]
    assert {line.label for line in lines if line.phone} == {"Gmail", "Apple Mail", "QQ 邮箱"}
    assert all(not line.cut_subject for line in lines)


def test_a_long_subject_leaves_no_room_in_a_shared_line() -> None:
    lines = {line.code: line for line in inbox_lines(sender="x", subject="主" * 90, opening="开")}
    assert lines["gmail"].preview == ""
    assert lines["gmail"].cut_preview
    assert lines["gmail-phone"].preview == "开"
    assert lines["gmail"].cut_subject


def test_a_short_subject_leaves_the_rest_to_the_opening() -> None:
    lines = {line.code: line for line in inbox_lines(sender="x", subject="主", opening="开" * 99)}
    assert cells(lines["gmail"].preview) > 100
    assert cells(lines["qq"].preview) < cells(lines["gmail"].preview)
