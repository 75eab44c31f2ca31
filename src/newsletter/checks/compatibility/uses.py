"""What a mail uses of HTML and CSS: declarations, selectors, at-rules, elements, attributes, images.

A use is described by words (*atoms*), which the map in `features` knows:

    property:display  value:display=flex  ident:initial  function:calc  unit:rem  custom-property
    colour:without-commas  colour:alpha  list:comma  list:slash  list:several  number:negative  number:zero
    selector:class  combinator:>  pseudo:hover  pseudo-element:before  attribute-operator:^=
    at:media  media:prefers-color-scheme  nesting  important  comment:css
    element:table  attribute:align  type:input=checkbox  link:mailto  image:png

The same use in many places is one use with many origins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from lxml import etree

from newsletter.checks.compatibility.data import Client


class Where(StrEnum):
    """In which part of the mail something is used."""

    INLINE = "inline"  # a style attribute
    BLOCK = "block"  # a style block
    MARKUP = "markup"  # the HTML itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Something that is used.

    Attributes:
        atoms: what it is, in the words of the map.
        shown: what it is, for people: `display: flex`.
        where: in which part of the mail.
        tag: the element that it is on or that it is; empty in a style block.
        beside: names of the properties, or attributes, next to it, and facts: `hides:display` and
            its like on an element that is hidden, `holds:table`, `row:uneven`, `mail:96-dpi`.
        numbers: of a declaration, as value and unit.
        within: atoms of the conditions that it is under: at-rules, and pseudo-classes of its rule.
        only: the mail programs that its rule is made for; none when it is for all.

    """

    atoms: frozenset[str]
    shown: str
    where: Where
    tag: str = ""
    beside: frozenset[str] = frozenset()
    numbers: tuple[tuple[float, str], ...] = ()
    within: frozenset[str] = frozenset()
    only: frozenset[Client] = frozenset()

    @property
    def extra(self) -> bool:
        """Whether the mail is complete without it: it is under a condition, or for a few only."""
        return bool(self.within or self.only)

    def named(self, kind: str) -> set[str]:
        """What stands behind `kind:` in the atoms."""
        return {atom.partition(":")[2] for atom in self.atoms if atom.startswith(f"{kind}:")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where in the HTML part a use is.

    Attributes:
        node: the element that it is on.
        block: the number of the style block that it is in, from 0.
        line: in that block, from 1.
        column: in that block, from 1.

    """

    node: etree._Element | None = None
    block: int | None = None
    line: int = 0
    column: int = 0


Uses = dict[Use, list[Origin]]
"""Every use with its places, in the order of the mail."""


def collect(found: Iterable[tuple[Use, Origin]]) -> Uses:
    """Uses that are the same, put together."""
    uses: Uses = {}
    for use, origin in found:
        uses.setdefault(use, []).append(origin)
    return uses
