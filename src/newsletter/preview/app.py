"""The preview's routes: the page, what it asks for, and the mail's document for the frame."""

from __future__ import annotations

import json
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from newsletter.preview.events import Hub
from newsletter.preview.framing import Client, Dark, LocalUrl, preview_copy
from newsletter.preview.gallery import Gallery
from newsletter.preview.guard import Guard, mail_policy
from newsletter.preview.snapshot import Snapshot
from newsletter.preview.sources import excerpt
from newsletter.preview.studio import Studio
from newsletter.preview.trial import MAX_BODY, send_trial
from newsletter.preview.views import entry_json, view_json

STATIC = Path(__file__).resolve().parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def build_app(studio: Studio, hub: Hub, *, token: str, port: int) -> Guard:
    """The ASGI application. Every path begins with `/token`; see `guard` for who gets an answer."""
    desk = _Desk(studio, hub, base=f"/{token}/")
    routes = [
        Route("/{token}", desk.home),
        Route("/{token}/", desk.page),
        Route("/{token}/{number:int}", desk.page),
        Route("/{token}/static/{name}", desk.static),
        Route("/{token}/events", desk.events),
        Route("/{token}/api/publication", desk.publication),
        Route("/{token}/api/issues/{number:int}", desk.issue),
        Route("/{token}/api/issues/{number:int}/trial", desk.trial, methods=["POST"]),
        Route("/{token}/api/findings/{id}", desk.findings),
        Route("/{token}/api/people", desk.people),
        Route("/{token}/api/source", desk.source),
        Route("/{token}/mail/{id}", desk.mail),
        Route("/{token}/views/{id}/{kind}", desk.lines),
        Route("/{token}/image/{name}", desk.image),
    ]
    return Guard(Starlette(routes=routes), token=token, port=port)


class _Desk:
    """One method per route."""

    def __init__(self, studio: Studio, hub: Hub, *, base: str) -> None:
        self._studio = studio
        self._hub = hub
        self._base = base
        self._gallery = Gallery()
        self._static = frozenset(path.name for path in STATIC.iterdir())

    async def home(self, _request: Request) -> Response:
        return RedirectResponse(self._base)

    async def page(self, _request: Request) -> Response:
        return FileResponse(STATIC / "index.html", media_type=_TYPES[".html"])

    async def static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._static:
            return _missing()
        return FileResponse(STATIC / name, media_type=_TYPES[Path(name).suffix])

    async def events(self, _request: Request) -> Response:
        return StreamingResponse(self._hub.stream(), media_type="text/event-stream")

    async def publication(self, _request: Request) -> Response:
        version = self._hub.version
        project, entries, faults = await run_in_threadpool(self._studio.publication)
        return JSONResponse(
            {
                "version": version,
                "name": project.publication.name,
                "description": project.publication.description,
                "language": project.publication.language,
                "issues": [entry_json(entry) for entry in entries],
                "problems": faults,
            }
        )

    async def issue(self, request: Request) -> Response:
        version = self._hub.version  # before rendering: what is saved meanwhile makes it stale
        number = request.path_params["number"]
        reader = request.query_params.get("as", "")
        sight = await run_in_threadpool(self._studio.sight, number, reader)
        view = None
        if sight.snapshot:
            view = view_json(sight.snapshot, local=self._local(sight.snapshot))
        return JSONResponse(
            {
                "version": version,
                "language": self._studio.language,
                "problems": sight.faults,
                "view": view,
            }
        )

    async def findings(self, request: Request) -> Response:
        snapshot = self._studio.snapshot(request.path_params["id"])
        if snapshot is None:
            return _missing()
        found = await run_in_threadpool(self._studio.findings, snapshot)
        return JSONResponse({"findings": found})

    async def trial(self, request: Request) -> Response:
        if int(request.headers.get("content-length", MAX_BODY + 1)) > MAX_BODY:
            return PlainTextResponse("too long\n", 413)
        try:
            wish = json.loads(await request.body())
            to, reader = str(wish["to"]), str(wish["as"])
        except (ValueError, TypeError, KeyError):
            return PlainTextResponse("send an object with `to` and `as`\n", 400)
        number = request.path_params["number"]
        return JSONResponse(await send_trial(self._studio, number, to=to, reader=reader))

    async def people(self, request: Request) -> Response:
        number = request.query_params.get("issue", "")
        people, total = await run_in_threadpool(
            self._studio.people,
            request.query_params.get("q", ""),
            int(number) if number.isascii() and number.isdigit() else None,
        )
        return JSONResponse({"people": [person.json() for person in people], "total": total})

    async def source(self, request: Request) -> Response:
        line = request.query_params.get("line", "")
        if not (line.isascii() and line.isdigit()):
            return PlainTextResponse("line must be a number\n", 400)
        path = request.query_params.get("path", "")
        found = await run_in_threadpool(
            excerpt, self._studio.root, path, min(int(line), 10**9), around=3
        )
        return JSONResponse({"path": path, "first": found.first, "lines": found.lines})

    async def mail(self, request: Request) -> Response:
        snapshot = self._studio.snapshot(request.path_params["id"])
        if snapshot is None:
            return _missing()
        client = _client(request)
        html = await run_in_threadpool(
            preview_copy, snapshot.anatomy.html, client=client, local=self._local(snapshot)
        )
        policy = mail_policy(images=client.images)
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    async def lines(self, request: Request) -> Response:
        snapshot = self._studio.snapshot(request.path_params["id"])
        if snapshot is None:
            return _missing()
        match request.path_params["kind"]:
            case "source":
                return PlainTextResponse(snapshot.anatomy.html)
            case "raw":
                return PlainTextResponse(snapshot.anatomy.data.decode("utf-8", "replace"))
        return _missing()

    async def image(self, request: Request) -> Response:
        image = self._gallery.get(request.path_params["name"])
        if image is None:
            return _missing()
        return Response(
            image.data,
            media_type=image.mime_type,
            headers={"Cache-Control": "private, max-age=86400, immutable"},
        )

    def _local(self, snapshot: Snapshot) -> LocalUrl:
        return self._gallery.local_urls(
            snapshot.edition, site_url=snapshot.site_url, base=self._base
        )


def _client(request: Request) -> Client:
    query = request.query_params
    dark = query.get("dark", Dark.OFF)
    return Client(
        images=query.get("images") != "off",
        styles=query.get("styles") != "off",
        dark=Dark(dark) if dark in set(Dark) else Dark.OFF,
    )


def _missing() -> Response:
    return PlainTextResponse("There is no such thing here (any more).\n", 404)
