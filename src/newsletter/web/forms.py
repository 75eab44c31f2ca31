"""What visitors send, as form fields or JSON: read without trust into what it means, or into what is wrong with it."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from newsletter.config import SignupSettings
from newsletter.mail.address import Address, parse_address

MAX_NAME = 200
MAX_FIELDS = 50
TRAP = "website"
"""A field that people do not see; what fills it in is no person."""

JSON = "application/json"
_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_SPACES = {0xA0: " ", 0x3000: " "}
_JOINERS = {0x200C: None, 0x200D: None}  # Persian and Indic names need them
_FORMULA = ("=", "+", "-", "@")  # how a spreadsheet knows one; the list may be opened in it


class Unreadable(Exception):
    """A body in a format that is not ours, or broken."""


Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What somebody typed, to be shown again.

    Attributes:
        trapped: the field that people do not see was filled in.

    """

    email: str = ""
    name: str = ""
    language: str = ""
    topics: frozenset[str] = frozenset()
    trapped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was typed, and what it means.

    Attributes:
        address: None where it is wrong, or was not asked for.
        errors: by field, what is wrong with it: a key of `errors` in the theme's `pages/strings.j2`.

    """

    entered: Entered
    address: Address | None = None
    errors: Mapping[str, str] = field(default_factory=dict)


async def read_fields(request: Request) -> Fields:
    """The fields of a form in either encoding (HTML's two), or of a JSON object.

    Raises:
        Unreadable: it is none of them, or broken.

    """
    kind = _kind(request)
    if kind == _MULTIPART:
        return await _multipart(request)
    try:
        body = (await request.body()).decode("utf-8")
        if kind == JSON:
            return _from_json(json.loads(body))
        if kind not in (_URLENCODED, ""):
            raise Unreadable
        pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError among them
        raise Unreadable from None
    return _gathered(pairs)


def is_json(request: Request) -> bool:
    """Whether a program asks, and is to get JSON."""
    return _kind(request) == JSON


def check(fields: Fields, signup: SignupSettings, *, with_address: bool = True) -> Checked:
    """What the fields mean.

    Args:
        fields: as `read_fields` gives them.
        signup: what the publication asks for; anything else is passed over.
        with_address: whether an address belongs to it.

    """
    entered = Entered(
        email=_first(fields, "email").strip(),
        name=_tidy(_first(fields, "name")) if signup.ask_name else "",
        language=_first(fields, "language").strip() if signup.languages else "",
        topics=frozenset(fields.get("topics", ())) if signup.topics else frozenset(),
        trapped=bool(_first(fields, TRAP)),
    )
    errors: dict[str, str] = {}
    address = None
    if with_address:
        try:
            address = parse_address(entered.email)
        except ValueError:
            errors["email"] = "invalid" if entered.email else "missing"
    if wrong := _name_error(entered.name):
        errors["name"] = wrong
    if entered.language and entered.language not in signup.languages:
        errors["language"] = "invalid"
    if entered.topics - set(signup.topics):
        errors["topics"] = "invalid"
    return Checked(entered=entered, address=address, errors=errors)


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _multipart(request: Request) -> Fields:
    parser = MultiPartParser(request.headers, request.stream(), max_files=0, max_fields=MAX_FIELDS)
    try:
        form = await parser.parse()
    except (MultiPartException, HTTPException, KeyError, ValueError, LookupError):
        raise Unreadable from None
    return _gathered((name, value) for name, value in form.multi_items() if isinstance(value, str))


def _from_json(value: Any) -> Fields:
    if not isinstance(value, dict):
        raise Unreadable
    pairs: list[tuple[str, str]] = []
    for name, item in value.items():
        for one in item if isinstance(item, list) else [item]:
            if not isinstance(one, str):
                raise Unreadable
            pairs.append((name, one))
    return _gathered(pairs)


def _gathered(pairs: Iterable[tuple[str, str]]) -> Fields:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _first(fields: Fields, name: str) -> str:
    return next(iter(fields.get(name, ())), "")


def _tidy(name: str) -> str:
    """A name in NFC, with one plain space between words; line breaks and tabs are left to be found wrong."""
    name = unicodedata.normalize("NFC", name).translate(_SPACES).strip(" ")
    return " ".join(word for word in name.split(" ") if word)


def _name_error(name: str) -> str | None:
    if len(name) > MAX_NAME:
        return "long"
    if name.startswith(_FORMULA) or not name.translate(_JOINERS).isprintable():
        return "invalid"
    return None
