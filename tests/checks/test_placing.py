"""From the message back to the line: in every style of YAML, in prose, in templates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from newsletter.checks.placing import Places, SourceIndex
from newsletter.content.prose import parse_prose
from newsletter.content.reader import IssueSource, read_issue
from newsletter.source.text import SourceText
from newsletter.source.yaml import parse_yaml

HEAD = "number: 7\ntitle: 一期\n"
Read = Callable[[str], IssueSource]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def one(text: str, *, name: str = "007.yaml") -> IssueSource:
        (tmp_path / "content").mkdir(exist_ok=True)
        path = tmp_path / "content" / name
        path.write_text(text, "utf-8")
        zone = ZoneInfo("Asia/Shanghai")
        return read_issue(path, root=tmp_path, kinds=frozenset(), zone=zone)

    return one


def body(style: str) -> str:
    return f"{HEAD}sections:\n  - items:\n      - kind: text\n        body: {style}\n"


@pytest.mark.parametrize(
    ("style", "line", "column"),
    [
        ("第一句，找我。", 6, 19),
        ("'第一句，找我。'", 6, 20),
        ('"第一句，找我。"', 6, 20),
        ("'it''s 第一句，找我。'", 6, 26),
        ('"a \\"b\\" 找我"', 6, 24),
        ("|\n          第一句，\n          找我。", 8, 11),
        (">-\n          第一句，\n          找我。", 8, 11),
        ("|2\n          第一句，\n\n\n          在 找我。", 10, 13),
        ("第一句，\n          找我。", 7, 11),
        ("&anchor 第一句，找我。", 6, 27),
        ("| # 注释里的找我\n          第一句，找我。", 7, 15),
    ],
)
def test_a_word_inside_a_value(read: Read, style: str, line: int, column: int) -> None:
    source = read(body(style))
    found = SourceIndex(source).find("找我")
    assert found is not None
    value, offset = found
    assert (value.place(offset).line, value.place(offset).column) == (line, column)
    text = source.text.lines[line - 1]
    assert text[column - 1 :].startswith("找我")


def test_what_cannot_be_followed_is_placed_where_the_value_begins(read: Read) -> None:
    source = read(body('"\\u4e00\\u53e5 找我"'))
    value, offset = SourceIndex(source).find("找我") or pytest.fail("not found")
    assert (value.place(offset).line, value.place(offset).column) == (6, 15)


def test_prose_issues(read: Read) -> None:
    source = read("---\nnumber: 7\ntitle: 一期\n---\n\n> 引文\n\n有一句，找我。\n", name="007.md")
    value, offset = SourceIndex(source).find("找我") or pytest.fail("not found")
    assert (value.place(offset).line, value.place(offset).column) == (8, 5)
    assert value.key == "body"
    value, offset = SourceIndex(source).find("> 引文") or pytest.fail("not found")
    assert value.place(offset).line == 6


def test_keys_and_locations(read: Read) -> None:
    source = read(body("好") + "  - title: 二\n    items:\n      - {kind: divider}\n")
    keys = [(value.key, value.location) for value in SourceIndex(source).values]
    assert ("body", ("sections", 0, "items", 0, "body")) in keys
    assert ("title", ("sections", 1, "title")) in keys


@given(
    st.text(
        alphabet=st.characters(
            codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cf", "Co", "Cn"]
        ),
        min_size=1,
        max_size=60,
    )
)
def test_every_character_of_any_text_is_where_it_is_said_to_be(text: str) -> None:
    """In a literal block nothing is escaped, so each character must be found."""
    text = " ".join(text.split())
    if not text:
        return
    lines = "\n".join(f"      {part}" for part in ("一行", text, "三行"))
    source = SourceText(path="x.yaml", text=f"a: 1\nb:\n  - |\n{lines}\n")
    document = parse_yaml(source)
    issue = IssueSource.__new__(IssueSource)
    object.__setattr__(issue, "document", document)
    value = next(one for one in SourceIndex(issue).values if "一行" in one.text)
    for offset, char in enumerate(value.text):
        if not char.isspace():
            place = value.place(offset)
            assert source.lines[place.line - 1][place.column - 1] == char


@given(st.text(max_size=80))
def test_no_prose_body_is_placed_outside_of_the_file(text: str) -> None:
    plain = "".join(char for char in text if char.isprintable() or char == "\n")
    source = SourceText(path="x.md", text=f"---\nnumber: 1\n---\n{plain}\n终\n")
    issue = IssueSource.__new__(IssueSource)
    object.__setattr__(issue, "document", parse_prose(source))
    for value in SourceIndex(issue).values:
        for offset in range(len(value.text) + 2):
            place = value.place(offset)
            assert 1 <= (place.line or 0) <= len(source.lines)
            assert (place.column or 0) <= len(source.lines[(place.line or 1) - 1]) + 1


TEMPLATE = """{# <a href="x" class="never"> #}
<table role="presentation">
<!-- <h2 class="name">comment</h2> -->
<tr><td class="label words" width="76">{{ t.title }}</td>
<td class="value {% if x %}wide{% endif %}"><h2 class="name">{{ item.title }}</h2>
<a class="name-link" href="{{ item.url }}">{{ item.title }}</a>
<a class="quiet" href="https://example.org/about">about</a></td></tr>
</table>
"""


def element(html: str) -> etree._Element:
    tree = etree.fromstring(f"<html><body>{html}</body></html>", etree.HTMLParser())
    return next(
        node for node in tree.iter() if isinstance(node.tag, str) and node.get("id") == "it"
    )


@pytest.fixture
def places(read: Read) -> Places:
    items = "- {kind: article, title: 值得一读的论文, url: 'https://a.org/论文'}"
    source = read(f"{HEAD}sections:\n  - items:\n      {items}\n")
    return Places(source, {"templates/a.html.j2": TEMPLATE, "templates/b.css": "td { color: red }"})


@pytest.mark.parametrize(
    ("html", "path", "line"),
    [
        ('<a id="it" href="https://a.org/论文">x</a>', "content/007.yaml", 5),
        ('<a id="it" href="https://a.org/%E8%AE%BA%E6%96%87">x</a>', "content/007.yaml", 5),
        ('<h2 id="it" class="name">值得一读的论文</h2>', "content/007.yaml", 5),
        ('<h2 id="it" class="name">别的话</h2>', "templates/a.html.j2", 5),
        (
            '<a id="it" class="quiet" href="https://example.org/about">y</a>',
            "templates/a.html.j2",
            7,
        ),
        ('<a id="it" class="name-link" href="https://else.org/">y</a>', "templates/a.html.j2", 6),
        ('<p><b id="it">无处可寻</b></p>', None, None),
    ],
)
def test_elements(places: Places, html: str, path: str | None, line: int | None) -> None:
    place = places.of_element(element(html))
    assert (place.path if place else None, place.line if place else None) == (path, line)


def test_a_cell_is_found_by_the_attributes_that_are_written_out(places: Places) -> None:
    cell = element('<table><tr><td id="it" class="value wide">x</td></tr></table>')
    assert (places.of_tag(cell) or pytest.fail("not found")).line == 5
    cell = element('<table><tr><td id="it" class="label words" width="76">x</td></tr></table>')
    assert (places.of_tag(cell) or pytest.fail("not found")).line == 4


def test_a_tag_that_two_lines_could_have_written_is_nowhere(places: Places) -> None:
    assert places.of_tag(element('<a id="it">x</a>')) is None


def test_text_of_templates(places: Places) -> None:
    place = places.in_files("about</a>")
    assert place is not None
    assert (place.path, place.line) == ("templates/a.html.j2", 7)


def test_snippets_of_sources_and_templates(places: Places) -> None:
    place = places.in_files("about</a>")
    assert place is not None
    assert "https://example.org/about" in (places.snippet(place) or "")
    link = places.of_link("https://a.org/论文")
    assert link is not None
    first, second = (places.snippet(link) or "").split("\n")
    assert first.startswith("    5 | ")
    assert second.strip() == "^"
