"""Whole editions: what comes out, twice the same, and for whom."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.audience.models import Subscriber
from newsletter.content.models import Issue
from newsletter.errors import TemplateError
from newsletter.mail.address import parse_address
from newsletter.rendering.edition import Landing
from newsletter.rendering.plaintext import cells
from newsletter.rendering.render import Renderer, visible_sections

GOLDEN = Path(__file__).parent / "data" / "golden"

SMALL = {
    "number": 7,
    "title": "七<b>",
    "preheader": "先睹 & 为快",
    "sections": [
        {
            "title": "要闻",
            "items": [
                {
                    "kind": "text",
                    "body": "**注意：**别碰。\n\n- 一\n- [链接](https://example.org/a)",
                },
                {
                    "kind": "sponsor",
                    "company": "甲公司",
                    "slogan": "{{ 7*7 }} <script>alert(1)</script>",
                },
            ],
            "groups": [
                {
                    "title": "文章",
                    "items": [
                        {
                            "kind": "article",
                            "title": "Large & Small",
                            "url": "https://news.example.org/中文?a=1&b=2",
                            "published": "2022-11-09",
                        }
                    ],
                }
            ],
        },
        {
            "items": [
                {"kind": "image", "src": "art/front page.png", "alt": "封面"},
                {"kind": "qr", "url": "https://example.org/join", "title": "入群"},
            ]
        },
    ],
}


@pytest.fixture
def small() -> Issue:
    return Issue.model_validate(SMALL)


@pytest.fixture
def art(desk, picture):
    desk.write("art/front page.png", picture(400, 200))
    return desk


def test_an_edition_is_as_it_was(art, small, golden):
    edition = art.render(small)
    golden(GOLDEN / "small.html", edition.html.encode())
    golden(GOLDEN / "small.txt", edition.text.encode())
    slots = "".join(f"{s.token} {s.name} {s.landing} {s.fallback}\n" for s in edition.slots)
    golden(GOLDEN / "small.slots", slots.encode())
    assert (edition.issue, edition.subject) == (7, "小周刊 No.7｜七<b>")
    assert (edition.preheader, edition.language) == ("先睹 & 为快", "zh-CN")


def test_the_same_input_gives_the_same_bytes(art, small):
    first, again = art.render(small), art.render(small)
    assert first == again
    assert first.digest == again.digest


def test_one_renderer_renders_many_issues_alike(art, small, issue):
    renderer = art.renderer()
    first = renderer.render(small)
    renderer.render(issue())
    assert renderer.render(small) == first


def test_another_issue_has_other_tokens(desk, issue):
    one, two = desk.render(issue(title="一")), desk.render(issue(title="二"))
    assert not {slot.token for slot in one.slots} & {slot.token for slot in two.slots}


def test_the_digest_is_about_what_readers_see(desk, issue):
    draft, ready = desk.render(issue(status="draft")), desk.render(issue(status="ready"))
    dated = desk.render(issue(date="2022-11-07T09:00:00+08:00"))
    assert draft.digest == ready.digest == dated.digest
    desk.html('<p>{{ subscriber.name|fallback("你") }}</p>')
    one = desk.render().digest
    desk.html('<p>{{ subscriber.name|fallback("您") }}</p>')
    assert desk.render().digest != one


def test_style_blocks_that_stay_are_letter_for_letter(art, small):
    html = art.render(small).html
    assert "@media (prefers-color-scheme: dark) { .body { color : #FFFFFF !important } }\n" in html
    assert "[data-ogsc] .body > a{color:#9cf}\n" in html


def test_slots_land_where_their_tokens_are(desk):
    edition = desk.render()
    landings = {(slot.name, slot.landing, slot.fallback) for slot in edition.slots}
    assert landings == {
        ("name", Landing.HTML, "读者"),
        ("fields.city", Landing.HTML, "远方"),
        ("unsubscribe_url", Landing.HTML, ""),
        ("fields.city", Landing.URL, ""),
        ("name", Landing.TEXT, "读者"),
        ("fields.city", Landing.TEXT, "远方"),
        ("unsubscribe_url", Landing.TEXT, ""),
    }
    assert len(edition.slots) == len(landings)
    for slot in edition.slots:
        part = edition.text if slot.landing is Landing.TEXT else edition.html
        assert part.count(slot.token) == 1
        assert slot.token.isascii()
        assert slot.token.isalnum()


def test_a_subject_of_its_own_wins(desk, issue):
    assert desk.render(issue(subject="特刊")).subject == "特刊"
    assert desk.render(subject="{title} {{x}}").subject == "七 {x}"


def test_markup_in_fields_comes_out_escaped(desk, issue):
    evil = "<script>alert(1)</script>\"'&"
    section = {
        "title": evil,
        "items": [{"kind": "sponsor", "company": evil, "slogan": evil}],
        "groups": [{"title": evil, "items": [{"kind": "text", "body": evil}]}],
    }
    edition = desk.render(issue(title=evil, preheader=evil, sections=[section]))
    assert "<script" not in edition.html
    assert edition.html.count("&lt;script&gt;alert(1)") == 7
    assert evil in edition.text


def test_markup_in_attributes_comes_out_escaped(desk, issue, picture):
    desk.write("a.png", picture(10, 10))
    edition = desk.render(issue({"kind": "image", "src": "a.png", "alt": '"><script>x</script>'}))
    assert "<script" not in edition.html
    assert "alt='\"&gt;" in edition.html or 'alt="&quot;&gt;' in edition.html


def test_a_template_in_a_field_stays_text(desk, issue):
    trick = "{{ 7*7 }}{% raw %}{{ publication }}{#"
    edition = desk.render(
        issue({"kind": "sponsor", "company": trick, "slogan": "x"}, title=trick, subject=trick)
    )
    assert edition.subject == trick
    assert trick in edition.html
    assert trick in edition.text
    assert "49" not in edition.text


def test_hidden_items_are_gone_with_what_is_empty_then(issue):
    text = {"kind": "text", "body": "x"}
    groups = [{"title": "甲", "items": [text]}, {"title": "乙", "items": [text, text]}]
    sections = [{"items": [text]}, {"title": "二", "items": [text], "groups": groups}]
    found = visible_sections(
        issue(sections=sections),
        frozenset(
            {
                ("sections", 0, "items", 0),
                ("sections", 1, "items", 0),
                ("sections", 1, "groups", 0, "items", 0),
                ("sections", 1, "groups", 1, "items", 1),
            }
        ),
    )
    (section,) = found
    assert (section.title, section.items) == ("二", ())
    (group,) = section.groups
    assert (group.title, len(group.items)) == ("乙", 1)


def test_what_is_hidden_is_not_in_the_edition(desk, issue):
    made = issue(
        {"kind": "text", "body": "给所有人"},
        {"kind": "text", "body": "给会员", "only": {"tags": ["会员"]}},
    )
    hidden = made.hidden_from(Subscriber(address=parse_address("a@example.org")))
    for part in (desk.render(made, hidden=hidden).html, desk.render(made, hidden=hidden).text):
        assert "给所有人" in part
        assert "给会员" not in part


def test_own_kinds_are_those_with_two_templates(desk):
    assert desk.renderer().kinds == {"sponsor"}
    desk.write("templates/blocks/poll.html.j2", "x")
    with pytest.raises(TemplateError) as caught:
        _ = desk.renderer().kinds
    assert str(caught.value) == (
        "templates/blocks/poll.html.j2: a kind of block needs two templates, "
        "and templates/blocks/poll.txt.j2 is missing"
    )
    desk.write("templates/blocks/poll.txt.j2", "x")
    assert desk.renderer().kinds == {"sponsor", "poll"}


def test_a_kind_may_have_a_chinese_name(desk, issue):
    desk.write("templates/blocks/海报.html.j2", "<p>海报：{{ item.图 }}</p>")
    desk.write("templates/blocks/海报.txt.j2", "海报：{{ item.图 }}")
    assert desk.renderer().kinds == {"sponsor", "海报"}
    edition = desk.render(issue({"kind": "海报", "图": "甲"}))
    assert "<p>海报：甲</p>" in edition.html.replace(
        ' style="margin:0 0 16px; line-height:1.7"', ""
    )
    assert "海报：甲" in edition.text


def test_what_both_parts_share_is_escaped_in_html_only(desk, issue):
    desk.write(
        "templates/parts/shared.j2", "{{ item.company }}{% macro m(x) %}[{{ x }}]{% endmacro %}"
    )
    for part in ("html", "txt"):
        desk.write(
            f"templates/blocks/sponsor.{part}.j2",
            '{% include "parts/shared.j2" %} {% from "parts/shared.j2" import m with context %}{{ m(item.slogan) }}',
        )
    edition = desk.render(issue({"kind": "sponsor", "company": "A & <B>", "slogan": "C & D"}))
    assert "A &amp; &lt;B&gt; [C &amp; D]" in edition.html
    assert "A & <B> [C & D]" in edition.text


def test_a_text_template_in_the_html_part_is_escaped(desk, issue):
    desk.write("templates/blocks/sponsor.html.j2", '{% include "blocks/sponsor.txt.j2" %}')
    edition = desk.render(issue({"kind": "sponsor", "company": "<b>", "slogan": "x"}))
    assert "&lt;b&gt;：x" in edition.html


def test_renderings_at_once_do_not_mix(desk, issue):
    renderer = desk.renderer()
    issues = [issue({"kind": "text", "body": f"**第{i}条**"}, title=str(i)) for i in range(8)]
    alone = [desk.renderer().render(each) for each in issues]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(renderer.render, issues)) == alone


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(st.characters(), max_size=40), st.sampled_from(["text", "title", "link"]))
def test_any_field_comes_out_as_text(desk, value, place):
    shapes = {
        "text": "<p>{{ subscriber.name }}[{{ item.value }}]</p>",
        "title": '<p title="{{ subscriber.name }}[{{ item.value }}]">x</p>',
        "link": '<a href="https://x.example/?[{{ item.value }}]">x</a>',
    }
    desk.write("templates/blocks/any.html.j2", shapes[place])
    desk.write("templates/blocks/any.txt.j2", "[{{ item.value }}]")
    item = {"kind": "any", "value": value}
    issue = Issue.model_validate({"number": 1, "title": "x", "sections": [{"items": [item]}]})
    edition = desk.renderer().render(issue)
    edition.html.encode()
    edition.text.encode()
    reader = _Reader()
    reader.feed(edition.html)
    seen = re.sub(r"\s", "", "".join(reader.seen))
    clean = re.sub(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "", value)
    assert reader.tags <= reader.expected
    assert f"[{clean}]" in seen or place == "link"


class _Reader(HTMLParser):
    """What another parser makes of an edition of one item."""

    expected: ClassVar[set[str]] = {
        *("html", "head", "meta", "title", "style", "body", "div", "h2", "p", "a")
    }

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self.tags: set[str] = set()

    def handle_data(self, data: str) -> None:
        self.seen.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.seen += [value or "" for _, value in attrs]


def test_what_stands_beside_blocks_is_no_kind(desk):
    desk.write("templates/blocks/_row.html.j2", "x")
    desk.write("templates/blocks/notes.md", "x")
    desk.write("templates/blocks/paper.html.j2", "only one half of a built-in kind")
    assert desk.renderer().kinds == {"sponsor"}


def test_the_packaged_theme_fills_in(desk, tmp_path):
    (desk.root / "templates").rename(tmp_path / "packaged")
    desk.write("templates/blocks/sponsor.txt.j2", "自己的")
    renderer = Renderer(desk.renderer().publication, root=desk.root, packaged=tmp_path / "packaged")
    edition = renderer.render(_only_sponsor())
    assert "自己的" in edition.text
    assert "甲公司：快" in edition.html


def _only_sponsor() -> Issue:
    item = {"kind": "sponsor", "company": "甲公司", "slogan": "快"}
    return Issue.model_validate({"number": 1, "title": "x", "sections": [{"items": [item]}]})


def test_dependencies_are_the_files_that_were_read(art, small):
    renderer = art.renderer()
    assert renderer.dependencies == frozenset()
    renderer.render(small)
    names = {path.relative_to(art.root).as_posix() for path in renderer.dependencies}
    assert "art/front page.png" in names
    assert "templates/styles/small.css" in names
    assert "templates/parts/heading.html.j2" in names
    assert "templates/blocks/sponsor.txt.j2" in names
    assert "templates/blocks/paper.html.j2" not in names


def test_a_changed_template_is_read_again(desk):
    renderer = desk.renderer()
    made = renderer.render(_only_sponsor())
    assert "新" not in made.text
    desk.write("templates/blocks/sponsor.txt.j2", "新的 {{ item.company }}, longer than before")
    assert "新的 甲公司" in renderer.render(_only_sponsor()).text


def test_a_templates_folder_outside_is_refused(desk, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (desk.root / "linked").symlink_to(outside)
    with pytest.raises(TemplateError) as caught:
        desk.renderer(templates="linked")
    assert str(caught.value) == (
        "newsletter.yaml: `templates: linked` is not a folder inside the publication"
    )


def test_text_is_wrapped_when_asked_for(desk, issue):
    item = {"kind": "text", "body": "大型语言模型能够自我改进，" * 6}
    wrapped = desk.render(issue(item), text={"wrap": 40}).text
    assert max(cells(line) for line in wrapped.split("\n") if "模型" in line) == 40
    assert "大型语言模型能够自我改进，" * 6 in desk.render(issue(item)).text


def test_warnings_name_the_line_of_the_style_sheet(desk):
    desk.write(
        "templates/styles/small.css", "p { color: red }\n\np {\n  color: rgb(0 0 0 / 50%)\n}\n"
    )
    (warning,) = desk.render().warnings
    assert str(warning) == (
        "templates/styles/small.css:4:3: `p { color: rgb(0 0 0 / 50%) }` could not be inlined, "
        "and is left out (write it in older CSS)\n    4 |   color: rgb(0 0 0 / 50%)"
    )


def test_warnings_name_the_line_of_a_template(desk):
    desk.html(
        "<p class='x'>x</p>", head="<style>\n  .x { color: red }\n  :is(p) { top: 0 }\n</style>"
    )
    (warning,) = desk.render().warnings
    assert str(warning.place) == "templates/issue.html.j2:4"
    assert "`:is(p)`" in warning.message


def test_refused_css_names_the_line_of_the_style_sheet(desk):
    desk.write("templates/styles/small.css", "p { color: red }\n@import url(x.css);\n")
    problem = desk.refuse()
    assert str(problem.place) == "templates/styles/small.css:2:1"
    assert "@import cannot be used" in problem.message
