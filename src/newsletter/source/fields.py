"""Which model a location belongs to, so that a message can name it and its fields."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag
from pydantic.fields import FieldInfo

from newsletter.source.tree import Location


def owner(model: type[BaseModel], location: Location) -> tuple[type[BaseModel], str]:
    """The model whose fields the last part of `location` names, and what to call it in a message.

    Args:
        model: the model of the whole document.
        location: as pydantic reports it, with the tags of unions in it.

    Returns:
        The innermost model on the way, with the field or the tag that leads to it.

    """
    found, name = model, _name_of(model)
    candidates: list[Any] = [model]
    label: str | None = None
    for part in location[:-1]:
        candidates = list(_step(candidates, part))
        label = part if isinstance(part, str) else None
        models = [one for one in candidates if _is_model(one)]
        if models:
            found, name = models[0], label or _name_of(models[0])
    return found, name


def field_names(model: type[BaseModel]) -> list[str]:
    """The names an author may write for the fields of `model`."""
    return [info.alias or name for name, info in model.model_fields.items()]


def _step(candidates: list[Any], part: str | int) -> Iterator[Any]:
    """The types that `part` may lead to: an entry, a field, or a union's member."""
    for candidate in candidates:
        if _is_model(candidate):
            field = _field(candidate, part)
            if field is not None:
                yield from _members(field.annotation)
        elif get_origin(candidate) is Annotated:
            base, *marks = get_args(candidate)
            if any(isinstance(mark, Tag) and mark.tag == part for mark in marks):
                yield base
        elif get_args(candidate):
            # The entries of a list, or the values of a mapping, which come last.
            entries = [one for one in get_args(candidate) if one is not Ellipsis]
            for entry in entries if isinstance(part, int) else entries[1:]:
                yield from _members(entry)


def _field(model: type[BaseModel], part: str | int) -> FieldInfo | None:
    for name, info in model.model_fields.items():
        if part in (name, info.alias):
            return info
    return None


def _members(annotation: Any) -> Iterator[Any]:
    """The members of a union, with their tags; anything else is its own only member."""
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *marks = get_args(annotation)
        if any(isinstance(mark, Tag) for mark in marks):
            yield annotation
        else:
            yield from _members(base)
    elif origin in (Union, types.UnionType):
        for member in get_args(annotation):
            yield from _members(member)
    else:
        yield annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _name_of(model: type[BaseModel]) -> str:
    return str(model.model_config.get("title") or model.__name__.lower())
