from __future__ import annotations

import contextlib
import csv
import io
import tracemalloc
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.audience.csvfile import ListRow, read_subscribers
from newsletter.audience.models import Subscriber, SubscriberStatus
from newsletter.errors import AudienceError

Read = Callable[[str | bytes], list[ListRow]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def rows(content: str | bytes) -> list[ListRow]:
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / "subscribers.csv").write_bytes(data)
        return list(read_subscribers(Path("subscribers.csv"), root=tmp_path))

    return rows


@pytest.fixture
def refused(read: Read) -> Callable[[str | bytes], str]:
    def message(content: str | bytes) -> str:
        with pytest.raises(AudienceError) as caught:
            read(content)
        assert "\n" not in str(caught.value)
        assert caught.value.exit_code == 1
        return str(caught.value)

    return message


def only(rows: list[ListRow]) -> Subscriber:
    (row,) = rows
    assert row.problem is None
    assert row.subscriber is not None
    return row.subscriber


def complaint(rows: list[ListRow]) -> str:
    (row,) = rows
    assert row.subscriber is None
    assert row.problem is not None
    assert "\n" not in str(row.problem)
    return str(row.problem)


class TestColumns:
    def test_every_known_column(self, read: Read) -> None:
        someone = only(
            read(
                "email,name,status,tags,language,city\na@example.com,林晓雨,pending,nlp;cv,zh-CN,北京\n"
            )
        )
        assert someone.address.envelope == "a@example.com"
        assert someone.name == "林晓雨"
        assert someone.status is SubscriberStatus.PENDING
        assert someone.tags == {"nlp", "cv"}
        assert someone.language == "zh-CN"
        assert someone.fields == {"city": "北京"}

    def test_an_address_is_enough(self, read: Read) -> None:
        assert only(read("email\na@example.com")) == Subscriber(
            address=only(read("email\na@example.com")).address
        )

    def test_any_order_any_case_any_space(self, read: Read) -> None:
        someone = only(read(" City , NAME ,E-Mail,Email \nBeijing,Ada,x, a@example.com \n"))
        assert someone.name == "Ada"
        assert someone.address.envelope == "a@example.com"
        assert someone.fields == {"City": "Beijing", "E_Mail": "x"}

    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_three_delimiters(self, read: Read, delimiter: str) -> None:
        table = [["email", "name", "tags"], ["a@example.com", "Ada", "x|y"]]
        someone = only(read("\n".join(delimiter.join(line) for line in table)))
        assert (someone.name, someone.tags) == ("Ada", {"x", "y"})

    def test_a_delimiter_in_a_header_is_no_reason_to_split_there(self, read: Read) -> None:
        someone = only(read('"Notes; a, b";email\nhi;a@example.com\n'))
        assert someone.fields == {"Notes_a_b": "hi"}

    @pytest.mark.parametrize(
        ("header", "name"),
        [
            ("组织", "组织"),
            ("First name", "First_name"),
            ("city (home)", "city_home"),
            ("2022", "x2022"),
            ("_private", "private"),
            ("Größe", "Größe"),
        ],
    )
    def test_further_columns_get_names_that_templates_can_spell(
        self, read: Read, header: str, name: str
    ) -> None:
        someone = only(read(f"email,{header}\na@example.com,v\n"))
        assert someone.fields == {name: "v"}
        assert name.isidentifier()
        assert not name.startswith("_")

    def test_columns_without_a_name_are_ignored(self, read: Read) -> None:
        assert only(read("email,,name,\na@example.com,x,Ada,y\n")).fields == {}

    def test_byte_order_mark(self, read: Read) -> None:
        assert only(read(b"\xef\xbb\xbfemail,name\na@example.com,Ada\n")).name == "Ada"

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_three_kinds_of_line_ends(self, read: Read, end: str) -> None:
        rows = read(end.join(["email", "a@example.com", "b@example.com", ""]))
        assert [row.row for row in rows] == [2, 3]


class TestCells:
    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            ("", SubscriberStatus.ACTIVE),
            ("active", SubscriberStatus.ACTIVE),
            (" Unsubscribed ", SubscriberStatus.UNSUBSCRIBED),
            ("PENDING", SubscriberStatus.PENDING),
        ],
    )
    def test_status(self, read: Read, status: str, expected: SubscriberStatus) -> None:
        assert only(read(f"email,status\na@example.com,{status}\n")).status is expected

    @pytest.mark.parametrize(
        ("cell", "tags"),
        [
            ("", set()),
            ("nlp", {"nlp"}),
            ("nlp;cv", {"nlp", "cv"}),
            ('"nlp, cv"', {"nlp", "cv"}),
            ("nlp|cv", {"nlp", "cv"}),
            ("nlp；cv、bio", {"nlp", "cv", "bio"}),
            ("machine learning;nlp;", {"machine learning", "nlp"}),
        ],
    )
    def test_tags(self, read: Read, cell: str, tags: set[str]) -> None:
        assert only(read(f"email,tags\na@example.com,{cell}\n")).tags == tags

    @pytest.mark.parametrize(
        ("cell", "language"),
        [("", None), ("en", "en"), ("zh_CN", "zh-CN"), ("zh-Hant-TW", "zh-Hant-TW")],
    )
    def test_language(self, read: Read, cell: str, language: str | None) -> None:
        assert only(read(f"email,language\na@example.com,{cell}\n")).language == language

    @pytest.mark.parametrize(
        ("cell", "joined"),
        [
            ("", None),
            ("2026-01-31", date(2026, 1, 31)),
            ("2026/1/5", date(2026, 1, 5)),
            ("2026-01-31T23:59:59.123Z", date(2026, 1, 31)),
            ("2026-01-31 23:59:59 UTC", date(2026, 1, 31)),
            ("2026/1/31 9:05", date(2026, 1, 31)),
            ("2026-01-31T00:30:00+08:00", date(2026, 1, 31)),
        ],
    )
    def test_joined(self, read: Read, cell: str, joined: date | None) -> None:
        assert only(read(f"email,Joined\na@example.com,{cell}\n")).joined == joined

    @pytest.mark.parametrize(
        "cell", ["31/01/2026", "2026-01/31", "yesterday", "2026-13-01", "20260131"]
    )
    def test_what_is_no_day_of_joining(self, read: Read, cell: str) -> None:
        message = complaint(read(f"email,joined\na@example.com,{cell}\n"))
        assert message.startswith("subscribers.csv:2: `joined` is ")
        assert repr(cell) in message

    def test_quoted_cells_may_hold_everything(self, read: Read) -> None:
        someone = only(read('email,name,note\na@example.com,"O\'Neil, ""Tim""","two\nlines"\n'))
        assert someone.name == 'O\'Neil, "Tim"'
        assert someone.fields == {"note": "two\nlines"}

    def test_a_space_before_a_quotation_mark_does_no_harm(self, read: Read) -> None:
        assert only(read('email, name\na@example.com, "Neil, Tim"\n')).name == "Neil, Tim"

    def test_missing_cells_at_the_end_are_empty(self, read: Read) -> None:
        assert only(read("email,name,city\na@example.com\n")).fields == {"city": ""}

    def test_empty_cells_beyond_the_header_are_no_mistake(self, read: Read) -> None:
        assert only(read("email,name\na@example.com,Ada,,\n")).name == "Ada"


class TestRows:
    def test_are_counted_as_a_spreadsheet_does(self, read: Read) -> None:
        rows = read('email,note\na@example.com,"two\nlines"\n\n , \nb@example.com,\n')
        assert [row.row for row in rows] == [2, 5]

    def test_a_bad_row_does_not_stop_the_others(self, read: Read) -> None:
        rows = read("email\na@example.com\nnobody\nb@example.com\n")
        assert [row.subscriber is not None for row in rows] == [True, False, True]
        problem = rows[1].problem
        assert problem is not None
        assert str(problem.place) == "subscribers.csv:3"

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            ("nobody,Ada,,", "subscribers.csv:2: 'nobody': An email address must have an @-sign."),
            (",Ada,,", "there is no address in this row"),
            (
                "a@example.com,Ada,gone,",
                "unknown status 'gone' (it is pending, active or unsubscribed)",
            ),
            ('a@example.com,"Ada\nBcc: x@example.com",,', "line break"),
            ("a@example.com,Ada\x00,,".replace("\x00", "\x1b"), "control character"),
            ("a@example.com,A\u2028B,,", "line break"),
            ("a@example.com,A\x85B,,", "line break"),
            ("a@example.com,Ada,,中文", "unknown language '中文'"),
            ("a@example.com,Ada,,,x,y", "this row has 6 cells, the header names 4"),
            ('a@example.com,"Ada" L,,', "quotation marks do not match"),
            ("a@example.com,Neil, Tim,,", "unknown status 'Tim'"),
        ],
    )
    def test_what_makes_one_bad(self, read: Read, row: str, words: str) -> None:
        assert words in complaint(read(f"email,name,status,language\n{row}\n"))

    def test_control_characters_in_tags_and_further_columns(self, read: Read) -> None:
        assert "tags" in complaint(read('email,tags\na@example.com,"x\ny"\n'))
        assert "`city` has a control character" in complaint(
            read("email,city\na@example.com,\x07\n")
        )

    def test_the_address_in_a_message_is_cut_and_harmless(self, read: Read) -> None:
        message = complaint(read(f"email\n\x1b[31m{'x' * 500}\n"))
        assert "\x1b" not in message
        assert len(message) < 400


class TestRefusedAsAWhole:
    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(AudienceError, match=r"lists/all\.csv: .*No such file"):
            list(read_subscribers(Path("lists/all.csv"), root=tmp_path))

    def test_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(AudienceError, match="Is a directory"):
            list(read_subscribers(tmp_path, root=tmp_path))

    def test_empty(self, refused: Callable[[str | bytes], str]) -> None:
        assert "the list is empty" in refused("")
        assert "the list is empty" in refused(b"\xef\xbb\xbf")

    def test_no_email_column(self, refused: Callable[[str | bytes], str]) -> None:
        message = refused("Name;City\nAda;London\n")
        assert message.startswith("subscribers.csv:1: there is no `email` column")
        assert "`name`, `City`" in message
        assert "has nothing" in refused("\nemail\na@example.com")

    def test_two_columns_of_one_name(self, refused: Callable[[str | bytes], str]) -> None:
        assert "two columns `email`" in refused("email,Email\n")
        assert "two columns `city`" in refused("email,city,City\n")
        assert "two columns `first_name`" in refused("email,First name,first-name\n")

    def test_not_utf8_names_the_row(self, refused: Callable[[str | bytes], str]) -> None:
        header, good = b"email,name\n", "a@example.com,林晓雨\n".encode()
        bad = "b@example.com,林晓雨\n".encode("gb18030")
        message = refused(header + good * 400 + bad + good)
        assert message.startswith("subscribers.csv:402: this is not UTF-8")
        assert "CSV UTF-8" in message

    def test_not_utf8_in_the_header(self, refused: Callable[[str | bytes], str]) -> None:
        assert refused("email,城市\n".encode("gb18030")).startswith(
            "subscribers.csv:1: this is not UTF-8"
        )
        assert "not UTF-8" in refused("email,name\n".encode("utf-16"))

    def test_nul_bytes(self, refused: Callable[[str | bytes], str]) -> None:
        assert "subscribers.csv:3: there is a NUL byte" in refused(b"email\na@example.com\n\0\0\n")
        assert "NUL" in refused("email\na@example.com\n".encode("utf-16-le"))

    @pytest.mark.parametrize(
        "swallowed",
        [
            'b@example.com,"Bob\nc@example.com,Cid\nd@example.com,Dan\n',
            'b@example.com,"Bob\nc@example.com,Cid\nd@example.com,"Dan"\n',
            'b@example.com,"Bob\n' + "c@example.com,Cid\n" * 10_000,
        ],
    )
    def test_an_open_quotation_mark_that_swallows_rows(
        self, refused: Callable[[str | bytes], str], swallowed: str
    ) -> None:
        message = refused("email,name\na@example.com,Ada\n" + swallowed)
        assert message.startswith("subscribers.csv:3: a quotation mark opens here")

    def test_an_open_quotation_mark_in_the_last_row_loses_only_that(self, read: Read) -> None:
        rows = read('email,name\na@example.com,Ada\nb@example.com,"Bob')
        assert [row.problem is None for row in rows] == [True, False]

    def test_what_came_before_has_been_handed_out(self, tmp_path: Path) -> None:
        (tmp_path / "s.csv").write_bytes(b"email\na@example.com\n\xff\n")
        rows = read_subscribers(Path("s.csv"), root=tmp_path)
        assert next(rows).subscriber is not None
        with pytest.raises(AudienceError, match=r"s\.csv:3"):
            next(rows)


CELL = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12
)


class TestAnyList:
    @settings(deadline=None)
    @given(
        rows=st.lists(st.tuples(CELL, CELL, CELL), max_size=6), delimiter=st.sampled_from(",;\t")
    )
    def test_every_row_that_a_spreadsheet_writes_is_accounted_for(
        self, tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], delimiter: str
    ) -> None:
        folder = tmp_path_factory.mktemp("list")
        out = io.StringIO()
        writer = csv.writer(out, delimiter=delimiter)
        writer.writerow(["email", "name", "city"])
        writer.writerows(rows)
        (folder / "s.csv").write_bytes(out.getvalue().encode())
        found = list(read_subscribers(Path("s.csv"), root=folder))
        expected = [n for n, row in enumerate(rows, 2) if any(cell.strip() for cell in row)]
        assert [row.row for row in found] == expected
        assert all((row.subscriber is None) != (row.problem is None) for row in found)

    @settings(deadline=None)
    @given(st.binary(max_size=200))
    def test_any_bytes_are_read_or_refused(
        self, tmp_path_factory: pytest.TempPathFactory, data: bytes
    ) -> None:
        folder = tmp_path_factory.mktemp("list")
        (folder / "s.csv").write_bytes(b"email,name\n" + data)
        with contextlib.suppress(AudienceError):
            for row in read_subscribers(Path("s.csv"), root=folder):
                assert (row.subscriber is None) != (row.problem is None)


def test_a_long_list_takes_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    row = "reader{}@example.org,林晓雨,active,nlp;cv,zh-CN,北京\n"
    header = "email,name,status,tags,language,city\n"
    (tmp_path / "s.csv").write_text(header + "".join(row.format(n) for n in range(20_000)))
    tracemalloc.start()
    try:
        count = sum(1 for row in read_subscribers(Path("s.csv"), root=tmp_path) if row.subscriber)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < 1_000_000
