"""What a check is, and what it finds.

A check is a function that looks at a `Checked` and yields `Found`s. The decorator `check` makes it a
`Check`: a stable code, one sentence, a severity, the docstring that `--explain` prints, and examples
that it must pass and fail on. The suite runs the examples, so a check without them is an error.

    @check(
        "link-empty",
        title="A link leads nowhere",
        severity=Severity.ERROR,
        passing=Example(html='<a href="https://example.org/">it</a>'),
        failing=Example(html='<a href="">it</a>'),
    )
    def link_empty(checked: Checked) -> Iterator[Found]:
        \"\"\"What it means, why it matters, what to do: printed by --explain.\"\"\"
        for link in checked.links:
            if not link.href:
                yield Found("this link has no address", place=link.place)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from newsletter.errors import Place

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked

_SHORT = 100
_TRIVIAL = 2


class Severity(StrEnum):
    """How bad a finding is. A send refuses an issue with errors."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for the worst, so that findings can be sorted."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Found:
    """What a check yields; code and severity come from the check.

    Attributes:
        message: what is wrong, one line, naming what it is about.
        place: the line that the author can change, where there is one.
        hint: what to do about it.
        severity: instead of the check's own, where a check has two degrees.
        snippet: the line at `place`; filled in when it is left out and the file is known.

    """

    message: str
    place: Place | None = None
    hint: str | None = None
    severity: Severity | None = None
    snippet: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is reported: `Found` with its code and severity."""

    code: str
    severity: Severity
    message: str
    place: Place | None = None
    hint: str | None = None
    snippet: str | None = None

    def record(self) -> dict[str, Any]:
        """The finding as `check --format json` prints it: these six, for other programs."""
        place = self.place
        return {
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            "path": place.path if place else None,
            "line": place.line if place else None,
            "column": place.column if place else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A small thing to check. What is left out is taken from an issue that every check passes.

    Attributes:
        source: a whole issue source in YAML, rendered with the packaged theme.
        items: instead, the YAML of the items of its one section.
        body: instead, the Markdown of its one `text` item.
        fields: YAML lines that are added to the issue, or replace what it says.
        html: the HTML part as a reader gets it, instead of the rendered one; without `<html` it is
            the body of an otherwise good document.
        css: style block of that document.
        text: the plain-text part, instead of the rendered one.
        header: header fields of the message that are added, or replaced by name; an empty value
            removes the field. Values are the bytes after `Name: `, as text.
        message: the whole message instead, as text with LF line ends.
        files: further templates and style sheets by path; `.png` files are described, such as
            `80x80` or `1200x900 noise`.
        publication: settings of newsletter.yaml that differ.
        others: sources of other issues, by path such as content/063.yaml.
        services: what a check that `needs` a service gets for it.

    """

    source: str | None = None
    items: str | None = None
    body: str | None = None
    fields: str = ""
    html: str | None = None
    css: str = ""
    text: str | None = None
    header: Mapping[str, str] = field(default_factory=dict)
    message: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    publication: Mapping[str, Any] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, Any] = field(default_factory=dict)

    def in_short(self) -> str | None:
        """What an author would write, when one short line of it says everything; else None."""
        if self.files or self.publication or self.others or self.services:
            return None
        for text in (self.body, self.items, self.fields, self.html, self.text):
            if text and len(text) > _TRIVIAL:
                line = " ".join(text.split())
                return line if "\n" not in text.strip() and len(line) <= _SHORT else None
        header = "; ".join(f"{name}: {value}" for name, value in self.header.items() if value)
        return header if header and header.isprintable() and len(header) <= _SHORT else None


Look = Callable[["Checked"], Iterator[Found]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check.

    Attributes:
        code: stable, lower-case words with `-`, the thing first: `link-empty`.
        title: one sentence without a full stop.
        severity: of its findings, unless newsletter.yaml says otherwise.
        explanation: why it matters and what to do; the function's docstring.
        passing: examples on which it finds nothing.
        failing: examples on which it finds something.
        look: the function.
        needs: the service without which it does not run, such as `online`.
        family: the module it is in.

    """

    code: str
    title: str
    severity: Severity
    explanation: str
    passing: tuple[Example, ...]
    failing: tuple[Example, ...]
    look: Look = field(repr=False)
    needs: str | None = None
    family: str = ""

    def run(self, checked: Checked) -> Iterator[Finding]:
        """What this check finds."""
        for found in self.look(checked):
            yield Finding(
                code=self.code,
                severity=found.severity or self.severity,
                message=found.message,
                place=found.place,
                hint=found.hint,
                snippet=found.snippet,
            )


def check(
    code: str,
    *,
    title: str,
    severity: Severity,
    passing: Example | tuple[Example, ...],
    failing: Example | tuple[Example, ...],
    needs: str | None = None,
) -> Callable[[Look], Check]:
    """Make a function a check; see the head of this module."""

    def made(look: Look) -> Check:
        return Check(
            code=code,
            title=title,
            severity=severity,
            explanation=inspect.getdoc(look) or "",
            passing=passing if isinstance(passing, tuple) else (passing,),
            failing=failing if isinstance(failing, tuple) else (failing,),
            look=look,
            needs=needs,
            family=look.__module__.rpartition(".")[2],
        )

    return made
