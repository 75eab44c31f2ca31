"""Templates cannot reach out of the sandbox, nor change what they were given."""

from __future__ import annotations

import pytest

ESCAPES = [
    "{{ ''.__class__.__mro__ }}",
    "{{ issue.__class__ }}",
    "{{ issue.__init__.__globals__ }}",
    "{{ issue['__class__'] }}",
    "{{ issue|attr('__class__') }}",
    "{{ issue|attr('model_dump')() }}",
    "{{ issue.model_dump() }}",
    "{{ issue.model_copy(update={'number': 8}).number }}",
    "{{ issue.parse_raw('x') }}",
    "{{ issue.parse_file('newsletter.yaml') }}",
    "{{ issue.items() }}",
    "{{ publication.model_json_schema() }}",
    "{{ publication.zone.from_file('x') }}",
    "{{ block.__globals__ }}",
    "{{ image.__wrapped__ }}",
    "{{ '{0.__class__}'.format(issue) }}",
    "{{ '{0.model_dump}'.format(issue) }}",
    "{{ ('{0.__class__}'|format(issue)).x }}",
    "{{ range(10**9)|length }}",
    "{{ self.__init__ }}",
    "{{ subscriber._book }}",
    "{{ subscriber.name._book.print('name') }}",
    "{{ subscriber.fields.__class__ }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ lipsum() }}",
    "{{ ['a'].append('b') }}",
    "{{ publication.extra.update({'a': 1}) }}",
    "{{ sections[0].items[0].model_extra }}",
    "{% set issue.number = 9 %}",
    "{% import 'os' as os %}",
]


@pytest.mark.parametrize("template", ESCAPES)
def test_there_is_no_way_out(desk, template):
    desk.text(template)
    problem = desk.refuse(extra={"a": 0})
    assert str(problem.place) == "templates/issue.txt.j2:1"


def test_what_templates_may_do(desk, issue):
    desk.text(
        "{% macro twice(x) %}{{ x }}{{ x }}{{ caller() }}{% endmacro %}"
        "{% call twice('甲') %}!{% endcall %}"
        "{% set ns = namespace(n=0) %}{% for i in range(3) %}{% set ns.n = ns.n + i %}{% endfor %}"
        "{{ ns.n }} {{ 'ab'.upper() }} {{ ', '.join(['x', 'y']) }} {{ '{}-{}'.format(1, 2) }} "
        "{{ dict(a=1).items()|list }} {{ issue.date.strftime('%Y') }} {{ publication.extra.motto.title() }} "
        "{% for k, v in publication.extra.items() %}{{ k }}={{ v }}{% endfor %} "
        "{% set c = cycler('o', 'e') %}{{ c.next() }}{{ c.next() }}"
    )
    edition = desk.render(issue(date="2022-11-07"), extra={"motto": "go on"})
    assert edition.text == "甲甲!3 AB x, y 1-2 [('a', 1)] 2022 Go On motto=go on oe\n"


def test_free_fields_come_before_methods_of_models(desk, issue):
    item = {"kind": "sponsor", "company": "x", "slogan": "y", "copy": "文案", "json": {"a": [1]}}
    desk.write("templates/blocks/sponsor.txt.j2", "{{ item.copy }} {{ item.json.a[0] }}")
    assert "文案 1" in desk.render(issue(item)).text
