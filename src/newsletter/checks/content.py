"""What an issue says as a whole: numbers, titles, sections, and links that were there before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from newsletter.checks.checked import split_address
from newsletter.checks.model import Example, Found, Severity, check
from newsletter.content.models import Divider, Image, Location
from newsletter.source.text import shortened

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked
    from newsletter.checks.placing import Value

_ITEM = "- {{kind: article, title: {title}, url: '{url}', summary: 讲微调的一篇论文。}}\n"
_ONE = _ITEM.format(title="第一篇", url="https://arxiv.org/abs/2210.11610")
_OTHER = _ITEM.format(title="第二篇", url="https://arxiv.org/abs/2210.12607")
_SAME = _ITEM.format(title="第三篇", url="https://arxiv.org/abs/2210.11610")
_OLD = "number: 6\ntitle: 上一期\nsections:\n  - items:\n"
_TITLES = frozenset(("title", "title_zh", "label", "subject", "caption"))
_CUT = re.compile(r"(?:…+|\.{3,}|\w-|[，、：;；,:（《“(\[])$")
_ADDRESS = re.compile(r"https?://[^\s<>\"'）（，。；、》”]+")
_NUMBERED = re.compile(
    r"(?:No\.?|Vol\.?|Issue|第)\s?(\d{1,4})\s?(?:期|号)?(?![\d.])", re.IGNORECASE
)


@check(
    "number-duplicate",
    title="Two files are the source of one issue",
    severity=Severity.ERROR,
    passing=Example(body="好。", others={"content/006.yaml": _OLD}),
    failing=Example(body="好。", others={"content/7-copy.yaml": "number: 7\n"}),
)
def number_duplicate(checked: Checked) -> Iterator[Found]:
    """Two files have the same number in their names, so nobody can tell which one goes out.

    Commands refuse to choose. Rename one of them, or move it out of `content/`.
    """
    for other in checked.others:
        if other.number == checked.issue.number:
            yield Found(
                f"{other.path} is issue {other.number} too",
                place=checked.source.place(("number",)),
                hint="rename one of them",
            )


@check(
    "number-differs",
    title="The title or subject names another number than the issue has",
    severity=Severity.WARNING,
    passing=Example(fields="title: 第 7 期：读几篇新论文"),
    failing=(
        Example(fields="title: 第6期：读几篇新论文"),
        Example(fields="subject: 小周刊 No.6 读论文"),
    ),
)
def number_differs(checked: Checked) -> Iterator[Found]:
    """`title: 第6期…` in the source of issue 7: copied from last week and not changed."""
    for field in ("title", "subject"):
        match = _NUMBERED.search(str(getattr(checked.issue, field) or ""))
        if match and int(match[1]) != checked.issue.number:
            yield Found(
                f"`{field}` says {match.group()}, but this is issue {checked.issue.number}",
                place=checked.source.place((field,)),
            )


@check(
    "link-repeated",
    title="The same link twice in a section",
    severity=Severity.WARNING,
    passing=Example(items=_ONE + _OTHER),
    failing=Example(items=_ONE + _OTHER + _SAME),
)
def link_repeated(checked: Checked) -> Iterator[Found]:
    """Two items of one section lead to the same page: usually copied and not changed.

    `url` and `download` of one item may be the same.
    """
    seen: dict[tuple[int, str], Location] = {}
    for value, address, item in _item_links(checked):
        key = (int(item[1]), _plain(address))
        first = seen.setdefault(key, item)
        if first != item:
            line = checked.source.place(first).line
            yield Found(
                f"{shortened(address)} is already in this section, in the item on line {line}",
                place=value.place(max(value.text.find(address), 0)),
            )


@check(
    "link-earlier",
    title="An earlier issue had this link",
    severity=Severity.WARNING,
    passing=Example(items=_ONE, others={"content/006.yaml": _OLD + f"      {_OTHER}"}),
    failing=Example(items=_ONE, others={"content/006.yaml": _OLD + f"      {_SAME}"}),
)
def link_earlier(checked: Checked) -> Iterator[Found]:
    """Readers have had this link from you before. Where that is meant, accept it with a reason.

    Codes and buttons (`qr`, `button`) may come back every week, and so may the front page of a site
    and a link that two issues have had: that is a standing one.
    """
    kinds = {location: item.kind for location, item in checked.issue.items()}
    earlier = _earlier(checked)
    for value, address, item in _item_links(checked):
        paths = earlier.get(_plain(address), set())
        standing = kinds[item] in ("qr", "button") or not split_address(address).path.strip("/")
        if len(paths) == 1 and not standing:
            yield Found(
                f"{shortened(address)} was in {next(iter(paths))}",
                place=value.place(max(value.text.find(address), 0)),
                hint="leave it out, or accept it with a reason",
            )


@check(
    "title-repeated",
    title="Two items have the same title",
    severity=Severity.WARNING,
    passing=Example(items=_ONE + _OTHER),
    failing=Example(items=_ONE + _ITEM.format(title="第一篇", url="https://arxiv.org/abs/1")),
)
def title_repeated(checked: Checked) -> Iterator[Found]:
    """An item was copied and its title not changed."""
    seen: dict[str, int] = {}
    for location, item in checked.issue.items():
        for name in ("title", "title_zh"):
            title = getattr(item, name, None)
            if not isinstance(title, str) or not title.strip():
                continue
            place = checked.source.place((*location, name))
            first = seen.setdefault(" ".join(title.split()).casefold(), place.line or 0)
            if first != place.line:
                yield Found(
                    f"“{shortened(title)}” is already the title on line {first}", place=place
                )


@check(
    "title-truncated",
    title="A title that was cut off",
    severity=Severity.WARNING,
    passing=Example(items=_ITEM.format(title='"What Is It? A Survey"', url="https://a.org/x")),
    failing=(
        Example(
            items=_ITEM.format(title='"Learning to Perform Complex Ta..."', url="https://a.org/x")
        ),
        Example(fields="title: 微调新范式：组合、噪音、"),
    ),
)
def title_truncated(checked: Checked) -> Iterator[Found]:
    """It ends in `…`, `...`, a hyphen, a comma or an open bracket: copied from a page that shortens."""
    for value in checked.values:
        if value.key in _TITLES and (match := _CUT.search(value.text.rstrip())):
            yield Found(
                f"“…{value.text.rstrip()[-12:]}” looks cut off",
                place=value.place(match.start()),
                hint="write the whole title",
            )


@check(
    "section-empty",
    title="A section that says nothing",
    severity=Severity.WARNING,
    passing=Example(items="- {kind: divider}\n- {kind: text, body: 好。}"),
    failing=Example(items="- {kind: divider}"),
)
def section_empty(checked: Checked) -> Iterator[Found]:
    """A section with a title and nothing but dividers under it."""
    for number, section in enumerate(checked.issue.sections):
        items = [*section.items, *(item for group in section.groups for item in group.items)]
        if section.title and all(isinstance(item, Divider) for item in items):
            yield Found(
                f"there is nothing under “{section.title}”",
                place=checked.source.place(("sections", number, "title")),
            )


@check(
    "edition-empty",
    title="Some readers would get an issue without any item",
    severity=Severity.WARNING,
    passing=Example(
        items="- {kind: text, body: 好。}\n- {kind: text, body: 好。, only: {tags: [x]}}"
    ),
    failing=Example(items="- {kind: text, body: 只给会员。, only: {tags: [members]}}"),
)
def edition_empty(checked: Checked) -> Iterator[Found]:
    """Every item has an `only:` that some readers of the list do not meet: their mail is empty."""
    items = dict(checked.issue.items())
    speaking = {at for at, item in items.items() if not isinstance(item, Divider)}
    for hidden, count in checked.hidden.items():
        if speaking <= hidden:
            first = min(speaking, key=lambda at: checked.source.place(at).line or 0)
            yield Found(
                f"{count} readers of the list see none of the items",
                place=checked.source.place((*first, "only")),
                hint="give them an item, or send this to a list of its own",
            )


@check(
    "caption-repeats-alt",
    title="A picture's caption says the same as its alt text",
    severity=Severity.NOTE,
    passing=Example(
        items="- {kind: image, src: a.png, alt: 一张曲线图，损失随步数下降, caption: 图 1}",
        files={"a.png": "80x80"},
    ),
    failing=Example(
        items="- {kind: image, src: a.png, alt: 损失曲线, caption: 损失曲线}",
        files={"a.png": "80x80"},
    ),
)
def caption_repeats_alt(checked: Checked) -> Iterator[Found]:
    """A screen reader reads both. The alt text says what is to be seen, the caption what it means."""
    for location, item in checked.issue.items():
        if isinstance(item, Image) and item.alt and item.alt == item.caption:
            yield Found(
                f"`caption` and `alt` are both “{shortened(item.alt)}”",
                place=checked.source.place((*location, "caption")),
            )


def _item_links(checked: Checked) -> Iterator[tuple[Value, str, Location]]:
    """Every web address in the items, with the value it stands in and the location of the item."""
    items = {location for location, _ in checked.issue.items()}
    for value in checked.values:
        item = next((at for n in range(4, 7) if (at := value.location[:n]) in items), None)
        if item is None or "accept" in value.location:
            continue
        for match in _ADDRESS.finditer(value.text):
            yield value, match.group().rstrip(".,;:)"), item


def _earlier(checked: Checked) -> dict[str, set[str]]:
    """Addresses of earlier issues, each with the files that have it."""
    found: dict[str, set[str]] = {}
    for other in checked.others:
        if other.number < checked.issue.number:
            for match in _ADDRESS.finditer(other.text):
                found.setdefault(_plain(match.group().rstrip(".,;:)")), set()).add(other.path)
    return found


def _plain(address: str) -> str:
    """What two spellings of one address have in common."""
    parts = split_address(address)
    host = (parts.hostname or "").removeprefix("www.")
    query = "&".join(one for one in parts.query.split("&") if not one.startswith("utm_"))
    path = parts.path.rstrip("/")
    if host == "arxiv.org":
        path = re.sub(r"^/(?:pdf|abs)/([\d.]+\d)(?:v\d+)?(?:\.pdf)?$", r"/abs/\1", path)
    return f"{host}{path}?{query}" if query else f"{host}{path}"
