"""The models of an issue: what an author may write, field by field.

Both source forms load into `Issue`. Unknown fields are mistakes, except in blocks of a publication's own kind, whose
fields are free. The JSON Schema for editors is generated from these models (`content.schema`).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    PlainValidator,
    Tag,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticKnownError

from newsletter.content.moments import Day, Moment
from newsletter.segments import Facts, Segment, SegmentError, parse_segment
from newsletter.segments.expression import is_language
from newsletter.source.scalars import InsidePath, Line, Whole
from newsletter.source.text import shortened
from newsletter.source.validation import mistake_at, mistakes_in_text

Location = tuple[str | int, ...]
"""Path to a value inside a source file, such as ("sections", 0, "items", 2, "title")."""


def _web_link(value: str) -> str:
    from newsletter.content.markdown import is_web_link

    if not is_web_link(value) or any(char.isspace() for char in value):
        raise ValueError("must be a link that begins with https://, http:// or mailto:")
    return value


def _readable_markdown(value: str) -> str:
    from newsletter.content.markdown import refused_links

    if value and not value.strip():
        raise ValueError("must not be empty")
    refused = dict.fromkeys(refused_links(value))
    if refused:
        raise mistakes_in_text(
            (url, f"`{shortened(url)}` is no link that begins with https://, http:// or mailto:")
            for url in refused
        )
    return value


def _without_history(value: Any) -> Segment:
    if isinstance(value, Segment):
        return value
    if not isinstance(value, str):
        raise PydanticKnownError("string_type")
    try:
        return parse_segment(value, history=False)
    except SegmentError as error:
        raise mistake_at(error.offset, error.message, error.hint) from None


Markdown = Annotated[
    str,
    AfterValidator(_readable_markdown),
    Field(description="Markdown (CommonMark, with Chinese emphasis)"),
]
Link = Annotated[Line, AfterValidator(_web_link), Field(description="https, http or mailto link")]
ImagePath = Annotated[
    InsidePath, Field(description="image file, relative to the publication's folder")
]

Readers = Annotated[
    Segment,
    PlainValidator(_without_history),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": r"\S"}),
]
"""An expression about subscribers; it may not ask who got an issue, so that a message is the same at every retry."""


class Model(BaseModel):
    """Base of the issue models: frozen, and unknown fields are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Only(Model):
    """Who sees an item. All conditions must hold; of tags, and of languages, any match is enough."""

    tags: tuple[Line, ...] = Field(
        default=(), description="subscribers with at least one of these tags"
    )
    languages: tuple[Line, ...] = Field(
        default=(), description="subscribers with one of these languages; zh also matches zh-CN"
    )
    segment: Readers | None = Field(
        default=None,
        description="subscribers of whom this is true, such as `tag = cv and not language = en`",
    )

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"segment": value} if isinstance(value, str) else value

    def admits(self, reader: Facts) -> bool:
        """Whether a subscriber sees the item."""
        if self.tags and not reader.tags & set(self.tags):
            return False
        spoken = reader.language or ""
        if self.languages and not any(is_language(spoken, wanted) for wanted in self.languages):
            return False
        return self.segment is None or self.segment.matches(reader)


class Acceptance(Model):
    """A finding of `newsletter check` that its author has looked at and lets stand."""

    code: Line = Field(min_length=1, description="code of the check, such as link-earlier")
    reason: Line = Field(min_length=1, description="why it may stand")
    match: Line | None = Field(
        default=None, min_length=1, description="only findings whose message has this text in it"
    )


class Block(Model):
    """Base of every kind of block."""

    kind: str = Field(description="what the block is")
    only: Only | None = Field(default=None, description="show this item to some subscribers only")
    accept: tuple[Acceptance, ...] = Field(
        default=(), exclude=True, description="findings in this item that may stand, with reasons"
    )


class Paper(Block):
    """A recommended paper: title, institutions, authors, summary and where to read it."""

    kind: Literal["paper"]
    title: Line = Field(min_length=1, description="title as published")
    title_zh: Line | None = Field(default=None, description="title in Chinese")
    institutions: tuple[Line, ...] = Field(default=(), description="where its authors work")
    institutions_complete: bool = Field(default=True, description="false adds 等")
    authors: tuple[Line, ...] = Field(default=(), description="names as published")
    authors_complete: bool = Field(default=True, description="false adds 等")
    summary: Markdown = Field(min_length=1, description="what it says and why it matters, Markdown")
    url: Link | None = Field(default=None, description="page about the paper; the title links here")
    download: Link | None = Field(default=None, description="the paper itself, shown in full")

    @model_validator(mode="after")
    def _reachable(self) -> Paper:
        if not (self.url or self.download):
            raise ValueError("a paper needs `url` or `download`")
        return self


class Speaker(Model):
    """Who speaks at an event."""

    name: Line = Field(min_length=1, description="the speaker's name")
    role: Line | None = Field(default=None, description="position and organisation")


class Event(Block):
    """Something that happens at a time."""

    kind: Literal["event"]
    title: Line = Field(min_length=1, description="what it is called")
    series: Line | None = Field(default=None, description="the series it belongs to")
    speaker: Speaker | None = Field(default=None, description="who speaks")
    starts: Moment = Field(
        description="with or without an offset; without, the publication's time zone"
    )
    ends: Moment | None = Field(default=None, description="when it is over")
    online: bool = Field(default=False, description="whether it takes place online")
    venue: Line | None = Field(default=None, description="where it takes place")
    summary: Markdown | None = Field(default=None, description="what it is about, Markdown")
    url: Link | None = Field(default=None, description="page about it; the title links here")

    @model_validator(mode="after")
    def _in_order(self) -> Event:
        ends = self.ends or self.starts
        comparable = (ends.tzinfo is None) == (self.starts.tzinfo is None)
        if comparable and ends < self.starts:
            raise ValueError("`ends` is before `starts`")
        return self


class Article(Block):
    """A link to something worth reading."""

    kind: Literal["article"]
    title: Line = Field(min_length=1, description="its headline; links to `url`")
    url: Link
    summary: Markdown | None = Field(default=None, description="why to read it, Markdown")
    source: Line | None = Field(default=None, description="where it appeared")
    author: Line | None = Field(default=None, description="who wrote it")
    published: Day | None = Field(default=None, description="the day it appeared")


class Text(Block):
    """Running text."""

    kind: Literal["text"]
    title: Line | None = Field(default=None, description="heading above the text")
    body: Markdown = Field(min_length=1, description="the text, Markdown")


class Image(Block):
    """A picture from the publication's folder."""

    kind: Literal["image"]
    src: ImagePath
    alt: Line = Field(description="what the picture says; empty for pure decoration")
    caption: Line | None = Field(default=None, description="line under the picture")
    url: Link | None = Field(default=None, description="where the picture links to")
    width: Annotated[Whole, Field(ge=1, le=640)] | None = Field(
        default=None, description="pixels in the mail; file twice as wide"
    )


class Divider(Block):
    """A line or picture between two parts."""

    kind: Literal["divider"]
    src: ImagePath | None = Field(default=None, description="the publication's divider when absent")


class QR(Block):
    """A link as a QR code, with the same link in words."""

    kind: Literal["qr"]
    url: Link
    title: Line | None = Field(default=None, description="heading above the code")
    caption: Markdown | None = Field(default=None, description="words beside the code, Markdown")
    label: Line | None = Field(
        default=None, description="words of the link; the address when absent"
    )


class Button(Block):
    """A link as a button."""

    kind: Literal["button"]
    label: Line = Field(min_length=1, description="words on the button")
    url: Link


class Quote(Block):
    """Somebody's words."""

    kind: Literal["quote"]
    body: Markdown = Field(min_length=1, description="the words, Markdown")
    by: Line | None = Field(default=None, description="whose words they are")
    url: Link | None = Field(default=None, description="where they stand")


class CustomBlock(Block):
    """A block of the publication's own kind: `templates/blocks/KIND.html.j2` and `.txt.j2` decide its fields."""

    model_config = ConfigDict(extra="allow", frozen=True)


BUILT_IN_KINDS: dict[str, type[Block]] = {
    "paper": Paper,
    "event": Event,
    "article": Article,
    "text": Text,
    "image": Image,
    "divider": Divider,
    "qr": QR,
    "button": Button,
    "quote": Quote,
}


def _kind_of(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if isinstance(kind, str) and kind in BUILT_IN_KINDS else "custom"


Item = Annotated[
    Annotated[Paper, Tag("paper")]
    | Annotated[Event, Tag("event")]
    | Annotated[Article, Tag("article")]
    | Annotated[Text, Tag("text")]
    | Annotated[Image, Tag("image")]
    | Annotated[Divider, Tag("divider")]
    | Annotated[QR, Tag("qr")]
    | Annotated[Button, Tag("button")]
    | Annotated[Quote, Tag("quote")]
    | Annotated[CustomBlock, Tag("custom")],
    Discriminator(_kind_of),
]


class Group(Model):
    """Items under a heading of their own inside a section."""

    title: Line = Field(min_length=1, description="heading of the group")
    items: tuple[Item, ...] = Field(min_length=1, description="its blocks, in order")


class Section(Model):
    """A part of an issue: items, or groups of items, or first the one and then the other."""

    title: Line | None = Field(
        default=None, description="heading; without one the items just follow"
    )
    items: tuple[Item, ...] = Field(default=(), description="its blocks, in order")
    groups: tuple[Group, ...] = Field(default=(), description="groups of blocks, after the items")

    @model_validator(mode="after")
    def _not_empty(self) -> Section:
        if not (self.items or self.groups):
            raise ValueError("a section needs `items` or `groups`")
        return self


class Status(StrEnum):
    """How far an issue is."""

    DRAFT = "draft"
    READY = "ready"


class Issue(Model):
    """One issue of the publication."""

    number: Whole = Field(ge=0, le=999_999, description="as in the name of the file")
    title: Line = Field(min_length=1, description="title of the issue")
    subject: Line | None = Field(
        default=None, min_length=1, description="instead of the publication's pattern"
    )
    preheader: Line | None = Field(default=None, description="what inboxes show after the subject")
    date: Moment | None = Field(
        default=None, description="when it may go out; `send --due` uses it"
    )
    status: Status = Field(default=Status.DRAFT, description="`ready` may be sent when due")
    accept: tuple[Acceptance, ...] = Field(
        default=(), exclude=True, description="findings in this issue that may stand, with reasons"
    )
    sections: tuple[Section, ...] = Field(min_length=1, description="its parts, in order")

    def items(self) -> Iterator[tuple[Location, Block]]:
        """Every item with its location, in the order of the source."""
        for s, section in enumerate(self.sections):
            for i, item in enumerate(section.items):
                yield ("sections", s, "items", i), item
            for g, group in enumerate(section.groups):
                for i, item in enumerate(group.items):
                    yield ("sections", s, "groups", g, "items", i), item

    def hidden_from(self, reader: Facts) -> frozenset[Location]:
        """Locations of the items that a subscriber does not see; the same set means the same edition."""
        return frozenset(
            location
            for location, item in self.items()
            if item.only and not item.only.admits(reader)
        )
