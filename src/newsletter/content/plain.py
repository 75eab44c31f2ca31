"""Markdown tokens as the plain text of a mail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markdown_it.common.normalize_url import normalizeLink
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from newsletter.content import cjk

_INDENT = "    "
_RULE = "————————"
# What plain text had better not carry: the no-break space, and characters without width.
_CLEAN = {0xA0: " ", 0xAD: None, 0x200B: None, 0x2060: None, 0xFEFF: None}


def plain_text(tokens: Sequence[Token]) -> str:
    """The text of a token stream; blocks are parted by empty lines, and nothing ends the last."""
    return "\n".join(_join(_blocks(SyntaxTreeNode(tokens).children))).translate(_CLEAN)


def _blocks(nodes: Sequence[SyntaxTreeNode]) -> Iterator[list[str]]:
    """Each block as its lines."""
    for node in nodes:
        lines = _block(node)
        if lines:
            yield lines


def _join(blocks: Iterator[list[str]], *, tight: bool = False) -> list[str]:
    lines: list[str] = []
    for block in blocks:
        if lines and not tight:
            lines.append("")
        lines += block
    return lines


def _block(node: SyntaxTreeNode) -> list[str]:
    match node.type:
        case "paragraph" | "heading":
            return _inline(node)
        case "bullet_list" | "ordered_list":
            return _list(node)
        case "blockquote":
            return _indented(_join(_blocks(node.children)), _INDENT)
        case "fence" | "code_block":
            return _indented(node.content.rstrip("\n").split("\n"), _INDENT)
        case "hr":
            return [_RULE]
        case "table":
            return [line for row in _rows(node) for line in row]
    return _join(_blocks(node.children))


def _list(node: SyntaxTreeNode) -> list[str]:
    number = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
    tight = _is_tight(node)
    items: list[list[str]] = []
    for item in node.children:
        marker = "• " if number is None else f"{number}. "
        lines = _join(_blocks(item.children), tight=tight) or [""]
        rest = _indented(lines[1:], " " * len(marker))
        items.append([(marker + lines[0]).rstrip(), *rest])
        number = None if number is None else number + 1
    return _join(iter(items), tight=tight)


def _is_tight(node: SyntaxTreeNode) -> bool:
    return not any(
        child.type == "paragraph" and not child.hidden
        for item in node.children
        for child in item.children
    )


def _rows(table: SyntaxTreeNode) -> Iterator[list[str]]:
    for row in (row for part in table.children for row in part.children):
        cells = [_flow(_tokens(cell)) for cell in row.children]
        line = " | ".join(text.strip() for text, _ in cells)
        yield [line, *dict.fromkeys(url for _, urls in cells for url in urls)]


def _indented(lines: Sequence[str], indent: str) -> list[str]:
    return [indent + line if line else "" for line in lines]


def _inline(node: SyntaxTreeNode) -> list[str]:
    """The lines of a paragraph, then one line for the address of each of its links."""
    text, urls = _flow(_tokens(node))
    lines = [line.strip() for line in text.split("\n")]
    return [*(line for line in lines if line), *dict.fromkeys(urls)]


def _tokens(node: SyntaxTreeNode) -> list[Token]:
    inline = node.children[0].token if node.children else None
    return list(inline.children or ()) if inline else []


def _flow(tokens: Sequence[Token]) -> tuple[str, list[str]]:
    """Running text, and the addresses of the links whose label is not the address itself."""
    flow = _Flow()
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if token.type == "link_open":
            end = next(n for n in range(index, len(tokens)) if tokens[n].type == "link_close")
            label, _ = _flow(tokens[index + 1 : end])
            flow.link(str(token.attrs.get("href", "")), label)
            index = end
        elif token.type == "softbreak":
            flow.text("" if cjk.joins(tokens, index) else " ")
        elif token.type == "hardbreak":
            flow.text("\n")
        elif token.type == "image":
            flow.text(_flow(token.children or ())[0])
        elif not token.meta.get(cjk.GAP):
            flow.text(token.content)
        index += 1
    return "".join(flow.pieces), [url for url in flow.urls if url not in flow.shown]


class _Flow:
    """Running text under construction; a bare address keeps its distance from what is beside it."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.urls: list[str] = []
        self.shown: set[str] = set()
        self._after_address = False

    def text(self, text: str) -> None:
        """Add text."""
        if not text:
            return
        if self._after_address and not text[0].isspace() and not text[0].isascii():
            self.pieces.append(" ")
        self._after_address = False
        self.pieces.append(text)

    def link(self, href: str, label: str) -> None:
        """Add a link: its label, with the address noted for later, or the bare address."""
        if not _is_bare(href, label):
            self.text(label)
            self.urls.append(href)
            return
        before = self.pieces[-1][-1] if self.pieces else " "
        if not before.isspace() and not before.isascii():
            self.pieces.append(" ")
        self.pieces.append(href)
        self.shown.add(href)
        self._after_address = True


def _is_bare(href: str, label: str) -> bool:
    return normalizeLink(label.strip()) in (href, href.removeprefix("mailto:"))
