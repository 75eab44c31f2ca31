"""A small publication on disk, whose templates a test may change."""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from newsletter.config import Publication
from newsletter.content.models import Issue, Location
from newsletter.errors import Problem, TemplateError
from newsletter.rendering.edition import Edition
from newsletter.rendering.render import Renderer

DATA = Path(__file__).parent / "data"
CONFIG: dict[str, Any] = {
    "name": "小周刊",
    "from": {"name": "小周刊", "address": "weekly@example.org"},
    "list_id": "weekly.example.org",
}


def png(width: int, height: int, shade: int = 0) -> bytes:
    """A grey PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = b"".join(b"\0" + bytes([shade]) * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


class Desk:
    """A publication's folder with the small theme in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config: dict[str, Any] = dict(CONFIG)

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file below the folder."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def html(self, body: str, *, head: str = "") -> None:
        """Make `issue.html.j2` a document with this body."""
        self.write(
            "templates/issue.html.j2",
            f"<!doctype html>\n<html><head><title>t</title>{head}</head>\n<body>\n{body}\n</body></html>\n",
        )

    def text(self, body: str) -> None:
        """Make `issue.txt.j2` this."""
        self.write("templates/issue.txt.j2", body)

    def renderer(self, **changes: Any) -> Renderer:
        """A renderer that knows this folder only."""
        publication = Publication.model_validate(self.config | changes)
        return Renderer(publication, root=self.root, packaged=self.root / "no-theme")

    def render(
        self,
        issue: Issue | None = None,
        *,
        hidden: frozenset[Location] = frozenset(),
        **changes: Any,
    ) -> Edition:
        """The edition of an issue, by default of a small one."""
        return self.renderer(**changes).render(issue or make_issue(), hidden=hidden)

    def refuse(self, issue: Issue | None = None, **changes: Any) -> Problem:
        """The one problem for which the issue is not rendered."""
        with pytest.raises(TemplateError) as caught:
            self.render(issue, **changes)
        (problem,) = caught.value.problems
        assert "\n" not in problem.message + (problem.hint or "")
        return problem


def make_issue(*items: dict[str, Any], **fields: Any) -> Issue:
    """An issue with one section of these items."""
    default = ({"kind": "sponsor", "company": "甲公司", "slogan": "快"},)
    section = {"title": "一", "items": items or default}
    return Issue.model_validate({"number": 7, "title": "七", "sections": [section]} | fields)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    shutil.copytree(DATA / "theme", tmp_path / "templates")
    return Desk(tmp_path)


@pytest.fixture
def issue() -> Callable[..., Issue]:
    return make_issue


@pytest.fixture
def picture() -> Callable[..., bytes]:
    return png
