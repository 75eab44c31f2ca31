"""Small mails for the compatibility checks: one for every word of the map, and how to read them."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from newsletter.checks.compatibility.blocks import uses_of_block
from newsletter.checks.compatibility.markup import uses_of_markup
from newsletter.checks.compatibility.uses import Origin, Use, Uses, collect

SPECIAL = {
    "custom-property": '<p style="--a: 1">x</p>',
    "colour:without-commas": '<p style="color: rgb(0 0 0)">x</p>',
    "important": '<p style="color: red !important">x</p>',
    "nesting": "<style>p { a { color: red } }</style>",
    "comment:css": "<style>/* c */</style>",
    "comment:html": "<p><!-- c --></p>",
    "at:import": '<style>@import "a.css";</style>',
    "selector:class": "<style>.a { color: red }</style>",
    "selector:id": "<style>#a { color: red }</style>",
    "selector:type": "<style>p { color: red }</style>",
    "selector:universal": "<style>* { color: red }</style>",
    "selector:attribute": "<style>[a] { color: red }</style>",
    "selector:chaining": "<style>.a.b { color: red }</style>",
    "selector:grouping": "<style>p, a { color: red }</style>",
    "link:#": '<a href="#top">x</a>',
    "link:mailto": '<a href="mailto:a@example.org">x</a>',
    "image:base64": '<img src="data:image/png;base64,AAAA">',
    "element:body": '<body bgcolor="#ffffff">x</body>',
    "element:style": "<head><style>p { color: red }</style></head>",
    "pseudo:lang": "<style>p:lang(zh) { color: red }</style>",
}
SHAPES = {
    "property": '<p style="{0}: 1px">x</p>',
    "value": '<p style="{0}">x</p>',
    "ident": '<p style="font-family: {0}">x</p>',
    "function": '<p style="width: {0}(1px)">x</p>',
    "unit": '<p style="width: 1{0}">x</p>',
    "at": "<style>@{0} a {{ p {{ color: red }} }}</style>",
    "media": "<style>@media ({0}: 1) {{ p {{ color: red }} }}</style>",
    "pseudo": "<style>p:{0} {{ color: red }}</style>",
    "pseudo-element": "<style>p::{0} {{ color: red }}</style>",
    "combinator": "<style>p {0} a {{ color: red }}</style>",
    "element": "<{0}>x</{0}>",
    "attribute": '<p {0}="1">x</p>',
    "meta": '<meta name="{0}" content="x">',
    "image": '<img src="https://example.org/a.{0}">',
}


def sample(atom: str) -> str:
    """A mail that has just this."""
    kind, _, name = atom.partition(":")
    if atom in SPECIAL:
        return SPECIAL[atom]
    if kind == "type":
        tag, _, what = name.partition("=")
        return f'<{tag} type="{what}">'
    return SHAPES[kind].format(name.replace("=", ": "))


def uses_of(html: str, **embedded: str) -> Uses:
    """What a mail uses."""
    return collect(_found(html, embedded))


def _found(html: str, embedded: dict[str, str]) -> Iterator[tuple[Use, Origin]]:
    tree = etree.fromstring(html, etree.HTMLParser())
    elements = [node for node in tree.iter() if isinstance(node.tag, str)]
    yield from uses_of_markup(elements, embedded=embedded)
    blocks = [node.text or "" for node in elements if node.tag == "style"]
    for number, css in enumerate(blocks):
        yield from uses_of_block(css, number)


def atoms_of(html: str) -> set[str]:
    """Every word for what a mail uses."""
    return {atom for use in uses_of(html) for atom in use.atoms}


def the_use(html: str, atom: str) -> Use:
    """The only use with this word."""
    (use,) = [use for use in uses_of(html) if atom in use.atoms]
    return use
