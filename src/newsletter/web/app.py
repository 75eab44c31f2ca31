"""The endpoint as an ASGI application, for `newsletter serve` and for any other server.

    uvicorn --factory newsletter.web.app:create_app

takes the publication in the folder `NEWSLETTER_ROOT`, or else in the current one.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Scope

from newsletter.config import CONFIG_NAME
from newsletter.errors import ConfigError, NewsletterError
from newsletter.membership import open_membership
from newsletter.project import Project
from newsletter.rendering.pages import ASSETS, Pages
from newsletter.web import issues, leaving, subscribing
from newsletter.web.desk import RETRY_SECONDS, Desk
from newsletter.web.guard import Guard
from newsletter.web.journal import failed
from newsletter.web.outbox import Outbox
from newsletter.web.store import Reader, Writer
from newsletter.web.visitor import trusted_networks
from newsletter.web.webhooks import rooms as webhooks
from newsletter.web.webhooks.fetching import https_get

ROOT_VARIABLE = "NEWSLETTER_ROOT"
READY_SECONDS = 5.0
LAST_MAIL_SECONDS = 10.0  # how long the end waits for a mail that is under way

LARGER_BODIES: Mapping[str, int] = {"/webhooks/": 1024 * 1024}
"""Beginnings of paths whose bodies may have more octets than a form."""

ROOMS: tuple[Callable[[Desk], list[Route]], ...] = (
    subscribing.routes,
    leaving.routes,
    issues.routes,
    webhooks.routes,
)
"""What makes the routes; whoever adds some adds a function here."""


def create_app(
    root: Path | str | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    clock: Callable[[], float] = time.time,
    fetch: Callable[[str], bytes] = https_get,
) -> ASGIApp:
    """The endpoint of the publication in `root`; its threads and its outbox live from ASGI's startup to its shutdown.

    Args:
        root: the folder; `NEWSLETTER_ROOT`, or else the current one, when absent.
        environ: such as `os.environ`.
        clock: seconds since the epoch.
        fetch: gets a certificate of Amazon's over https.

    Raises:
        NewsletterError: settings, templates, key or database cannot be used; there is no `public_url`; or new
            people may subscribe and there is no relay to ask them through.

    """
    folder = Path(root if root is not None else environ.get(ROOT_VARIABLE) or Path.cwd())
    project = Project.open(folder, environ=environ)
    publication = project.publication
    if publication.public_url is None:
        raise ConfigError(
            f"{CONFIG_NAME} has no public_url: say where people reach this endpoint, such as"
            " https://weekly.example.org, since the links in the mails lead there"
        )
    opened = partial(open_membership, project, clock=clock)
    with opened():
        pass  # what is wrong with key or database is told now
    pages = Pages(publication, root=project.root)
    desk = Desk(
        project=project,
        pages=pages,
        writer=Writer(opened),
        reader=Reader(opened),
        clock=clock,
        fetch=fetch,
    )
    mailbox = _mailbox(desk)
    routes: list[BaseRoute] = [*_service_routes(desk)]
    for room in ROOMS:
        routes += room(desk)
    app = Starlette(
        routes=routes,
        lifespan=partial(_lifespan, desk, mailbox),
        exception_handlers={
            HTTPException: partial(_http_error, desk),
            Exception: partial(_broken, desk),
        },
    )
    app.router.redirect_slashes = False
    return Guard(
        app,
        base=pages.base,
        trusted=trusted_networks(publication.web.trusted_proxies),
        refuse=partial(_refusal, desk),
        larger=LARGER_BODIES,
    )


def _mailbox(desk: Desk) -> Callable[[], Outbox] | None:
    """Makes the outbox when the loop runs; None where nobody can subscribe.

    Raises:
        NewsletterError: there is no relay, the mail's templates are wrong, or the DKIM key cannot be used.

    """
    from newsletter.composing.confirmation import ConfirmationMail
    from newsletter.transport.relay import find_relay
    from newsletter.transport.smtp import SmtpTransport

    project, publication = desk.project, desk.publication
    if not publication.signup.open:
        return None
    try:
        relay = find_relay(publication, root=project.root, environ=project.environ)
    except ConfigError as error:
        raise ConfigError(
            f"{error}; nobody can be asked to confirm without one"
            f" (`signup: {{open: false}}` in {CONFIG_NAME} serves those who are subscribed)"
        ) from None
    mail = ConfirmationMail(publication, desk.pages, keyring=project.keyring, signer=project.signer)
    return lambda: Outbox(desk, mail, SmtpTransport(relay))


@asynccontextmanager
async def _lifespan(
    desk: Desk, mailbox: Callable[[], Outbox] | None, app: Starlette
) -> AsyncIterator[None]:
    await desk.writer.start()
    outbox = mailbox() if mailbox else None
    sending = asyncio.create_task(outbox.run()) if outbox else None
    if outbox:
        desk.wake = outbox.wake
    try:
        yield
    finally:
        if outbox and sending:
            outbox.end()
            await asyncio.wait([sending], timeout=LAST_MAIL_SECONDS)
            sending.cancel()
        await desk.writer.stop()
        await desk.reader.stop()


def _service_routes(desk: Desk) -> list[Route]:
    """Files of the pages, and what a supervisor asks."""

    async def asset(request: Request) -> Response:
        file = desk.pages.files.get(request.path_params["name"])
        if file is None:
            return desk.notice(request, "missing", status=404)
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "ETag": f'"{request.path_params["name"]}"',
        }
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(file.data, media_type=file.mime_type, headers=headers)

    async def health(_request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def ready(_request: Request) -> Response:
        """Whether the database can be read and would take a change; nothing is changed."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                await desk.writer.do(lambda _: None)
                await desk.reader.ask(lambda membership: membership.register.find(bytes(10)))
        except TimeoutError:
            return JSONResponse({"database": "busy"}, 503)
        except NewsletterError as error:
            failed("getting ready", error)
            return JSONResponse(
                {"database": "unusable"}, 503, headers={"Retry-After": str(RETRY_SECONDS)}
            )
        return JSONResponse({"database": "ready"})

    return [
        Route(f"/{ASSETS}/{{name}}", asset, methods=["GET"]),
        Route("/health", health, methods=["GET"]),
        Route("/ready", ready, methods=["GET"]),
    ]


async def _http_error(desk: Desk, request: Request, error: Exception) -> Response:
    """What the router refuses, as a page in the same look."""
    assert isinstance(error, HTTPException)
    notice = "method" if error.status_code == 405 else "missing"
    response = desk.notice(request, notice, status=error.status_code)
    response.headers.update(error.headers or {})
    return response


async def _broken(desk: Desk, request: Request, error: Exception) -> Response:
    """What a visitor sees of a mistake of ours; the guard writes it down."""
    return _safe_notice(desk, request, "broken", status=500)


def _refusal(desk: Desk, scope: Scope, status: int, notice: str) -> ASGIApp:
    """What the guard refuses, likewise."""
    return _safe_notice(desk, Request(scope), notice, status=status)


def _safe_notice(desk: Desk, request: Request, name: str, *, status: int) -> Response:
    """A notice, or its bare bones when the template is what is broken."""
    try:
        return desk.notice(request, name, status=status)
    except NewsletterError as error:
        failed("a page", error)
        return PlainTextResponse("Something went wrong.\n", status)
