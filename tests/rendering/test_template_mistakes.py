"""What a template can get wrong: one line with the template, the line and what was meant."""

from __future__ import annotations

import pytest

MISTAKES = {
    "an undefined name": (
        "{{ subjekt }}",
        "'subjekt' is not defined (did you mean `subject`?)",
    ),
    "a field that the publication lacks": (
        "{{ publication.nmae }}",
        "'publication' has no 'nmae' (did you mean `name`?)",
    ),
    "a field that the issue lacks": (
        "{{ issue.nummer }}",
        "'issue' has no 'nummer' (did you mean `number`?)",
    ),
    "a field that a section lacks": (
        "{{ sections[0].titel }}",
        "'section' has no 'titel' (did you mean `title`?)",
    ),
    "nothing like it": ("{{ zzz }}", "'zzz' is not defined"),
    "a field of nothing": ("{{ issue.date.year }}", "None has no 'year'"),
    "an undefined name as an argument": (
        "{{ image(pictur) }}",
        "'pictur' is not defined",
    ),
    "an undefined name in a filter": ("{{ boddy|markdown }}", "'boddy' is not defined"),
    "an unknown filter": (
        "{{ subject|markdwon }}",
        "No filter named 'markdwon' (did you mean `markdown`?)",
    ),
    "an unknown test": (
        "{{ subject is definde }}",
        "No test named 'definde' (did you mean `defined`?)",
    ),
    "bad syntax": ("{{ subject }", "unexpected '}'"),
    "an unknown tag": ("{% endfro %}", "Encountered unknown tag 'endfro'"),
    "a missing include": (
        '{% include "parts/heading.j2" %}',
        "there is no templates/parts/heading.j2 (did you mean `parts/heading.html.j2`?)",
    ),
    "a missing import": (
        '{% import "parts/headin.html.j2" as m %}',
        "there is no templates/parts/headin.html.j2 (did you mean `parts/heading.html.j2`?)",
    ),
    "an include outside": (
        '{% include "../newsletter.yaml" %}',
        "`../newsletter.yaml` is not a path inside templates",
    ),
    "an absolute include": (
        '{% include "/etc/passwd" %}',
        "`/etc/passwd` is not a path inside templates",
    ),
    "a missing picture": (
        '{{ image("art/pig.png").url }}',
        "there is no picture art/pig.png (did you mean `art/big.png`?)",
    ),
    "a picture outside": (
        '{{ image("../x.png").url }}',
        "`../x.png` is not a path inside",
    ),
    "a picture that is none": (
        '{{ image("templates/issue.txt.j2").url }}',
        "picture templates/issue.txt.j2 is not a PNG, JPEG or GIF file",
    ),
    "a picture's width": (
        '{{ image("art/big.png", "100%").width }}',
        "a picture's width is a whole number of pixels, not '100%'",
    ),
    "a missing style sheet": (
        '{{ stylesheet("smal.css") }}',
        "there is no templates/styles/smal.css (did you mean `styles/small.css`?)",
    ),
    "a style sheet that is none": (
        '{{ stylesheet("../parts/heading.html.j2") }}',
        "`styles/../parts/heading.html.j2` is not a path inside templates",
    ),
    "a date that is none": ('{{ subject|date("%Y") }}', "is not a date such as 2022-11-07"),
    "a part of a date that is none": (
        '{{ "2022-11-07"|date("%Q") }}',
        "`%Q` is not a part of a date",
    ),
    "not an item": ("{{ block(subject) }}", "block() takes an item of the issue"),
    "not Markdown": ("{{ issue|markdown }}", "Markdown is text, not Issue"),
    "a calculation": ("{{ 1 / 0 }}", "ZeroDivisionError: division by zero"),
    "an empty QR code": ('{{ qr("").url }}', "a QR code needs a link"),
    "a long QR code": ('{{ qr("x" * 5000).url }}', "5000 characters are too long for a QR code"),
}


@pytest.mark.parametrize(("template", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_with_its_line(desk, picture, template, message):
    desk.write("art/big.png", picture(4, 4))
    desk.html(f"<p>\n  {template}\n</p>")
    problem = desk.refuse()
    said = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
    assert message in said
    assert str(problem.place) == "templates/issue.html.j2:5"
    assert problem.snippet == f"    5 |   {template}"


@pytest.mark.parametrize("part", ["html", "txt"])
def test_a_mistake_in_a_block_names_the_block(desk, part):
    desk.write(f"templates/blocks/sponsor.{part}.j2", "<b>\n{{ item.compani }}\n</b>")
    problem = desk.refuse()
    assert str(problem) == (
        f"templates/blocks/sponsor.{part}.j2:2: a block of kind 'sponsor' has no 'compani' "
        "(did you mean `company`?)\n    2 | {{ item.compani }}"
    )


def test_a_mistake_in_a_macro_names_its_file(desk):
    desk.write(
        "templates/parts/heading.html.j2",
        "{% macro heading(a, b) %}\n\n{{ a + x }}\n{% endmacro %}",
    )
    assert str(desk.refuse().place) == "templates/parts/heading.html.j2:3"


def test_a_mistake_in_a_child_template_names_its_file(desk):
    desk.write("templates/base.html.j2", "<html><body>{% block main %}{% endblock %}</body></html>")
    desk.write(
        "templates/issue.html.j2",
        '{% extends "base.html.j2" %}\n{% block main %}\n{{ x }}\n{% endblock %}',
    )
    assert str(desk.refuse().place) == "templates/issue.html.j2:3"


def test_a_missing_kind_names_what_to_make(desk, issue):
    problem = desk.refuse(issue({"kind": "poll", "question": "?"}))
    assert problem.message == (
        "no template shows blocks of kind `poll`: there is no templates/blocks/poll.html.j2"
    )
    assert str(problem.place) == "templates/issue.html.j2:23"
    assert problem.hint == "make templates/blocks/poll.html.j2"


def test_a_missing_entry_template_is_named(desk):
    (desk.root / "templates/issue.txt.j2").unlink()
    problem = desk.refuse()
    assert problem.message == "there is no templates/issue.txt.j2"
    assert problem.hint == "make templates/issue.txt.j2"


def test_no_templates_at_all(desk):
    problem = desk.refuse(templates="nothing-here")
    assert str(problem.place) == "nothing-here/issue.html.j2"
    assert "there is no nothing-here/issue.html.j2" in problem.message


def test_a_template_that_is_not_utf_8(desk):
    desk.write("templates/blocks/sponsor.html.j2", b"<p>\xb9\xfa</p>")
    problem = desk.refuse()
    assert problem.message == "templates/blocks/sponsor.html.j2 is not UTF-8 at byte 3"


def test_a_byte_order_mark_is_no_text(desk):
    desk.write("templates/issue.txt.j2", "\ufeff{{ subject }}")
    assert desk.render().text == "小周刊 No.7｜七\n"


def test_blocks_that_include_each_other(desk):
    desk.write("templates/blocks/sponsor.html.j2", "{{ block(item) }}")
    problem = desk.refuse()
    assert problem.message == "templates or blocks include each other without end"
    assert str(problem.place) == "templates/blocks/sponsor.html.j2:1"


def test_a_template_that_makes_no_document(desk):
    desk.write("templates/issue.html.j2", "{# nothing #}")
    problem = desk.refuse()
    assert str(problem.place) == "templates/issue.html.j2"
    assert problem.message == "does not make an HTML document"


def test_missing_includes_can_be_ignored(desk):
    desk.text('{% include "nope.txt.j2" ignore missing %}here')
    assert desk.render().text == "here\n"


def test_a_link_out_of_the_folder_is_not_followed(desk, tmp_path_factory):
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.txt"
    secret.write_text("secret")
    (desk.root / "templates/leak.txt.j2").symlink_to(secret)
    desk.text('{% include "leak.txt.j2" %}')
    problem = desk.refuse()
    assert problem.message == "`leak.txt.j2` leads out of the folder templates"


def test_optional_fields_print_as_nothing(desk):
    desk.text("[{{ issue.date }}|{{ publication.byline }}|{{ sections[0].title }}]")
    assert desk.render().text == "[||一]\n"


def test_an_error_is_one_problem_with_exit_code_one(desk):
    from newsletter.errors import TemplateError

    desk.text("{{ x }}")
    with pytest.raises(TemplateError) as caught:
        desk.render()
    assert caught.value.exit_code == 1
    assert caught.value.__cause__ is None
    assert str(caught.value).startswith("templates/issue.txt.j2:1: 'x' is not defined")
