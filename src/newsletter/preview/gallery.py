"""The images of the mails that are shown, at addresses made of their bytes.

An image that did not change keeps its address, so a browser need not ask again when only words were
changed.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from newsletter.preview.framing import LocalUrl
from newsletter.rendering.edition import Edition, EmbeddedImage, HostedImage

KEPT = 400


class Gallery:
    """Keeps images by the hash of their bytes, the latest `KEPT` of them."""

    def __init__(self) -> None:
        self._images: OrderedDict[str, EmbeddedImage | HostedImage] = OrderedDict()

    def get(self, name: str) -> EmbeddedImage | HostedImage | None:
        """The image that `local_urls` called so."""
        return self._images.get(name)

    def local_urls(self, edition: Edition, *, site_url: str | None, base: str) -> LocalUrl:
        """What turns the image URLs of `edition`, embedded or hosted, into ones below `base`."""
        known = {f"cid:{image.content_id}": self._hang(image) for image in edition.images}
        for image in edition.hosted:
            known[f"{site_url}/{image.path}"] = self._hang(image)

        def local(url: str) -> str | None:
            name = known.get(url)
            return f"{base}image/{name}" if name else None

        return local

    def _hang(self, image: EmbeddedImage | HostedImage) -> str:
        name = hashlib.sha256(image.mime_type.encode() + b"\0" + image.data).hexdigest()[:32]
        self._images[name] = image
        self._images.move_to_end(name)
        while len(self._images) > KEPT:
            self._images.popitem(last=False)
        return name
