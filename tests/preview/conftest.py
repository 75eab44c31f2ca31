"""A small publication, a preview in a process of its own, and a window to look at it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

SERVE = """
import os, sys
from pathlib import Path
from newsletter.preview.server import serve
from newsletter.project import Project
number = int(sys.argv[2]) if sys.argv[2] else None
serve(
    Project.open(Path(sys.argv[1]), environ=dict(os.environ)), number,
    port=int(sys.argv[3]), open_browser=False, announce=lambda line: print(line, flush=True),
    **({} if sys.argv[4] == "checks" else {"inspector": None}),
)
"""
CONFIG = """\
name: 测试周刊
from: {name: 测试周刊, address: weekly@example.org}
language: zh-CN
public_url: https://weekly.example.org
audience: subscribers.csv
"""
ISSUE_7 = """\
number: 7
title: 第七期的标题
date: 2026-03-02T09:00:00+08:00
status: ready
preheader: 预览文字在这里
sections:
  - title: 导读
    items:
      - kind: text
        body: 原来的一句话。
      - kind: text
        body: 只给读论文的人。
        only: {tags: [paper]}
      - kind: article
        title: 一篇值得读的文章
        url: https://example.net/article
      - kind: image
        src: assets/dot.png
        alt: 一个红点
        width: 300
      - kind: text
        body: |
          第一段，后面还有很多段。

          第二段。

          第三段，写得长一些，好让页面能滚动：一二三四五六七八九十，一二三四五六七八九十。

          第四段。
"""
ISSUE_8 = "---\nnumber: 8\ntitle: 第八期\nstatus: draft\n---\n\n第八期的正文。\n"
SUBSCRIBERS = """\
email,name,status,tags,language
lin@example.com,林晓雨,active,paper,zh-CN
bo@example.com,王,active,,zh-CN
long@example.net,Wolfeschlegelsteinhausenbergerdorff,active,,en
none@example.org,,active,,
gone@example.org,走了,unsubscribed,,
"""
# A theme of its own, so that these tests do not change with the looks of the packaged one.
TEMPLATES = {
    "issue.html.j2": """\
<!doctype html>
<html lang="{{ publication.language }}">
<head>
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>{{ subject }}</title>
<style>{{ stylesheet("inlined.css") }}</style>
<style data-premailer="ignore">{{ stylesheet("head.css") }}</style>
</head>
<body>
<div class="preheader">{{ preheader }}&#8199;&#65279;&#847;</div>
<h1>{{ issue.title }}</h1>
<p class="hello">{{ subscriber.name|fallback("读者") }}，您好！</p>
{% for section in sections %}{% for item in section.items %}
<div class="item">{{ block(item) }}</div>
{% endfor %}{% endfor %}
<p><a href="{{ unsubscribe_url }}">退订</a></p>
</body>
</html>
""",
    "issue.txt.j2": """\
{{ issue.title }}
{{ subscriber.name|fallback("读者") }}，您好！
{% for section in sections %}{% for item in section.items %}
{{ block(item) }}
{% endfor %}{% endfor %}
{{ unsubscribe_url }}
""",
    "styles/inlined.css": """\
body { margin: 0; padding: 24px; background-color: #ffffff; color: #202020; font-size: 16px; }
.preheader { display: none; }
.item { margin-bottom: 24px; line-height: 1.8; }
""",
    "styles/head.css": """\
@media (max-width: 480px) { h1 { font-size: 20px !important; } }
@media (prefers-color-scheme: dark) { body { background-color: #101418 !important; } }
""",
    "blocks/text.html.j2": "{{ item.body|markdown }}",
    "blocks/text.txt.j2": "{{ item.body|markdown }}",
    "blocks/article.html.j2": '<a href="{{ item.url }}">{{ item.title }}</a>',
    "blocks/article.txt.j2": "{{ item.title }}\n{{ item.url }}",
    "blocks/image.html.j2": """\
{% set picture = image(item.src, item.width) %}
<img src="{{ picture.url }}" width="{{ picture.width }}" alt="{{ item.alt }}">
""",
    "blocks/image.txt.j2": "{{ item.alt }}",
}


def png(width: int, height: int) -> bytes:
    """A red PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    rows = (b"\0" + b"\xd0\x20\x20" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def make_publication(root: Path) -> Path:
    """A publication with two issues, five subscribers, a picture and a theme of its own to edit."""
    (root / "content").mkdir(parents=True)
    (root / "assets").mkdir()
    (root / "newsletter.yaml").write_text(CONFIG, "utf-8")
    (root / "content" / "007.yaml").write_text(ISSUE_7, "utf-8")
    (root / "content" / "008.md").write_text(ISSUE_8, "utf-8")
    (root / "subscribers.csv").write_text(SUBSCRIBERS, "utf-8")
    (root / "assets" / "dot.png").write_bytes(png(600, 300))
    for name, text in TEMPLATES.items():
        path = root / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


@pytest.fixture
def publication(tmp_path: Path) -> Path:
    """A publication to change."""
    return make_publication(tmp_path / "weekly")


@dataclass
class Answer:
    """What came back for one request."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Preview:
    """A preview that runs in a process of its own."""

    root: Path
    url: str
    process: subprocess.Popen[str] = field(repr=False)

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port is not None
        return port

    @property
    def base(self) -> str:
        """Address of the index page, with its slash."""
        return self.url[: self.url.index("/", len("http://127.0.0.1")) + 1] + f"{self.token}/"

    @property
    def token(self) -> str:
        return urlsplit(self.url).path.split("/")[1]

    def get(
        self, path: str = "", *, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> Answer:
        """Ask for `path` below the token, or from the root when it begins with a slash."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            target = path if path.startswith("/") else f"/{self.token}/{path}"
            connection.request(
                method, target, body, {k.replace("_", "-"): v for k, v in headers.items()}
            )
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()

    def write(self, name: str, text: str) -> None:
        """Save a file of the publication."""
        (self.root / name).write_text(text, "utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace words in a file, the way an editor does that writes over the old file."""
        text = (self.root / name).read_text("utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def replace(self, name: str, old: str, new: str) -> None:
        """The same, the way of an editor that writes a new file and renames it over the old one."""
        path = self.root / name
        text = path.read_text("utf-8")
        assert old in text
        draft = path.with_name(f".{path.name}.swp")
        draft.write_text(text.replace(old, new), "utf-8")
        os.replace(draft, path)  # noqa: PTH105

    def draw(self, name: str, width: int, height: int) -> None:
        """Save a red picture of this size."""
        (self.root / name).write_bytes(png(width, height))

    def insert(self, html: str) -> None:
        """Put markup at the beginning of the mail's body."""
        self.edit("templates/issue.html.j2", "<body>", f"<body>{html}")

    def stop(self) -> tuple[int, str]:
        """Press Ctrl-C; exit code and everything that was printed after the address."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out + err


Start = Callable[..., Preview]


def run_previews() -> Iterator[Start]:
    """Yields what starts a preview in a process; all of them end afterwards."""
    started: list[subprocess.Popen[str]] = []

    def run(root: Path, number: int | None = 7, *, port: int = 0, checks: bool = False) -> Preview:
        inspector = "checks" if checks else "none"
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(root), str(number or ""), str(port), inspector],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "NEWSLETTER_SECRET": "a secret only for these tests"},
        )
        started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        if not line:
            pytest.fail(f"the preview did not start: {process.communicate(timeout=20)[1]}")
        return Preview(root=root, url=line, process=process)

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate(timeout=20)


@pytest.fixture
def start() -> Iterator[Start]:
    """`start(root, number)` runs a preview of a folder until the test ends."""
    yield from run_previews()


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    """A preview of issue 7 for all tests of a module that change nothing."""
    for run in run_previews():
        yield run(make_publication(tmp_path_factory.mktemp("standing") / "weekly"))


@pytest.fixture
def preview(start: Start, publication: Path) -> Preview:
    """A running preview of issue 7."""
    return start(publication)


@dataclass
class Window:
    """One browser window, with every answer it got and every complaint."""

    page: Any
    reached: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def mail(self) -> Any:
        """The mail that is shown, not the one that loads behind it."""
        return self.page.frame_locator("iframe.mail:not(.waiting)")

    def open(self, url: str) -> Window:
        """Go there and wait for the mail."""
        self.page.goto(url)
        self.page.wait_for_selector("iframe.mail:not(.waiting)")
        return self


@pytest.fixture
def window(browser: Any) -> Iterator[Window]:
    """A window of a laptop's size."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    context.set_default_timeout(20_000)
    page = context.new_page()
    shown = Window(page)
    page.on("response", lambda response: shown.reached.append(response.url))
    page.on("console", lambda message: shown.complaints.append(message.text))
    page.on("pageerror", lambda error: shown.complaints.append(str(error)))
    yield shown
    context.close()
