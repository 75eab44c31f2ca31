"""newsletter.yaml and the environment, as one checked `Publication`.

Order of precedence: command line, environment (`NEWSLETTER_RELAY`, `NEWSLETTER_SITE_URL`,
`NEWSLETTER_PUBLIC_URL`), newsletter.yaml, defaults. Secrets are never in the file: see `audience.tokens`
for `NEWSLETTER_SECRET` and `transport.relay` for `NEWSLETTER_RELAY_PASSWORD`.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ConfigDict, Field, field_validator

from newsletter.config.base import Settings
from newsletter.config.returning import BounceSettings, WebhookSettings
from newsletter.config.sending import DkimSettings, RelaySettings, SendSettings
from newsletter.config.signup import SignupSettings, WebSettings
from newsletter.errors import ConfigError, Problem, SourceError
from newsletter.source.scalars import (
    BounceAddress,
    HttpUrl,
    InsidePath,
    Line,
    MailAddress,
    Whole,
    http_url,
    one_line,
)
from newsletter.source.text import read_source
from newsletter.source.validation import validate
from newsletter.source.yaml import parse_yaml

CONFIG_NAME = "newsletter.yaml"
DATABASE = "database"

_SUBJECT_FIELDS = ("name", "number", "title")
_LIST_ID = r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"
_PADDING = re.compile(r"0[1-9]d?\Z")


class Sender(Settings):
    """Who the mail is from: the one mailbox of the From header."""

    name: Line = Field(
        min_length=1, description="display name, at most what one encoded word holds"
    )
    address: MailAddress = Field(description="address of the From header")


class TextSettings(Settings):
    """The plain-text part."""

    wrap: Whole = Field(
        default=0,
        ge=0,
        description="wrap at this many display cells; 0 leaves wrapping to the client",
    )


class SpamScoreSettings(Settings):
    """What SpamAssassin's score means; its own limit for spam is 5."""

    warning: float = Field(default=1.0, description="more points than this are a warning")
    error: float = Field(default=5.0, description="more points than this are an error")


class CheckSettings(Settings):
    """Which checks look at an issue, and how bad their findings are."""

    select: tuple[Line, ...] = Field(
        default=(), description="codes or families of checks; only these run"
    )
    ignore: tuple[Line, ...] = Field(
        default=(), description="codes or families of checks that do not run"
    )
    severity: Mapping[str, Literal["error", "warning", "note"]] = Field(
        default_factory=dict, description="severity by code, instead of the check's own"
    )
    clients: Mapping[str, Literal["error", "warning", "note", "off"]] = Field(
        default_factory=dict,
        description="severity of what a family of mail programs does not support, or off",
    )
    spam_score: SpamScoreSettings = Field(
        default=SpamScoreSettings(), description="limits for `check --spamassassin`"
    )


class Publication(Settings):
    """newsletter.yaml: what holds for every issue of this publication."""

    model_config = ConfigDict(title=CONFIG_NAME)

    name: Line = Field(min_length=1, description="title of the publication")
    sender: Sender = Field(alias="from", description="the From header")
    language: Line = Field(
        default="zh-CN",
        pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$",
        description="BCP 47 tag of the language it is written in",
    )
    timezone: Line = Field(
        default="Asia/Shanghai", description="IANA name; for dates without an offset"
    )
    publisher: Line | None = Field(default=None, description="who stands behind it, for the footer")
    byline: Line | None = Field(default=None, description="the editors, under the masthead")
    description: Line | None = Field(
        default=None, description="one sentence, for the archive and feed"
    )
    reply_to: MailAddress | None = Field(default=None, description="where answers go")
    contact: MailAddress | None = Field(default=None, description="address shown in the footer")
    unsubscribe_address: MailAddress | None = Field(
        default=None, description="mailbox for unsubscribe mails; the From address when absent"
    )
    bounce_address: BounceAddress | None = Field(
        default=None,
        description="where bounces go, a token for issue and subscriber added behind a +; "
        "they go to the From address, without, when absent",
    )
    list_id: Annotated[Line, Field(pattern=_LIST_ID)] | None = Field(
        default=None,
        description="RFC 2919 identifier such as weekly.example.org; "
        "made from the From address when absent",
    )
    subject: Line = Field(
        default="{name} No.{number}｜{title}", description="pattern of the Subject"
    )
    audience: InsidePath = Field(
        default="subscribers.csv",
        description="the list: a CSV file in this folder, or `database` for .newsletter/newsletter.db",
    )
    templates: InsidePath = Field(default="templates", description="folder of the theme")
    site_url: HttpUrl | None = Field(
        default=None, description="where the archive and hosted images are"
    )
    public_url: HttpUrl | None = Field(
        default=None, description="the endpoint behind unsubscribe links"
    )
    schedule: Line = Field(default="0 9 * * 1", description="cron expression of the weekly send")
    relay: RelaySettings = Field(default=RelaySettings(), description="where mail is handed over")
    send: SendSettings = Field(default=SendSettings(), description="how fast to send")
    signup: SignupSettings = Field(default=SignupSettings(), description="how people subscribe")
    web: WebSettings = Field(default=WebSettings(), description="the public endpoint")
    bounces: BounceSettings = Field(
        default=BounceSettings(), description="the mailbox that bounces come to"
    )
    webhooks: WebhookSettings = Field(
        default=WebhookSettings(), description="mail services that call the public endpoint"
    )
    dkim: DkimSettings | None = Field(default=None, description="signatures made here")
    text: TextSettings = Field(default=TextSettings(), description="the plain-text part")
    checks: CheckSettings = Field(
        default=CheckSettings(), description="what `newsletter check` looks at"
    )
    masthead: InsidePath | None = Field(
        default=None, description="image at the top, a path in this folder"
    )
    divider: InsidePath | None = Field(default=None, description="image of the `divider` block")
    extra: Mapping[str, Any] = Field(
        default_factory=dict, description="anything your own templates need, as publication.extra"
    )

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is not an IANA time zone such as Asia/Shanghai") from None
        return value

    @field_validator("subject")
    @classmethod
    def _known_subject_fields(cls, value: str) -> str:
        try:
            parts = list(string.Formatter().parse(value))
        except ValueError:
            raise ValueError("has a `{` or `}` without its partner; write {{ for a brace") from None
        for _, field, spec, conversion in parts:
            if field is None:
                continue
            padded = field == "number" and _PADDING.match(spec or "")
            if field not in _SUBJECT_FIELDS or conversion or (spec and not padded):
                raise ValueError("may use {name}, {number}, {number:03} and {title} only")
        return value

    @property
    def keeps_list(self) -> bool:
        """Whether the database is the list, and not a CSV file."""
        return self.audience == DATABASE

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of dates that carry no offset."""
        return ZoneInfo(self.timezone)

    @property
    def list_identifier(self) -> str:
        """The identifier of the List-Id header (RFC 2919)."""
        return self.list_id or self.sender.address.replace("@", ".")

    @property
    def signing_domain(self) -> str:
        """The domain that signs: DMARC wants it to be that of the From address, or its parent."""
        named = self.dkim.domain if self.dkim else None
        return named or self.sender.address.rpartition("@")[2]


def load_publication(root: Path, *, environ: Mapping[str, str]) -> Publication:
    """Read newsletter.yaml in `root` and let the environment override it.

    Args:
        root: the publication's folder.
        environ: such as `os.environ`; an empty variable counts as unset.

    Raises:
        ConfigError: there is no newsletter.yaml, or it or a variable is wrong; all mistakes at once.

    """
    path = root / CONFIG_NAME
    if not path.exists():
        raise ConfigError(
            f"there is no {CONFIG_NAME} in {root} "
            "(`newsletter init` makes one; -C DIR works in another folder)"
        )
    publication, problems = _read_publication(path, root)
    overrides, wrong = _read_environment(environ)
    if publication is None or wrong:
        raise ConfigError(problems=[*problems, *wrong])
    return _override(publication, overrides)


def _read_publication(path: Path, root: Path) -> tuple[Publication | None, tuple[Problem, ...]]:
    try:
        document = parse_yaml(read_source(path, root=root), keep_problems=True)
        return validate(Publication, document), ()
    except SourceError as error:
        return None, error.problems


def _read_environment(environ: Mapping[str, str]) -> tuple[dict[str, str], list[Problem]]:
    """The variables that are set, by the field they override, and what is wrong with them."""
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for variable, (field, check) in _VARIABLES.items():
        if environ.get(variable, "").strip():
            try:
                values[field] = check(environ[variable])
            except ValueError as error:
                problems.append(Problem(message=f"{variable} in the environment {error}"))
    return values, problems


def _override(publication: Publication, values: dict[str, str]) -> Publication:
    update: dict[str, Any] = dict(values)
    if "relay" in update:
        update["relay"] = publication.relay.model_copy(update={"url": values["relay"]})
    return publication.model_copy(update=update)


_VARIABLES: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "NEWSLETTER_RELAY": ("relay", one_line),
    "NEWSLETTER_SITE_URL": ("site_url", http_url),
    "NEWSLETTER_PUBLIC_URL": ("public_url", http_url),
}
