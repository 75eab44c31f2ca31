"""Issue 64 of the sample publication, rendered once, and small publications that use its theme."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree, html

from newsletter.config import Publication, load_publication
from newsletter.content.models import Issue
from newsletter.content.reader import read_issue
from newsletter.rendering.edition import Edition
from newsletter.rendering.render import Renderer

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def publication() -> Publication:
    return load_publication(ROOT, environ={})


@pytest.fixture(scope="session")
def issue(publication: Publication) -> Issue:
    path = ROOT / "content/064.yaml"
    return read_issue(path, root=ROOT, kinds=frozenset(), zone=publication.zone).issue


@pytest.fixture(scope="session")
def edition(publication: Publication, issue: Issue) -> Edition:
    return Renderer(publication, root=ROOT).render(issue)


@pytest.fixture(scope="session")
def page(edition: Edition) -> etree._Element:
    return html.document_fromstring(edition.html)


@pytest.fixture
def render(publication: Publication, tmp_path: Path) -> Callable[..., Edition]:
    """`render(item, …, language="en")`: an edition whose one section has these items."""
    shutil.copytree(ROOT / "assets", tmp_path / "assets")

    def make(*items: dict[str, Any], grouped: bool = False, **settings: Any) -> Edition:
        section = {"groups": [{"title": "组", "items": items}]} if grouped else {"items": items}
        source = {"number": 7, "title": "试刊", "sections": [{"title": "一节", **section}]}
        changed = publication.model_copy(update=settings)
        return Renderer(changed, root=tmp_path).render(Issue.model_validate(source))

    return make
