"""Elements, attributes and style attributes as uses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from lxml import etree

from newsletter.checks.compatibility.declarations import Declared, declared_in
from newsletter.checks.compatibility.uses import Origin, Use, Where

STYLE_LIMIT = 16384
"""Bytes of CSS that Gmail takes."""

_UNREMARKABLE = frozenset({"class", "id", "style", "href", "src", "alt", "name", "content"})
_IMAGE = re.compile(r"\.([a-z0-9]{2,5})$")
_SAME = {"jpeg": "jpg", "svg+xml": "svg", "tif": "tiff", "x-icon": "ico", "heic": "heif"}


def uses_of_markup(
    elements: Sequence[etree._Element], *, embedded: Mapping[str, str]
) -> Iterator[tuple[Use, Origin]]:
    """What the elements of a mail use.

    Args:
        elements: of the HTML part.
        embedded: media types of the images inside the message, by Content-ID.

    """
    facts = _facts(elements)
    for node in elements:
        yield from _element(node, facts)
        for name, value in node.attrib.items():
            yield _attribute(node, str(name), str(value), facts), Origin(node=node)
        if node.tag in ("img", "source"):
            yield from _image(node, embedded)
        if style := node.get("style"):
            yield from _style(node, style)


def _facts(elements: Sequence[etree._Element]) -> frozenset[str]:
    """What holds for the whole mail and changes what notes mean."""
    facts = set()
    css = sum(len((node.text or "").encode()) for node in elements if node.tag == "style")
    if css > STYLE_LIMIT:
        facts.add("mail:large-style")
    comments = "".join(
        child.text or "" for node in elements for child in node if isinstance(child, etree._Comment)
    )
    if "PixelsPerInch" in comments:
        facts.add("mail:96-dpi")
    return frozenset(facts)


def _element(node: etree._Element, facts: frozenset[str]) -> Iterator[tuple[Use, Origin]]:
    tag = str(node.tag)
    atoms = {f"element:{tag}"}
    if tag in ("input", "button"):
        atoms.add(f"type:{tag}={node.get('type', 'text' if tag == 'input' else 'submit').lower()}")
    if tag == "meta":
        atoms.add(f"meta:{node.get('name', '').lower()}")
    if tag == "body" and not {"style", "bgcolor", "background"} & set(node.attrib):
        atoms = {"plain-body"}
    if tag == "style" and not (node.text or "").strip():
        atoms = {"empty-style"}
    elif tag == "style":
        inside = any(parent.tag == "body" for parent in node.iterancestors())
        atoms |= {"style:in-body"} if inside else set()
    beside = facts | {str(name) for name in node.attrib}
    shown = f"<{tag}>" if tag != "meta" else f'<meta name="{node.get("name", "")}">'
    use = Use(
        atoms=frozenset(atoms), shown=shown, where=Where.MARKUP, tag=tag, beside=frozenset(beside)
    )
    yield use, Origin(node=node)
    if any(isinstance(child, etree._Comment) for child in node):
        yield (
            Use(atoms=frozenset({"comment:html"}), shown="<!-- … -->", where=Where.MARKUP),
            Origin(node=node),
        )


def _attribute(node: etree._Element, name: str, value: str, facts: frozenset[str]) -> Use:
    tag, value = str(node.tag), value.strip().lower()
    atoms = {f"attribute:{name}"}
    shown = name
    if name not in _UNREMARKABLE and len(value) <= 20:
        atoms.add(f"value:{name}={value}")
        shown = f'{name}="{value}"'
    if value.endswith("%"):
        atoms.add("unit:%")
    if name == "href":
        atoms |= _link(value)
        shown = f"href={value[:1]}…" if "link:#" in atoms else "href=mailto:…"
    return Use(
        atoms=frozenset(atoms),
        shown=f"<{tag} {shown}>",
        where=Where.MARKUP,
        tag=tag,
        beside=facts,
    )


def _link(value: str) -> set[str]:
    if value.startswith("#"):
        return {"link:#"}
    if value.startswith("mailto:"):
        return {"link:mailto"} | ({"link:mailto-bcc"} if "bcc=" in value else set())
    return set()


def _image(node: etree._Element, embedded: Mapping[str, str]) -> Iterator[tuple[Use, Origin]]:
    src = (node.get("src") or "").strip().lower()
    kind = _kind(src, embedded)
    atoms = {f"image:{kind}"} if kind else set()
    if src.startswith("data:"):
        atoms.add("image:base64")
    if atoms:
        shown = f"a {kind.upper()} image" + (
            " in a data: address" if src.startswith("data:") else ""
        )
        yield (
            Use(
                atoms=frozenset(atoms),
                shown=shown.replace("  ", " "),
                where=Where.MARKUP,
                tag="img",
            ),
            Origin(node=node),
        )


def _kind(src: str, embedded: Mapping[str, str]) -> str:
    """The format of an image, as in `png`; empty when its address does not tell."""
    if src.startswith("cid:"):
        media = embedded.get(src[4:], "")
    elif src.startswith("data:"):
        media = re.split("[;,]", src[5:], maxsplit=1)[0]
    else:
        match = _IMAGE.search(re.split("[?#]", src, maxsplit=1)[0])
        media = f"image/{match.group(1)}" if match else ""
    kind = media.rpartition("/")[2]
    return _SAME.get(kind, kind)


def _style(node: etree._Element, style: str) -> Iterator[tuple[Use, Origin]]:
    declared = declared_in(style)
    beside = frozenset(each.name for each in declared) | _circumstances(node, declared)
    for each in declared:
        if not each.atoms:
            continue
        use = Use(
            atoms=each.atoms,
            shown=each.shown,
            where=Where.INLINE,
            tag=str(node.tag),
            beside=beside,
            numbers=each.numbers,
        )
        yield use, Origin(node=node)


def _circumstances(node: etree._Element, declared: Sequence[Declared]) -> frozenset[str]:
    """What about an element decides whether a note is about its styles."""
    facts = set()
    said = {each.shown.replace(" ", "").lower() for each in declared}
    facts |= {"hides:display"} if "display:none" in said else set()
    facts |= {"hides:mso"} if "mso-hide:all" in said else set()
    closed = {"max-height:0", "max-height:0px", "height:0"} & said
    facts |= {"hides:box"} if closed and "overflow:hidden" in said else set()
    if facts and node.find(".//table") is not None:
        facts.add("holds:table")
    row = node.getparent() if node.tag in ("td", "th") else None
    if row is not None and len({_padding(cell) for cell in row if cell.tag in ("td", "th")}) > 1:
        facts.add("row:uneven")
    return frozenset(facts)


def _padding(cell: etree._Element) -> tuple[str, ...]:
    declared = declared_in(cell.get("style", ""))
    return tuple(each.shown for each in declared if each.name.startswith("padding"))
