"""Legibility: contrast in light and in dark, letters and lines, and what fingers can hit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from newsletter.checks.colour import contrast
from newsletter.checks.model import Example, Found, Severity, check
from newsletter.checks.styles import Setting, Styles
from newsletter.source.text import shortened

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked

ENOUGH, ENOUGH_LARGE = 4.5, 3.0  # WCAG 2.2, 1.4.3
SMALLEST = 14
FINGER, LINE = 44, 24  # CSS pixels: a button; WCAG 2.2, 2.5.8
_BLOCKS = frozenset(["td", "th", "p", "li", "h1", "h2", "h3", "h4", "h5", "h6"])
_CONTAINERS = _BLOCKS | {"div", "body", "blockquote", "center"}
_LONG = 40
_FONT = "font-family:sans-serif"


@dataclass(frozen=True, slots=True)
class _Words:
    """Words that readers see, and the element that they stand in directly."""

    node: etree._Element
    text: str

    @property
    def shown(self) -> str:
        return shortened(self.text[:16])


def _words(checked: Checked, styles: Styles) -> Iterator[_Words]:
    for node in checked.elements:
        if node.tag in ("style", "script", "title", "head"):
            continue
        pieces = [node.text or "", *(child.tail or "" for child in node)]
        text = " ".join("".join(pieces).replace("\u00a0", " ").split())
        if text and node.get("aria-hidden") != "true" and not styles.hidden(node):
            yield _Words(node, text)


@check(
    "contrast-low",
    title="Words that hardly stand out from what is behind them",
    severity=Severity.WARNING,
    passing=Example(
        html='<p style="color:#595959">字</p><td style="background-color:#0b6b58">'
        '<p style="color:#fff">字</p></td><p style="font-size:28px; color:#888">大字</p>'
    ),
    failing=(
        Example(html='<p style="color:#aaaaaa">看不清的字</p>'),
        Example(
            html='<td bgcolor="#ffdd00"><a href="https://a.org" style="color:#fff">按钮</a></td>'
        ),
    ),
)
def contrast_low(checked: Checked) -> Iterator[Found]:
    """WCAG 2.2 (1.4.3) asks for 4.5:1, and 3:1 for large letters: readers with weak eyes, a phone in
    the sun, and every mail program that changes colours in the dark.
    """
    yield from _contrasts(checked, checked.styles)


@check(
    "contrast-low-dark",
    title="Words that hardly stand out in the author's own dark colours",
    severity=Severity.WARNING,
    passing=Example(
        html='<p class="a" style="color:#111">字</p>',
        css="@media (prefers-color-scheme: dark) { body { background-color: #111 !important } "
        ".a { color: #eee !important } }",
    ),
    failing=Example(
        html='<p style="color:#111">忘了改的字</p>',
        css="@media (prefers-color-scheme: dark) { body { background-color: #111 !important } }",
    ),
)
def contrast_low_dark(checked: Checked) -> Iterator[Found]:
    """In the dark the style block's `prefers-color-scheme` rules hold. What they forget keeps its light
    colour, on a dark ground.
    """
    if checked.dark_styles.has_dark:
        yield from _contrasts(checked, checked.dark_styles)


def _contrasts(checked: Checked, styles: Styles) -> Iterator[Found]:
    told: set[tuple[str, str]] = set()
    for words in _words(checked, styles):
        front, front_set = styles.colour(words.node)
        ground, ground_set = styles.ground(words.node)
        front = front.over(ground)
        size = styles.font_size(words.node)
        if size <= 2:
            continue
        bold = styles.setting(words.node, "font-weight")
        large = size >= 24 or (size >= 18.5 and bold is not None and bold.value in ("bold", "700"))
        ratio = contrast(front, ground)
        pair = (str(front), str(ground))
        if ratio < (ENOUGH_LARGE if large else ENOUGH) and pair not in told:
            told.add(pair)
            place = styles.place(front_set, "color") or styles.place(
                ground_set, "background-color", "background"
            )
            yield Found(
                f"{front} on {ground} is {ratio:.1f}:1 in “{words.shown}”",
                place=place or checked.placed(words.node).place,
                hint=f"{ENOUGH_LARGE if large else ENOUGH}:1 is needed",
            )


@check(
    "font-small",
    title="Letters smaller than 14 pixels",
    severity=Severity.WARNING,
    passing=Example(html='<p style="font-size:14px">字</p><p style="font-size:1em">字</p>'),
    failing=Example(html='<p style="font-size:12px">小字</p>'),
)
def font_small(checked: Checked) -> Iterator[Found]:
    """Chinese characters have many strokes: under 14 pixels they run together, on phones first."""
    told: set[tuple[str, int]] = set()
    for words in _words(checked, checked.styles):
        size = checked.styles.font_size(words.node)
        found = checked.styles.setting(words.node, "font-size", "font")
        key = (found.value if found else "", round(size))
        if 2 < size < SMALLEST and key not in told:
            told.add(key)
            yield Found(
                f"{size:g} px in “{words.shown}”",
                place=checked.styles.place(found, "font-size", "font")
                or checked.placed(words.node).place,
                hint="14 px at least, 16 px for running text",
            )


@check(
    "line-height-small",
    title="Lines of running text that stand too close",
    severity=Severity.NOTE,
    passing=Example(html=f'<p style="line-height:1.7">{"预训练模型" * 12}</p>'),
    failing=Example(html=f'<p style="line-height:1.2">{"预训练模型" * 12}</p>'),
)
def line_height_small(checked: Checked) -> Iterator[Found]:
    """Chinese text has no ascenders to tell the lines apart: 1.7 reads well, below 1.5 it is hard."""
    told: set[str] = set()
    for words in _words(checked, checked.styles):
        if len(words.text) < _LONG:
            continue
        ratio = checked.styles.line_height(words.node) / checked.styles.font_size(words.node)
        found = checked.styles.setting(words.node, "line-height")
        if ratio < 1.45 and found and found.value not in told:
            told.add(found.value)
            yield Found(
                f"line-height {found.value} is {ratio:.1f} times the letters, in “{words.shown}”",
                place=checked.styles.place(found, "line-height")
                or checked.placed(words.node).place,
                hint="1.7 times is good",
            )


@check(
    "font-family-missing",
    title="A cell, paragraph or heading that names no font",
    severity=Severity.WARNING,
    passing=Example(html=f'<p style="{_FONT}">字</p><td style="{_FONT}">字</td>'),
    failing=Example(html='<table role="presentation"><tr><td>字</td></tr></table>'),
)
def font_family_missing(checked: Checked) -> Iterator[Found]:
    """Outlook does not inherit fonts into cells and paragraphs: there the words are in Times or SimSun.

    Name the font on every `td`, `p`, `li` and heading that holds words itself.
    """
    told: set[tuple[str, str]] = set()
    for words in _words(checked, checked.styles):
        block = _block(words.node)
        key = (str(block.tag), block.get("class") or "")
        if block.tag in _BLOCKS and key not in told:
            own = checked.styles.own(block)
            if "font-family" not in own and "font" not in own:
                told.add(key)
                named = f'<{key[0]} class="{key[1]}">' if key[1] else f"<{key[0]}>"
                yield Found(
                    f"{named} names no font-family, in “{words.shown}”",
                    place=checked.places.of_tag(block),
                )


@check(
    "tap-small",
    title="A link or button that a finger will miss",
    severity=Severity.WARNING,
    passing=Example(
        html=f'<p style="{_FONT}">句子里的 <a href="https://a.org">链接</a> 可以小。</p>'
        '<p style="line-height:28px"><a href="https://a.org/b">单独一行的链接</a></p>'
        '<table role="presentation"><tr><td bgcolor="#0b6b58" style="padding:12px 28px">'
        '<a href="https://a.org/c" style="color:#fff; line-height:20px">按钮</a></td></tr></table>'
    ),
    failing=(
        Example(
            html='<p style="line-height:18px; font-size:14px"><a href="https://a.org">退订</a></p>'
        ),
        Example(
            html='<table role="presentation"><tr><td bgcolor="#0b6b58" style="padding:4px 9px">'
            '<a href="https://a.org" style="color:#fff; line-height:20px">按钮</a></td></tr></table>'
        ),
    ),
)
def tap_small(checked: Checked) -> Iterator[Found]:
    """A button wants 44 pixels of height, a link on a line of its own 24 (WCAG 2.2, 2.5.8).

    Links inside a sentence are as high as their line, and that is all right.
    """
    for link in checked.links:
        node = link.node
        container = _block(node)
        alone = " ".join("".join(map(str, container.itertext())).split()) == link.words
        if not link.words or not alone or checked.styles.hidden(node):
            continue
        height, is_button = _tap_height(checked.styles, node, container)
        wanted = FINGER if is_button else LINE
        if height < wanted - 0.5:
            what = "button" if is_button else "link"
            yield Found(
                f"the {what} “{shortened(link.words)}” is {height:.0f} px high",
                place=link.place,
                hint=f"{wanted} px, by padding and line-height",
            )


def _tap_height(
    styles: Styles, node: etree._Element, container: etree._Element
) -> tuple[float, bool]:
    """How high a link is that stands alone, and whether it looks like a button."""
    height = styles.line_height(node)
    block = "block" in styles.own(node).get("display", "")
    if block:
        height += sum(styles.padding(node))
    grounds = [styles.own(one) for one in (node, container)]
    coloured = any("background-color" in own or "background" in own for own in grounds)
    inner: Setting | None = styles.ground(node)[1]
    is_button = coloured and inner is not None and inner.node in (node, container)
    outside = container.getparent()
    if is_button and outside is not None and styles.ground(outside)[0] == styles.ground(node)[0]:
        is_button = False  # the same colour as around it: no button to be seen
    if container.tag in ("td", "th") and is_button:
        height += sum(styles.padding(container))
    return height, is_button


def _block(node: etree._Element) -> etree._Element:
    """The nearest element around that makes a block of its own."""
    one = node
    while one.tag not in _CONTAINERS and one.getparent() is not None:
        one = one.getparent()  # type: ignore[assignment]
    return one
