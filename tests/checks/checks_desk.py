"""A small publication on disk, made of an `Example`: what the example leaves out is beyond reproach."""

from __future__ import annotations

import random
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from newsletter.checking import examine
from newsletter.checks.checked import Checked
from newsletter.checks.model import Example
from newsletter.mailing import Mailing
from newsletter.project import Project
from newsletter.rendering.edition import Edition

NUMBER = 7
PUBLICATION: dict[str, Any] = {
    "name": "小周刊",
    "from": {"name": "小周刊", "address": "weekly@example.org"},
    "contact": "contact@example.org",
    "list_id": "weekly.example.org",
    "public_url": "https://weekly.example.org",
}
ISSUE: dict[str, Any] = {
    "number": NUMBER,
    "title": "立冬前后的几篇新论文",
    "date": "2022-11-07T09:00:00+08:00",
    "status": "ready",
    "preheader": "本期读几篇讲微调的新论文，周三上午还有一场线上报告，欢迎报名参加。",
}
BODY = (
    "这一期读几篇讲微调的新论文，每篇写一段简介，说清楚它解决了什么问题、用了什么办法、效果怎么样。"
)
LIST = "email,name\nreader@example.com,王小明\n"
PAGE = """<!doctype html>
<html lang="zh-CN" dir="ltr"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>小周刊</title><style>%s</style></head>
<body><div role="article" aria-roledescription="email" aria-label="小周刊" lang="zh-CN" dir="ltr">
%s
</div></body></html>
"""
_examined: dict[str, Checked] = {}  # most examples replace a part of the same message


class Desk:
    """Writes examples into a folder and reads them as a publication.

    Args:
        root: an empty folder.

    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.number = NUMBER

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file below the folder."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def open(self, example: Example) -> Project:
        """The publication of an example."""
        settings = PUBLICATION | dict(example.publication)
        self.write("newsletter.yaml", yaml.safe_dump(settings, allow_unicode=True))
        self.write("subscribers.csv", LIST)
        self.write(f"content/{NUMBER:03d}.yaml", issue_source(example))
        for name, text in {**example.files, **example.others}.items():
            self.write(name, picture(text) if name.endswith(".png") else text)
        return Project.open(self.root, environ={"NEWSLETTER_SECRET": "0123456789abcdef" * 4})

    def is_doctored(self, example: Example) -> bool:
        """Whether the example replaces what the pipeline made."""
        parts = (example.html, example.text, example.message)
        return bool(example.header) or any(part is not None for part in parts)

    def read(self, example: Example) -> Checked:
        """The source of an example alone, nothing rendered: enough for checks of its words."""
        project = self.open(example)
        nothing = Edition(
            issue=NUMBER, subject="", preheader="", language="zh-CN", html="", text=""
        )
        return Checked(
            publication=project.publication,
            source=project.issue(NUMBER),
            edition=nothing,
            html="",
            text="",
            message=b"",
        )

    def examine(self, example: Example) -> Checked:
        """What checks look at, with the parts that the example replaces."""
        plain = replace(example, html=None, css="", text=None, message=None, header={})
        if repr(plain) not in _examined:
            project = self.open(example)
            checked = examine(Mailing(project, project.issue(NUMBER)), services=example.services)
            _examined[repr(plain)] = checked
        checked = replace(_examined[repr(plain)])
        if example.html is not None:
            checked = replace(checked, html=page(example.html, example.css))
        if example.text is not None:
            checked = replace(checked, text=example.text)
        if example.message is not None:
            checked = replace(checked, message=example.message.replace("\n", "\r\n").encode())
        if example.header:
            checked = replace(checked, message=with_header(checked.message, example.header))
        return checked


def picture(described: str) -> bytes:
    """A PNG of a size such as `80x80`: white, or noise that does not compress."""
    size, _, noise = described.partition(" ")
    width, height = map(int, size.split("x"))
    pixels = random.Random(0).randbytes if noise else lambda count: b"\xff" * count
    rows = b"".join(b"\0" + pixels(width) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def issue_source(example: Example) -> str:
    """The source of an example's issue."""
    if example.source is not None:
        return example.source
    changed = {line.partition(":")[0] for line in example.fields.splitlines() if line[:1].isalpha()}
    kept = {name: value for name, value in ISSUE.items() if name not in changed}
    items = example.items
    if items is None:
        body = example.body if example.body is not None else BODY
        items = yaml.safe_dump([{"kind": "text", "body": body}], allow_unicode=True, width=10**6)
    return "\n".join(
        [
            yaml.safe_dump(kept, allow_unicode=True, sort_keys=False, width=10**6).rstrip(),
            example.fields.rstrip(),
            "sections:",
            "  - title: 本期内容",
            "    items:",
            *(f"      {line}" for line in items.strip("\n").splitlines()),
            "",
        ]
    )


def page(html: str, css: str) -> str:
    """A whole document: this one, or one with this body."""
    return html if "<html" in html else PAGE % (css, html)


def with_header(data: bytes, header: Any) -> bytes:
    """A message with fields replaced or, where the value is empty, removed."""
    head, _, body = data.partition(b"\r\n\r\n")
    fields = head.replace(b"\r\n ", b"\n ").replace(b"\r\n\t", b"\n\t").split(b"\r\n")
    names = {name.lower().encode() for name in header}
    kept = [one for one in fields if one.partition(b":")[0].lower() not in names]
    added = [f"{name}: {value}".encode() for name, value in header.items() if value]
    return (
        b"\r\n".join([*kept, *added]).replace(b"\n ", b"\r\n ").replace(b"\r\r\n", b"\r\n")
        + b"\r\n\r\n"
        + body
    )
