"""The public pages, and the mail that asks for a confirmation: the templates of a theme's folder `pages/`.

They are rendered like blocks, in the same sandbox, and a publication may replace each of them. What they show comes
from the endpoint; docs/templates.md lists it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from newsletter.config import CONFIG_NAME, Publication
from newsletter.errors import Place, Problem, TemplateError
from newsletter.rendering.environment import Theme
from newsletter.rendering.folders import PACKAGED_THEME, ThemeFolders
from newsletter.rendering.images import Hosted, Picture, Shelf
from newsletter.rendering.inline import inline_css
from newsletter.rendering.mistake import Mistake
from newsletter.rendering.plaintext import finish_text

ASSETS = "assets"
_STYLE = "pages/page.css"
_MAIL_STYLES = {"inlined": "styles/inlined.css", "head": "styles/head.css"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFile:
    """A file that pages refer to; its name changes with its bytes."""

    mime_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MailParts:
    """A mail that is not an issue, before it has a header."""

    subject: str
    text: str
    html: str


class Pages:
    """The pages of one publication.

    Args:
        publication: newsletter.yaml.
        root: its folder; nothing outside it is read, except the packaged theme.
        packaged: the folder of the packaged theme.

    Attributes:
        base: what stands before every path: the path of `public_url`, without a slash at its end.
        files: style sheet and masthead by the name that they have below `base`/assets/.

    Raises:
        TemplateError: the style sheet or the masthead cannot be used.

    """

    def __init__(
        self, publication: Publication, *, root: Path, packaged: Path = PACKAGED_THEME
    ) -> None:
        self.publication = publication
        self.base = urlsplit(publication.public_url or "").path
        self.files: dict[str, PageFile] = {}
        try:
            self._folders = ThemeFolders.of(root, publication.templates, packaged=packaged)
            self._theme = Theme(self._folders, filters={}, functions={})
            self._style = self._keep_style()
            self._masthead = self._keep_masthead(root)
            self._styles = {
                name: Markup(self._folders.load(path)[1]) for name, path in _MAIL_STYLES.items()
            }
        except Mistake as mistake:
            problem = Problem(
                message=mistake.message, hint=mistake.hint, place=Place(path=CONFIG_NAME)
            )
            raise TemplateError(problems=[problem]) from None

    def language(self, wanted: str) -> str:
        """The language tag of pages for a visitor.

        Args:
            wanted: the visitor's Accept-Language (RFC 9110 section 12.5.4); it chooses between Chinese and English,
                the publication's own of these wins a tie.

        """
        own = self.publication.language
        chinese = _is_chinese(own)
        prefers = _prefers_chinese(wanted)
        if prefers is None or prefers == chinese:
            return own if chinese or own.lower().startswith("en") else "en"
        return "zh-CN" if prefers else "en"

    def page(self, name: str, *, language: str, **context: Any) -> str:
        """The HTML of `pages/NAME.html.j2`.

        Raises:
            TemplateError: the template is missing or wrong.

        """
        values = self._context(language) | {
            "base": self.base,
            "style_url": self._style,
            "masthead": self._masthead,
        }
        return self._theme.render(f"pages/{name}.html.j2", values | context, html=True) + "\n"

    def line(self, name: str, *, language: str, **context: Any) -> str:
        """The one line of text that `pages/NAME.txt.j2` makes.

        Raises:
            TemplateError: the template is missing or wrong.

        """
        values = self._context(language) | context
        made = self._theme.render(f"pages/{name}.txt.j2", values, html=False)
        return " ".join(made.split())

    def mail(self, name: str, **context: Any) -> MailParts:
        """The mail of `pages/NAME-mail.*.j2`, in the publication's language, its CSS inlined.

        Raises:
            TemplateError: a template is missing or wrong.

        """
        language = self.language("")
        subject = self.line(f"{name}-mail-subject", language=language, **context)
        values = self._context(language) | {"subject": subject, "styles": self._styles} | context
        html = self._theme.render(f"pages/{name}-mail.html.j2", values, html=True)
        text = self._theme.render(f"pages/{name}-mail.txt.j2", values, html=False)
        return MailParts(
            subject=subject,
            text=finish_text(text, width=self.publication.text.wrap, language=language),
            html=inline_css(html)[0],
        )

    def _context(self, language: str) -> dict[str, Any]:
        return {"publication": self.publication, "language": language}

    def _keep_style(self) -> str:
        _, css = self._folders.load(_STYLE)
        data = css.encode()
        name = f"{hashlib.sha256(data).hexdigest()[:16]}-page.css"
        self.files[name] = PageFile(mime_type="text/css; charset=utf-8", data=data)
        return f"{self.base}/{ASSETS}/{name}"

    def _keep_masthead(self, root: Path) -> Picture | None:
        if self.publication.masthead is None:
            return None
        shelf = Shelf(root, Hosted(self.base))
        picture = shelf.file(self.publication.masthead, width=640)
        for image in shelf.hosted(picture.url):
            name = image.path.removeprefix(f"{ASSETS}/")
            self.files[name] = PageFile(mime_type=image.mime_type, data=image.data)
        return picture


def _is_chinese(tag: str) -> bool:
    return tag.strip()[:2].lower() == "zh"


def _prefers_chinese(wanted: str) -> bool | None:
    """Whether Chinese stands before English in an Accept-Language; None when it has neither."""
    best: dict[bool, float] = {}
    for item in wanted[:1000].split(","):
        tag, _, weight = item.partition(";")
        tag = tag.strip().lower()
        if tag[:2] not in ("zh", "en") or tag[2:3] not in ("", "-"):
            continue
        try:
            quality = float(weight.partition("=")[2] or 1)
        except ValueError:
            continue
        if quality > 0:
            best[_is_chinese(tag)] = max(quality, best.get(_is_chinese(tag), 0.0))
    if not best:
        return None
    # Of two that are wanted alike the first counts.
    return max(best, key=lambda chinese: best[chinese])
