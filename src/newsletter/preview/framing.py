"""The preview's copy of a mail's HTML: what a client makes of it, every way out closed.

Only start tags, style attributes and style blocks are touched; everything else stays letter for
letter. Nothing here changes what is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from html import escape, unescape

from newsletter.preview import darkness

LocalUrl = Callable[[str], str | None]
"""Turns an image's URL (`cid:…` or hosted) into one of this server, or None when it is not ours."""


class Dark(StrEnum):
    """How a client that is set to dark shows a mail."""

    OFF = "off"
    AUTHOR = "author"  # Apple Mail, Thunderbird: prefers-color-scheme holds
    PARTIAL = "partial"  # Gmail on Android: what is light turns dark
    OUTLOOK = "outlook"  # Outlook.com: the same, with marks that the author's CSS can answer
    FULL = "full"  # Gmail on iOS, Outlook on Windows: every colour is turned over


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The mail client that is imitated.

    Attributes:
        images: whether it loads images.
        dark: how it makes things dark.
        styles: whether it keeps style blocks; Gmail with a non-Google account does not.

    """

    images: bool = True
    dark: Dark = Dark.OFF
    styles: bool = True


_PIECE = re.compile(
    r"""(?P<comment><!--.*?(?:-->|\Z))
      | (?P<open><style\b[^>]*>)(?P<css>.*?)(?P<close></style\s*>|\Z)
      | <(?P<name>[a-zA-Z][^\s/>]*+)(?P<attributes>(?:[^>"']|"[^"]*"|'[^']*')*+)>""",
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
_ATTRIBUTE = re.compile(
    r"""(?P<lead>\s+)(?P<name>[^\s"'<>/=]+)\s*=\s*
        (?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"'>]+))""",
    re.VERBOSE,
)
_CSS_URL = re.compile(r"""url\(\s*(["']?)(?P<url>[^"')]*)\1\s*\)""", re.IGNORECASE)
_SCHEME = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_ALWAYS, _NEVER = "(min-width:0)", "(max-width:0)"
_REFRESH = re.compile(r"""http-equiv\s*=\s*["']?\s*refresh""", re.IGNORECASE)
_LEADING_OUT = frozenset({"link", "base", "iframe", "frame", "embed", "object"})
_PICTURES = frozenset({"src", "background", "poster"})
_FILLER = re.compile("[\u034f\u2007\ufeff\u200b\u200c\u200d\u00ad]+")


def preview_copy(html: str, *, client: Client, local: LocalUrl) -> str:
    """The document for the frame.

    Args:
        html: the HTML part as sent.
        client: what to imitate.
        local: finds the local URL of an image.

    """
    shade = _shade(client.dark)

    def piece(match: re.Match[str]) -> str:
        if match["comment"] is not None:
            return match[0]
        if match["css"] is not None:
            if not client.styles:
                return ""
            css = _scheme(match["css"], dark=client.dark is Dark.AUTHOR)
            css = _local_css(css, local)
            return f"{match['open']}{shade.sheet(css) if shade else css}{match['close']}"
        if _leads_out(match["name"].lower(), match["attributes"]):
            return ""
        return _tag(match["name"], match["attributes"], local=local, shade=shade)

    return _with_head(_PIECE.sub(piece, html), _prologue(client, shade))


def _shade(dark: Dark) -> darkness.Shade | None:
    if dark in (Dark.OFF, Dark.AUTHOR):
        return None
    return darkness.Shade(everything=dark is Dark.FULL, marks=dark is Dark.OUTLOOK)


def pictures_elsewhere(html: str, *, local: LocalUrl) -> tuple[str, ...]:
    """Images on the web, which the preview does not fetch; in their order, each once."""
    found: dict[str, None] = {}

    def note(url: str) -> str | None:
        if url.lower().startswith(("http:", "https:", "//")) and local(url) is None:
            found[url] = None
        return None

    preview_copy(html, client=Client(), local=note)
    return tuple(found)


def opening_words(html: str, *, limit: int = 300) -> str:
    """What inboxes show after the subject: the mail's first words, hidden preheader included."""
    words = re.sub(
        r"<!--.*?-->|<(style|title|head)\b.*?</\1\s*>", " ", html, flags=re.DOTALL | re.IGNORECASE
    )
    body = re.sub(r"<[^>]*>", " ", words[: limit * 200])
    return " ".join(_FILLER.sub(" ", unescape(body)).split())[:limit]


def _prologue(client: Client, shade: darkness.Shade | None) -> str:
    """What goes first into the head, so that the reader's own system setting changes nothing."""
    scheme = "dark" if client.dark is Dark.AUTHOR else "light"
    css = f":root{{color-scheme:{scheme}!important}}"
    if shade:
        css += shade.canvas()
    return f'<base target="_blank"><style>{css}</style>'


def _with_head(html: str, inserted: str) -> str:
    match = _HEAD.search(html)
    at = match.end() if match else 0
    return html[:at] + inserted + html[at:]


def _scheme(css: str, *, dark: bool) -> str:
    wanted = "dark" if dark else "light"
    return _SCHEME.sub(lambda match: _ALWAYS if match[1].lower() == wanted else _NEVER, css)


def _local_css(css: str, local: LocalUrl) -> str:
    def swap(match: re.Match[str]) -> str:
        found = local(unescape(match["url"].strip()))
        return f"url({escape(found)})" if found else match[0]

    return _CSS_URL.sub(swap, css)


def _leads_out(name: str, attributes: str) -> bool:
    """Tags that make browsers open connections before any policy is asked."""
    return name in _LEADING_OUT or (name == "meta" and bool(_REFRESH.search(attributes)))


def _tag(name: str, attributes: str, *, local: LocalUrl, shade: darkness.Shade | None) -> str:
    changed: dict[str, str] = {}

    def attribute(match: re.Match[str]) -> str:
        key = match["name"].lower()
        value = match["double"] or match["single"] or match["bare"] or ""
        if key == "target":
            return ""  # <base target> sends every link to a window that the sandbox refuses to open
        new = _attribute(key, value, local=local, shade=shade, changed=changed)
        if new is None:
            return match[0]
        quote = "'" if match["single"] is not None else '"'
        return f"{match['lead']}{match['name']}={quote}{new}{quote}"

    rest = _ATTRIBUTE.sub(attribute, attributes)
    marks = "".join(f' {mark}="{escape(value)}"' for mark, value in changed.items())
    return f"<{name}{marks}{rest}>"


def _attribute(
    key: str,
    value: str,
    *,
    local: LocalUrl,
    shade: darkness.Shade | None,
    changed: dict[str, str],
) -> str | None:
    """The attribute's new value in its escaped form, or None to leave it as it is."""
    if key in _PICTURES:
        found = local(unescape(value))
        return escape(found) if found else None
    if key == "style":
        css = _local_css(value, local)
        css = shade.declarations(css, changed=changed) if shade else css
        return css if css != value else None
    if shade and key in ("bgcolor", "color", "text"):
        return shade.attribute(key, value, changed=changed)
    return None
