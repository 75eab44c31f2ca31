"""One's own issue in the browser: the HTML of the very message that a reader was sent, pictures and ways out included.

Only issues that were sent are shown, to readers that they were sent to. What an author has mended since is mended here.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from newsletter.audience.models import Subscriber
from newsletter.audience.tokens import Purpose
from newsletter.errors import NewsletterError, UsageError
from newsletter.mailing import Mailing
from newsletter.membership import Membership
from newsletter.project import Project
from newsletter.rendering.edition import EmbeddedImage
from newsletter.web.desk import Desk
from newsletter.web.leaving import FORGOTTEN

KEPT = 8  # issues that are kept rendered
MAIL_POLICY = (
    "default-src 'none'; img-src {images}; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_NUMBER = re.compile(r"[1-9]\d{0,6}")
_PICTURE = re.compile(r"[0-9a-f]{16}")
_REMOTE = re.compile(r"""<img\b[^>]*?\ssrc=["']?(https?://[^/"'\s>]+)""", re.IGNORECASE)


def routes(desk: Desk) -> list[Route]:
    """`/v/ISSUE/TOKEN`, and the pictures of issues."""
    rooms = _Rooms(desk)
    return [
        Route("/v/{number}/picture/{name}", rooms.picture, methods=["GET"]),
        Route("/v/{number}/{token}", rooms.view, methods=["GET"]),
    ]


class _Rooms:
    """One method per route."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rack = Rack(desk.project)

    async def view(self, request: Request) -> Response:
        """The issue as its reader got it."""
        desk = self._desk
        number = _number(request)
        who = desk.project.keyring.verify(request.path_params["token"], Purpose.VIEW)
        if who is None or number is None:
            return desk.notice(request, "link", status=404)
        try:
            reader = await desk.reader.ask(partial(_reader, number=number, who=who))
            if reader is None:
                return desk.notice(request, "link", status=404)
            copy = await asyncio.to_thread(self._rack.copy, number, reader, base=desk.pages.base)
        except UsageError:  # its source is gone
            return desk.notice(request, "missing", status=404)
        except NewsletterError as error:
            return desk.away(request, error)
        policy = MAIL_POLICY.format(images=" ".join(["'self'", *copy.elsewhere]))
        headers = {"Content-Security-Policy": policy}
        return HTMLResponse(copy.html, headers=headers)

    async def picture(self, request: Request) -> Response:
        """A picture that travelled inside the messages of an issue."""
        desk = self._desk
        number, name = _number(request), request.path_params["name"]
        image = None
        if number is not None and _PICTURE.fullmatch(name):
            try:
                if await desk.reader.ask(partial(_was_sent, number=number)):
                    image = await asyncio.to_thread(self._rack.picture, number, name)
            except UsageError:
                image = None
            except NewsletterError as error:
                return desk.away(request, error)
        if image is None:
            return desk.notice(request, "missing", status=404)
        return Response(
            image.data,
            media_type=image.mime_type,
            headers={"Cache-Control": "private, max-age=86400, immutable"},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A message's HTML for the browser.

    Attributes:
        elsewhere: origins of the pictures that are not ours to serve.

    """

    html: str
    elsewhere: tuple[str, ...]


class Rack:
    """Issues that were rendered, until one of the files they were made of is saved. Safe to call from any thread."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._lock = threading.Lock()
        self._mailings: OrderedDict[int, tuple[Mailing, dict[Path, int]]] = OrderedDict()

    def copy(self, number: int, reader: Subscriber, *, base: str) -> Copy:
        """What `reader` was sent as issue `number`.

        Raises:
            NewsletterError: the issue cannot be rendered any more.

        """
        with self._lock:
            composer = self._mailing(number).composer(reader)
            html = composer.html(reader)
        for image in composer.edition.images:
            url = f"{base}/v/{number}/picture/{_name(image)}"
            html = html.replace(f"cid:{image.content_id}", url)
        origins = dict.fromkeys(_REMOTE.findall(composer.edition.html))
        elsewhere = [origin for origin in origins if urlsplit(origin).hostname]
        return Copy(html=html, elsewhere=tuple(elsewhere))

    def picture(self, number: int, name: str) -> EmbeddedImage | None:
        """The picture of issue `number` that `copy` called so."""
        with self._lock:
            images = self._mailing(number).composer().edition.images
        return next((image for image in images if _name(image) == name), None)

    def _mailing(self, number: int) -> Mailing:
        """The issue, rendered anew when a file that went into it has changed."""
        mailing, stamps = self._mailings.get(number, (None, {}))
        if mailing is None or any(_stamp(path) != stamp for path, stamp in stamps.items()):
            source = self._project.issue(number)
            mailing = Mailing(self._project, source, signed=False)
            mailing.composer()
            paths = {source.path, *mailing.dependencies}
            self._mailings[number] = mailing, {path: _stamp(path) for path in paths}
        self._mailings.move_to_end(number)
        while len(self._mailings) > KEPT:
            self._mailings.popitem(last=False)
        return mailing


def _reader(membership: Membership, *, number: int, who: bytes) -> Subscriber | None:
    """Whom an issue was sent to, as the send knew them."""
    stopped = membership.register.suppression(who)
    if stopped is not None and stopped.reason == FORGOTTEN:
        return None
    campaign = membership.ledger.campaign(number)
    return membership.ledger.reader(campaign, who) if campaign else None


def _was_sent(membership: Membership, *, number: int) -> bool:
    return membership.ledger.campaign(number) is not None


def _number(request: Request) -> int | None:
    text = request.path_params["number"]
    return int(text) if _NUMBER.fullmatch(text) else None


def _name(image: EmbeddedImage) -> str:
    return image.content_id.partition("@")[0]


def _stamp(path: Path) -> int:
    """When a file was saved, in nanoseconds; 0 when it is gone."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
