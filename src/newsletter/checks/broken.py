"""What keeps an issue from being looked at further, as findings like all others.

These are found while the issue is read, rendered and composed, and reported by `newsletter.checking`;
here they have their codes, explanations and examples.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from newsletter.checks.model import Example, Finding, Found, Severity, check
from newsletter.errors import NewsletterError, Problem, SourceError, TemplateError

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked


@check(
    "source-invalid",
    title="The issue source cannot be read as it is",
    severity=Severity.ERROR,
    passing=Example(body="好。"),
    failing=(
        Example(fields="titel: 写错了名字的字段"),
        Example(source="number: 7\ntitle: [没有结束\n"),
    ),
)
def source_invalid(checked: Checked) -> Iterator[Found]:
    """A field is unknown, missing or of the wrong type, or the file is not YAML.

    All mistakes of the file are reported at once. What can still be understood is checked all the
    same, without the items that have mistakes, so that one run shows as much as possible.
    """
    yield from ()


@check(
    "template-invalid",
    title="A template is broken or names what does not exist",
    severity=Severity.ERROR,
    passing=Example(body="好。"),
    failing=(
        Example(body="好。", files={"templates/blocks/text.html.j2": "<p>{{ item.boddy }}</p>"}),
        Example(body="好。", files={"templates/blocks/text.txt.j2": "{% if %}"}),
    ),
)
def template_invalid(checked: Checked) -> Iterator[Found]:
    """A template has a mistake of syntax, or uses a variable, field, filter or file that is not there.

    When rendering fails, every item is rendered alone, so that one run shows what is wrong with each
    kind of block. The other checks look at what could be rendered.
    """
    yield from ()


@check(
    "message-invalid",
    title="The issue cannot become a message",
    severity=Severity.ERROR,
    passing=Example(body="好。"),
    failing=Example(
        body="好。",
        files={"templates/blocks/text.txt.j2": "{{ subscriber.fields.city }}{{ item.body }}"},
    ),
)
def message_invalid(checked: Checked) -> Iterator[Found]:
    """Composing was refused: a template asks for a column that the list does not have, say.

    A send would be refused in the same words.
    """
    yield from ()


def broken(error: NewsletterError) -> list[Finding]:
    """What an error says, as findings."""
    code = "message-invalid"
    if isinstance(error, SourceError):
        code = "source-invalid"
    elif isinstance(error, TemplateError):
        code = "template-invalid"
    problems = error.problems or (Problem(message=str(error)),)
    return [
        Finding(
            code=code,
            severity=Severity.ERROR,
            message=problem.message,
            place=problem.place,
            hint=problem.hint,
            snippet=problem.snippet,
        )
        for problem in problems
    ]
