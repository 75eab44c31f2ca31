"""What templates can call while one part of one edition is being rendered.

The pass that is under way stands in a context variable, so that macros that were imported without
their context, and renderers in several threads, all find the right one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from newsletter.rendering import filters
from newsletter.rendering.environment import Theme
from newsletter.rendering.folders import ThemeFolders
from newsletter.rendering.images import Picture, Shelf
from newsletter.rendering.markers import FieldsView, Marker, SubscriberView
from newsletter.rendering.mistake import Mistake

MARKDOWN_IMAGE_WIDTH = 560
"""Of pictures in running text, which stands in a column with a margin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """The rendering of one part.

    Attributes:
        html: whether it is the HTML part, else the text part.
        theme: the templates.
        shelf: the pictures of the edition.
        context: what every template of this part sees.
        sheets: style sheets that were asked for: path as the user would type it, and text.

    """

    html: bool
    theme: Theme
    shelf: Shelf
    context: Mapping[str, Any]
    sheets: dict[str, str] = field(default_factory=dict)

    @property
    def suffix(self) -> str:
        """How the names of this part's templates end."""
        return ".html.j2" if self.html else ".txt.j2"

    @property
    def entry(self) -> str:
        """The template that makes the whole part."""
        return f"issue{self.suffix}"

    def render(self) -> str:
        """The output of the entry template, with this as the current pass.

        Raises:
            TemplateError: a template is missing or wrong.

        """
        token = _current.set(self)
        try:
            return self.theme.render(self.entry, self.context, html=self.html)
        finally:
            _current.reset(token)

    def shown(self, text: str) -> str:
        """`text` as a value that this part's templates print unescaped."""
        return Markup(text) if self.html else text


_current: ContextVar[Pass] = ContextVar("newsletter rendering pass")


def functions(folders: ThemeFolders) -> dict[str, Callable[..., Any]]:
    """The functions of `docs/templates.md`, by name."""

    def stylesheet(name: str) -> str:
        found, text = folders.load(f"styles/{name}")
        if not name.endswith(".css") or "</style" in text.lower():
            raise Mistake(f"{found.shown} is not a style sheet that can stand in <style>")
        _current.get().sheets[found.shown] = text
        return Markup(text)

    return {"block": block, "image": image, "qr": qr, "stylesheet": stylesheet}


def block(item: Any) -> str:
    """The item, rendered by the templates of its kind."""
    now = _current.get()
    kind = getattr(item, "kind", None)
    if not isinstance(kind, str):
        raise Mistake("block() takes an item of the issue")
    name = f"blocks/{kind}{now.suffix}"
    now.theme.require(name, f"no template shows blocks of kind `{kind}`")
    context = {**now.context, "item": item}
    return now.shown(now.theme.render(name, context, html=now.html))


def image(src: Any, width: Any = None) -> Picture:
    """A picture of the publication's folder."""
    return _current.get().shelf.file(_same_for_all(src, "picture"), width=width)


def qr(url: Any, size: Any = 160) -> Picture:
    """A QR code of a link."""
    return _current.get().shelf.qr(_same_for_all(url, "QR code"), size=size)


def _same_for_all(value: Any, what: str) -> str:
    if isinstance(value, Marker | SubscriberView | FieldsView):
        value.refuse(f"make a {what} of it")
    return str(value)


def template_filters(zone: ZoneInfo) -> dict[str, Callable[..., Any]]:
    """The filters of `docs/templates.md`, by name."""
    return {
        "date": lambda value, pattern="%Y-%m-%d": filters.format_date(value, pattern, zone=zone),
        "weekday_zh": lambda value: filters.weekday_zh(value, zone=zone),
        "host": filters.host,
        "fallback": filters.fallback,
        "markdown": markdown,
        "markdown_inline": markdown_inline,
    }


def markdown(text: Any, image_width: Any = MARKDOWN_IMAGE_WIDTH) -> str:
    """Markdown as HTML blocks, or as plain text in the text part.

    Args:
        text: the source; nothing when absent.
        image_width: the most that a picture in it may take, in CSS pixels.

    """
    from newsletter.content.markdown import markdown_html, markdown_text

    now, source = _current.get(), _markdown_source(text)
    made = partial(_markdown_image, widest=image_width)
    return now.shown(markdown_html(source, image=made) if now.html else markdown_text(source))


def markdown_inline(text: Any, image_width: Any = MARKDOWN_IMAGE_WIDTH) -> str:
    """One paragraph of Markdown as HTML without a block around it, or as plain text."""
    from newsletter.content.markdown import markdown_inline_html, markdown_text

    now, source = _current.get(), _markdown_source(text)
    made = partial(_markdown_image, widest=image_width)
    return now.shown(
        markdown_inline_html(source, image=made) if now.html else markdown_text(source)
    )


def _markdown_source(text: Any) -> str:
    if text is None:
        return ""
    if not isinstance(text, str):
        raise Mistake(f"Markdown is text, not {type(text).__name__}")
    return text


def _markdown_image(src: str, alt: str, title: str, *, widest: int) -> str:
    """The picture of `![alt](src)`, in the manner of mail: with a width, as a block."""
    picture = _current.get().shelf.file(src, widest=widest)
    tag = Markup(
        '<img src="{}" width="{}" alt="{}"{} style="display:block;max-width:100%;height:auto;border:0">'
    )
    named = Markup(' title="{}"').format(title) if title else ""
    return tag.format(picture.url, picture.width, alt, named)
