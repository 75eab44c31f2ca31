"""What arrives: every caught message is complete, well formed, and about one reader only."""

from __future__ import annotations

import re
from email.message import EmailMessage
from email.utils import getaddresses

import pytest
from lxml import html
from story import ROOT, Demo, part

PAPERS = (
    "Adversarial Pretraining of Self-Supervised Deep Networks: Past, Present and Future",
    "Self-Supervision on Wheels: Advances in Self-Supervised Learning from Autonomous Driving Data",
    "Don't Prompt, Search! Mining-based Zero-Shot Learning with Language Models",
    "Learning to Perform Complex Tasks through Compositional Fine-Tuning of Language Models",
    "PATS: Sensitivity-aware Noisy Learning for Pretrained Language Models",
    "Zero-Shot Learners for Natural Language Understanding via a Unified Multiple Choice Perspective",
    "Large Language Models Can Self-Improve",
    "脑认知指导的预训练语言模型",
)
EVENT = "语言模型的新微调方式"
COMMUNITY = "加入社区"
NAMES = {
    "lin.xiaoyu@example.com": "林晓雨",
    "wang.haoran@example.com": "王浩然",
    "Chen.Siyuan@example.org": "陈思远",
    "zhao.min@example.net": "赵敏",
    "ada@example.org": "Ada Lovelace",
    "g.garcia@example.net": "Gabriela García",
    "soren@example.com": "Søren Åkesson",
    "reader+weekly@example.org": "O’Neil, “Tim” & 李雷",
    "zhang.wei@xn--fsqu00a.example.org": "张伟",
    "编辑部@example.net": "编辑部",
    "no-name@example.com": "",
}
PARTS = ("plain", "html")
TOKEN = re.compile(r"/u/([A-Za-z0-9_-]{34})\b")

Messages = dict[str, EmailMessage]


def words(message: EmailMessage, subtype: str) -> str:
    """The text of a part as a reader sees it, in one line."""
    text = part(message, subtype)
    if subtype == "html":
        text = html.document_fromstring(text).find("body").text_content()
    return " ".join(text.split())


def token_of(message: EmailMessage) -> str:
    """The reader's token, from the header that mail programs use."""
    found = TOKEN.search(message["List-Unsubscribe"])
    assert found is not None
    return found[1]


def test_it_parses_without_defects(parsed: Messages) -> None:
    for message in parsed.values():
        assert not any(piece.defects for piece in message.walk())


def test_every_field_of_every_part_parses_without_defects(parsed: Messages) -> None:
    for recipient, message in parsed.items():
        found = [
            name
            for piece in message.walk()
            for name, value in piece.items()
            if value.defects  # type: ignore[attr-defined]
        ]
        # RFC 6532 writes such an address in UTF-8; the standard library reads it and calls every one a defect.
        assert found == (["To"] if not recipient.isascii() else [])


def test_it_is_text_first_then_html_with_its_pictures(parsed: Messages) -> None:
    for message in parsed.values():
        kinds = [piece.get_content_type() for piece in message.walk()]
        assert kinds[:4] == [
            "multipart/alternative",
            "text/plain",
            "multipart/related",
            "text/html",
        ]
        assert set(kinds[4:]) == {"image/png"}


@pytest.mark.parametrize("subtype", PARTS)
def test_it_has_all_eight_papers_the_event_and_the_community_call(
    parsed: Messages, subtype: str
) -> None:
    for message in parsed.values():
        seen = words(message, subtype)
        for title in (*PAPERS, EVENT, COMMUNITY):
            assert title in seen


@pytest.mark.parametrize("subtype", PARTS)
def test_it_greets_its_own_reader_and_nobody_else(parsed: Messages, subtype: str) -> None:
    # 编辑部 is also the name of a body of people, and the word may stand in an issue.
    names = {name for name in NAMES.values() if name and name != "编辑部"}
    for recipient, message in parsed.items():
        seen = words(message, subtype)
        assert f"{NAMES[recipient]}，您好" in seen or (not NAMES[recipient] and "您好" in seen)
        assert {name for name in names if name in seen} <= {NAMES[recipient]}


def test_it_has_only_its_own_address(demo: Demo, parsed: Messages) -> None:
    addresses = {name for name in NAMES if name != "编辑部@example.net"}
    for recipient, message in parsed.items():
        everything = f"{demo.caught[f'{recipient}.eml'].decode()}{words(message, 'plain')}"
        everything += part(message, "html")
        assert {address for address in addresses if address in everything} <= {recipient}
        ((_, to),) = getaddresses([message["To"]])
        assert to == recipient


def test_it_has_only_its_own_token(parsed: Messages) -> None:
    tokens = {recipient: token_of(message) for recipient, message in parsed.items()}
    assert len(set(tokens.values())) == len(tokens)
    for recipient, message in parsed.items():
        for subtype in PARTS:
            assert set(TOKEN.findall(part(message, subtype))) == {tokens[recipient]}
        assert f"subject=unsubscribe%20{tokens[recipient]}" in message["List-Unsubscribe"]


def test_its_message_id_is_its_own_and_shows_no_address(parsed: Messages) -> None:
    ids = {recipient: message["Message-ID"] for recipient, message in parsed.items()}
    assert len(set(ids.values())) == len(ids)
    for recipient, message_id in ids.items():
        assert message_id.endswith("@example.org>")
        assert recipient.split("@")[0] not in message_id


def test_no_marker_and_no_template_is_left(parsed: Messages) -> None:
    for message in parsed.values():
        for subtype in PARTS:
            text = part(message, subtype)
            assert "{{" not in text
            assert "{%" not in text
            assert "None" not in text.split()


def test_its_styles_are_inlined(parsed: Messages) -> None:
    for message in parsed.values():
        page = html.document_fromstring(part(message, "html"))
        cells = [cell for cell in page.iter("td", "p", "h1", "h2", "h3") if cell.text_content()]
        assert cells
        assert all("font-family" in (cell.get("style") or "") for cell in page.iter("h1", "h2"))
        assert len([cell for cell in cells if cell.get("style")]) > len(cells) / 2


def test_the_heads_media_queries_come_letter_for_letter(parsed: Messages) -> None:
    style = (ROOT / "templates/styles/head.css").read_text("utf-8").strip()
    assert "@media (prefers-color-scheme: dark)" in style
    assert "@media only screen and (max-width" in style
    for message in parsed.values():
        head = part(message, "html").partition("</head>")[0]
        assert style in head.replace("\r\n", "\n")


def test_every_picture_is_used_and_every_used_picture_is_there(parsed: Messages) -> None:
    for message in parsed.values():
        page = html.document_fromstring(part(message, "html"))
        used = {img.get("src") for img in page.iter("img")}
        there = {
            f"cid:{piece['Content-ID'][1:-1]}" for piece in message.walk() if piece["Content-ID"]
        }
        assert used == there


def test_the_bytes_keep_to_the_rules_of_the_wire(demo: Demo) -> None:
    for data in demo.caught.values():
        assert data.endswith(b"\r\n")
        assert b"\n" not in data.replace(b"\r\n", b"")
        assert max(map(len, data.split(b"\r\n"))) <= 998
        head = data.partition(b"\r\n\r\n")[0]
        recipient_lines = re.findall(rb"(?m)^(?:To|From|Subject|Date|Message-ID):", head)
        assert len(recipient_lines) == 5


def test_an_utf8_address_alone_has_a_header_beyond_ascii(demo: Demo) -> None:
    for name, data in demo.caught.items():
        assert data.isascii() is (name != "编辑部@example.net.eml")
