"""A validator for the part of JSON Schema draft 7 that the project's schemas use.

Keywords it does not know are errors, so a keyword of a newer draft cannot slip in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_NOTES = {"$schema", "title", "description", "default", "definitions"}
_TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}


def errors(schema: Schema, value: Any, root: Schema | None = None, path: str = "$") -> list[str]:
    """Where and by which keyword `value` is refused."""
    return list(_errors(schema, value, root or schema, path))


def _errors(schema: Schema, value: Any, root: Schema, path: str) -> Iterator[str]:
    if "$ref" in schema:
        assert set(schema) == {"$ref"}, "draft 7 ignores what stands beside a $ref"
        name = schema["$ref"].removeprefix("#/definitions/")
        yield from _errors(root["definitions"][name], value, root, path)
        return
    for keyword, argument in schema.items():
        if keyword in _NOTES or keyword == "then":
            continue
        if keyword in _DEEP:
            yield from _DEEP[keyword](schema, argument, value, root, path)
        elif not _CHECKS[keyword](argument, value):
            yield f"{path}: {keyword}"


def _properties(schema: Schema, named: Any, value: Any, root: Schema, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        if name in named:
            yield from _errors(named[name], inner, root, f"{path}.{name}")
        elif schema.get("additionalProperties") is False:
            yield f"{path}.{name}: additionalProperties"


def _others(schema: Schema, other: Any, value: Any, root: Schema, path: str) -> Iterator[str]:
    if isinstance(other, dict) and isinstance(value, dict):
        for name in value.keys() - schema.get("properties", {}).keys():
            yield from _errors(other, value[name], root, f"{path}.{name}")


def _items(schema: Schema, inner: Any, value: Any, root: Schema, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _errors(inner, entry, root, f"{path}[{index}]")


def _all_of(schema: Schema, parts: Any, value: Any, root: Schema, path: str) -> Iterator[str]:
    for part in parts:
        yield from _errors(part, value, root, path)


def _any_of(schema: Schema, parts: Any, value: Any, root: Schema, path: str) -> Iterator[str]:
    if all(errors(part, value, root) for part in parts):
        yield f"{path}: anyOf"


def _not(schema: Schema, part: Any, value: Any, root: Schema, path: str) -> Iterator[str]:
    if not errors(part, value, root):
        yield f"{path}: not"


def _if(schema: Schema, part: Any, value: Any, root: Schema, path: str) -> Iterator[str]:
    if not errors(part, value, root):
        yield from _errors(schema["then"], value, root, path)


_DEEP = {
    "properties": _properties,
    "additionalProperties": _others,
    "items": _items,
    "allOf": _all_of,
    "anyOf": _any_of,
    "not": _not,
    "if": _if,
}


def _type(types: Any, value: Any) -> bool:
    return any(_TYPES[one](value) for one in (types if isinstance(types, list) else [types]))


def _number(value: Any) -> bool:
    return _TYPES["number"](value)


_CHECKS = {
    "type": _type,
    "required": lambda names, value: not isinstance(value, dict) or set(names) <= set(value),
    "enum": lambda choices, value: value in choices,
    "const": lambda only, value: value == only,
    "pattern": lambda regex, value: not isinstance(value, str) or bool(re.search(regex, value)),
    "minimum": lambda least, value: not _number(value) or value >= least,
    "exclusiveMinimum": lambda least, value: not _number(value) or value > least,
    "maximum": lambda most, value: not _number(value) or value <= most,
    "minLength": lambda least, value: not isinstance(value, str) or len(value) >= least,
    "minItems": lambda least, value: not isinstance(value, list) or len(value) >= least,
}
