"""Pictures: that they are shown everywhere, and that the mail can do without them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from newsletter.checks.checked import split_address
from newsletter.checks.model import Example, Found, Severity, check
from newsletter.source.text import shortened

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked, Element
    from newsletter.errors import Place

HEAVY = 1024 * 1024
"""Bytes of one picture from which on it is too heavy for a phone."""

_FEW_WORDS = 60
_BAD_TYPES = ("svg", "webp", "avif", "bmp", "tif", "tiff", "heic", "ico")
_FILE_NAME = re.compile(
    r"[\w .-]*\.(?:png|jpe?g|gif|webp|svg|bmp)"
    r"|(?:IMG|DSC|image|img|photo|picture|screenshot|图片|截图|屏幕截图|微信图片|未命名)[\s\d_.-]*",
    re.IGNORECASE,
)
_ALT = '<p><img src="cid:a@b" width="80" alt="损失随步数下降的曲线"></p>'


@check(
    "image-alt-missing",
    title="A picture without alternative text",
    severity=Severity.ERROR,
    passing=Example(html=_ALT + '<img src="cid:a@b" width="80" alt="">'),
    failing=Example(html='<p><img src="cid:a@b" width="80"></p>'),
)
def image_alt_missing(checked: Checked) -> Iterator[Found]:
    """Many readers do not load pictures, and some cannot see them. What is shown then is `alt`.

    Say what the picture says. `alt=""` is right for pure decoration only.
    """
    for image in checked.images:
        if "alt" not in image.node.attrib:
            yield Found(f"{_name(image)} has no alt", place=image.place)


@check(
    "image-link-alt-empty",
    title="A linked picture without alternative text",
    severity=Severity.ERROR,
    passing=Example(html=f'<a href="https://example.org/">{_ALT}</a>'),
    failing=Example(
        html='<a href="https://example.org/"><img src="cid:a@b" width="80" alt=""></a>'
    ),
)
def image_link_alt_empty(checked: Checked) -> Iterator[Found]:
    """With pictures off the link has no words: there is nothing to see, to hear or to tap."""
    for link in checked.links:
        images = [checked.placed(node) for node in link.node.iter("img")]
        if images and not link.label and all("alt" in image.node.attrib for image in images):
            yield Found(
                f"a picture that links to {shortened(link.address)} has an empty alt",
                place=images[0].place or link.place,
            )


@check(
    "image-alt-file-name",
    title="Alternative text that is a file name",
    severity=Severity.WARNING,
    passing=Example(html=_ALT),
    failing=(
        Example(html='<img src="cid:a@b" width="80" alt="loss_curve_v2.png">'),
        Example(html='<img src="cid:a@b" width="80" alt="截图 2022-11-07">'),
    ),
)
def image_alt_file_name(checked: Checked) -> Iterator[Found]:
    """`IMG_1234.png` or 图片1 says nothing about what is to be seen."""
    for image in checked.images:
        alt = image.get("alt") or ""
        if _FILE_NAME.fullmatch(alt):
            yield Found(
                f"the alt is “{shortened(alt)}”", place=image.place, hint="say what is seen"
            )


@check(
    "image-src-missing",
    title="A picture without a source",
    severity=Severity.ERROR,
    passing=Example(html=_ALT),
    failing=Example(html='<img src="" width="80" alt="曲线">'),
)
def image_src_missing(checked: Checked) -> Iterator[Found]:
    """`src` is missing, empty, or a path that no mail program can reach."""
    for image in checked.images:
        source = image.get("src") or ""
        if not source:
            yield Found(f"the picture “{image.get('alt') or ''}” has no src", place=image.place)
        elif not split_address(source).scheme:
            yield Found(
                f"src {shortened(source)} is a path, which a mail program cannot reach",
                place=image.place,
                hint="use image() in the template",
            )


@check(
    "image-http",
    title="A picture without encryption",
    severity=Severity.WARNING,
    passing=Example(html='<img src="https://example.org/a.png" width="80" alt="曲线">'),
    failing=Example(html='<img src="http://example.org/a.png" width="80" alt="曲线">'),
)
def image_http(checked: Checked) -> Iterator[Found]:
    """Web mail is https; browsers block http pictures in it or warn of them."""
    for image in checked.images:
        source = image.get("src") or ""
        if source.lower().startswith("http:"):
            yield Found(f"{shortened(source)} is http", place=image.place, hint="use https://")


@check(
    "image-data-uri",
    title="A picture inside the HTML as a data URI",
    severity=Severity.ERROR,
    passing=Example(html=_ALT),
    failing=(
        Example(html='<img src="data:image/png;base64,iVBORw0KGgo=" width="80" alt="曲线">'),
        Example(html='<p style="background:url(data:image/png;base64,iVBORw0KGgo=)">好</p>'),
    ),
)
def image_data_uri(checked: Checked) -> Iterator[Found]:
    """Gmail and Outlook show none of them, and the bytes count against Gmail's 102 kB.

    A picture of the publication's folder travels in the message or stands on its web site.
    """
    for element in map(checked.placed, checked.elements):
        style = element.get("style") or ""
        source = element.get("src") or element.get("background") or ""
        if source.startswith("data:") or re.search(r"url\(\s*['\"]?data:", style):
            yield Found(f"a data: picture in <{element.node.tag}>", place=element.place)


@check(
    "image-format",
    title="A picture in a format that mail programs do not show",
    severity=Severity.ERROR,
    passing=Example(html=_ALT),
    failing=(
        Example(html='<img src="https://example.org/logo.svg" width="80" alt="标志">'),
        Example(html='<p><svg width="8" height="8"></svg></p>'),
    ),
)
def image_format(checked: Checked) -> Iterator[Found]:
    """SVG, WebP and AVIF are missing in Outlook, in parts of Gmail and in QQ. Use PNG, JPEG or GIF."""
    for image in checked.images:
        path = split_address(image.get("src") or "").path
        kind = PurePosixPath(path).suffix.lstrip(".").lower()
        if kind in _BAD_TYPES and "data:" not in (image.get("src") or ""):
            yield Found(f"{_name(image)} is {kind.upper()}", place=image.place, hint="use a PNG")
    for node in checked.elements:
        if node.tag in ("svg", "picture"):
            yield Found(f"<{node.tag}> is not shown in mail", place=checked.placed(node).place)


@check(
    "image-width-missing",
    title="A picture without a width attribute",
    severity=Severity.WARNING,
    passing=Example(html=_ALT),
    failing=(
        Example(html='<img src="cid:a@b" alt="曲线" style="width:80px">'),
        Example(html='<img src="cid:a@b" width="auto" alt="曲线">'),
    ),
)
def image_width_missing(checked: Checked) -> Iterator[Found]:
    """Outlook goes by the attribute and knows no CSS width: it shows a 2x file at double size."""
    for image in checked.images:
        if not re.fullmatch(r"\d+%?", image.get("width") or ""):
            yield Found(f"{_name(image)} has no width in pixels", place=image.place)


@check(
    "image-heavy",
    title="A picture of more than 1 MiB",
    severity=Severity.WARNING,
    passing=Example(
        items="- {kind: image, src: small.png, alt: 一张照片}", files={"small.png": "300x200 noise"}
    ),
    failing=Example(
        items="- {kind: image, src: large.png, alt: 一张照片}",
        files={"large.png": "1200x900 noise"},
    ),
)
def image_heavy(checked: Checked) -> Iterator[Found]:
    """A phone on the way to work waits for it, and a message carries it to every reader."""
    edition = checked.edition
    pictures = [(image.filename, image.data) for image in edition.images]
    pictures += [(image.path, image.data) for image in edition.hosted]
    for name, data in pictures:
        if len(data) > HEAVY:
            yield Found(
                f"{_file(name)} has {len(data) / 1024 / 1024:.1f} MiB",
                place=_named_in_source(checked, name),
                hint="make it smaller: twice as wide as it is shown is enough",
            )


@check(
    "image-blurry",
    title="A picture that will look blurred",
    severity=Severity.NOTE,
    passing=Example(
        items="- {kind: image, src: fine.png, alt: 一张照片, width: 200}",
        files={"fine.png": "400x300"},
    ),
    failing=Example(
        items="- {kind: image, src: coarse.png, alt: 一张照片, width: 400}",
        files={"coarse.png": "400x300"},
    ),
)
def image_blurry(checked: Checked) -> Iterator[Found]:
    """Phones and good screens have two or three pixels where CSS counts one.

    A file twice as wide as it is shown is sharp everywhere.
    """
    import imagesize

    sources = {f"cid:{image.content_id}": image for image in checked.edition.images}
    for image in checked.images:
        embedded = sources.get(image.get("src") or "")
        shown = image.get("width") or ""
        if embedded is None or not shown.isdigit():
            continue
        wide = imagesize.get(io.BytesIO(embedded.data))[0]
        if 0 < wide < 1.5 * int(shown):
            yield Found(
                f"{embedded.filename} is {wide} pixels wide and shown at {shown}",
                place=_named_in_source(checked, embedded.filename) or image.place,
                hint=f"use a file of {2 * int(shown)} pixels",
            )


@check(
    "image-only",
    title="A mail that is almost nothing but pictures",
    severity=Severity.ERROR,
    passing=Example(html=_ALT + "<p>" + "这一段文字说清楚了图里的内容。" * 5 + "</p>"),
    failing=Example(html='<img src="cid:a@b" width="600" alt="海报">'),
)
def image_only(checked: Checked) -> Iterator[Found]:
    """With pictures off nothing is left, nobody can search it, and filters take it for spam."""
    shown = [image for image in checked.images if (image.get("width") or "999") not in ("0", "1")]
    if shown and len("".join(checked.words.split())) < _FEW_WORDS:
        yield Found(
            f"{len(shown)} pictures and only {len(''.join(checked.words.split()))} characters of text",
            place=shown[0].place,
            hint="say in words what the pictures say",
        )


def _name(image: Element) -> str:
    """What to call a picture in a message."""
    source = image.get("src") or ""
    if source.startswith(("cid:", "data:")) or not source:
        alt = image.get("alt")
        return f"the picture “{shortened(alt)}”" if alt else "a picture"
    return shortened(source)


def _file(name: str) -> str:
    return re.sub(r"^assets/[0-9a-f]{16}-", "", name)


def _named_in_source(checked: Checked, name: str) -> Place | None:
    """Where the source names a picture file."""
    found = checked.places.index.find(PurePosixPath(_file(name)).name)
    return found[0].place(0) if found else None
