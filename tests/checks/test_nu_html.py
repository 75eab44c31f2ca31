"""The Nu HTML checker (the W3C's and WHATWG's) has no complaint about the mail, but for what mail needs."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from node_package import CannotFetch, fetched

from newsletter.checking import examine
from newsletter.mailing import Mailing
from newsletter.project import Project

ROOT = Path(__file__).resolve().parents[2]
VERSION = "26.9.27"
EXCEPTIONS = {
    r"CSS: “mso-hide”: Property “mso-hide” doesn't exist\.": (
        "Word's own, and the surest way to hide the preheader there: it ignores max-height and overflow"
    ),
    r"CSS: “mso-table-[lr]space”: Property “mso-table-[lr]space” doesn't exist\.": (
        "Word's own: it sets a gap beside every table, and nothing else takes it away"
    ),
}
"""Errors that are meant, with the reason why there is no other way."""


@pytest.fixture(scope="module")
def nu(requires: Callable[[str], Path]) -> Callable[[str], list[dict[str, Any]]]:
    """`nu(html)`: the errors of a document."""
    java = requires("java")
    requires("npm")
    try:
        jar = fetched("vnu-jar", VERSION) / "build" / "dist" / "vnu.jar"
    except CannotFetch as error:
        pytest.skip(f"vnu-jar {VERSION} cannot be had: {error}")

    def check(html: str) -> list[dict[str, Any]]:
        done = subprocess.run(
            [java, "-jar", jar, "--errors-only", "--format", "json", "--stdout", "-"],
            input=html.encode(),
            capture_output=True,
            timeout=120,
            check=False,
        )
        messages: list[dict[str, Any]] = json.loads(done.stdout)["messages"]
        assert not [each for each in messages if each["type"] == "non-document-error"]
        return messages

    return check


def mail(number: int) -> str:
    """The HTML part of a sample issue, as the longest reader gets it."""
    project = Project.open(ROOT, environ={"NEWSLETTER_SECRET": "0123456789abcdef" * 4})
    return examine(Mailing(project, project.issue(number), signed=False)).html


def test_the_checker_finds_errors(nu: Callable[[str], list[dict[str, Any]]]) -> None:
    bad = "<!doctype html><html lang=zh-CN><head><title>x</title></head><body><p><div></p></body></html>"
    assert "No “p” element in scope" in nu(bad)[0]["message"]


@pytest.mark.parametrize("number", [64, 65])
def test_the_sample_has_no_error(nu: Callable[[str], list[dict[str, Any]]], number: int) -> None:
    messages = [each["message"] for each in nu(mail(number))]
    assert [text for text in messages if not any(re.fullmatch(p, text) for p in EXCEPTIONS)] == []
    unused = [p for p in EXCEPTIONS if not any(re.fullmatch(p, text) for text in messages)]
    assert unused == [], "an exception that is not needed any more"
