"""Pictures: files and QR codes, hosted or embedded."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
import segno

from newsletter.rendering.images import Embedded, Hosted, Shelf
from newsletter.rendering.mistake import Mistake

LIST = Embedded("weekly.example.org")
SITE = Hosted("https://weekly.example.org/archive")


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path, LIST)


def test_a_file_is_shown_at_half_its_pixels(tmp_path, shelf, picture):
    (tmp_path / "a.png").write_bytes(picture(401, 201))
    found = shelf.file("a.png")
    assert (found.width, found.height) == (200, 100)
    assert str(found) == found.url


def test_a_large_file_is_shown_at_640(tmp_path, shelf, picture):
    (tmp_path / "a.png").write_bytes(picture(2000, 500))
    found = shelf.file("a.png")
    assert (found.width, found.height) == (640, 160)


def test_a_width_of_its_own_keeps_the_shape(tmp_path, shelf, picture):
    (tmp_path / "a.png").write_bytes(picture(100, 50))
    assert shelf.file("a.png", width=80).height == 40
    (tmp_path / "thin.png").write_bytes(picture(300, 1))
    assert shelf.file("thin.png", width=20).height == 1
    assert shelf.file("thin.png", widest=90).width == 90


@pytest.mark.parametrize("width", [0, -1, 1281, 1.5, "80", True])
def test_a_width_is_a_number_of_pixels(tmp_path, shelf, picture, width):
    (tmp_path / "a.png").write_bytes(picture(10, 10))
    with pytest.raises(Mistake, match="whole number of pixels"):
        shelf.file("a.png", width=width)
    with pytest.raises(Mistake, match="whole number of pixels"):
        shelf.qr("https://example.org", size=width)


def test_the_type_is_what_the_bytes_say(tmp_path, shelf):
    gif = b"GIF89a" + struct.pack("<HH", 30, 20) + b"\0\0\0;"
    (tmp_path / "a.png").write_bytes(gif)
    found = shelf.file("a.png")
    (image,) = shelf.embedded(found.url)
    assert (image.mime_type, image.filename, image.data) == ("image/gif", "a.gif", gif)
    assert (found.width, found.height) == (15, 10)


def test_a_jpeg_is_taken(tmp_path, shelf):
    frame = (
        b"\xff\xc0\x00\x11\x08"
        + struct.pack(">HH", 60, 80)
        + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
    )
    (tmp_path / "a.jpeg").write_bytes(
        b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\0" * 10 + frame + b"\xff\xd9"
    )
    found = shelf.file("a.jpeg")
    assert (found.width, found.height) == (40, 30)
    assert shelf.embedded(found.url)[0].mime_type == "image/jpeg"


BAD = {
    "nothing": (b"", "is not a PNG, JPEG or GIF file"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a PNG, JPEG or GIF file"),
    "webp": (b"RIFF\0\0\0\0WEBPVP8 ", "is not a PNG, JPEG or GIF file"),
    "cut png": (b"\x89PNG\r\n\x1a\n\0\0", "is damaged"),
    "cut jpeg": (b"\xff\xd8\xff\xe0\x00", "is damaged"),
    "cut gif": (b"GIF89a\x01", "is damaged"),
    "empty png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 13, "is damaged"),
}


@pytest.mark.parametrize(("data", "message"), BAD.values(), ids=BAD.keys())
def test_what_is_no_picture_is_refused(tmp_path, shelf, data, message):
    (tmp_path / "x.png").write_bytes(data)
    with pytest.raises(Mistake, match=message):
        shelf.file("x.png")


def test_a_huge_file_is_refused(tmp_path, shelf, picture):
    (tmp_path / "x.png").write_bytes(picture(10, 10) + b"\0" * (20 * 1024 * 1024))
    with pytest.raises(Mistake, match="larger than 20 MiB"):
        shelf.file("x.png")


@pytest.mark.parametrize(
    "src",
    [
        "../x.png",
        "a/../../x.png",
        "/etc/passwd",
        "a\\b.png",
        "x\0.png",
        "https://x.example/a.png",
        "",
    ],
)
def test_nothing_outside_the_folder_is_read(tmp_path, shelf, src):
    with pytest.raises(Mistake):
        shelf.file(src)
    assert shelf.read == set()


def test_a_link_out_of_the_folder_is_not_followed(tmp_path, picture):
    (tmp_path / "x.png").write_bytes(picture(10, 10))
    (tmp_path / "root").mkdir()
    (tmp_path / "root/x.png").symlink_to(tmp_path / "x.png")
    with pytest.raises(Mistake, match="leads out of the folder"):
        Shelf(tmp_path / "root", LIST).file("x.png")


def test_a_link_inside_the_folder_is_followed(tmp_path, shelf, picture):
    (tmp_path / "x.png").write_bytes(picture(10, 10))
    (tmp_path / "y.png").symlink_to("x.png")
    assert shelf.file("y.png").url == shelf.file("x.png").url


def test_embedded_pictures_have_a_content_id(tmp_path, shelf, picture):
    (tmp_path / "头图.png").write_bytes(picture(10, 10))
    found = shelf.file("头图.png")
    (image,) = shelf.embedded(found.url)
    assert found.url == f"cid:{image.content_id}"
    assert image.content_id.endswith("@weekly.example.org")
    assert image.filename == "image.png"
    assert shelf.hosted(found.url) == ()


def test_a_content_id_is_ascii_whatever_the_list_is_called(tmp_path, picture):
    (tmp_path / "a.png").write_bytes(picture(10, 10))
    for name in ("张三.xn--fiq.example", "a b<c>", "中"):
        url = Shelf(tmp_path, Embedded(name)).file("a.png").url
        assert url.isascii()
        assert not set(url) & set(' <>"')


def test_hosted_pictures_have_a_name_that_changes_with_their_bytes(tmp_path, picture):
    shelf = Shelf(tmp_path, SITE)
    (tmp_path / "a b.png").write_bytes(picture(10, 10))
    one = shelf.file("a b.png")
    (tmp_path / "a b.png").write_bytes(picture(10, 10, 255))
    two = shelf.file("a b.png")
    assert one.url != two.url
    assert one.url.startswith("https://weekly.example.org/archive/assets/")
    assert one.url.endswith("-a-b.png")
    (image,) = shelf.hosted(f'<img src="{one.url}">')
    assert one.url == f"{SITE.site_url}/{image.path}"
    assert image.data == picture(10, 10)
    assert shelf.embedded(one.url) == ()


def test_pictures_come_once_in_the_order_of_the_page_and_only_if_shown(tmp_path, shelf, picture):
    urls = []
    for shade in (10, 20, 30):
        (tmp_path / f"{shade}.png").write_bytes(picture(10, 10, shade))
        urls.append(shelf.file(f"{shade}.png").url)
    page = f"<img src={urls[2]}><img src={urls[0]}><img src={urls[2]}>"
    assert [image.filename for image in shelf.embedded(page)] == ["30.png", "10.png"]


def test_a_qr_code_says_its_link_and_has_a_white_border(shelf):
    link = "https://example.org/join?a=1&b=中"
    found = shelf.qr(link)
    (image,) = shelf.embedded(found.url)
    assert (found.width, found.height) == (160, 160)
    assert image.mime_type == "image/png"
    pixels = struct.unpack(">II", image.data[16:24])
    code = segno.make(link, error="m", micro=False, boost_error=False)
    modules = code.symbol_size(border=4)[0]
    assert pixels == (modules * -(-320 // modules),) * 2
    assert pixels[0] >= 320
    assert _matrix(image.data, modules) == [
        [bool(module) for module in row] for row in code.matrix_iter(border=4)
    ]


def _matrix(data: bytes, modules: int) -> list[list[bool]]:
    """The dark modules of a one-bit PNG without filters, as segno writes it."""
    import zlib

    width = struct.unpack(">I", data[16:20])[0]
    depth, colour = data[24], data[25]
    assert (depth, colour) == (1, 0)
    start = data.index(b"IDAT")
    length = struct.unpack(">I", data[start - 4 : start])[0]
    raw = zlib.decompress(data[start + 4 : start + 4 + length])
    stride = 1 + (width + 7) // 8
    rows = [raw[i + 1 : i + stride] for i in range(0, len(raw), stride)]
    scale = width // modules
    return [
        [not rows[y * scale][x * scale // 8] >> (7 - x * scale % 8) & 1 for x in range(modules)]
        for y in range(modules)
    ]


def test_a_qr_code_is_the_same_twice(tmp_path):
    one, two = Shelf(tmp_path, LIST), Shelf(tmp_path, LIST)
    first, second = one.qr("https://example.org", size=120), two.qr("https://example.org", size=120)
    assert one.embedded(first.url) == two.embedded(second.url)
    assert one.qr("https://example.org", size=160).url != first.url


def test_an_edition_carries_embedded_pictures_or_names_hosted_ones(desk, issue, picture):
    desk.write("a.png", picture(20, 20))
    made = issue(
        {"kind": "image", "src": "a.png", "alt": "甲"}, {"kind": "qr", "url": "https://example.org"}
    )
    embedded = desk.render(made)
    assert [image.filename for image in embedded.images] == ["a.png", "qr.png"]
    assert embedded.hosted == ()
    assert embedded.html.count("cid:") == 2
    hosted = desk.render(made, site_url="https://weekly.example.org")
    assert hosted.images == ()
    assert "cid:" not in hosted.html
    for image in hosted.hosted:
        assert f'src="https://weekly.example.org/{image.path}"' in hosted.html
    assert embedded.digest != hosted.digest


def test_pictures_in_markdown(desk, issue, picture):
    desk.write("a.png", picture(4000, 20))
    body = '前 ![说<明>](a.png "题&目") 后'
    edition = desk.render(issue({"kind": "text", "body": body}))
    assert 'width="560" alt="说&lt;明&gt;" title="题&amp;目" style="' in edition.html
    assert len(edition.images) == 1
    assert "说<明>" in edition.text
    problem = desk.refuse(issue({"kind": "text", "body": "![x](b.png)"}))
    assert str(problem.place) == "templates/blocks/text.html.j2:1"
    assert problem.message == "there is no picture b.png"
    assert desk.refuse(issue({"kind": "text", "body": "![x](../b.png)"}))
    assert desk.refuse(issue({"kind": "text", "body": "![x](https://x.example/b.png)"}))


def test_paths_that_were_read_are_known(tmp_path, shelf, picture):
    (tmp_path / "a.png").write_bytes(picture(10, 10))
    shelf.file("a.png")
    assert shelf.read == {Path(tmp_path / "a.png").resolve()}
