"""When a note of caniemail is about what a mail does, and when it is not.

`margin` is supported "in part" by Gmail, since negative values are not: that is worth saying of
`margin: -8px`, and of no other margin. Notes are prose; a rule here is a pattern for notes of one kind
and the question to ask of a use. Of a note that no rule knows, it is taken to be about every use.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from newsletter.checks.compatibility.uses import Use, Where

Applies = Callable[[Use, re.Match[str]], bool]

_MARKED = re.compile(r"`([^`]+)`")
_TAG = re.compile(r"`?<([\w-]+)>`?")
_BASIC_MEDIA = {f"{end}-{size}" for end in ("min", "max") for size in ("width", "height")}
_OWN_PAGE = {"prefers-color-scheme", "prefers-reduced-motion", "orientation", "hover", "any-hover"}
HIDDEN = frozenset({"hides:display", "hides:mso", "hides:box"})
"""Ways in which an element may be hidden."""

_THICKEST = 8.0
"""Pixels of a border in Word."""


def applies(note: str, use: Use) -> bool:
    """Whether `note` is about `use`."""
    rule = _rule(note)
    if rule is None:
        return True
    question, match = rule
    return question(use, match)


@cache
def _rule(note: str) -> tuple[Applies, re.Match[str]] | None:
    """The first rule that knows `note`. Its notes are the same few hundred for every mail."""
    for pattern, question in RULES:
        if match := pattern.search(note):
            return question, match
    return None


def excused(note: str, use: Use) -> bool:
    """Whether "not supported" does no harm to `use`, by what the note says happens instead."""
    return any(
        harmless(use, match) for pattern, harmless in EXCUSES if (match := pattern.search(note))
    )


def never(use: Use, match: re.Match[str]) -> bool:
    """For notes that are about no mail, or said elsewhere."""
    return False


def has(*atoms: str) -> Applies:
    """Whether a use has one of these atoms."""
    wanted = frozenset(atoms)
    return lambda use, match: bool(wanted & use.atoms)


def unless(fact: str) -> Applies:
    """Whether something does not stand next to a use."""
    return lambda use, match: fact not in use.beside


def beside(*names: str) -> Applies:
    """Whether one of these stands next to a use."""
    wanted = frozenset(names)
    return lambda use, match: bool(wanted & use.beside)


def on(*tags: str) -> Applies:
    """Whether a use is on one of these elements."""
    return lambda use, match: use.tag in tags


def _words_named(use: Use, match: re.Match[str]) -> bool:
    """Whether a use has one of the keywords, units, tags, attributes or properties in the note."""
    named = {word.strip("<>").rpartition(":")[2] for word in _MARKED.findall(match.group())}
    own = use.named("ident") | use.named("unit") | use.named("property") | {use.tag}
    return bool(named & (own | use.beside)) or bool(
        named & {value.partition("=")[2] for value in use.named("value")}
    )


def _on_named_tags(use: Use, match: re.Match[str]) -> bool:
    return use.tag in _TAG.findall(match.group()) and "number:zero" not in use.atoms


def _not_on_named_tags(use: Use, match: re.Match[str]) -> bool:
    return use.where is not Where.BLOCK and use.tag not in _TAG.findall(match.group())


def _table_to_the_side(use: Use, match: re.Match[str]) -> bool:
    return use.tag == "table" and bool({"align=left", "align=right"} & use.named("value"))


def _off_a_cell(use: Use, match: re.Match[str]) -> bool:
    cell = use.where is Where.BLOCK or use.tag in ("td", "th")
    return not cell and "number:zero" not in use.atoms


def _shown_otherwise(use: Use, match: re.Match[str]) -> bool:
    return "ident:none" not in use.atoms or use.tag == "img"


def _around_colour(use: Use, match: re.Match[str]) -> bool:
    coloured = {"background", "background-color"} & use.beside
    return bool(coloured) and "number:zero" not in use.atoms


def _inexact(use: Use, match: re.Match[str]) -> bool:
    in_units = bool({"unit:em", "unit:px"} & use.atoms)
    return in_units and not {"mso-line-height-rule", *HIDDEN} & use.beside


def _per_cent_of_file(use: Use, match: re.Match[str]) -> bool:
    return use.tag == "img" and "unit:%" in use.atoms


def _other_family(use: Use, match: re.Match[str]) -> bool:
    return use.named("ident") != {"system-ui"}


def _tight_image(use: Use, match: re.Match[str]) -> bool:
    return {"important:tight", "property:background-image"} <= use.atoms


def _not_in_block(use: Use, match: re.Match[str]) -> bool:
    return use.where is not Where.BLOCK


def _media(use: Use, match: re.Match[str]) -> bool:
    types = use.named("media-type") - {"screen", "all"}
    return bool(
        types or use.named("media") - _BASIC_MEDIA - _OWN_PAGE or "media-range" in use.atoms
    )


def _thick(use: Use, match: re.Match[str]) -> bool:
    return any(value > _THICKEST and unit == "px" for value, unit in use.numbers)


def _light_or_odd_weight(use: Use, match: re.Match[str]) -> bool:
    """Word knows two weights: what is not one of them is drawn as the nearest."""
    return any(not unit and value not in (400, 700) for value, unit in use.numbers)


def _weight_between_hundreds(use: Use, match: re.Match[str]) -> bool:
    return any(not unit and value % 100 for value, unit in use.numbers)


def _attribute_other_than(*operators: str) -> Applies:
    def question(use: Use, match: re.Match[str]) -> bool:
        return bool(use.named("attribute-operator") - set(operators))

    return question


def _inline(use: Use, match: re.Match[str]) -> bool:
    return use.where is Where.INLINE


def _not_class_words(use: Use, match: re.Match[str]) -> bool:
    return use.named("attribute-operator") != {"~="} or use.named("attribute-name") != {"class"}


_RULES: tuple[tuple[str, Applies], ...] = (
    # Said already, of the whole style block or by the overlay, or of no consequence.
    (r"only supported inline (when|due)", never),
    (r"`<style>` tag not supported|second `?<head>`?", never),
    (r"Replaced by a `<div>` with supported attributes", never),
    (r"`target=\"_blank\"` is forced|always open in a new window", never),
    (r"Unsupported opening and closing tags are stripped", never),
    (r"whitespace syntax", never),
    (r"Converts? (file|still AVIF)", never),
    # Keywords, units, tags and attributes that the note lists as those that do not work.
    (r"`reversed` attribute", beside("reversed")),
    (r"Setting the `value` attribute to an `<li>`", beside("value")),
    (r"The `title` attribute is removed|^`title` attribute", beside("title")),
    (r"`list-style-image` values|URL is not supported", has("value:url")),
    (r"`<number>` values between 0 and 599", _light_or_odd_weight),
    (r"`<number>` values are not supported", _weight_between_hundreds),
    (r"`bcc` is not supported", has("link:mailto-bcc")),
    (r"`orientation:portrait`|landscape media query", has("media:orientation")),
    (r"`/ value` shorthand|slash `/` notation", has("list:slash")),
    (r"but not (?:the )?`.*", _words_named),
    (
        r"(?:`[^`]+`[, &or]*(?:and )?)+ ?(?:attributes? |values? )?(?:are|is)? ?not supported",
        _words_named,
    ),
    (r"does(?:n't| not) (?:support|honou?r) (?:the )?(?:`[^`]+`[, &or]*(?:and )?)+", _words_named),
    (r"Support of the `match-parent`|vendor prefixed value", has("ident:match-parent")),
    # A whole kind of mailbox.
    (r"with non[- ](Google|Gmail|Outlook)", _not_in_block),
    # The value.
    (r"negative values", has("number:negative")),
    (r"Alpha value is not supported", has("colour:alpha")),
    (r"multiple values\. The comma", has("list:comma")),
    (r"with multiple values", has("list:several")),
    (r"border can not be bigger than 8px", _thick),
    (r"Only `background-color` values", has("value:url", "list:several")),
    (r"Only `list-style-type` values", has("value:url", "ident:inside", "ident:outside")),
    (r"only supports `display:none`", _shown_otherwise),
    (r"`display:none` does not inherit|not inherit onto nested `<table>`", beside("holds:table")),
    (r"Values set in `em`", has("unit:em")),
    (r"`em` and `px` units behave", _inexact),
    (r"Cannot scroll", has("ident:scroll", "ident:auto")),
    (r"`visibility:collapse`", has("ident:collapse")),
    (r"Supports `system-ui` only|`system-ui` works in all", _other_family),
    (r"Supports? `min-content` and `fit-content` only", has("ident:max-content")),
    (r"`background-color` is included inside", _around_colour),
    # The element.
    (r"Only supported on table cells", _off_a_cell),
    (r"Vertical padding will be the same", beside("row:uneven")),
    (
        r"(?:not supported|does not work|doesn't work|unreliable)[^.]*? (?:on|to) (?:an? )?`<.*",
        _on_named_tags,
    ),
    (r"do not work on `<table>`", _table_to_the_side),
    (r"on anchor `<a>`", on("a")),
    (r"only (?:works|supported) on (?:the )?`<\w+>`", _not_on_named_tags),
    (r"only `<time>` is supported", _not_on_named_tags),
    (r"`rtl` direction", has("value:dir=rtl", "ident:rtl")),
    (r"Percentage width on `<img>`", _per_cent_of_file),
    (r"don't scale in 120 dpi", unless("mail:96-dpi")),
    (r"inside the `<body>`|declared before their rules", has("style:in-body")),
    (r"limited to 16 KB", beside("mail:large-style")),
    # Style blocks.
    (r"nested media queries", has("nested")),
    (r"height based media queries", has("media:min-height", "media:max-height", "media:height")),
    (r"Only supports `screen`", _media),
    (r"Only supported in lowercase", has("important:capitals")),
    (r"Removed if there is no space before", _tight_image),
    (r"no space before|with a space before", has("important:tight")),
    (r"Not supported inline|Does not work inline", _inline),
    (r"Only supported on type selectors", has("pseudo-on:class")),
    (r"Only supports `\[attr~=value\]`", _not_class_words),
    (r"used with a class selector", has("attribute-on:class")),
    (r"Only supports `\[attr=value\]`", _attribute_other_than("=")),
    (r"Only supports `\[attr\]`", _attribute_other_than("none", "=", "~=", "|=")),
    (r"attribute selector stays unprefixed", has("attribute-name:class", "attribute-name:id")),
)

RULES = tuple((re.compile(pattern, re.IGNORECASE), question) for pattern, question in _RULES)
"""Patterns for notes, the first that fits decides, and what to ask of a use."""

EXCUSES: tuple[tuple[re.Pattern[str], Applies], ...] = (
    (re.compile(r"Replaces `height` by `min-height`"), has("ident:auto")),
)
"""Patterns for notes on what is not supported, and which uses of it are none the worse."""
