"""An edition: one issue as HTML and plain text, with slots where a value differs per recipient."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from newsletter.errors import Problem


class Landing(StrEnum):
    """Where a slot's value lands, which decides how it is escaped."""

    HTML = "html"  # text or attribute value of HTML
    URL = "url"  # inside a URL that stands in an HTML attribute: percent-encoded
    TEXT = "text"  # the plain-text part


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A token in the rendered text and the value that takes its place.

    Attributes:
        token: ASCII letters and digits only, unique within the edition; may occur many times.
        name: `name`, `email`, `fields.city`, `unsubscribe_url`, `online_url`: see `composing.values`.
        landing: how the value is escaped.
        fallback: used when the recipient's value is empty.

    """

    token: str
    name: str
    landing: Landing
    fallback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedImage:
    """An image that travels inside the message, referred to as `cid:` + content_id (RFC 2392)."""

    content_id: str
    filename: str
    mime_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedImage:
    """An image that the web site must have; `path` is relative to the publication's `site_url`."""

    path: str
    mime_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    r"""One issue rendered for one set of visible items.

    Attributes:
        issue: the issue's number.
        subject: the Subject header, one line.
        html: whole document, CSS inlined, with the tokens of `slots` in it.
        text: the plain-text part, `\n` line ends, with the tokens of `slots` in it.
        images: embedded images, in the order of first use.
        hosted: images that the archive publishes, when the publication has a web site.
        warnings: what rendering had to leave out, such as CSS that could not be inlined.

    """

    issue: int
    subject: str
    preheader: str
    language: str
    html: str
    text: str
    slots: tuple[Slot, ...] = ()
    images: tuple[EmbeddedImage, ...] = ()
    hosted: tuple[HostedImage, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of everything a recipient could see, in hex; how tokens are spelt is left out."""
        sha = hashlib.sha256()
        parts = [str(self.issue), self.subject, self.preheader, *self._spoken()]
        for part in parts:
            sha.update(part.encode("utf-8", "surrogatepass") + b"\0")
        for image in self.images:
            sha.update(image.content_id.encode() + hashlib.sha256(image.data).digest())
        return sha.hexdigest()

    def _spoken(self) -> tuple[str, str]:
        """Both parts with the meaning of each slot in place of its token."""
        html, text = self.html, self.text
        for slot in self.slots:
            meaning = "\0".join((slot.name, slot.landing, slot.fallback))
            html = html.replace(slot.token, meaning)
            text = text.replace(slot.token, meaning)
        return html, text
