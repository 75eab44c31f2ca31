"""Pictures of an edition: files of the publication and QR codes, hosted on the web site or embedded in the message.

`Shelf` takes pictures in, asks its `Placement` for the URL to print, and hands back what has to travel or to be
published. A picture is known by the hash of its bytes, so the same picture travels once.
"""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from newsletter.rendering.edition import EmbeddedImage, HostedImage
from newsletter.rendering.folders import locate
from newsletter.rendering.mistake import Mistake, did_you_mean

MAX_WIDTH = 640
MAX_BYTES = 20 * 1024 * 1024
QUIET_ZONE = 4
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png", ".png"),
    (b"\xff\xd8\xff", "image/jpeg", ".jpg"),
    (b"GIF87a", "image/gif", ".gif"),
    (b"GIF89a", "image/gif", ".gif"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What a template prints: the address for `src`, and the size in CSS pixels."""

    url: str
    width: int
    height: int

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """The bytes of a picture and the file name it goes by.

    Attributes:
        data: the file.
        mime_type: such as image/png.
        filename: letters, digits, `-` and `_`, with an extension.
        made_from: what the picture was made from, when its bytes depend on the compressor at hand.

    """

    data: bytes
    mime_type: str
    filename: str
    made_from: str | None = None

    @property
    def digest(self) -> str:
        """Sixteen hex characters that are different for a different picture."""
        source = self.data if self.made_from is None else self.made_from.encode()
        return hashlib.sha256(source).hexdigest()[:16]


class Placement(Protocol):
    """Where pictures are when the message is read."""

    def url(self, asset: Asset) -> str:
        """The address to print for this picture."""
        ...


@dataclass(frozen=True, slots=True)
class Hosted:
    """Pictures are on the publication's web site."""

    site_url: str

    def url(self, asset: Asset) -> str:
        """`SITE/assets/HASH-NAME`."""
        return f"{self.site_url}/{_hosted_path(asset)}"


@dataclass(frozen=True, slots=True)
class Embedded:
    """Pictures travel inside the message (RFC 2392)."""

    list_identifier: str

    def content_id(self, asset: Asset) -> str:
        """The Content-ID without its angle brackets."""
        domain = re.sub(r"[^A-Za-z0-9.-]+", "-", self.list_identifier).strip("-.")
        return f"{asset.digest}@{domain or 'newsletter.invalid'}"

    def url(self, asset: Asset) -> str:
        """`cid:HASH@LIST`."""
        return f"cid:{self.content_id(asset)}"


class Shelf:
    """The pictures of one edition.

    Args:
        root: the publication's folder; no file outside it is read.
        placement: where the pictures will be.

    """

    def __init__(self, root: Path, placement: Hosted | Embedded) -> None:
        self._root = root
        self._placement = placement
        self._assets: dict[str, Asset] = {}
        self.read: set[Path] = set()

    def file(self, src: str, *, width: int | None = None, widest: int = MAX_WIDTH) -> Picture:
        """A picture file.

        Args:
            src: path relative to the publication's folder.
            width: in CSS pixels; without one, half of the file's, so that it stays sharp.
            widest: the most that `width` is without one.

        Raises:
            Mistake: no such file, outside the folder, or not a PNG, JPEG or GIF.

        """
        path = locate(self._root, src)
        if path is None:
            raise Mistake(f"there is no picture {src}", hint=self._nearest(src))
        data = path.read_bytes()
        self.read.add(path)
        mime_type, suffix = _type_of(data, src)
        pixels = _pixels(data, src)
        shown = _checked_width(width) if width is not None else min(widest, max(1, pixels[0] // 2))
        asset = Asset(data=data, mime_type=mime_type, filename=_plain_name(src, suffix))
        height = max(1, round(shown * pixels[1] / pixels[0]))
        return Picture(url=self._keep(asset), width=shown, height=height)

    def qr(self, url: str, *, size: int = 160) -> Picture:
        """A QR code of `url`, `size` CSS pixels square, white border included, at least twice as fine.

        Raises:
            Mistake: the text is empty or too long for a QR code.

        """
        size = _checked_width(size)
        asset = Asset(
            data=_qr_png(url, size),
            mime_type="image/png",
            filename="qr.png",
            made_from=f"qr code, {size} pixels, error correction M: {url}",
        )
        return Picture(url=self._keep(asset), width=size, height=size)

    def embedded(self, html: str) -> tuple[EmbeddedImage, ...]:
        """The pictures that travel in the message, in the order in which `html` shows them."""
        if not isinstance(self._placement, Embedded):
            return ()
        return tuple(
            EmbeddedImage(
                content_id=self._placement.content_id(asset),
                filename=asset.filename,
                mime_type=asset.mime_type,
                data=asset.data,
            )
            for asset in self._shown(html)
        )

    def hosted(self, html: str) -> tuple[HostedImage, ...]:
        """The pictures that the web site must have, in the order in which `html` shows them."""
        if not isinstance(self._placement, Hosted):
            return ()
        return tuple(
            HostedImage(path=_hosted_path(asset), mime_type=asset.mime_type, data=asset.data)
            for asset in self._shown(html)
        )

    def _nearest(self, src: str) -> str | None:
        parent = PurePosixPath(src).parent
        folder = self._root / parent
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        return did_you_mean(src, [(parent / name).as_posix() for name in names])

    def _shown(self, html: str) -> list[Asset]:
        found = {html.find(url): asset for url, asset in self._assets.items()}
        return [found[position] for position in sorted(found) if position >= 0]

    def _keep(self, asset: Asset) -> str:
        url = self._placement.url(asset)
        self._assets.setdefault(url, asset)
        return url


def _hosted_path(asset: Asset) -> str:
    return f"assets/{asset.digest}-{asset.filename}"


def _plain_name(src: str, suffix: str) -> str:
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", PurePosixPath(src).stem).strip("-")
    return f"{stem or 'image'}{suffix}"


def _type_of(data: bytes, src: str) -> tuple[str, str]:
    if len(data) > MAX_BYTES:
        raise Mistake(f"picture {src} is larger than {MAX_BYTES // 1024 // 1024} MiB")
    for magic, mime_type, suffix in _MAGIC:
        if data.startswith(magic):
            return mime_type, suffix
    raise Mistake(
        f"picture {src} is not a PNG, JPEG or GIF file",
        hint="mail programs do not show SVG, WebP or AVIF everywhere",
    )


def _pixels(data: bytes, src: str) -> tuple[int, int]:
    import imagesize

    try:
        width, height = imagesize.get(io.BytesIO(data))
    except Exception:  # a stranger's file; the library raises what struct and its own parsers raise
        width = height = -1
    if width < 1 or height < 1:
        raise Mistake(f"picture {src} is damaged: its size cannot be read")
    return int(width), int(height)


def _checked_width(width: object) -> int:
    if not isinstance(width, int) or isinstance(width, bool) or not 1 <= width <= 2 * MAX_WIDTH:
        raise Mistake(f"a picture's width is a whole number of pixels, not {width!r}")
    return width


def _qr_png(url: str, size: int) -> bytes:
    import segno

    if not url:
        raise Mistake("a QR code needs a link")
    try:
        code = segno.make(url, error="m", micro=False, boost_error=False)
    except ValueError:
        raise Mistake(f"{len(url)} characters are too long for a QR code") from None
    modules = code.symbol_size(border=QUIET_ZONE)[0]
    out = io.BytesIO()
    code.save(
        out,
        kind="png",
        scale=-(-2 * size // modules),
        border=QUIET_ZONE,
        dark="#000",
        light="#fff",
    )
    return out.getvalue()
