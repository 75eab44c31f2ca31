"""A document against a model: every mistake at once, in plain words, each at its place."""

from __future__ import annotations

import difflib
import functools
import operator
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from newsletter.errors import Problem, SourceError
from newsletter.source.fields import field_names, owner
from newsletter.source.text import shortened
from newsletter.source.tree import YamlDocument
from newsletter.source.wording import explain, shown

_IN_TEXT: Literal["mistakes_in_text"] = "mistakes_in_text"
_AT: Literal["mistake_at"] = "mistake_at"
AnyModel = TypeVar("AnyModel", bound=BaseModel)


def validate(
    model: type[AnyModel], document: YamlDocument, *, context: Mapping[str, Any] | None = None
) -> AnyModel:
    """`document` as a `model`.

    A number or truth value where the model wants text counts as the text that was written, so
    `title: 2022` and `venue: 1.10` are what they look like.

    Args:
        model: a pydantic model.
        document: what was parsed; its own problems are reported too.
        context: handed to the model's validators.

    Raises:
        SourceError: with every mistake as a Problem, in the order of the file.

    """
    value = document.value
    if not isinstance(value, dict):
        raise SourceError(problems=[*document.problems, _no_fields(document, value)])
    try:
        result = model.model_validate(value, context=_dict(context))
    except ValidationError as error:
        again = _with_text(document, value, error)
        try:
            result = model.model_validate(again, context=_dict(context))
        except ValidationError as remaining:
            problems = [*document.problems, *_problems(model, document, remaining)]
            raise SourceError(problems=in_order(problems)) from None
    if document.problems:
        raise SourceError(problems=in_order(document.problems))
    return result


def mistakes_in_text(mistakes: Iterable[tuple[str, str]]) -> PydanticCustomError:
    """What a validator of a long text raises, so that each mistake is reported at its own line.

    Args:
        mistakes: what to look for in the text, and the message.

    """
    found = list(mistakes)
    summary = "; ".join(message for _, message in found)
    return PydanticCustomError(_IN_TEXT, "{summary}", {"summary": summary, "mistakes": found})


def mistake_at(offset: int, message: str, hint: str | None = None) -> PydanticCustomError:
    """What a validator of a text raises when it knows which character of it is wrong.

    Args:
        offset: of the character, counted from 0.
        message: a whole clause; the name of the field is not put before it.
        hint: what to do about it.

    """
    details = {"message": message, "offset": offset, "hint": hint}
    return PydanticCustomError(_AT, "{message}", details)


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Problems by line and column, those without a place first."""

    def position(problem: Problem) -> tuple[int, int]:
        place = problem.place
        return ((place.line or 0), (place.column or 0)) if place else (0, 0)

    return sorted(problems, key=position)


def suggestion(word: str, known: Iterable[str]) -> str | None:
    """A hint with the known word that `word` was probably meant to be, or None."""
    close = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else None


def _no_fields(document: YamlDocument, value: Any) -> Problem:
    if value is None:
        line = document.source.first_line
        return document.source.problem(line, 1, "there is nothing in this file")
    message = f"this file must be fields such as `name: value`, not {shown(value)}"
    return document.problem((), message)


def _dict(context: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if context is None else dict(context)


def _with_text(document: YamlDocument, value: Any, error: ValidationError) -> Any:
    """`value` with what was written in place of every number or truth value that should be text."""
    for mistake in error.errors(include_url=False, include_context=False):
        if mistake["type"] == "string_type" and isinstance(mistake["input"], bool | int | float):
            location = document.known(mistake["loc"])
            written = document.written(location)
            if location and written is not None:
                parent = functools.reduce(operator.getitem, location[:-1], value)
                parent[location[-1]] = written
    return value


def _problems(
    model: type[BaseModel], document: YamlDocument, error: ValidationError
) -> Iterable[Problem]:
    for mistake in error.errors(include_url=False):
        # pydantic counts only the entries without mistakes, so a list of wrong ones seems empty.
        if mistake["type"] == "too_short" and mistake["input"]:
            continue
        if mistake["type"] == _IN_TEXT:
            for needle, message in mistake["ctx"]["mistakes"]:
                yield document.problem_in_text(mistake["loc"], needle, message)
        elif mistake["type"] == _AT:
            found = mistake["ctx"]
            yield document.problem_at(
                mistake["loc"], found["offset"], found["message"], found["hint"]
            )
        else:
            yield _problem(model, document, mistake)


def _problem(model: type[BaseModel], document: YamlDocument, mistake: ErrorDetails) -> Problem:
    location = mistake["loc"]
    if mistake["type"] == "extra_forbidden":
        owning, name = owner(model, location)
        word, names = str(location[-1]), field_names(owning)
        hint = suggestion(word, names) or f"fields: {', '.join(names)}"
        return document.problem(
            location, f"`{shortened(word)}` is not a field of {name}", hint, key=True
        )
    named = location if mistake["type"] == "missing" else document.known(location)
    message, advice = explain(mistake, named)
    return document.problem(location, message, advice)
