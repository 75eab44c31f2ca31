"""A publication with one small issue, for sends whose point is the sending."""

from __future__ import annotations

from pathlib import Path

CONFIG = """\
name: Small Weekly
language: en
timezone: UTC
from: {name: Small Weekly, address: weekly@example.org}
public_url: https://weekly.example.org
subject: "{name} {number}: {title}"
"""
ISSUE = """\
number: 1
title: A short one
date: 2026-01-05T09:00:00Z
status: ready
sections:
  - items:
      - kind: text
        body: Hello.
"""
HTML = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ subject }}</title></head>
<body><p>Dear {{ subscriber.name }},</p>
{% for section in sections %}{% for item in section.items %}{{ block(item) }}{% endfor %}{% endfor %}
<p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p></body></html>
"""
TEXT = """\
Dear {{ subscriber.name }},
{% for section in sections %}{% for item in section.items %}
{{ block(item) }}
{% endfor %}{% endfor %}
Unsubscribe:
{{ unsubscribe_url }}
"""


def write_publication(root: Path, readers: int, *, settings: str = "") -> Path:
    """Write it; `settings` are further lines of newsletter.yaml."""
    files = {
        "newsletter.yaml": CONFIG + settings,
        "content/001.yaml": ISSUE,
        "templates/issue.html.j2": HTML,
        "templates/issue.txt.j2": TEXT,
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    write_list(root, [f"reader{number}@example.net" for number in range(readers)])
    return root


def write_list(root: Path, addresses: list[str]) -> None:
    """The list, in this order."""
    rows = [f"{address},{address.partition('@')[0]}" for address in addresses]
    (root / "subscribers.csv").write_text("\n".join(["email,name", *rows, ""]), encoding="utf-8")
