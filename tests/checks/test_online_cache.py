"""Verdicts that are kept between runs."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from probing import NOW, probe, verdict
from web_server import Web

from newsletter.checks.online.verdict import Kind


def test_verdicts_are_kept_for_a_while(web: Web, tmp_path: Path) -> None:
    cache = tmp_path / "state" / "cache" / "links.json"
    paths = ("/fine", "/moved", "/missing", "/forbidden")
    addresses = [web.url(path) for path in paths]

    def run(at: datetime) -> list[str]:
        web.asked.clear()
        probe(cache=cache, now=lambda: at).verdicts(addresses)
        return sorted({each.path for each in web.asked})

    assert run(NOW) == ["/fine", "/forbidden", "/missing", "/moved"]
    assert run(NOW + timedelta(minutes=30)) == ["/forbidden"]
    assert run(NOW + timedelta(hours=2)) == ["/forbidden", "/missing"]
    assert run(NOW + timedelta(days=8)) == ["/fine", "/forbidden", "/missing", "/moved"]
    assert run(NOW - timedelta(days=8)) == ["/fine", "/forbidden", "/missing", "/moved"]
    assert [each.name for each in cache.parent.iterdir()] == ["links.json"]


def test_what_is_kept_is_what_was_found(web: Web, tmp_path: Path) -> None:
    cache = tmp_path / "links.json"
    address = web.url("/moved")
    found = probe(cache=cache).verdicts([address])
    assert probe(cache=cache).verdicts([address]) == found
    assert json.loads(cache.read_text("utf-8"))["links"][address]["moved_to"] == web.url("/fine")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"format": 99, "links": {}}',
        '{"format": 1, "links": {"http://a/": {}}}',
        '{"format": 1, "links": {"http://a/": {"kind": "odd", "reason": "", "media": "", "at": ""}}}',
        '{"format": 1, "links": {"http://a/": {"kind": "fine", "reason": "", "media": "", "at": "2026-11-23"}}}',
    ],
)
def test_a_cache_that_cannot_be_read_is_made_anew(web: Web, tmp_path: Path, text: str) -> None:
    cache = tmp_path / "links.json"
    cache.write_text(text)
    assert verdict(web, "/fine", cache=cache).kind is Kind.FINE
    assert web.url("/fine") in json.loads(cache.read_text("utf-8"))["links"]


def test_a_cache_that_cannot_be_written_is_no_reason_to_fail(web: Web, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert verdict(web, "/fine", cache=tmp_path / "file" / "links.json").kind is Kind.FINE
