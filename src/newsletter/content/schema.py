"""JSON Schema of the files that people write, for editors.

Made from the models and put into draft 7, which is what yaml-language-server reads best. It accepts
what the reader accepts: numbers where text is wanted, digits in quotes where a number is wanted,
and blocks of a publication's own kind with any fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from newsletter.config import Publication
from newsletter.content.models import BUILT_IN_KINDS, Issue

Schema = dict[str, Any]

_DRAFT = "http://json-schema.org/draft-07/schema#"
_NEEDS_ONE = {"Paper": ("url", "download"), "Section": ("items", "groups")}


# pydantic leaves its own words for limits on the member of a union.
_LIMITS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum"}


def issue_schema() -> Schema:
    """The schema of content/NUMBER.yaml."""
    schema = _draft7(Issue)
    definitions = schema["definitions"]
    definitions["CustomBlock"]["properties"]["kind"]["not"] = {"enum": list(BUILT_IN_KINDS)}
    for name, alternatives in _NEEDS_ONE.items():
        definitions[name]["anyOf"] = [{"required": [field]} for field in alternatives]
    definitions["Only"] = _short_form(definitions["Only"], "segment")
    definitions["Item"] = _item()
    return {"$schema": _DRAFT, "title": "Issue of a newsletter", **schema}


def publication_schema() -> Schema:
    """The schema of newsletter.yaml."""
    return {"$schema": _DRAFT, "title": "Settings of a newsletter", **_draft7(Publication)}


def _item() -> Schema:
    """A block, checked against the model of its kind only, so that an editor names the mistake."""
    kinds = list(BUILT_IN_KINDS)
    cases = [
        {"if": _kind({"const": kind}), "then": _reference(model.__name__)}
        for kind, model in BUILT_IN_KINDS.items()
    ]
    own = {"if": _kind({"not": {"enum": kinds}}), "then": _reference("CustomBlock")}
    return {
        "type": "object",
        "required": ["kind"],
        "properties": {
            "kind": {
                "description": "what the block is; or a kind of this publication's own",
                "anyOf": [{"enum": kinds}, {"type": "string"}],
            }
        },
        "allOf": [*cases, own],
    }


def _short_form(model: Schema, field: str) -> Schema:
    """A model that may also be written as the text of one of its fields."""
    text = {**model["properties"][field], "type": "string"}
    return {"description": model.pop("description"), "anyOf": [model, text]}


def _kind(condition: Schema) -> Schema:
    return {"required": ["kind"], "properties": {"kind": condition}}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _draft7(model: type[BaseModel]) -> Schema:
    generated = model.model_json_schema(by_alias=True)
    definitions = generated.pop("$defs", {})
    schema = _convert(generated)
    schema.pop("title", None)
    schema["definitions"] = {name: _convert(one) for name, one in sorted(definitions.items())}
    return schema


def _convert(node: Schema) -> Schema:
    """A schema of pydantic's (draft 2020-12) in draft 7, without the titles it makes up."""
    if "oneOf" in node:
        return _reference("Item")
    result = {
        _LIMITS.get(key, key): _convert_key(key, value)
        for key, value in node.items()
        if key not in ("title", "format")
    }
    result = _without_null_default(_optional(result))
    if "$ref" in result and len(result) > 1:
        # In draft 7 whatever stands beside a $ref is ignored.
        result = {"allOf": [{"$ref": result.pop("$ref")}], **result}
    return _lenient(result)


def _convert_key(key: str, value: Any) -> Any:
    if key == "properties":
        return {name: _convert(schema) for name, schema in value.items()}
    if key == "$ref":
        return str(value).replace("#/$defs/", "#/definitions/")
    if key == "anyOf":
        return [_convert(choice) for choice in value]
    return _convert(value) if isinstance(value, dict) and key != "default" else value


def _optional(node: Schema) -> Schema:
    """`anyOf: [X, null]` as X that may be null, where X is no reference."""
    choices = node.get("anyOf")
    if not choices or len(choices) != 2 or choices[1] != {"type": "null"} or "$ref" in choices[0]:
        return node
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    types = choices[0]["type"]
    listed = types if isinstance(types, list) else [types]
    return {**choices[0], **rest, "type": [*listed, "null"]}


def _without_null_default(node: Schema) -> Schema:
    if node.get("default", 0) is None or node.get("default") in ([], {}):
        return {key: value for key, value in node.items() if key != "default"}
    return node


def _lenient(node: Schema) -> Schema:
    """Let a number be text and digits be a number, as the reader does."""
    types = node.get("type")
    listed = types if isinstance(types, list) else [types]
    if any(key in node for key in ("const", "enum", "pattern")) or "number" in listed:
        return node
    if "string" in listed:
        return {**node, "type": [*listed, "number"]}
    if "integer" in listed:
        return {**node, "type": [*listed, "string"], "pattern": "^ *[-+]?[0-9]+ *$"}
    return node


def schema_text(schema: Mapping[str, Any]) -> str:
    """A schema as the text of its file."""
    import json

    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
