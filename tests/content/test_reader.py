"""Issue sources as people write them, and every way to get one wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.content.models import BUILT_IN_KINDS, Article, CustomBlock, Event, Paper, Text
from newsletter.content.reader import IssueSource, find_issue, is_prose, read_issue
from newsletter.errors import Place, SourceError

REPOSITORY = Path(__file__).resolve().parents[2]
SHANGHAI = ZoneInfo("Asia/Shanghai")

HEAD = "number: 64\ntitle: 题\nsections:\n  - items:\n"
PAPER = "      - kind: paper\n        title: 文\n        summary: 简介。\n        url: https://a.example\n"

Read = Callable[..., IssueSource]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """`read(text, name=…, kinds=…)` reads an issue with this text."""

    def write_and_read(text: str | bytes, name: str = "064.yaml", *kinds: str) -> IssueSource:
        path = tmp_path / "content" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_issue(path, root=tmp_path, kinds=frozenset(kinds), zone=SHANGHAI)

    return write_and_read


def heads(read: Read, text: str | bytes, *names: str) -> list[str]:
    with pytest.raises(SourceError) as caught:
        read(text, *names)
    assert caught.value.exit_code == 1
    return [str(problem).split("\n")[0] for problem in caught.value.problems]


@pytest.mark.parametrize("number", [64, 65])
def test_the_sample_issues_are_read_with_the_place_of_every_item(number: int) -> None:
    path = find_issue(REPOSITORY / "content", number, root=REPOSITORY)
    source = read_issue(path, root=REPOSITORY, kinds=frozenset(), zone=SHANGHAI)
    assert source.issue.number == number
    lines = source.text.lines
    for location, item in source.issue.items():
        line = source.place((*location, "kind"), key=True).line
        assert line is not None
        assert is_prose(path) or lines[line - 1].endswith(f"kind: {item.kind}")


def test_the_structured_form(read: Read) -> None:
    source = read(HEAD + PAPER)
    ((location, paper),) = source.issue.items()
    assert isinstance(paper, Paper)
    assert location == ("sections", 0, "items", 0)
    assert source.display == "content/064.yaml"
    assert source.path.name == "064.yaml"
    assert source.place(location) == Place(path="content/064.yaml", line=5, column=9)
    assert source.place((*location, "summary")).line == 7


def test_the_prose_form(read: Read) -> None:
    text = "---\nnumber: 65\ntitle: 短\ndate: 2022-11-14 09:00\n---\n\n**注意：**别碰。\n\n再见。\n"
    source = read(text, "065.md")
    ((location, block),) = source.issue.items()
    assert block == Text(kind="text", body="**注意：**别碰。\n\n再见。\n")
    assert source.place((*location, "body")) == Place(path="content/065.md", line=7, column=1)
    assert source.issue.date == datetime(2022, 11, 14, 1, tzinfo=UTC)


def test_mistakes_of_the_prose_form_have_their_line_in_the_file(read: Read) -> None:
    text = (
        "---\nnumber: 65\ntitle: 短\ntitel: x\nsections:\n  - items: [{kind: txt, body: x}]\n---\n"
        "正文\n\n见[这里](页.html)。\n"
    )
    assert heads(read, text, "65-短.md") == [
        "content/65-短.md:4:1: `titel` is not a field of issue (did you mean `title`?)",
        (
            "content/65-短.md:6:20: `txt` is not a kind of block (did you mean `text`? kinds: "
            "paper, event, article, text, image, divider, qr, button, quote)"
        ),
        "content/65-短.md:10:7: `页.html` is no link that begins with https://, http:// or mailto:",
    ]


@pytest.mark.parametrize("text", ["no front matter\n", "---\nnumber: 65\n", ""])
def test_prose_without_front_matter(read: Read, text: str) -> None:
    (head,) = heads(read, text, "065.md")
    assert head.startswith("content/065.md:1:1: ")


def test_prose_without_text_is_one_mistake_among_others(read: Read) -> None:
    assert heads(read, "---\nnumber: 65\n---\n", "065.md") == [
        "content/065.md:2:1: `title` is missing",
        "content/065.md:3:1: there is no text after the front matter (write it below this line)",
    ]


def test_dates_without_an_offset_are_in_the_publications_zone(read: Read) -> None:
    source = read(
        "date: 2022-11-07\n" + HEAD + "      - kind: event\n        title: 会\n"
        "        starts: 2022-11-09 09:00\n        ends: 2022-11-09T02:00:00Z\n"
        "      - {kind: article, title: x, url: 'https://a.example', published: 2022-11-09}\n"
    )
    event, article = (item for _, item in source.issue.items())
    assert source.issue.date == datetime(2022, 11, 7, tzinfo=SHANGHAI)
    assert isinstance(event, Event)
    assert event.ends is not None
    assert (event.ends - event.starts).total_seconds() == 3600
    assert event.starts.tzinfo == SHANGHAI
    assert isinstance(article, Article)
    assert str(article.published) == "2022-11-09"


def test_an_event_that_ends_before_it_starts(read: Read) -> None:
    event = (
        "      - kind: event\n        title: 会\n        starts: 2022-11-09 09:00\n"
        "        ends: 2022-11-09T00:00:00Z\n"
    )
    (head,) = heads(read, HEAD + event)
    assert head == "content/064.yaml:5:9: `ends` is before `starts`"


def test_kinds_of_the_publications_own_have_free_fields(read: Read) -> None:
    block = "      - kind: vacancy\n        salary: 5\n        place: {city: 北京}\n        title: 招聘\n"
    source = read(HEAD + block, "064.yaml", "vacancy")
    ((_, item),) = source.issue.items()
    assert isinstance(item, CustomBlock)
    assert item.model_extra == {"salary": 5, "place": {"city": "北京"}, "title": "招聘"}


def test_their_common_fields_are_still_checked(read: Read) -> None:
    block = "      - {kind: vacancy, only: {tag: x}}\n"
    (head,) = heads(read, HEAD + block, "064.yaml", "vacancy")
    assert "`tag` is not a field of only (did you mean `tags`?)" in head


@pytest.mark.parametrize("name", ["copy", "json", "model_dump", "__class__", "_private"])
def test_fields_that_a_template_could_not_reach_are_refused(read: Read, name: str) -> None:
    block = f"      - kind: vacancy\n        {name}: x\n"
    (head,) = heads(read, HEAD + block, "064.yaml", "vacancy")
    assert head.startswith(f"content/064.yaml:6:9: a field of a block cannot be called `{name}`")


def test_an_unknown_kind_gets_the_list_and_a_suggestion(read: Read) -> None:
    (head,) = heads(read, HEAD + "      - {kind: vacency, x: 1}\n", "064.yaml", "vacancy")
    kinds = ", ".join([*BUILT_IN_KINDS, "vacancy"])
    assert head == (
        "content/064.yaml:5:16: `vacency` is not a kind of block "
        f"(did you mean `vacancy`? kinds: {kinds})"
    )


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("{title: x}", "`kind` is missing"),
        ("{kind: }", "`kind` is empty"),
        ("{kind: 5}", "`5` is not a kind of block"),
        ("{kind: true}", "`true` is not a kind of block"),
        ("{kind: [a]}", "`kind` must be text, not a list"),
        ("{kind: ../../x}", "`../../x` is not a kind of block"),
        ("just text", "must be a block of fields"),
        ("[a]", "must be a block of fields"),
    ],
)
def test_blocks_without_a_proper_kind(read: Read, block: str, message: str) -> None:
    (head,) = heads(read, HEAD + f"      - {block}\n")
    assert message in head


def test_the_number_inside_and_the_number_of_the_name_must_agree(read: Read) -> None:
    (head,) = heads(read, HEAD + PAPER, "065-题.yaml")
    assert head == (
        "content/065-题.yaml:1:9: `number` is 64, but the name of the file says 65 "
        "(rename the file or change the number)"
    )


@pytest.mark.parametrize("written", ["64", "064", "'64'", '"0064"'])
def test_spellings_of_one_number(read: Read, written: str) -> None:
    text = (HEAD + PAPER).replace("number: 64", f"number: {written}")
    assert read(text).issue.number == 64


@pytest.mark.parametrize("written", ["true", "6.5", "many", "", "-64", "[64]", "9" * 30])
def test_numbers_that_are_none(read: Read, written: str) -> None:
    found = heads(read, (HEAD + PAPER).replace("number: 64", f"number: {written}"))
    assert any("`number`" in head for head in found)


def test_a_file_without_a_number_in_its_name_is_not_compared(read: Read) -> None:
    assert read(HEAD + PAPER, "draft.yaml").issue.number == 64


def test_everything_wrong_with_a_file_at_once(read: Read) -> None:
    text = (
        "number: 65\n"
        "title: 题\n"
        "title: 又一个题\n"
        "date: 2022-02-30\n"
        "status: redy\n"
        "sections:\n"
        "  - titel: 论文\n"
        "    groups:\n"
        "      - title: NLP\n"
        "        items:\n"
        "          - kind: paper\n"
        "            titel: x\n"
        "            summary: 见[这里](foo)\n"
        "            authors: 张三\n"
        "          - kind: papper\n"
        "          - kind: image\n"
        "            src: ../secret.png\n"
        "            alt: 图\n"
        "            width: 1280\n"
        "          - {kind: button, label: 去, url: www.example.org}\n"
        "  - title: 空\n"
    )
    found = heads(read, text)
    assert [head.removeprefix("content/064.yaml:").split(" (")[0] for head in found] == [
        "1:9: `number` is 65, but the name of the file says 64",
        "3:1: `title` is given twice",
        "4:7: `date` is a date or time that does not exist: 2022-02-30",
        '5:9: `status` must be `draft` or `ready`, not "redy"',
        "7:5: `titel` is not a field of section",
        "11:13: `title` is missing",
        "12:13: `titel` is not a field of paper",
        "13:28: `foo` is no link that begins with https://, http:// or mailto:",
        '14:22: `authors` must be a list, not "张三"',
        "15:19: `papper` is not a kind of block",
        "17:18: `src` must be a path inside this folder, with `/` and without `..`",
        "19:20: `width` must be at most 640, not 1280",
        "20:43: `url` must be a link that begins with https://, http:// or mailto:",
        "21:5: a section needs `items` or `groups`",
    ]


def test_each_problem_shows_the_line_with_a_caret(read: Read) -> None:
    with pytest.raises(SourceError) as caught:
        read("number: 64\ntitle: 题\nstatus: 好\nsections: [{items: [{kind: divider}]}]\n")
    assert str(caught.value) == (
        'content/064.yaml:3:9: `status` must be `draft` or `ready`, not "好"\n'
        "    3 | status: 好\n"
        "                ^"
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "there is nothing in this file"),
        (b"- a\n", "must be fields such as"),
        ("title: 题".encode("gbk"), "not UTF-8"),
        (b"title: a\0b", "invisible character NUL"),
        (b"title: [", "ends inside brackets"),
        (b'title: "a\\u0000b"', "invisible NUL"),
    ],
)
def test_files_that_are_no_issue(read: Read, data: bytes, message: str) -> None:
    assert any(message in head for head in heads(read, data))


def test_a_subject_of_several_lines_is_refused(read: Read) -> None:
    (head,) = heads(read, 'subject: "a\\nBcc: x@example.org"\n' + HEAD + PAPER)
    assert "`subject` must be one line without control characters" in head


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^064\.yaml: does not exist$"):
        read_issue(tmp_path / "064.yaml", root=tmp_path, kinds=frozenset(), zone=SHANGHAI)


def test_a_file_outside(tmp_path: Path) -> None:
    root = tmp_path / "publication"
    root.mkdir()
    (tmp_path / "064.yaml").write_text(HEAD + PAPER, encoding="utf-8")
    with pytest.raises(SourceError, match="leads out of"):
        read_issue(root / "../064.yaml", root=root, kinds=frozenset(), zone=SHANGHAI)


def attempt(root: Path, data: bytes, name: str) -> None:
    """Read it as an issue; only a SourceError with places may come of it."""
    path = root / name
    path.write_bytes(data)
    try:
        read_issue(path, root=root, kinds=frozenset({"own"}), zone=SHANGHAI)
    except SourceError as error:
        problems = error.problems
    else:
        return
    assert problems
    assert all(problem.place and problem.place.path == name for problem in problems)


@settings(deadline=None)
@given(data=st.binary(max_size=300), name=st.sampled_from(["64.yaml", "64.md"]))
def test_any_bytes_are_an_issue_or_a_source_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str
) -> None:
    attempt(tmp_path_factory.getbasetemp(), data, name)


FIELDS = st.sampled_from(
    [
        "number",
        "title",
        "date",
        "status",
        "sections",
        "items",
        "groups",
        "kind",
        "only",
        "tags",
        "summary",
        "url",
        "authors",
        "starts",
        "ends",
        "speaker",
        "name",
        "width",
        "body",
        "paper",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([*BUILT_IN_KINDS, "own", "64", "2022-11-07", "https://a.example", "[x](y)"])
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=5),
    max_leaves=25,
)


@settings(deadline=None)
@given(value=st.dictionaries(FIELDS, VALUES, max_size=6), prose=st.booleans())
def test_any_yaml_is_an_issue_or_a_source_error(
    tmp_path_factory: pytest.TempPathFactory, value: Any, prose: bool
) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)
    name = "64.md" if prose else "64.yaml"
    data = f"---\n{text}---\n正文\n" if prose else text
    attempt(tmp_path_factory.getbasetemp(), data.encode("utf-8", "replace"), name)


ONLY = "number: 64\ntitle: 题\nsections:\n  - items:\n      - kind: divider\n        only: "


@pytest.mark.parametrize(
    ("written", "line", "column", "message"),
    [
        ("tag = cv and", 6, 27, "a question is expected, but something is missing"),
        ("tag = cv and lang = zh", 6, 28, "`lang` is nothing to ask about"),
        ('"name = \\"李 雷\\" oops"', 6, 31, "`and`, `or` or the end is expected"),
        ("'name = ''李 雷'' oops'", 6, 31, "`and`, `or` or the end is expected"),
        ("{tags: [cv], segment: “tag” = cv}", 6, 37, "a question is expected, but `tag` does"),
        ("{segment: got 63 or tag = cv}", 6, 25, "`got` cannot stand here"),
        ("not 标签 = cv", 6, 19, "`标签` is nothing to ask about"),
        ("|\n          tag = cv\n          or tag = (a)\n", 8, 20, "several values need `in`"),
        ("tag = cv\n          or tags = a\n", 7, 14, "`tags` is nothing to ask about"),
        ('""', 6, 15, "the segment is empty"),
        ("{segment: 5}", 6, 25, "`5` is nothing to ask about"),
        ("[cv]", 6, 15, "`only` must be a block of fields, not a list"),
    ],
)
def test_mistakes_in_a_segment_have_their_own_place(
    read: Read, written: str, line: int, column: int, message: str
) -> None:
    (head,) = heads(read, ONLY + written + "\n")
    assert head.startswith(f"content/064.yaml:{line}:{column}: {message}")


def test_a_segment_in_front_matter(read: Read) -> None:
    front = "sections:\n  - items:\n      - {kind: divider, only: cv}\n"
    (head,) = heads(read, f"---\nnumber: 65\ntitle: 题\n{front}---\n\n正文。\n", "065.md")
    assert head.startswith("content/065.md:6:31: `cv` is nothing to ask about")
