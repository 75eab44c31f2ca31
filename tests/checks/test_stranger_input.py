"""Whatever authors and templates write, no check has a mistake of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from checks_desk import Desk, page
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.checks.checked import Checked
from newsletter.checks.model import Example
from newsletter.checks.run import FAILED, run_checks

WORDS = st.sampled_from(
    [
        *(
            "好",
            "用BERT",
            "。。",
            "(附录",
            "“引",
            "11月9日(周二)",
            "2月30日",
            "`",
            "```\n",
            "**粗 **",
            "TODO",
        ),
        *(
            "{{ x }}",
            "<br>",
            "&nbsp;",
            "\u200b",
            "点击这里",
            "https://a.org/x。",
            "[x](https://a.org)",
            "[y](",
        ),
        *(
            " ",
            "\n",
            "\n\n",
            "- ",
            "# ",
            "> ",
            "|",
            "\\",
            "'",
            '"',
            ":",
            "#",
            "👨‍👩‍👧",
            "Ã©",
            "1)",
            "9：00",
        ),
    ]
)
TEXT = st.lists(WORDS, max_size=14).map("".join)
ADDRESSES = st.sampled_from(
    [
        *(
            "",
            "#",
            "#a",
            "https://",
            "https://a",
            "http://[::1",
            "http://[::1]/",
            "mailto:",
            "mailto:a@b",
        ),
        *(
            "javascript:x",
            "https://a.org:99999/",
            "https://bücher.example/ü",
            "//a.org",
            "a b",
            "https://a。",
        ),
        *(
            "HTTPS://A.ORG/%zz",
            "data:image/png;base64,",
            "cid:x",
            "\u3000",
            "https://user:pw@a.org/",
        ),
    ]
)
STYLES = st.sampled_from(
    [
        *(
            "",
            "color:red",
            "color:#12",
            "color:rgb(1",
            "background:url(",
            "font-size:",
            "font-size:0",
        ),
        *(
            "font-size:1e9px",
            "line-height:-1",
            "line-height:0",
            "padding:a b c",
            "display:none;",
            "color:;",
        ),
        *(
            "background:rgba(0,0,0,.5)",
            "font:1px",
            "opacity:0",
            "color:color-mix(in srgb, red, blue)",
            "}}{{",
        ),
    ]
)
TAGS = st.sampled_from(
    [
        "p",
        "a",
        "img",
        "td",
        "table",
        "tr",
        "h1",
        "h4",
        "div",
        "span",
        "font",
        "svg",
        "script",
        "b",
        "li",
    ]
)

OF_THE_HEADER = ("headers", "list_headers", "inbox", "structure", "spam")
"""The families that look at the header of the message."""


@st.composite
def elements(draw: st.DrawFn, depth: int = 0) -> str:
    tag = draw(TAGS)
    attributes = "".join(
        f' {name}="{value}"'
        for name, value in (
            ("href", draw(ADDRESSES)),
            ("src", draw(ADDRESSES)),
            ("style", draw(STYLES)),
            ("width", draw(st.sampled_from(["", "9", "9%", "x"]))),
            ("alt", draw(st.sampled_from(["", "图", "a.png"]))),
        )
        if draw(st.booleans())
    )
    inner = draw(TEXT)
    if depth < 3:
        inner += "".join(draw(st.lists(elements(depth + 1), max_size=2)))
    return f"<{tag}{attributes}>{inner}</{tag}>{draw(TEXT)}"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    return Desk(tmp_path_factory.mktemp("strange")).examine(Example())


def own_mistakes(checked: Checked, *families: str) -> list[str]:
    found = run_checks(checked, select=families)
    return [f"{one.code}: {one.message}" for one in found if one.message.startswith(FAILED)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(html=st.lists(elements(), max_size=4).map("".join), css=STYLES, text=TEXT)
def test_any_document(base: Checked, html: str, css: str, text: str) -> None:
    sheet = f".a {{ {css} }} @media (prefers-color-scheme: dark) {{ p {{ {css} }} }}"
    assert own_mistakes(replace(base, html=page(html, sheet), text=text)) == []


@settings(max_examples=40, deadline=None)
@given(html=st.text(max_size=200), message=st.binary(max_size=300))
def test_any_octets(base: Checked, html: str, message: bytes) -> None:
    plain = "".join(char for char in html if char.isprintable() or char == "\n")
    assert own_mistakes(replace(base, html=plain, message=message)) == []


@settings(max_examples=60, deadline=None)
@given(
    field=st.sampled_from(
        ["From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Id"]
    ),
    value=st.text(max_size=80),
)
def test_any_header(base: Checked, field: str, value: str) -> None:
    head, _, body = base.message.partition(b"\r\n\r\n")
    added = f"{field}: {value}".encode("utf-8", "replace").replace(b"\n", b"\r\n ")
    message = head + b"\r\n" + added + b"\r\n\r\n" + body
    assert own_mistakes(replace(base, message=message), *OF_THE_HEADER) == []


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=TEXT.filter(str.strip), title=WORDS.filter(str.strip))
def test_any_words(tmp_path: Path, body: str, title: str) -> None:
    import yaml

    desk = Desk(tmp_path)
    fields = yaml.safe_dump({"title": title}, allow_unicode=True).strip()
    from newsletter.errors import SourceError

    try:
        checked = desk.read(Example(body=body, fields=fields))
    except SourceError:
        return  # characters and links that are refused when the issue is read
    assert own_mistakes(checked) == []


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=TEXT.filter(str.strip))
def test_any_words_through_the_whole_pipeline(tmp_path: Path, body: str) -> None:
    from newsletter.checking import check_issue

    found = check_issue(Desk(tmp_path).open(Example(body=body)), 7)
    assert not [one for one in found if one.message.startswith(FAILED)]
