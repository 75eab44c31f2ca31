"""Where tokens land in HTML, and where they must not."""

from __future__ import annotations

import html as stdlib_html
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.rendering import document
from newsletter.rendering.edition import Landing
from newsletter.rendering.landing import land_tokens
from newsletter.rendering.markers import TokenBook
from newsletter.rendering.mistake import Mistake

PLACES = {
    "<p>{{ subscriber.name }}</p>": Landing.HTML,
    "<p><b>x</b>{{ subscriber.name }}</p>": Landing.HTML,
    "<p><!-- x -->{{ subscriber.name }}</p>": Landing.HTML,
    '<p title="{{ subscriber.name }}">x</p>': Landing.HTML,
    '<img alt="{{ subscriber.name }}的照片" src="a.png">': Landing.HTML,
    "<textarea>{{ subscriber.name }}</textarea>": Landing.HTML,
    '<a href="https://example.org/?n={{ subscriber.name }}">x</a>': Landing.URL,
    '<a href="{{ subscriber.name }}">x</a>': Landing.URL,
    '<a HREF="mailto:a@example.org?body={{ subscriber.name }}">x</a>': Landing.URL,
    '<img src="https://example.org/{{ subscriber.name }}.png">': Landing.URL,
    '<td background="https://example.org/{{ subscriber.name }}.png">x</td>': Landing.URL,
    '<form action="https://example.org/{{ subscriber.name }}">x</form>': Landing.URL,
    '<a href="{{ unsubscribe_url }}">x</a>': Landing.HTML,
    '<a href=" {{ unsubscribe_url }}&amp;lang=zh">x</a>': Landing.HTML,
    "<p>{{ unsubscribe_url }}</p>": Landing.HTML,
    '<a href="https://example.org/?next={{ unsubscribe_url }}">x</a>': Landing.URL,
    '<a href="{{ online_url }}#{{ subscriber.name }}">x</a>': Landing.URL,
}


@pytest.mark.parametrize(("template", "landing"), PLACES.items())
def test_each_place_has_its_landing(desk, template, landing):
    desk.html(template)
    desk.text("x")
    slots = desk.render().slots
    assert slots[-1].landing is landing


def test_a_link_that_begins_with_a_personal_link_keeps_it(desk):
    desk.html('<a href="{{ online_url }}#{{ subscriber.name }}">x</a>')
    desk.text("x")
    edition = desk.render()
    assert [(slot.name, slot.landing) for slot in edition.slots] == [
        ("online_url", Landing.HTML),
        ("name", Landing.URL),
    ]
    assert f'href="{edition.slots[0].token}#{edition.slots[1].token}"' in edition.html


REFUSED = {
    "<style>.a { color: {{ subscriber.fields.colour }} }</style>": "<style>",
    '<style data-premailer="ignore">.{{ subscriber.name }} {}</style>': "<style>",
    "<script>var x = '{{ subscriber.name }}'</script>": "<script>",
    "<!-- {{ subscriber.name }} -->": "a comment",
    '<!--[if mso]><a href="{{ unsubscribe_url }}"><![endif]-->': "a comment",
    "<{{ subscriber.name }}>x": "the name of a tag",
    '<p {{ subscriber.name }}="x">x</p>': "the name of an attribute",
    "<p data-{{ subscriber.name }}>x</p>": "the name of an attribute",
    '<p style="color: {{ subscriber.fields.colour }}">x</p>': "the attribute style",
    "<p onclick=\"go('{{ unsubscribe_url }}')\">x</p>": "the attribute onclick",
    "<?php {{ subscriber.name }} ?>": "a comment",
}


@pytest.mark.parametrize(("template", "place"), REFUSED.items())
def test_no_token_where_it_would_be_code(desk, template, place):
    desk.html(f"<p>x</p>\n{template}")
    problem = desk.refuse()
    name = "unsubscribe_url" if "unsubscribe_url" in template else "subscriber."
    assert problem.message.startswith(f"`{name}")
    assert problem.message.endswith(f"stands in {place}, where no value can be put safely")
    assert str(problem.place) == "templates/issue.html.j2:5"
    assert template in (problem.snippet or "")


LOST = {
    "a second attribute of a name": '<p title="x" title="{{ subscriber.name }}">x</p>',
    "a closing tag": "<p>x</p></{{ subscriber.name }}>",
}


@pytest.mark.parametrize("template", LOST.values(), ids=LOST.keys())
def test_a_token_that_the_parser_drops_is_missed(desk, template):
    desk.html(f"<p>x</p>\n{template}")
    problem = desk.refuse()
    assert problem.message == "`subscriber.name` stands in broken HTML and got lost"
    assert str(problem.place) == "templates/issue.html.j2:5"


class _Reader(HTMLParser):
    """Another parser's opinion on where text stands."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.links: list[str] = []
        self.others: list[str] = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            (self.links if name in ("href", "src") else self.others).append(value or "")


PIECES = st.sampled_from(
    ["text", "<b>bold</b>", "<br>", "&amp;", "中文", "&nbsp;", "<i>", "</i>", "<p>", "</p>", "<td>"]
)
TOKENS = st.sampled_from(
    [
        ("{}", "html"),
        ('<a href="https://x.example/?q={}">x</a>', "url"),
        ('<img src="https://x.example/{}.png" alt="{}">', "both"),
        ('<span title="{}">x</span>', "html"),
    ]
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(PIECES, TOKENS), max_size=12))
def test_landing_agrees_with_another_parser(pieces):
    book = TokenBook("source")
    wanted: dict[Landing, int] = {Landing.HTML: 0, Landing.URL: 0}
    parts = []
    for piece in pieces:
        if isinstance(piece, str):
            parts.append(piece)
            continue
        shape, kind = piece
        wanted[Landing.HTML] += kind in ("html", "both")
        wanted[Landing.URL] += kind in ("url", "both")
        parts.append(shape.replace("{}", book.print("name")))
    made = f"<html><body>{''.join(parts)}</body></html>"
    tree = document.parse(made)
    land_tokens(tree, book, printed=book.prints(made))
    out = document.serialise(tree)
    found = book.slots(out)
    assert {
        landing: sum(n for s, n in found.items() if s.landing is landing) for landing in wanted
    } == wanted
    reader = _Reader()
    reader.feed(out)
    for slot, number in found.items():
        places = reader.links if slot.landing is Landing.URL else reader.texts + reader.others
        assert sum(place.count(slot.token) for place in places) == number


@settings(deadline=None, max_examples=60)
@given(
    name=st.text(min_size=1, max_size=30).filter(lambda text: "\0" not in text),
    place=st.sampled_from(
        ["<p>{}</p>", '<p title="{}">x</p>', '<a href="https://x.example/?q={}">x</a>']
    ),
)
def test_values_put_in_by_landing_are_read_back(name, place):
    """What composing does with a slot gives the value back to a reader, and never markup."""
    from urllib.parse import quote, unquote

    book = TokenBook("source")
    made = f"<html><body>{place.format(book.print('name'))}</body></html>"
    tree = document.parse(made)
    land_tokens(tree, book, printed=book.prints(made))
    out = document.serialise(tree)
    (slot,) = book.slots(out)
    clean = re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", "", name)
    value = quote(clean, safe="") if slot.landing is Landing.URL else stdlib_html.escape(clean)
    reader = _Reader()
    reader.feed(out.replace(slot.token, value))
    seen = "".join([*reader.texts, *reader.others, *map(unquote, reader.links)])
    assert clean in seen


def test_a_mistake_without_templates_has_no_place():
    book = TokenBook("source")
    made = f"<html><body><!-- {book.print('name')} --></body></html>"
    with pytest.raises(Mistake) as caught:
        land_tokens(document.parse(made), book, printed=book.prints(made))
    assert caught.value.place is None
