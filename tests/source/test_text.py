"""Reading a file: encodings, characters, sizes, places, and the line shown under a mistake."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import wcswidth

from newsletter.errors import Place, SourceError
from newsletter.source.text import (
    MAX_BYTES,
    SourceText,
    display_path,
    read_source,
    refuse_outside,
)


def write(root: Path, data: bytes, name: str = "content/064.yaml") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def refusal(root: Path, data: bytes) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read_source(write(root, data), root=root)
    return caught.value


def test_reads_utf_8_and_names_the_file_as_the_user_types_it(tmp_path: Path) -> None:
    source = read_source(write(tmp_path, "标题：你好\n".encode()), root=tmp_path)
    assert source == SourceText(path="content/064.yaml", text="标题：你好\n", first_line=1)


def test_drops_a_byte_order_mark_and_unifies_line_ends(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeffa: 1\r\nb: 2\rc: 3\n".encode())
    assert read_source(path, root=tmp_path).text == "a: 1\nb: 2\nc: 3\n"


def test_an_empty_file_has_one_empty_line(tmp_path: Path) -> None:
    assert read_source(write(tmp_path, b""), root=tmp_path).lines == ("",)


def test_gbk_is_named_with_line_and_column(tmp_path: Path) -> None:
    error = refusal(tmp_path, b"number: 64\ntitle: " + "你好".encode("gbk"))
    (problem,) = error.problems
    assert problem.place == Place(path="content/064.yaml", line=2, column=8)
    assert "not UTF-8" in problem.message
    assert problem.hint == "it may be GBK; save it as UTF-8"


def test_utf_16_is_recognised(tmp_path: Path) -> None:
    (problem,) = refusal(tmp_path, "number: 64".encode("utf-16")).problems
    assert problem.hint == "it looks like UTF-16; save it as UTF-8"
    assert problem.place == Place(path="content/064.yaml", line=1, column=1)


def test_a_broken_byte_after_a_byte_order_mark_keeps_its_column(tmp_path: Path) -> None:
    (problem,) = refusal(tmp_path, b"\xef\xbb\xbfab\xff").problems
    assert problem.place == Place(path="content/064.yaml", line=1, column=3)


def test_a_cut_off_character_at_the_end(tmp_path: Path) -> None:
    (problem,) = refusal(tmp_path, "a\n好".encode()[:-1]).problems
    assert problem.place == Place(path="content/064.yaml", line=2, column=1)


@pytest.mark.parametrize(
    ("char", "name"),
    [("\0", "NUL"), ("\x07", "U+0007"), ("\x85", "U+0085"), ("\u2028", "U+2028"), ("￾", "U+FFFE")],
)
def test_invisible_characters_are_refused_where_they_stand(
    tmp_path: Path, char: str, name: str
) -> None:
    (problem,) = refusal(tmp_path, f"a: 1\ntitle: 你{char}好\n".encode()).problems
    assert problem.place == Place(path="content/064.yaml", line=2, column=9)
    assert problem.message == f"invisible character {name}"


def test_all_invisible_characters_are_reported_but_not_thousands(tmp_path: Path) -> None:
    assert len(refusal(tmp_path, b"a\x01b\nc\x02\n").problems) == 2
    assert len(refusal(tmp_path, b"\x01" * 5000).problems) == 20


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^content/064\.yaml: does not exist$"):
        read_source(tmp_path / "content/064.yaml", root=tmp_path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "064.yaml").mkdir()
    with pytest.raises(SourceError, match=r"^064\.yaml: is (a folder|not a file)"):
        read_source(tmp_path / "064.yaml", root=tmp_path)


def test_a_named_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "064.yaml")
    with pytest.raises(SourceError, match=r"is not a file"):
        read_source(tmp_path / "064.yaml", root=tmp_path)


def test_a_file_of_more_than_five_megabytes(tmp_path: Path) -> None:
    assert len(read_source(write(tmp_path, b"a" * MAX_BYTES), root=tmp_path).text) == MAX_BYTES
    (problem,) = refusal(tmp_path, b"a" * (MAX_BYTES + 1)).problems
    assert problem.message == "is larger than 5 MB"


def test_a_link_inside_the_folder_is_followed(tmp_path: Path) -> None:
    write(tmp_path, b"a: 1", "shared/064.yaml")
    (tmp_path / "064.yaml").symlink_to("shared/064.yaml")
    assert read_source(tmp_path / "064.yaml", root=tmp_path).text == "a: 1"


@pytest.mark.parametrize("target", ["../secret.yaml", "/etc/hostname"])
def test_a_link_out_of_the_folder_is_refused(tmp_path: Path, target: str) -> None:
    root = tmp_path / "publication"
    root.mkdir()
    write(tmp_path, b"a: 1", "secret.yaml")
    (root / "064.yaml").symlink_to(target)
    with pytest.raises(SourceError, match=r"^064\.yaml: leads out of the publication's folder"):
        read_source(root / "064.yaml", root=root)


def test_dots_do_not_leave_the_folder(tmp_path: Path) -> None:
    root = tmp_path / "publication"
    root.mkdir()
    write(tmp_path, b"a: 1", "secret.yaml")
    with pytest.raises(SourceError, match="leads out of"):
        read_source(root / "content" / ".." / ".." / "secret.yaml", root=root)


def test_a_circle_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(SourceError):
        read_source(tmp_path / "a", root=tmp_path)


def test_a_path_that_leaves_the_folder_is_refused_before_it_exists(tmp_path: Path) -> None:
    refuse_outside(tmp_path / "new" / "file.png", root=tmp_path)
    with pytest.raises(SourceError, match="leads out of"):
        refuse_outside(tmp_path / ".." / "file.png", root=tmp_path)


def test_a_name_that_is_not_utf_8_can_be_shown(tmp_path: Path) -> None:
    shown = display_path(tmp_path / "64-\udcff.yaml", root=tmp_path)
    assert shown == "64-\\udcff.yaml"


def test_a_path_elsewhere_is_shown_whole(tmp_path: Path) -> None:
    assert display_path(Path("/somewhere/else"), root=tmp_path) == "/somewhere/else"


def test_the_caret_stands_under_a_chinese_character() -> None:
    source = SourceText(path="a", text="标题: 你好")
    assert source.snippet(1, 5) == "    1 | 标题: 你好\n" + " " * 14 + "^"


def test_the_caret_behind_the_last_character_and_beyond() -> None:
    source = SourceText(path="a", text="ab\ncd")
    assert source.snippet(2, 3) == "    2 | cd\n          ^"
    assert source.snippet(2, 99) == source.snippet(2, 3)


def test_a_snippet_carries_nothing_that_a_terminal_would_obey() -> None:
    source = SourceText(path="a", text="a\x1b[2Jb\0c")
    assert source.snippet(1, 2) == "    1 | a\ufffd[2Jb\ufffdc\n         ^"


def test_lines_count_from_the_first_line_of_the_part() -> None:
    source = SourceText(path="a", text="x\ny", first_line=10)
    assert source.snippet(11, 1).startswith("   11 | y\n")
    assert source.snippet(1, 1) == source.snippet(12, 1) == ""


def test_a_problem_carries_place_line_and_hint() -> None:
    problem = SourceText(path="f.yaml", text="a: b").problem(1, 4, "is wrong", "mend it")
    assert str(problem) == "f.yaml:1:4: is wrong (mend it)\n    1 | a: b\n           ^"


@settings(deadline=None)
@given(
    line=st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf", "Mn", "Me", "Zl", "Zp"))),
    column=st.integers(min_value=1, max_value=400),
)
def test_snippets_are_two_lines_of_bounded_width_with_the_caret_under_the_column(
    line: str, column: int
) -> None:
    line = (line * 40)[:400]
    shown, caret = SourceText(path="a", text=line).snippet(1, column).split("\n")
    assert wcswidth(shown) <= 8 + 96 + 3
    assert caret.strip() == "^"
    pointed = line[column - 1 : column]
    if pointed.strip():
        content = shown[8:]
        cells = len(caret) - len("^") - 8
        widths = [wcswidth(content[:n]) for n in range(len(content))]
        assert pointed in [content[n] for n, width in enumerate(widths) if width == cells]
