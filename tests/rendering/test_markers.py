"""Values that differ per reader: printed, never looked at."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.rendering.edition import Landing
from newsletter.rendering.markers import (
    SEEN_LENGTH,
    TOKEN_LENGTH,
    Marker,
    SubscriberView,
    TokenBook,
)
from newsletter.rendering.mistake import Mistake

REFUSED = {
    "{% if subscriber.name %}x{% endif %}": (
        "`subscriber.name` differs per reader, so a template cannot ask whether it is empty"
    ),
    "{{ subscriber.name or '读者' }}": "ask whether it is empty",
    "{{ subscriber.name if subscriber.name else 'x' }}": "ask whether it is empty",
    "{{ not online_url }}": "`online_url` differs per reader, so a template cannot ask whether it is empty",
    "{{ subscriber.name == 'x' }}": "compare it",
    "{{ 'x' != subscriber.name }}": "compare it",
    "{{ subscriber.fields.age > 18 }}": "`subscriber.fields.age` differs per reader, so a template cannot compare it",
    "{{ subscriber.name in ['x'] }}": "compare it",
    "{{ 'x' in subscriber.name }}": "look inside it",
    "{% for c in subscriber.name %}{% endfor %}": "walk through it",
    "{{ subscriber.name[:1] }}": "cut it",
    "{{ subscriber.name[0] }}": "cut it",
    "{{ subscriber.name + '!' }}": "calculate with it",
    "{{ 'x' * subscriber.fields.n }}": "calculate with it",
    "{{ subscriber.name|upper }}": "run the filter `upper` on it",
    "{{ subscriber.name|default('x') }}": "run the filter `default` on it",
    "{{ subscriber.name|fallback('读者')|trim }}": "run the filter `trim` on it",
    "{{ subscriber.name|length }}": "run the filter `length` on it",
    "{{ '%5s'|format(subscriber.name) }}": "run the filter `format` on it",
    "{{ '{:>9}'.format(subscriber.name) }}": "pad or shorten it",
    "{{ 'ab'|replace('a', subscriber.name) }}": "run the filter `replace` on it",
    "{{ unsubscribe_url|urlencode }}": "run the filter `urlencode` on it",
    "{{ subscriber.name|markdown }}": "run the filter `markdown` on it",
    "{{ subscriber.fields.born|date('%Y') }}": "run the filter `date` on it",
    "{{ subscriber.name is string }}": "test whether it is string",
    "{{ subscriber.name is none }}": "test whether it is none",
    "{{ subscriber.name.upper() }}": "use its `upper`",
    "{{ unsubscribe_url() }}": "call it",
    "{{ {subscriber.name: 1} }}": "look something up with it",
    "{{ image(subscriber.fields.photo) }}": "make a picture of it",
    "{{ qr(unsubscribe_url) }}": "make a QR code of it",
    "{{ issue.title|fallback(subscriber.name) }}": "use it as a fallback",
    "{{ subscriber }}": "`subscriber` differs per reader, so a template cannot print it as a whole",
    "{{ subscriber.fields }}": "print it as a whole",
    "{% for x in subscriber.fields %}{% endfor %}": "walk through it",
    "{% if subscriber.fields %}{% endif %}": "ask whether it is empty",
    "{{ 'x' in subscriber.fields }}": "look inside it",
    "{{ subscriber.fields|length }}": "run the filter `length` on it",
    "{{ subscriber.nmae }}": "`subscriber` has no `nmae`",
    "{{ subscriber.fields[1] }}": "find a column without a header",
}


@pytest.mark.parametrize(("template", "message"), REFUSED.items())
def test_a_template_cannot_look_at_a_value(desk, template, message):
    desk.text(f"\n\n{template}")
    problem = desk.refuse()
    assert message in problem.message
    assert str(problem.place) == "templates/issue.txt.j2:3"


def test_the_hint_says_what_to_do(desk):
    desk.text("{% if subscriber.name %}x{% endif %}")
    assert desk.refuse().hint == (
        'print it as it is, or as `subscriber.name|fallback("…")` for readers who have none'
    )
    desk.text("{{ subscriber.city }}")
    assert desk.refuse().hint == "a column of the list is `subscriber.fields.city`"


def test_what_a_template_can_do(desk):
    desk.text(
        "{{ subscriber.name }} {{ subscriber['email'] }} {{ subscriber.fields['所在 城市'] }} "
        "{{ '你好，' ~ subscriber.name|fallback('读者') ~ '！' }} {{ subscriber.language|safe }} "
        "{{ subscriber.name is defined }} {{ [subscriber.name, 'x']|join('、') }} "
        "{{ '{}'.format(subscriber.name) }} {{ issue.title|fallback('无题') }} {{ ''|fallback('空') }}"
    )
    edition = desk.render()
    names = [(slot.name, slot.fallback) for slot in edition.slots if slot.landing is Landing.TEXT]
    assert names == [
        ("name", ""),
        ("email", ""),
        ("fields.所在 城市", ""),
        ("name", "读者"),
        ("language", ""),
    ]
    plain, email, city, greeted, language = (
        slot.token for slot in edition.slots if slot.landing is Landing.TEXT
    )
    assert edition.text == (
        f"{plain} {email} {city} 你好，{greeted}！ {language} True {plain}、x {plain} 七 空\n"
    )


CHANGED = {
    "{% filter upper %}你好 {{ subscriber.name }}{% endfilter %}": "subscriber.name",
    "{% filter title %}{{ unsubscribe_url }}{% endfilter %}": "unsubscribe_url",
    "{% set x %}{{ subscriber.name }}{% endset %}{{ x|lower }}": "subscriber.name",
    "{% set x %}{{ subscriber.name }}{% endset %}{{ x[:12] }}": "subscriber.name",
    "{% set x %}{{ subscriber.name }}{% endset %}{{ x[:7] }}": "subscriber.name",
    "{% set x %}{{ subscriber.name }}{% endset %}{{ x|truncate(12, true) }}": "subscriber.name",
    "{% set x %}{{ subscriber.name }}{% endset %}{{ x|replace('Q', 'q') }}": "subscriber.name",
}


@pytest.mark.parametrize(("template", "name"), CHANGED.items())
@pytest.mark.parametrize("part", ["html", "txt"])
def test_a_changed_token_is_found_out(desk, template, name, part):
    desk.html(f"<p>{template}</p>") if part == "html" else desk.text(f"\n\n\n{template}")
    problem = desk.refuse()
    assert problem.message == (
        f"`{name}` was changed after it was printed, by a filter or by cutting"
    )
    assert str(problem.place) == f"templates/issue.{part}.j2:4"


def test_what_looks_like_a_token_in_the_source_is_none(desk, issue):
    first = desk.render(issue())
    token = first.slots[0].token
    again = desk.render(issue({"kind": "sponsor", "company": token, "slogan": token}))
    assert again.html.count(token) == 2
    assert token not in {slot.token for slot in again.slots}


def book() -> TokenBook:
    return TokenBook("source")


def test_a_token_is_letters_and_digits_in_mixed_case():
    token = book().print("name")
    assert len(token) == TOKEN_LENGTH
    assert token.isascii()
    assert token.isalnum()
    assert token not in (token.upper(), token.lower(), token.title(), token.swapcase())


def test_tokens_depend_on_source_name_fallback_and_landing():
    one = book()
    tokens = {
        one.print("name"),
        one.print("name", "读者"),
        one.print("email"),
        TokenBook("other").print("name"),
        *(
            one.settle(one.print("name"), lambda value, at, landing=landing: landing)
            for landing in Landing
        ),
    }
    assert len(tokens) == 7
    assert one.print("name") == book().print("name")


def test_views_and_markers_answer_python_as_well():
    view = SubscriberView(book())
    assert repr(view.name) == "<marker name>"
    with pytest.raises(Mistake):
        len(view.name)
    with pytest.raises(Mistake):
        hash(view.name)
    with pytest.raises(AttributeError):
        _ = view._secret
    assert not hasattr(Marker("name", book=book()), "_secret")


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(["name", "email", "fields.x"]), max_size=8), st.text(max_size=20))
def test_settling_changes_tokens_and_nothing_else(names, filler):
    tokens = book()
    text = filler.join(tokens.print(name) for name in names)
    settled = tokens.settle(text, lambda value, at: Landing.TEXT)
    slots = tokens.slots(settled)
    assert [slot.name for slot in slots.elements()] == sorted(names, key=names.index)
    plain = settled
    for slot in slots:
        plain = plain.replace(slot.token, slot.name)
    assert plain == filler.join(names)


@settings(deadline=None, max_examples=60)
@given(st.data(), st.text(alphabet="ab中 ", max_size=5))
def test_any_damage_behind_the_key_is_found_out(data, around):
    tokens = book()
    token = tokens.print("name")
    at = data.draw(st.integers(len("Nl"), TOKEN_LENGTH - 1))
    letter = data.draw(st.characters(codec="ascii").filter(lambda c: c != token[at]))
    damaged = token[:at] + letter + token[at + 1 :]
    text = around + damaged + around
    if at < len("Nl") + SEEN_LENGTH and letter.lower() != token[at].lower():
        assert not tokens.prints(text)  # the key is gone, and nobody can tell it was a token
        return
    with pytest.raises(Mistake):
        tokens.prints(text)
