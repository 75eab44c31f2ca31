"""Images at addresses made of their bytes."""

from __future__ import annotations

import pytest

from newsletter.preview import gallery
from newsletter.preview.gallery import Gallery
from newsletter.rendering.edition import Edition, EmbeddedImage, HostedImage


def _edition(
    *, images: tuple[EmbeddedImage, ...] = (), hosted: tuple[HostedImage, ...] = ()
) -> Edition:
    return Edition(
        issue=1,
        subject="s",
        preheader="",
        language="en",
        html="",
        text="",
        images=images,
        hosted=hosted,
    )


def _embedded(name: str, data: bytes) -> EmbeddedImage:
    return EmbeddedImage(content_id=f"{name}@list", filename=name, mime_type="image/png", data=data)


def test_embedded_images() -> None:
    rooms = Gallery()
    one = _embedded("one", b"1")
    local = rooms.local_urls(_edition(images=(one,)), site_url=None, base="/token/")
    url = local("cid:one@list")
    assert url is not None
    assert url.startswith("/token/image/")
    assert rooms.get(url.rpartition("/")[2]) is one
    assert local("cid:two@list") is None
    assert rooms.get("nothing") is None


def test_hosted_images() -> None:
    rooms = Gallery()
    image = HostedImage(path="assets/a.png", mime_type="image/png", data=b"1")
    local = rooms.local_urls(_edition(hosted=(image,)), site_url="https://w.example", base="/t/")
    url = local("https://w.example/assets/a.png")
    assert url is not None
    assert rooms.get(url.rpartition("/")[2]) is image
    assert local("https://elsewhere.example/assets/a.png") is None


def test_the_address_follows_the_bytes() -> None:
    rooms = Gallery()
    urls = [
        rooms.local_urls(_edition(images=(_embedded(name, data),)), site_url=None, base="/")(
            f"cid:{name}@list"
        )
        for name, data in (("one", b"1"), ("two", b"1"), ("one", b"2"))
    ]
    assert urls[0] == urls[1] != urls[2]


def test_only_the_latest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "KEPT", 2)
    rooms = Gallery()
    urls = []
    for data in (b"1", b"2", b"3"):
        local = rooms.local_urls(_edition(images=(_embedded("x", data),)), site_url=None, base="/")
        urls.append(local("cid:x@list"))
    kept = [rooms.get(str(url).rpartition("/")[2]) for url in urls]
    assert [image.data if image else None for image in kept] == [None, b"2", b"3"]
