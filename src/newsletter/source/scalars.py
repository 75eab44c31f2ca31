"""The kinds of value that people write into settings and issues, each checked where it is read."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticKnownError

from newsletter.mail.address import parse_address
from newsletter.mail.verp import LONGEST_MAILBOX

_SELECTOR = r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$"


def one_line(value: str) -> str:
    """`value` without white space around it.

    Raises:
        ValueError: it has a line break or another control character.

    """
    value = value.strip()
    if any(ord(char) < 0x20 or ord(char) in (0x7F, 0x85, 0x2028, 0x2029) for char in value):
        raise ValueError("must be one line without control characters")
    return value


def http_url(value: str) -> str:
    """A web address without the slash at its end.

    Raises:
        ValueError: it is none, or has a query or a fragment.

    """
    value = one_line(value)
    try:
        parts = urlsplit(value)
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid or " " in value:
        raise ValueError("must be a web address such as https://weekly.example.org")
    if parts.query or parts.fragment:
        raise ValueError("must not have a query or a fragment")
    return value.rstrip("/")


def _mail_address(value: str) -> str:
    return str(parse_address(one_line(value)).envelope)


def _domain(value: str) -> str:
    value = one_line(value)
    try:
        return parse_address(f"postmaster@{value}").domain
    except ValueError:
        raise ValueError("must be a domain such as example.org") from None


def _bounce_address(value: str) -> str:
    value = _mail_address(value)
    local = value.rpartition("@")[0]
    if not local.isascii() or len(local) > LONGEST_MAILBOX:
        raise ValueError(
            f"must have at most {LONGEST_MAILBOX} ASCII characters before the @,"
            " so that a token fits behind them"
        )
    return value


def _inside(value: str) -> str:
    value = one_line(value)
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or "\\" in value or "://" in value:
        raise ValueError("must be a path inside this folder, with `/` and without `..`")
    return value


def _no_truth_value(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticKnownError("int_type")
    return value


Whole = Annotated[int, BeforeValidator(_no_truth_value)]
Line = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(one_line)]
InsidePath = Annotated[Line, AfterValidator(_inside)]
HttpUrl = Annotated[Line, AfterValidator(http_url)]
MailAddress = Annotated[Line, AfterValidator(_mail_address)]
BounceAddress = Annotated[Line, AfterValidator(_bounce_address)]
Domain = Annotated[Line, AfterValidator(_domain)]
Selector = Annotated[Line, Field(pattern=_SELECTOR, max_length=63)]
