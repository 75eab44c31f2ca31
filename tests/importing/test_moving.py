"""Moving in and out, whichever way the list is kept: what is taken in, what is kept out, what comes back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.audience.imports import open_export
from newsletter.audience.models import Subscriber, SubscriberStatus
from newsletter.audience.register import Change, Incoming, Merged
from newsletter.errors import AudienceError
from newsletter.exporting import Everybody, Known, export_file, export_people
from newsletter.importing import ImportReport, import_people
from newsletter.mail.address import parse_address
from newsletter.membership import Membership, open_membership
from newsletter.project import Project

ACTIVE, PENDING, GONE = (
    SubscriberStatus.ACTIVE,
    SubscriberStatus.PENDING,
    SubscriberStatus.UNSUBSCRIBED,
)
CONFIG = """\
name: Small Weekly
timezone: UTC
from: {name: Small Weekly, address: weekly@example.org}
"""
SECRET = {"NEWSLETTER_SECRET": "a secret of the moving tests"}
NOW = 1_800_000_000.0
LIST = "email,name,status,city\nanna@example.org,Anna,,Bonn\ngone@example.org,Gone,unsubscribed,\n"
FILE = """\
email,name,status,tags,plan
new@example.org,New,,cv,free
NEW@example.org,Again,unsubscribed,,
anna@example.org,Anna B.,,vip,free
gone@example.org,Gone,active,,
left@example.org,Left,unsubscribed,,
dead@example.org,Dead,bounced,,
forgotten@example.org,Back,active,,
ben@example.org,Ben,pending,,
carl@example.org,Carl,active,x,
nobody,Nobody,active,,
"""


@pytest.fixture(params=["subscribers.csv", "database"])
def club(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Membership]:
    """A publication with Anna, somebody who has left, and somebody who is forgotten."""
    (tmp_path / "newsletter.yaml").write_text(f"{CONFIG}audience: {request.param}\n")
    project = Project.open(tmp_path, environ=SECRET)
    with open_membership(project, clock=lambda: NOW) as membership:
        if project.publication.keeps_list:
            for name, status in (("Anna", ACTIVE), ("Gone", GONE)):
                address = parse_address(f"{name.lower()}@example.org")
                membership.add(Subscriber(address=address, name=name, status=status), source="test")
        else:
            (tmp_path / "subscribers.csv").write_text(LIST)
        forgotten = membership.register.identify("forgotten@example.org")
        membership.forget(forgotten, key="forgotten@example.org", source="test")
        yield membership


def take_in(
    project: Project, text: str = FILE, *, dry_run: bool = False, rejects: Path | None = None
) -> ImportReport:
    path = project.root / "people.csv"
    path.write_text(text)
    with open_export(path) as export:
        return import_people(project, export, dry_run=dry_run, rejects=rejects, clock=lambda: NOW)


def everybody(project: Project) -> dict[str, tuple[str, str | None]]:
    return {
        known.subscriber.address.key.partition("@")[0]: (known.subscriber.status, known.suppressed)
        for known in Everybody(project)
    }


def test_an_import_brings_in_who_may_be_brought_in(club: Membership) -> None:
    kept = club.project.publication.keeps_list
    before = (club.project.root / "subscribers.csv").read_bytes() if not kept else b""
    rejects = club.project.root / "rejects.csv"
    rehearsed = take_in(club.project, dry_run=True)
    assert len(everybody(club.project)) == 2, "a rehearsal changes nothing"
    report = take_in(club.project, rejects=rejects)
    assert (rehearsed.merged, rehearsed.rows) == (report.merged, report.rows)
    assert (report.rows, report.rejected) == (10, 1)
    assert report.suppressed == {"unsubscribed": 2, "bounced": 1}
    added = {GONE: 2, ACTIVE: 2, PENDING: 1}
    assert report.merged == Merged(
        added=added,
        updated=1 if kept else 0,
        unchanged=0 if kept else 1,
        kept_out=1,
        kept_unsubscribed=1,
        duplicates=1,
    )
    assert everybody(club.project) == {
        "anna": (ACTIVE, None),
        "gone": (GONE, None),
        "new": (GONE, "unsubscribed"),
        "left": (GONE, "unsubscribed"),
        "dead": (GONE, "bounced"),
        "ben": (PENDING, None),
        "carl": (ACTIVE, None),
    }
    assert rejects.read_text().splitlines() == [
        "row,reason,email,name,status,tags,plan",
        "11,'nobody': An email address must have an @-sign.,nobody,Nobody,active,,",
    ]
    assert rejects.stat().st_mode & 0o777 == 0o600
    who = club.register.identify("carl@example.org")
    (event,) = club.register.history(who)
    told = (event.change, event.source, event.reason)
    assert told == (Change.IMPORTED, "import people.csv", "as active")
    if kept:
        (consent,) = club.register.consents(who)
        assert consent.how == "import"
    else:
        after = (club.project.root / "subscribers.csv").read_bytes()
        assert after == before + b"ben@example.org,Ben,pending,\ncarl@example.org,Carl,active,\n"
        assert report.left_out == ("tags",)


def test_mended_rejects_are_taken_in(club: Membership) -> None:
    rejects = club.project.root / "rejects.csv"
    take_in(club.project, rejects=rejects)
    text = rejects.read_text().replace(",nobody,", ",somebody@example.org,")
    report = take_in(club.project, text, rejects=rejects)
    assert (report.rows, report.rejected, report.rejects) == (1, 0, None)
    assert everybody(club.project)["somebody"] == (ACTIVE, None)
    (one,) = (one for one in Everybody(club.project) if one.subscriber.name == "Nobody")
    assert not {"row", "reason"} & set(one.subscriber.fields)


def test_importing_again_changes_nothing(club: Membership) -> None:
    take_in(club.project)
    first = everybody(club.project)
    again = take_in(club.project).merged
    assert again.added == {}
    assert again.updated == again.left == 0
    assert everybody(club.project) == first


def test_who_has_left_elsewhere_leaves_here(club: Membership) -> None:
    text = "email,status\nanna@example.org,unsubscribed\n"
    assert take_in(club.project, text, dry_run=True).merged == Merged(left=1)
    assert take_in(club.project, text).merged == Merged(left=1)
    assert everybody(club.project)["anna"] == (GONE, "unsubscribed")
    assert take_in(club.project, "email\nanna@example.org\n").merged == Merged(kept_unsubscribed=1)


def test_what_cannot_be_read_to_its_end_changes_nothing(club: Membership) -> None:
    path = club.project.root / "people.csv"
    path.write_bytes(b"email\nx\nben@example.org\n\xff\xfe\n")
    rejects = club.project.root / "rejects.csv"
    with open_export(path) as export, pytest.raises(AudienceError, match=r"people\.csv:4"):
        import_people(club.project, export, rejects=rejects)
    assert "ben" not in everybody(club.project)
    assert not list(club.project.root.glob("*rejects*"))
    assert not list(club.project.root.glob(".*.draft"))


def test_a_rehearsal_makes_no_database(tmp_path: Path) -> None:
    (tmp_path / "newsletter.yaml").write_text(f"{CONFIG}audience: database\n")
    project = Project.open(tmp_path, environ={})
    assert take_in(project, dry_run=True).merged.added == {GONE: 2, ACTIVE: 5, PENDING: 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["newsletter.yaml", "people.csv"]


def test_a_list_without_a_status_column_takes_in_no_pending_people(tmp_path: Path) -> None:
    (tmp_path / "newsletter.yaml").write_text(CONFIG)
    (tmp_path / "subscribers.csv").write_text("email\n")
    project = Project.open(tmp_path, environ=SECRET)
    for dry_run in (True, False):
        with pytest.raises(AudienceError, match="no `status` column"):
            take_in(project, dry_run=dry_run)
    assert (tmp_path / "subscribers.csv").read_text() == "email\n"
    text = FILE.replace("pending", "active")
    assert take_in(project, text).left_out == ("plan", "name", "tags")
    assert "carl@example.org" in (tmp_path / "subscribers.csv").read_text()


def test_an_export_is_harmless_in_a_spreadsheet(club: Membership) -> None:
    evil = Subscriber(
        address=parse_address("+plus@example.org"), name="=1+1", fields={"city": "@x", "b": "-"}
    )
    if club.project.publication.keeps_list:
        club.add(evil, source="test")
    else:
        with (club.project.root / "subscribers.csv").open("a") as file:
            file.write("+plus@example.org,=1+1,,@x\n")
    out = io.StringIO()
    assert export_people(Everybody(club.project), out, statuses=[ACTIVE]) == 2
    lines = list(csv.reader(io.StringIO(out.getvalue())))
    assert lines[0][:6] == ["email", "name", "status", "tags", "language", "joined"]
    assert lines[0][-1] == "suppressed"
    assert lines[2][:2] == ["'+plus@example.org", "'=1+1"]
    assert "'@x" in lines[2]
    raw = io.StringIO()
    assert (
        export_people(Everybody(club.project), raw, raw=True, meant=lambda one: one.name > "A") == 2
    )
    assert "'" not in raw.getvalue()


def test_an_export_is_for_its_owner_only(club: Membership) -> None:
    path = club.project.root / "out.csv"
    assert export_file(Everybody(club.project), path) == 2
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes().startswith("\ufeffemail,".encode())
    with pytest.raises(AudienceError, match="cannot be written"):
        export_file(Everybody(club.project), Path("/nowhere/out.csv"))


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=6
).map(str.strip)
SIGN = st.sampled_from(["", "=", "+", "-", "@", "'", "'=", "＝"])
WORDS = st.builds("".join, st.tuples(SIGN, TEXT)).map(str.strip)
TAGS = st.frozensets(st.sampled_from(["nlp", "机器 学习", "=x", "'y", "a'b"]), max_size=3)


@settings(max_examples=60)
@given(
    people=st.lists(
        st.builds(
            Subscriber,
            address=st.sampled_from(["+a", "=b", "'c", "dé", "E.f"]).map(
                lambda local: parse_address(f"{local}@例子.example.org")
            ),
            name=WORDS,
            status=st.sampled_from([ACTIVE, PENDING, GONE]),
            tags=TAGS,
            language=st.sampled_from([None, "zh-CN", "en"]),
            joined=st.sampled_from([None, date(2022, 11, 7)]),
            fields=st.fixed_dictionaries({"city": WORDS, "组织": WORDS}),
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda one: one.address.key,
    ),
    raw=st.booleans(),
)
def test_what_goes_out_comes_back(
    tmp_path_factory: pytest.TempPathFactory, people: list[Subscriber], raw: bool
) -> None:
    path = tmp_path_factory.mktemp("out") / "out.csv"
    everybody = [
        Known(row=row, subscriber=one, suppressed="complaint" if one.status is GONE else None)
        for row, one in enumerate(people, 1)
    ]
    assert export_file(
        everybody, path, raw=raw and not any("'" in str(one) for one in people)
    ) == len(people)
    with open_export(path) as export:
        back = list(export)
    assert [getattr(one, "subscriber", one) for one in back] == people
    assert [one.suppress for one in back if isinstance(one, Incoming)] == [
        known.suppressed for known in everybody
    ]


def test_a_whole_list_moves(club: Membership, tmp_path_factory: pytest.TempPathFactory) -> None:
    take_in(club.project)
    path = club.project.root / "out.csv"
    count = export_file(Everybody(club.project), path)
    other = tmp_path_factory.mktemp("other")
    (other / "newsletter.yaml").write_text(f"{CONFIG}audience: database\n")
    moved = Project.open(other, environ=SECRET)
    with open_export(path) as export:
        report = import_people(moved, export)
    assert (report.rows, report.rejected) == (count, 0)
    expected = everybody(club.project)
    assert expected.pop("gone") == (GONE, None)
    assert everybody(moved) == {**expected, "gone": (GONE, "unsubscribed")}
