"""The digest of an edition: everything that a recipient could see, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from newsletter.errors import Problem
from newsletter.rendering.edition import Edition, EmbeddedImage, HostedImage, Landing, Slot

SLOT = Slot(token="NlAAQz", name="name", landing=Landing.HTML, fallback="读者")
IMAGE = EmbeddedImage(content_id="a@b", filename="a.png", mime_type="image/png", data=b"1")
EDITION = Edition(
    issue=1,
    subject="s",
    preheader="p",
    language="zh-CN",
    html="<p>NlAAQz</p>",
    text="NlBBQz",
    slots=(SLOT, Slot(token="NlBBQz", name="name", landing=Landing.TEXT)),
    images=(IMAGE,),
)

CHANGES: list[dict[str, Any]] = [
    {"issue": 2},
    {"subject": "t"},
    {"preheader": "q"},
    {"html": "<p> NlAAQz</p>"},
    {"text": "NlBBQz!"},
    {"slots": (replace(SLOT, fallback="朋友"), EDITION.slots[1])},
    {"slots": (replace(SLOT, name="email"), EDITION.slots[1])},
    {"slots": (replace(SLOT, landing=Landing.URL), EDITION.slots[1])},
    {"images": (replace(IMAGE, data=b"2"),)},
    {"images": (replace(IMAGE, content_id="b@b"),)},
    {"images": ()},
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_reader_sees_changes_the_digest(change):
    assert replace(EDITION, **change).digest != EDITION.digest


SAME: list[dict[str, Any]] = [
    {},
    {"warnings": (Problem(message="x"),)},
    {"hosted": (HostedImage(path="a", mime_type="image/png", data=b""),)},
    {
        "html": "<p>NlCCQz</p>",
        "slots": (replace(SLOT, token="NlCCQz"), EDITION.slots[1]),
    },
]


@pytest.mark.parametrize("change", SAME)
def test_what_a_reader_does_not_see_does_not(change):
    assert replace(EDITION, **change).digest == EDITION.digest


def test_the_digest_is_a_sha_256():
    assert len(bytes.fromhex(EDITION.digest)) == 32
