"""Markdown of text fields and prose issues: CommonMark with `~~`, tables and bare links.

Raw HTML is shown as it is written, links lead to https, http and mailto only, and Chinese is
treated as `content.cjk` says. HTML and plain text come from the same tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline import image as _stock_image
from markdown_it.token import Token

from newsletter.content import cjk
from newsletter.content.plain import plain_text

ImageRenderer = Callable[[str, str, str], str]
"""Gives the HTML of an image: (src as written, alternative text, title) → trusted HTML."""

_LINK_SCHEMES = ("http", "https", "mailto")
_IMAGE_SCHEMES = ("", "http", "https")


def markdown_html(text: str, *, image: ImageRenderer | None = None) -> str:
    """`text` as HTML blocks.

    Args:
        text: Markdown.
        image: makes the HTML of `![alt](src "title")`; it decides which `src` it takes.

    Raises:
        ValueError: there is an image and no `image`, or `image` refuses it.

    """
    return str(_parser().render(text, {"image": image}))


def markdown_inline_html(text: str, *, image: ImageRenderer | None = None) -> str:
    """`text` as HTML without a block around it, for fields of one paragraph; raises as above."""
    return str(_parser().renderInline(text, {"image": image}))


def markdown_text(text: str) -> str:
    """`text` as plain text for the text part of a mail, without Markdown marks.

    Lists keep `•` and numbers, quotations and code are indented, images are their alternative
    text. Each link's address stands bare on a line of its own after the paragraph or list item
    that holds it; a link that is a bare address stays where it is.
    """
    return plain_text(_parser().parse(text))


def refused_links(text: str) -> list[str]:
    """Addresses of links that stay plain text since they are no https, http or mailto ones."""
    found = _links(_parser(any_link=True).parse(text))
    return [unquote(href) for href, _ in found if not is_web_link(href)]


def is_web_link(url: str) -> bool:
    """Whether an address is one that a mail may link to: https, http or mailto, with a target."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme not in _LINK_SCHEMES:
        return False
    return "@" in parts.path if parts.scheme == "mailto" else bool(parts.netloc)


@cache
def _parser(*, any_link: bool = False) -> MarkdownIt:
    options = {"html": False, "linkify": True, "xhtmlOut": False}
    parser = MarkdownIt("commonmark", options).enable(["linkify", "strikethrough", "table"])
    parser.linkify = cjk.Linkify()
    parser.inline.ruler.at("emphasis", cjk.emphasis)
    parser.inline.ruler.at("strikethrough", cjk.strikethrough)
    parser.inline.ruler.at("image", _image_rule)
    parser.core.ruler.push("space_links", cjk.space_links)
    parser.validateLink = (lambda url: True) if any_link else is_web_link  # type: ignore[method-assign]
    parser.add_render_rule("softbreak", _render_softbreak)
    parser.add_render_rule("image", _render_image)
    return parser


@cache
def _image_parser() -> MarkdownIt:
    """A parser whose links may be files: the stock rule asks it whether it accepts an image."""
    parser = MarkdownIt("commonmark", {"html": False})
    parser.validateLink = _is_image_source  # type: ignore[method-assign]
    return parser


def _image_rule(state: StateInline, silent: bool) -> bool:
    own, state.md = state.md, _image_parser()
    try:
        return _stock_image(state, silent)
    finally:
        state.md = own


def _is_image_source(url: str) -> bool:
    try:
        return urlsplit(url).scheme in _IMAGE_SCHEMES
    except ValueError:
        return False


def _render_softbreak(
    self: Any, tokens: Sequence[Token], index: int, options: Any, env: MutableMapping[str, Any]
) -> str:
    return "" if cjk.joins(tokens, index) else "\n"


def _render_image(
    self: Any, tokens: Sequence[Token], index: int, options: Any, env: MutableMapping[str, Any]
) -> str:
    token = tokens[index]
    source = unquote(str(token.attrs.get("src", "")))
    hook: ImageRenderer | None = env.get("image")
    if hook is None:
        raise ValueError(f"an image cannot stand here: {source}")
    alt = self.renderInlineAsText(token.children or [], options, env)
    return hook(source, alt, str(token.attrs.get("title", "")))


def _links(tokens: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Address and label of every link."""
    for block in tokens:
        href, label = None, ""
        for token in block.children or ():
            if token.type == "link_open":
                href, label = str(token.attrs.get("href", "")), ""
            elif token.type == "link_close" and href is not None:
                yield href, label
                href = None
            elif href is not None:
                label += " " if token.type == "softbreak" else token.content
