"""Taking messages apart."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from newsletter.preview.anatomy import Anatomy

MESSAGE = (
    b"From: =?utf-8?b?5ZGo5YiK?= <weekly@example.org>\r\n"
    b"To: Lin <lin@example.com>\r\n"
    b"Subject: =?utf-8?b?56ys5LiA?=\r\n =?utf-8?b?5pyf?=\r\n"
    b"List-Unsubscribe: <https://example.org/u/x>,\r\n\t<mailto:a@example.org>\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/alternative; boundary="b"\r\n'
    b"\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    b"5L2g5aW9DQrlho3op4ENCg==\r\n"
    b'--b\r\nContent-Type: multipart/related; boundary="b.r"\r\n\r\n'
    b"--b.r\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>x</p>\r\n"
    b'--b.r\r\nContent-Type: image/png; name="dot.png"\r\nContent-Transfer-Encoding: base64\r\n'
    b'Content-ID: <dot@list>\r\nContent-Disposition: inline; filename="dot.png"\r\n\r\n'
    b"iVBORw0KGgo=\r\n--b.r--\r\n--b--\r\n"
)


@pytest.fixture(scope="module")
def anatomy() -> Anatomy:
    return Anatomy(MESSAGE)


def test_bodies_are_decoded(anatomy: Anatomy) -> None:
    assert anatomy.text == "你好\n再见\n"
    assert anatomy.html.strip() == "<p>x</p>"


def test_headers_are_decoded_and_kept_as_written(anatomy: Anatomy) -> None:
    by_name = {header.name: header for header in anatomy.headers}
    assert list(by_name) == [
        "From",
        "To",
        "Subject",
        "List-Unsubscribe",
        "MIME-Version",
        "Content-Type",
    ]
    assert by_name["From"].decoded == "周刊 <weekly@example.org>"
    assert by_name["Subject"].decoded == "第一期"
    assert by_name["Subject"].raw == "=?utf-8?b?56ys5LiA?=\n =?utf-8?b?5pyf?="
    assert by_name["List-Unsubscribe"].raw == "<https://example.org/u/x>,\n\t<mailto:a@example.org>"
    assert by_name["List-Unsubscribe"].decoded.count("\t") == 0


def test_parts_in_their_order_with_sizes(anatomy: Anatomy) -> None:
    text, html, image = anatomy.parts
    assert (text.content_type, text.encoding, text.depth, text.decoded) == (
        "text/plain",
        "base64",
        1,
        16,
    )
    assert (html.content_type, html.encoding, html.depth) == ("text/html", "7bit", 2)
    assert (image.filename, image.content_id, image.decoded) == ("dot.png", "dot@list", 8)
    assert image.encoded >= 12
    assert sum(part.encoded for part in anatomy.parts) < len(MESSAGE)


def test_images_by_content_id(anatomy: Anatomy) -> None:
    assert anatomy.image("dot@list") == ("image/png", b"\x89PNG\r\n\x1a\n")
    assert anatomy.image("other@list") is None
    assert anatomy.image("") is None


def test_a_message_without_html_has_an_empty_one() -> None:
    plain = EmailMessage()
    plain["Subject"] = "x"
    plain.set_content("only text\n")
    anatomy = Anatomy(plain.as_bytes().replace(b"\n", b"\r\n"))
    assert anatomy.html == ""
    assert anatomy.text == "only text\n"
    assert [part.depth for part in anatomy.parts] == [0]


def test_headers_in_utf8_are_read_as_utf8() -> None:
    data = "To: 张三 <张三@例子.example>\r\nSubject: x\r\n\r\nbody\r\n".encode()
    assert Anatomy(data).headers[0].raw == "张三 <张三@例子.example>"
