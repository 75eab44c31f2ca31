"""Editing the list in place: one row changes, and nothing else does."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.audience.csvedit import append_subscriber, change_subscriber
from newsletter.audience.csvfile import read_subscribers
from newsletter.audience.models import Subscriber, SubscriberStatus
from newsletter.errors import AudienceError
from newsletter.mail.address import parse_address

GONE = SubscriberStatus.UNSUBSCRIBED
WINDOWS = (
    "\ufeffE-Mail of;email;Status;  name ;Ort\r\n"
    'x; "Anna@Example.org";;"Anna ""A"" B.";Bonn\r\n'
    "\r\n"
    "broken row\r\n"
    'y;ben@example.org;pending;"Ben\r\nB";\r\n'
    ";anna@example.ORG;active;;Köln"
)


def person(who: str, **more: object) -> Subscriber:
    subscriber = Subscriber(address=parse_address(f"{who}@example.org"))
    return replace(subscriber, **more)  # type: ignore[arg-type]


def written(root: Path, text: str) -> Path:
    path = root / "list.csv"
    path.write_bytes(text.encode())
    return path


def test_every_row_of_an_address_changes_and_nothing_else(tmp_path: Path) -> None:
    path = written(tmp_path, WINDOWS)
    path.chmod(0o640)
    count = change_subscriber(
        Path("list.csv"), "anna@example.org", lambda one: replace(one, status=GONE), root=tmp_path
    )
    assert count == 2
    expected = WINDOWS.replace(
        'x; "Anna@Example.org";;"Anna ""A"" B.";Bonn',
        'x; "Anna@Example.org";unsubscribed;"Anna ""A"" B.";Bonn',
    ).replace(";anna@example.ORG;active;;Köln", ";anna@example.ORG;unsubscribed;;Köln")
    assert path.read_bytes().decode() == expected
    assert path.stat().st_mode & 0o777 == 0o640
    assert not list(tmp_path.glob("*.draft"))


def test_a_change_that_changes_nothing_leaves_every_byte(tmp_path: Path) -> None:
    path = written(tmp_path, WINDOWS)
    assert change_subscriber(path, "anna@example.org", lambda one: one, root=tmp_path) == 2
    assert path.read_bytes() == WINDOWS.encode()
    assert change_subscriber(path, "nobody@example.org", lambda _: None, root=tmp_path) == 0
    assert path.read_bytes() == WINDOWS.encode()


def test_rows_are_taken_out(tmp_path: Path) -> None:
    path = written(tmp_path, "email,name\na@example.org,A\nb@example.org,B\n")
    assert change_subscriber(path, "a@example.org", lambda _: None, root=tmp_path) == 1
    assert path.read_text() == "email,name\nb@example.org,B\n"


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_new_row_is_the_last(tmp_path: Path, ending: str) -> None:
    newline = "\r\n" if ending == "\r\n" else "\n"
    path = written(tmp_path, f"tags\tname\temail\tcity{newline}\tA\ta@example.org\t{ending}")
    new = person("b", name='B "the Bee"', tags=frozenset({"x", "y"}), language="de")
    append_subscriber(path, new, root=tmp_path)
    first, second = (row.subscriber for row in read_subscribers(path, root=tmp_path))
    assert first
    assert second
    assert (second.name, second.tags, second.address) == (new.name, new.tags, new.address)
    last = f'x; y\t"B ""the Bee"""\tb@example.org\t{newline}'
    assert path.read_bytes().decode().endswith(f"a@example.org\t{newline}{last}")


def test_a_list_that_is_not_there_begins(tmp_path: Path) -> None:
    assert change_subscriber(Path("l.csv"), "a@example.org", lambda _: None, root=tmp_path) == 0
    append_subscriber(Path("l.csv"), person("李华"), root=tmp_path)
    (row,) = read_subscribers(Path("l.csv"), root=tmp_path)
    assert row.subscriber
    assert row.subscriber.address.local == "李华"


def test_nobody_who_left_is_written_down_as_active(tmp_path: Path) -> None:
    text = "email\na@example.org\n"
    path = written(tmp_path, text)
    with pytest.raises(AudienceError, match=r"no `status` column, .* unsubscribed"):
        change_subscriber(
            path, "a@example.org", lambda one: replace(one, status=GONE), root=tmp_path
        )
    with pytest.raises(AudienceError, match=r"no `status` column"):
        append_subscriber(path, person("b", status=SubscriberStatus.PENDING), root=tmp_path)
    assert path.read_text() == text


def test_who_is_taken_out_is_taken_out_of_bad_rows_too(tmp_path: Path) -> None:
    text = (
        "email,name,status\n"
        "a@example.org,A,gone\n"
        "a@example.org,A,,,,\n"
        "b@example.org,B,\n"
        '"A@example.org","A"x,\n'
    )
    path = written(tmp_path, text)
    assert change_subscriber(path, "a@example.org", lambda one: one, root=tmp_path) == 1
    assert path.read_text() == text
    assert change_subscriber(path, "a@example.org", lambda _: None, root=tmp_path) == 3
    assert path.read_text() == "email,name,status\nb@example.org,B,\n"


def test_what_would_be_read_differently_is_not_written(tmp_path: Path) -> None:
    text = "email,name,tags\n"
    path = written(tmp_path, text)
    for one in (person("a", tags=frozenset({"x;y"})), person("a", name="A\nB")):
        with pytest.raises(AudienceError, match="cannot be written down"):
            append_subscriber(path, one, root=tmp_path)
        assert path.read_text() == text
        with pytest.raises(AudienceError, match="cannot be written down"):
            append_subscriber(Path("new.csv"), one, root=tmp_path)
        assert not (tmp_path / "new.csv").exists()
    path = written(tmp_path, 'email,name\nb@example.org,"Ben')
    with pytest.raises(AudienceError, match=r"list\.csv:2: .* would be lost in it"):
        append_subscriber(path, person("a"), root=tmp_path)


def test_the_style_of_the_file_is_kept(tmp_path: Path) -> None:
    path = written(tmp_path, 'email,name,City\n"b@example.org","Ben",""\n\n')
    append_subscriber(path, person("a", fields={"City": 'a "b", c'}), root=tmp_path)
    assert path.read_text().endswith('\n\n"a@example.org","","a ""b"", c"\n')
    change_subscriber(path, "b@example.org", lambda one: replace(one, name="Benno"), root=tmp_path)
    assert '"b@example.org","Benno",""\n' in path.read_text()


def test_a_list_that_changes_meanwhile_is_read_again(tmp_path: Path) -> None:
    path = written(tmp_path, "email\na@example.org\n")
    seen: list[str] = []

    def saved_by_a_spreadsheet(one: Subscriber) -> None:
        if not seen:
            path.write_text("email\nb@example.org\na@example.org\n")
        seen.append(str(one.address))

    assert change_subscriber(path, "a@example.org", saved_by_a_spreadsheet, root=tmp_path) == 1
    assert path.read_text() == "email\nb@example.org\n"
    assert len(seen) > 1


def test_a_list_that_cannot_be_read_is_left_alone(tmp_path: Path) -> None:
    for text in ("name\nA\n", 'email\n"a@example.org\nb@example.org\n'):
        path = written(tmp_path, text)
        with pytest.raises(AudienceError, match=r"list\.csv:[12]: "):
            change_subscriber(path, "a@example.org", lambda _: None, root=tmp_path)
        assert path.read_text() == text


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    path = written(tmp_path, "email\n")
    link = tmp_path / "link.csv"
    link.symlink_to(path)
    append_subscriber(Path("link.csv"), person("a"), root=tmp_path)
    assert link.is_symlink()
    assert path.read_text() == "email\na@example.org\n"


def test_many_editors_lose_nobody(tmp_path: Path) -> None:
    path = written(tmp_path, "email\n")
    people = [person(f"reader{number}") for number in range(40)]
    threads = [
        threading.Thread(target=append_subscriber, args=(path, one), kwargs={"root": tmp_path})
        for one in people
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = {
        str(row.subscriber.address)
        for row in read_subscribers(path, root=tmp_path)
        if row.subscriber
    }
    assert found == {str(one.address) for one in people}
