"""What all routes share: the publication, its pages, the two ways to the membership, and answers in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from newsletter.config import Publication
from newsletter.errors import NewsletterError
from newsletter.project import Project
from newsletter.rendering.pages import Pages
from newsletter.web.guard import NETWORK
from newsletter.web.journal import failed
from newsletter.web.store import Reader, Writer
from newsletter.web.webhooks.fetching import https_get

RETRY_SECONDS = 120  # when the database may be back


def _nobody() -> None:
    """There is no outbox to wake."""


@dataclass(kw_only=True)
class Desk:
    """What a route works with.

    Attributes:
        project: the publication.
        pages: its pages.
        writer: every change goes through here, and is durable when it returns.
        reader: for looking.
        clock: seconds since the epoch.
        fetch: gets a small thing over https, for signatures that name their certificate.
        wake: tells the outbox that there may be a mail to send.

    """

    project: Project
    pages: Pages
    writer: Writer
    reader: Reader
    clock: Callable[[], float]
    fetch: Callable[[str], bytes] = field(default=https_get)
    wake: Callable[[], None] = field(default=_nobody)
    _fixed: dict[tuple[str, str | None, str], bytes] = field(default_factory=dict, init=False)

    @property
    def publication(self) -> Publication:
        """newsletter.yaml."""
        return self.project.publication

    @property
    def has_choices(self) -> bool:
        """Whether there is anything to prefer."""
        signup = self.publication.signup
        return bool(signup.ask_name or signup.topics or len(signup.languages) > 1)

    def language(self, request: Request) -> str:
        """The language of pages for this visitor."""
        return self.pages.language(request.headers.get("accept-language", ""))

    def wording(self, request: Request) -> str:
        """What this visitor agrees to."""
        own = self.publication.signup.wording
        return own or self.pages.line("wording", language=self.language(request))

    def page(
        self, request: Request, name: str, *, status: int = 200, **context: Any
    ) -> HTMLResponse:
        """The page `name` in the visitor's language."""
        language = self.language(request)
        return _dressed(self.pages.page(name, language=language, **context), language, status)

    def fixed_page(
        self, request: Request, name: str, *, status: int = 200, notice: str | None = None
    ) -> HTMLResponse:
        """A page that is the same for everybody, made once for each language."""
        language = self.language(request)
        key = (name, notice, language)
        if key not in self._fixed:
            self._fixed[key] = self.pages.page(name, language=language, notice=notice).encode()
        return _dressed(self._fixed[key], language, status)

    def notice(
        self, request: Request, name: str, *, status: int, retry: int | None = None
    ) -> HTMLResponse:
        """A page that is only a heading and a sentence.

        Args:
            request: whose language it takes.
            name: of the notice, in the theme's `pages/strings.j2`.
            status: of the response.
            retry: seconds after which to try again.

        """
        response = self.fixed_page(request, "notice", status=status, notice=name)
        if retry is not None:
            response.headers["Retry-After"] = str(retry)
        return response

    def away(self, request: Request, error: NewsletterError) -> HTMLResponse:
        """What a visitor is told when a change cannot be stored; the operator gets the reason."""
        failed("a change", error)
        return self.notice(request, "away", status=503, retry=RETRY_SECONDS)


def _dressed(html: str | bytes, language: str, status: int) -> HTMLResponse:
    headers = {"Content-Language": language, "Vary": "Accept-Language"}
    return HTMLResponse(html, status, headers=headers)


def network(request: Request) -> str:
    """The client's network, see `visitor.network_of`."""
    found: str = request.scope[NETWORK]
    return found
