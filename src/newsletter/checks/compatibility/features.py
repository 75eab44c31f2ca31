"""The map from caniemail's features to what a mail uses, made by hand.

A feature is used where one of its atoms (see `uses`) is. Its *weight* says what happens to a reader
whose mail program does not know it. Every slug of the data is here or in `IGNORED`; a test holds that,
so that an update of the data cannot be half taken over.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Weight(StrEnum):
    """What a mail is without a feature."""

    LOOKS = "looks"  # plainer, and whole
    LAYOUT = "layout"  # in disorder, or something is missing
    SPOILS = "spoils"  # other styles go with it


@dataclass(frozen=True, slots=True)
class Mapped:
    """How a feature is recognised, and what is at stake."""

    weight: Weight
    atoms: frozenset[str]


def looks(*atoms: str) -> Mapped:
    """A feature without which a mail is plainer."""
    return Mapped(Weight.LOOKS, frozenset(atoms))


def layout(*atoms: str) -> Mapped:
    """A feature without which a mail is in disorder."""
    return Mapped(Weight.LAYOUT, frozenset(atoms))


def spoils(*atoms: str) -> Mapped:
    """A feature that takes other styles with it."""
    return Mapped(Weight.SPOILS, frozenset(atoms))


def properties(*names: str) -> tuple[str, ...]:
    """Atoms of properties."""
    return tuple(f"property:{name}" for name in names)


def logical(prefix: str, ends: tuple[str, ...], suffix: str = "") -> tuple[str, ...]:
    """Atoms of logical properties: `margin-inline-start`."""
    return properties(
        *(f"{prefix}{axis}{end}{suffix}" for axis in ("inline", "block") for end in ends)
    )


_SIDES = ("-left", "-right", "-top", "-bottom")
_START_END = ("-start", "-end")
_STYLES = ("-color", "-style", "-width")
_COLUMNS = (
    *("columns", "column-count", "column-fill", "column-rule", "column-rule-color"),
    *("column-rule-style", "column-rule-width", "column-span", "column-width"),
)
_BORDERS = tuple(
    f"border{side}{what}" for side in ("", *_SIDES) for what in ("", "-color", "-style", "-width")
)
_CORNERS = tuple(f"border-{v}-{h}-radius" for v in ("top", "bottom") for h in ("left", "right"))
_LOGICAL_CORNERS = tuple(f"border-{a}-{b}-radius" for a in _START_END for b in _START_END)
_SEMANTIC = (
    *("article", "aside", "details", "figcaption", "figure", "footer", "header", "main"),
    *("mark", "nav", "section", "summary", "time"),
)

CSS: dict[str, Mapped] = {
    "css-accent-color": looks("property:accent-color"),
    "css-align-items": layout("property:align-items"),
    "css-animation": looks(
        *properties("animation", "animation-name", "animation-duration", "animation-delay"),
        *properties("animation-direction", "animation-fill-mode", "animation-play-state"),
        *properties("animation-iteration-count", "animation-timing-function"),
    ),
    "css-aspect-ratio": layout("property:aspect-ratio"),
    "css-at-font-face": looks("at:font-face"),
    "css-at-import": layout("at:import"),
    "css-at-keyframes": looks("at:keyframes"),
    "css-at-media": looks("at:media"),
    "css-at-media-device-pixel-ratio": looks(
        *(f"media:-webkit-{end}device-pixel-ratio" for end in ("", "min-", "max-")),
        *(f"media:{end}resolution" for end in ("", "min-", "max-")),
    ),
    "css-at-media-hover": looks("media:hover", "media:any-hover"),
    "css-at-media-orientation": looks("media:orientation"),
    "css-at-media-prefers-color-scheme": looks("media:prefers-color-scheme"),
    "css-at-media-prefers-reduced-motion": looks("media:prefers-reduced-motion"),
    "css-at-supports": looks("at:supports"),
    "css-backdrop-filter": looks("property:backdrop-filter"),
    "css-background": looks("property:background"),
    "css-background-blend-mode": looks("property:background-blend-mode"),
    "css-background-clip": looks("property:background-clip"),
    "css-background-color": looks("property:background-color"),
    "css-background-image": layout("property:background-image"),
    "css-background-origin": looks("property:background-origin"),
    "css-background-position": looks(
        *properties("background-position", "background-position-x", "background-position-y")
    ),
    "css-background-repeat": looks("property:background-repeat"),
    "css-background-size": looks("property:background-size"),
    "css-block-inline-size": layout(*properties("block-size", "inline-size")),
    "css-border": looks(*properties(*_BORDERS)),
    "css-border-collapse": looks("property:border-collapse"),
    "css-border-image": looks(
        *properties("border-image", "border-image-source", "border-image-slice"),
        *properties("border-image-width", "border-image-outset", "border-image-repeat"),
    ),
    "css-border-inline-block": looks(*properties("border-inline", "border-block")),
    "css-border-inline-block-individual": looks(
        *logical("border-", _STYLES), *logical("border-", _START_END)
    ),
    "css-border-inline-block-longhand": looks(
        *(atom for what in _STYLES for atom in logical("border-", _START_END, what))
    ),
    "css-border-radius": looks(*properties("border-radius", *_CORNERS)),
    "css-border-radius-logical": looks(*properties(*_LOGICAL_CORNERS)),
    "css-border-spacing": looks("property:border-spacing"),
    "css-box-shadow": looks("property:box-shadow"),
    "css-box-sizing": layout("property:box-sizing"),
    "css-caption-side": looks("property:caption-side"),
    "css-clear": layout("property:clear"),
    "css-clip-path": looks("property:clip-path"),
    "css-color-scheme": looks("property:color-scheme"),
    "css-color-without-commas": spoils("colour:without-commas"),
    "css-column-count": looks("property:column-count"),
    "css-column-layout-properties": looks(*properties(*_COLUMNS)),
    "css-comments": looks("comment:css"),
    "css-conic-gradient": looks("function:conic-gradient", "function:repeating-conic-gradient"),
    "css-cursor": looks("property:cursor"),
    "css-direction": layout("property:direction"),
    "css-display": layout("property:display"),
    "css-display-flex": layout("value:display=flex", "value:display=inline-flex"),
    "css-display-grid": layout("value:display=grid", "value:display=inline-grid"),
    "css-display-none": layout("value:display=none"),
    "css-empty-cells": looks("property:empty-cells"),
    "css-filter": looks("property:filter"),
    "css-flex-direction": layout("property:flex-direction", "property:flex-flow"),
    "css-flex-wrap": layout("property:flex-wrap", "property:flex-flow"),
    "css-float": layout("property:float"),
    "css-font": looks("property:font"),
    "css-font-kerning": looks("property:font-kerning"),
    "css-font-size": looks("property:font-size"),
    "css-font-size-adjust": looks("property:font-size-adjust"),
    "css-font-stretch": looks("property:font-stretch"),
    "css-font-weight": looks("property:font-weight"),
    "css-function-clamp": layout("function:clamp"),
    "css-function-hsl": layout("function:hsl", "function:hsla"),
    "css-function-light-dark": layout("function:light-dark"),
    "css-function-max": layout("function:max"),
    "css-function-min": layout("function:min"),
    "css-gap": layout(*properties("gap", "column-gap", "row-gap", "grid-gap")),
    "css-grid-template": layout(
        *properties("grid-template", "grid-template-areas"),
        *properties("grid-template-columns", "grid-template-rows"),
    ),
    "css-height": layout("property:height"),
    "css-hyphenate-character": looks("property:hyphenate-character"),
    "css-hyphenate-limit-chars": looks("property:hyphenate-limit-chars"),
    "css-hyphens": looks("property:hyphens"),
    "css-important": looks("important"),
    "css-inert-attribute": looks("attribute:inert"),
    "css-inline-size": layout("property:inline-size"),
    "css-inset": layout(
        *properties("inset", "inset-block", "inset-inline"), *logical("inset-", _START_END)
    ),
    "css-intrinsic-size": layout("ident:fit-content", "ident:min-content", "ident:max-content"),
    "css-justify-content": layout("property:justify-content"),
    "css-left-right-top-bottom": layout(*properties("left", "right", "top", "bottom")),
    "css-letter-spacing": looks("property:letter-spacing"),
    "css-line-height": looks("property:line-height"),
    "css-linear-gradient": looks("function:linear-gradient", "function:repeating-linear-gradient"),
    "css-list-style": looks("property:list-style"),
    "css-list-style-image": looks("property:list-style-image"),
    "css-list-style-position": looks("property:list-style-position"),
    "css-list-style-type": looks("property:list-style-type"),
    "css-margin": layout(*properties("margin", *(f"margin{side}" for side in _SIDES))),
    "css-margin-block-start-end": layout(*properties("margin-block-start", "margin-block-end")),
    "css-margin-inline-block": layout(*properties("margin-inline", "margin-block")),
    "css-margin-inline-start-end": layout(*properties("margin-inline-start", "margin-inline-end")),
    "css-mask-image": looks(*properties("mask", "mask-image")),
    "css-max-block-size": layout("property:max-block-size"),
    "css-max-height": layout("property:max-height"),
    "css-max-inline-size": layout("property:max-inline-size"),
    "css-max-width": layout("property:max-width"),
    "css-min-block-size": layout("property:min-block-size"),
    "css-min-height": layout("property:min-height"),
    "css-min-inline-size": layout("property:min-inline-size"),
    "css-min-width": layout("property:min-width"),
    "css-mix-blend-mode": looks("property:mix-blend-mode"),
    "css-modern-color": spoils("function:lch", "function:oklch", "function:lab", "function:oklab"),
    "css-nesting": layout("nesting"),
    "css-object-fit": layout("property:object-fit"),
    "css-object-position": looks("property:object-position"),
    "css-opacity": looks("property:opacity"),
    "css-orphans": looks("property:orphans"),
    "css-outline": looks(*properties("outline", *(f"outline{what}" for what in _STYLES))),
    "css-outline-offset": looks("property:outline-offset"),
    "css-overflow": layout(
        *properties("overflow", "overflow-x", "overflow-y", "overflow-block", "overflow-inline")
    ),
    "css-overflow-wrap": looks("property:overflow-wrap"),
    "css-padding": layout(*properties("padding", *(f"padding{side}" for side in _SIDES))),
    "css-padding-block-start-end": layout(*properties("padding-block-start", "padding-block-end")),
    "css-padding-inline-block": layout(*properties("padding-inline", "padding-block")),
    "css-padding-inline-start-end": layout(
        *properties("padding-inline-start", "padding-inline-end")
    ),
    "css-position": layout("property:position"),
    **{
        f"css-pseudo-class-{name}": looks(f"pseudo:{name}")
        for name in (
            *("active", "checked", "default", "first-child", "first-of-type", "focus"),
            *("focus-visible", "focus-within", "has", "hover", "lang", "last-child"),
            *("last-of-type", "link", "not", "nth-child", "nth-last-child", "nth-last-of-type"),
            *("nth-of-type", "only-child", "only-of-type", "target", "visited"),
        )
    },
    **{
        f"css-pseudo-element-{name}": looks(f"pseudo-element:{name}")
        for name in ("after", "before", "first-letter", "first-line", "marker", "placeholder")
    },
    "css-radial-gradient": looks("function:radial-gradient", "function:repeating-radial-gradient"),
    "css-resize": looks("property:resize"),
    "css-rgb": layout("function:rgb"),
    "css-rgba": layout("function:rgba"),
    "css-scroll-snap": looks(
        *properties("scroll-snap-type", "scroll-snap-align", "scroll-snap-stop")
    ),
    "css-selector-adjacent-sibling": looks("combinator:+"),
    "css-selector-attribute": looks("selector:attribute"),
    "css-selector-chaining": looks("selector:chaining"),
    "css-selector-child": looks("combinator:>"),
    "css-selector-class": looks("selector:class"),
    "css-selector-descendant": looks("combinator: "),
    "css-selector-general-sibling": looks("combinator:~"),
    "css-selector-grouping": looks("selector:grouping"),
    "css-selector-id": looks("selector:id"),
    "css-selector-type": looks("selector:type"),
    "css-selector-universal": looks("selector:universal"),
    "css-shape-margin": looks("property:shape-margin"),
    "css-shape-outside": looks("property:shape-outside"),
    "css-sytem-ui": looks(
        *(f"ident:{name}" for name in ("system-ui", "ui-serif", "ui-sans-serif")),
        *("ident:ui-rounded", "ident:ui-monospace"),
    ),
    "css-tab-size": looks("property:tab-size"),
    "css-table-layout": looks("property:table-layout"),
    "css-text-align": looks("property:text-align"),
    "css-text-align-last": looks("property:text-align-last"),
    "css-text-decoration": looks("property:text-decoration"),
    "css-text-decoration-color": looks("property:text-decoration-color"),
    "css-text-decoration-line": looks("property:text-decoration-line"),
    "css-text-decoration-skip-ink": looks("property:text-decoration-skip-ink"),
    "css-text-decoration-style": looks("property:text-decoration-style"),
    "css-text-decoration-thickness": looks("property:text-decoration-thickness"),
    "css-text-emphasis": looks(
        *properties("text-emphasis", "text-emphasis-color", "text-emphasis-style")
    ),
    "css-text-emphasis-position": looks("property:text-emphasis-position"),
    "css-text-indent": looks("property:text-indent"),
    "css-text-justify": looks("property:text-justify"),
    "css-text-orientation": looks("property:text-orientation"),
    "css-text-overflow": looks("property:text-overflow"),
    "css-text-shadow": looks("property:text-shadow"),
    "css-text-transform": looks("property:text-transform"),
    "css-text-underline-offset": looks("property:text-underline-offset"),
    "css-text-underline-position": looks("property:text-underline-position"),
    "css-text-wrap": looks(*properties("text-wrap", "text-wrap-mode", "text-wrap-style")),
    "css-transform": layout("property:transform"),
    "css-transition": looks(
        *properties("transition", "transition-property", "transition-duration"),
        *properties("transition-delay", "transition-timing-function"),
    ),
    "css-unit-calc": layout("function:calc"),
    "css-unit-initial": looks("ident:initial"),
    "css-unit-percent": layout("unit:%"),
    **{
        f"css-unit-{unit}": layout(f"unit:{unit}")
        for unit in (
            *("ch", "cm", "em", "ex", "in", "mm", "pc", "pt", "px", "rem"),
            *("vh", "vmax", "vmin", "vw"),
        )
    },
    "css-user-select": looks("property:user-select"),
    "css-variables": layout("custom-property", "function:var"),
    "css-vertical-align": layout("property:vertical-align"),
    "css-visibility": layout("property:visibility"),
    "css-white-space": looks("property:white-space"),
    "css-white-space-collapse": looks("property:white-space-collapse"),
    "css-widows": looks("property:widows"),
    "css-width": layout("property:width"),
    "css-word-break": looks("property:word-break"),
    "css-word-spacing": looks("property:word-spacing"),
    "css-word-wrap": looks("property:word-wrap"),
    "css-writing-mode": layout("property:writing-mode"),
    "css-z-index": layout("property:z-index"),
}
"""Features of CSS."""

HTML: dict[str, Mapped] = {
    **{
        f"html-{name}": looks(f"element:{name}")
        for name in (
            *("abbr", "acronym", "address", "bdi", "blockquote", "body", "code", "del"),
            *("dfn", "div", "hr", "img", "p", "pre", "small", "span", "strike"),
            *("strong", "wbr", "rp"),
        )
    },
    **{
        f"html-{name}": looks(f"attribute:{name}")
        for name in (
            *("aria-describedby", "aria-hidden", "aria-label", "aria-labelledby", "aria-live"),
            *("dir", "lang", "role", "required", "target", "popover"),
        )
    },
    **{
        f"html-{name}": layout(f"attribute:{name}")
        for name in (
            "align",
            "background",
            "cellpadding",
            "cellspacing",
            "height",
            "valign",
            "width",
        )
    },
    **{
        f"html-{name}": layout(f"element:{name}")
        for name in (
            *("audio", "base", "dialog", "form", "marquee", "meter", "progress", "select"),
            *("svg", "table", "textarea", "video", "rt", "ruby", "link"),
        )
    },
    **{
        f"html-input-{kind}": layout(f"type:input={kind}")
        for kind in ("checkbox", "hidden", "radio", "reset", "submit")
    },
    "html-input-text": layout(
        *(f"type:input={kind}" for kind in ("text", "email", "search", "tel", "url", "number"))
    ),
    "html-button-reset": layout("type:button=reset"),
    "html-button-submit": layout("type:button=submit"),
    "html-anchor-links": looks("link:#"),
    "html-comments": looks("comment:html"),
    "html-h1-h6": looks(*(f"element:h{level}" for level in range(1, 7))),
    "html-hidden": layout("attribute:hidden"),
    "html-image-maps": layout("element:map", "element:area", "attribute:usemap"),
    "html-lists": looks(*(f"element:{tag}" for tag in ("ul", "ol", "dl", "li", "dt", "dd"))),
    "html-loading-attribute": looks("attribute:loading"),
    "html-mailto-links": looks("link:mailto"),
    "html-meta-color-scheme": looks("meta:color-scheme"),
    "html-object": layout("element:object", "element:embed"),
    "html-picture": looks("element:picture"),
    "html-semantics": looks(*(f"element:{tag}" for tag in _SEMANTIC)),
    "html-srcset": looks("attribute:srcset", "attribute:sizes"),
    "html-style": looks("element:style"),
}
"""Features of HTML."""

IMAGES: dict[str, Mapped] = {
    f"image-{kind}": layout(f"image:{kind}")
    for kind in (
        *("apng", "avif", "base64", "bmp", "gif", "hdr", "heif", "ico", "jpg", "mp4"),
        *("png", "svg", "tiff", "webp"),
    )
}
"""Formats of images."""

MAP: dict[str, Mapped] = {**CSS, **HTML, **IMAGES}
"""Every feature that is looked for, by slug."""

IGNORED = {
    "amp": "AMP is a part of the message of its own, which is never made here",
    "bimi": "a logo comes from the sender's DNS, not from the mail",
    "html-doctype": "every mail has one, and it does nothing for those that do not look at it",
}
"""Features that are not looked for, with the reason."""

UNTESTED = frozenset(
    {
        *("color", "font-family", "font-style", "font-variant", "content", "quotes"),
        *("flex", "flex-grow", "flex-shrink", "flex-basis", "order", "align-self"),
        *("align-content", "justify-items", "justify-self", "place-items", "counter-reset"),
        *("counter-increment", "grid-column", "grid-row", "grid-area"),
    }
)
"""Properties without a page at caniemail that are no riddle: CSS 1, or nothing without a mapped one."""
