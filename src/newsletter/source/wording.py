"""pydantic's errors as short sentences: what is wrong with which field, and what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

from newsletter.source.text import shortened

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "mapping_type": "a block of fields",
    "dict_type": "a block of fields",
    "model_type": "a block of fields",
    "model_attributes_type": "a block of fields",
    "path_type": "a path",
    "date_type": "a date such as 2022-11-07",
    "date_parsing": "a date such as 2022-11-07",
    "date_from_datetime_parsing": "a date such as 2022-11-07",
    "date_from_datetime_inexact": "a date without a time, such as 2022-11-07",
    "datetime_type": "a date such as 2022-11-07T09:00",
    "datetime_parsing": "a date such as 2022-11-07T09:00",
    "datetime_from_date_parsing": "a date such as 2022-11-07T09:00",
}


def explain(mistake: ErrorDetails, location: tuple[str | int, ...]) -> tuple[str, str | None]:
    """Message and hint for one error of pydantic, unknown fields aside.

    Args:
        mistake: as pydantic reports it.
        location: the same without tags of unions; its last part names the field.

    """
    kind, found = mistake["type"], mistake["input"]
    field = _field(location)
    context: Mapping[str, Any] = mistake.get("ctx") or {}
    if kind == "missing":
        return f"{field} is missing", None
    if kind == "value_error":
        return _own(field, str(context.get("error", mistake["msg"])), found), None
    if found is None:
        expected = _EXPECTED.get(kind)
        return f"{field} is empty", f"expected {expected}" if expected else None
    if kind in ("literal_error", "enum"):
        choices = str(context.get("expected", "")).replace("'", "`")
        return f"{field} must be {choices}, not {shown(found)}", None
    if kind == "union_tag_invalid":
        choices = str(context.get("expected_tags", "")).replace("'", "`")
        return f"{field} must be one of {choices}, not `{context.get('tag')}`", None
    if kind in _EXPECTED:
        return f"{field} must be {_EXPECTED[kind]}, not {shown(found)}", _hint(kind, found)
    return _limit(kind, field, context, found, mistake["msg"]), None


def shown(value: Any) -> str:
    """A value as it may stand in a message: short, text in quotes, lists and blocks by name."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "fields"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "a list"
    return f'"{shortened(value)}"' if isinstance(value, str) else shortened(str(value))


def _field(location: tuple[str | int, ...]) -> str:
    if not location:
        return "this"
    last = location[-1]
    if isinstance(last, str):
        return f"`{last}`"
    name = next((part for part in reversed(location) if isinstance(part, str)), "list")
    return f"number {last + 1} of `{name}`"


def _own(field: str, message: str, found: Any) -> str:
    """A message of a validator of ours: about a block as it is, about a field with its name."""
    if isinstance(found, Mapping) or message.startswith("`"):
        return message
    if message[:1].isupper():
        return f"{field}: {message}"
    return f"{field} {message}"


def _hint(kind: str, found: Any) -> str | None:
    if kind in ("list_type", "tuple_type") and isinstance(found, str):
        return "begin each entry with `- ` on a line of its own, or write [one, two]"
    if kind == "string_type" and isinstance(found, Mapping):
        return "text that contains `: ` or begins with `{` must stand in quotes"
    if kind == "string_type" and isinstance(found, list):
        return "text that begins with `[` must stand in quotes"
    return None


def _limit(kind: str, field: str, context: Mapping[str, Any], found: Any, message: str) -> str:
    match kind:
        case "string_too_short" | "too_short":
            return f"{field} must not be empty"
        case "string_too_long" | "too_long":
            return f"{field} is longer than {context.get('max_length')}"
        case "greater_than_equal":
            return f"{field} must be at least {context.get('ge')}, not {shown(found)}"
        case "greater_than":
            return f"{field} must be more than {context.get('gt')}, not {shown(found)}"
        case "less_than_equal":
            return f"{field} must be at most {context.get('le')}, not {shown(found)}"
        case "string_pattern_mismatch":
            return f"{field} has a form that is not allowed: {shown(found)}"
    return f"{field}: {message}"
