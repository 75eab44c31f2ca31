"""The exports of other tools, and lists in every shape that people have them in."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.audience.formulas import guard, unguard
from newsletter.audience.imports import TOOLS, Reject, open_export, parse_map
from newsletter.audience.imports.people import full_name
from newsletter.audience.models import SubscriberStatus
from newsletter.audience.register import Incoming
from newsletter.errors import AudienceError, UsageError

EXPORTS = Path(__file__).parent / "exports"
ACTIVE, PENDING, GONE = (
    SubscriberStatus.ACTIVE,
    SubscriberStatus.PENDING,
    SubscriberStatus.UNSUBSCRIBED,
)


def taken(path: Path, content: str | bytes = b"", **options: object) -> list[Incoming | Reject]:
    if content:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with open_export(path, **options) as export:  # type: ignore[arg-type]
        return list(export)


def people(rows: list[Incoming | Reject]) -> list[Incoming]:
    assert all(isinstance(row, Incoming) for row in rows), rows
    return [row for row in rows if isinstance(row, Incoming)]


def record(row: Incoming | Reject) -> dict[str, object]:
    if isinstance(row, Reject):
        return {"row": row.row, "rejected": row.reason, "cells": list(row.cells)}
    one = row.subscriber
    return {
        "row": row.row,
        "address": str(one.address),
        "name": one.name,
        "status": one.status.value,
        "suppress": row.suppress,
        "tags": sorted(one.tags),
        "language": one.language,
        "joined": one.joined.isoformat() if one.joined else None,
        "fields": dict(one.fields),
    }


@pytest.mark.parametrize("name", sorted(path.stem for path in EXPORTS.glob("*.csv")))
def test_what_each_tool_exports(name: str, golden: Callable[[Path, bytes], None]) -> None:
    path = EXPORTS / f"{name}.csv"
    with open_export(path) as export:
        expected = "csv" if name == "plain" else name.split("-")[0]
        assert export.layout.tool is TOOLS[expected]
        lines = [json.dumps(record(row), ensure_ascii=False) + "\n" for row in export]
        assert export.position == export.size
    golden(EXPORTS / "golden" / f"{name}.jsonl", "".join(lines).encode())


def test_people_who_never_subscribed_are_not_taken_for_subscribers(tmp_path: Path) -> None:
    path = tmp_path / "nonsubscribed_email_audience_export_1a2b.csv"
    path.write_bytes((EXPORTS / "mailchimp-cleaned.csv").read_bytes())
    with pytest.raises(AudienceError, match="never subscribed"):
        taken(path)
    (one,) = people(taken(path, status=GONE))
    assert one.subscriber.status is GONE


def test_columns_are_mapped(tmp_path: Path) -> None:
    text = 'Kontakt,"Wer, wie",Ort,Stand,Geburtstag\nada@example.org,Ada,Bonn,退订,10. Dezember\n'
    path = tmp_path / "l.csv"
    with pytest.raises(AudienceError, match=r"l\.csv:1: no column has addresses.*`Kontakt`"):
        taken(path, text)
    mapping = parse_map(["email=kontakt", '"name=Wer, wie",field.city=Ort', "status=Stand"])
    (one,) = people(taken(path, text, mapping=mapping))
    assert (one.subscriber.name, one.subscriber.status) == ("Ada", GONE)
    assert one.subscriber.fields == {"city": "Bonn", "Geburtstag": "10. Dezember"}
    with pytest.raises(UsageError, match="no column `Name`"):
        taken(path, text, mapping={"email": "Name"})
    for wrong in ("email", "mail=x", "field.=x", "x=y"):
        with pytest.raises(UsageError, match="target=column"):
            parse_map([wrong])


def test_a_mapping_wins_over_what_is_recognised(tmp_path: Path) -> None:
    path = EXPORTS / "listmonk-list.csv"
    rows = people(taken(path, mapping={"status": "status", "joined": "", "field.id": "uuid"}))
    assert [row.subscriber.status for row in rows] == [ACTIVE, ACTIVE, ACTIVE]
    assert rows[0].subscriber.joined is None
    assert rows[0].subscriber.fields["id"].startswith("5a1d1e1c")
    (rejected, *_) = taken(EXPORTS / "substack.csv", tool=TOOLS["csv"], mapping={"joined": "plan"})
    assert isinstance(rejected, Reject)
    assert "`plan` is no date" in rejected.reason


def test_nobody_becomes_more_active_than_the_file_says(tmp_path: Path) -> None:
    text = "email,status\na@example.org,\nb@example.org,pending\nc@example.org,unsubscribed\n"
    for limit, expected in ((ACTIVE, [ACTIVE, PENDING, GONE]), (PENDING, [PENDING, PENDING, GONE])):
        rows = people(taken(tmp_path / "l.csv", text, status=limit, tags=frozenset({"new"})))
        assert [row.subscriber.status for row in rows] == expected
        assert all(row.subscriber.tags == {"new"} for row in rows)


def test_who_must_not_be_mailed_is_taken_in_whatever_else_is_wrong(tmp_path: Path) -> None:
    text = "email,status,joined\na@example.org,bounced,?\nb@example.org,unsubscribed,?\nc@example.org,,?\n"
    first, second, third = taken(tmp_path / "l.csv", text)
    assert isinstance(first, Incoming)
    assert first.suppress == "bounced"
    assert isinstance(second, Incoming)
    assert second.subscriber.status is GONE
    assert isinstance(third, Reject)


def test_field_names_are_unique_and_never_those_of_columns(tmp_path: Path) -> None:
    header = "email,Email,name,Name,a b,a-b,a_b,,?,suppressed\n"
    (one,) = people(taken(tmp_path / "l.csv", f"{header}x@example.org,2,N,4,5,6,7,8,9,\n"))
    assert one.subscriber.fields == {
        "Email_2": "2",
        "Name_2": "4",
        "a_b": "5",
        "a_b_2": "6",
        "a_b_3": "7",
        "column_9": "9",
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "big5"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "l.csv"
    data = "email,name,城市\r\na@example.org,林小雨,北京\r\n".encode(encoding)
    if encoding in ("gb18030", "big5"):
        with pytest.raises(AudienceError, match=r"l\.csv:1: this is not UTF-8; .* gb18030"):
            taken(path, data)
    named = {"gb18030": "GB2312", "big5": "big5"}.get(encoding)
    (one,) = people(taken(path, data, encoding=named))
    assert (one.subscriber.name, one.subscriber.fields) == ("林小雨", {"城市": "北京"})


def test_what_is_not_in_the_encoding(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    data = b"email,name\na@example.org,A\nb@example.org,\xc0\xd6\nc@example.org,C\n"
    with pytest.raises(AudienceError, match=r"l\.csv:3: this is not UTF-8; say what it is"):
        taken(path, data)
    first, second, third = taken(path, data, encoding="utf8")
    assert isinstance(second, Reject)
    assert second.reason == "this is not UTF-8"
    assert isinstance(first, Incoming)
    assert isinstance(third, Incoming)
    with pytest.raises(UsageError, match="there is no such encoding"):
        taken(path, encoding="klingon")
    with pytest.raises(AudienceError, match=r"NUL byte here; .* utf-16-le"):
        taken(path, "email\na@example.org\n".encode("utf-16-le"))


def test_a_broken_quotation_costs_one_line(tmp_path: Path) -> None:
    text = 'email,name\na@example.org,"Ada\nb@example.org,B\nc@example.org,"C" C\nd@example.org,"D\nD"\n'
    rows = taken(tmp_path / "l.csv", text)
    assert [(row.row, type(row)) for row in rows] == [
        (2, Reject),
        (3, Incoming),
        (4, Reject),
        (5, Reject),
    ]
    assert isinstance(rows[0], Reject)
    assert rows[0].cells == ('a@example.org,"Ada',)
    assert "line break" in str(rows[3])


def test_a_file_without_a_header_or_at_all(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    with pytest.raises(AudienceError, match="No such file"):
        taken(path)
    with pytest.raises(AudienceError, match="must name the columns"):
        taken(path, "\n\n")
    with pytest.raises(AudienceError, match="the first row must name the columns"):
        taken(path, "a@example.org\nb@example.org\n")
    with pytest.raises(AudienceError, match="Is a directory"):
        taken(tmp_path)


def test_names_are_put_together_as_their_owners_do() -> None:
    assert full_name("Ada", "Lovelace") == "Ada Lovelace"
    assert full_name("", "Lovelace") == "Lovelace"
    assert full_name("晓雨", "林") == "林晓雨"


@given(
    st.text(max_size=8), st.sampled_from(["", "'", "''"]), st.sampled_from(["", *"=+-@\t\r\n＝＠"])
)
def test_a_guarded_cell_is_no_formula_and_comes_back(
    text: str, apostrophes: str, sign: str
) -> None:
    value = f"{apostrophes}{sign}{text}"
    guarded = guard(value)
    assert guarded[:1] not in set("=+-@\t\r\n＝＋－＠") or guarded == ""
    assert unguard(guarded) == value


@settings(max_examples=60)
@given(
    data=st.binary(max_size=150),
    header=st.sampled_from(
        [b"", b"email,name\n", b"email;status\r\n", b"\xff\xfe", b"LEID,EUID,mail\n"]
    ),
    encoding=st.sampled_from([None, "utf-8", "gb18030", "utf-16", "utf-7", "iso2022_jp"]),
)
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, header: bytes, encoding: str | None
) -> None:
    path = tmp_path_factory.mktemp("any") / "l.csv"
    with contextlib.suppress(AudienceError):
        rows = taken(path, header + data or b"\n", encoding=encoding)
        assert [row.row for row in rows] == sorted({row.row for row in rows})


PIECES = (b"a@example.org", b",", b'"', b"\n", b"\r\n", b"x", b"\0", b"\xff", b"=", b"' ")


@settings(max_examples=100)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=40).map(b"".join))
def test_no_address_is_lost(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "l.csv"
    rows = taken(path, b"email,name,city\n" + data, encoding="utf-8")
    told = json.dumps([record(row) for row in rows])  # taken in or rejected, it stands somewhere
    assert told.count("a@example.org") >= data.count(b"a@example.org")
