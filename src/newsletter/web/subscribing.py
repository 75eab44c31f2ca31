"""Coming in: the form, and the link of the confirmation mail.

The answer to the form is the same whatever is known of an address, and leaves at a multiple of `web.answer_after`, so
that neither its words nor its time tell who is subscribed.
"""

from __future__ import annotations

import asyncio
import math
import time
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from newsletter.audience.confirming import confirmed_by
from newsletter.audience.models import Subscriber
from newsletter.errors import NewsletterError
from newsletter.membership import Membership
from newsletter.web.desk import RETRY_SECONDS, Desk, network
from newsletter.web.forms import Checked, Entered, Unreadable, check, is_json, read_fields
from newsletter.web.journal import failed

HOUR = 3600
PER_ADDRESS = 5
"""Requests an hour for one address that are looked at; what comes above that is answered and forgotten."""


def routes(desk: Desk) -> list[Route]:
    """The form at `/` and `/subscribe`, the confirmation at `/c/TOKEN`."""
    rooms = _Rooms(desk)
    return [
        Route("/", rooms.form, methods=["GET"]),
        Route("/subscribe", rooms.subscribe, methods=["GET", "POST"]),
        Route("/c/{token}", rooms.confirm, methods=["GET", "POST"]),
    ]


class _Rooms:
    """One method per route."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def form(self, request: Request) -> Response:
        """The empty form."""
        return self._form(request, Checked(entered=Entered()))

    async def subscribe(self, request: Request) -> Response:
        """The form (GET), or what it sends (POST)."""
        if request.method != "POST":
            return await self.form(request)
        desk, began = self._desk, time.monotonic()
        if not desk.publication.signup.open:
            return self._answer(request, "closed", status=403)
        try:
            checked = check(await read_fields(request), desk.publication.signup)
        except Unreadable:
            return self._answer(request, "media", status=415)
        if checked.errors or checked.address is None:
            if is_json(request):
                return JSONResponse({"errors": dict(checked.errors)}, 422)
            return self._form(request, checked, status=422)
        try:
            spared = await desk.writer.do(partial(_request, desk, checked, network(request)))
        except NewsletterError as error:
            failed("a request to subscribe", error)
            return self._answer(request, "away", status=503, retry=RETRY_SECONDS)
        if not spared:
            return self._answer(request, "often", status=429, retry=HOUR)
        desk.wake()
        await _pass_time(began, step=desk.publication.web.answer_after)
        if is_json(request):
            return JSONResponse({"status": "confirmation needed"}, 202)
        return desk.fixed_page(request, "sent")

    async def confirm(self, request: Request) -> Response:
        """A page with a button (GET), or the button (POST)."""
        desk, token = self._desk, request.path_params["token"]
        who = confirmed_by(desk.project.keyring, token, now=desk.clock())
        if who is None:
            return desk.notice(request, "expired", status=404)
        wording = desk.wording(request)
        if request.method != "POST":
            return desk.page(request, "confirm", token=token, wording=wording)
        operation = partial(_confirm, who=who, network=network(request), wording=wording)
        try:
            confirmed = await desk.writer.do(operation)
        except NewsletterError as error:
            return desk.away(request, error)
        if not confirmed:
            return desk.notice(request, "expired", status=404)
        return desk.fixed_page(request, "confirmed")

    def _form(self, request: Request, checked: Checked, *, status: int = 200) -> Response:
        response = self._desk.page(
            request,
            "subscribe",
            status=status,
            values=checked.entered,
            errors=checked.errors,
            wording=self._desk.wording(request),
        )
        if status == 200:
            response.headers["X-Robots-Tag"] = "all"  # the one page that may be found
        return response

    def _answer(
        self, request: Request, notice: str, *, status: int, retry: int | None = None
    ) -> Response:
        """A refusal, for a person or for a program."""
        if is_json(request):
            headers = {"Retry-After": str(retry)} if retry is not None else None
            return JSONResponse({"error": notice}, status, headers=headers)
        return self._desk.notice(request, notice, status=status, retry=retry)


def _request(desk: Desk, checked: Checked, network: str, membership: Membership) -> bool:
    """Take a request in; false when its network has used up its hour.

    Whether anything came of it must not be seen from outside.
    """
    assert checked.address is not None
    entered, register, now = checked.entered, membership.register, membership.now()
    limit = desk.publication.web.per_network
    if not register.spend(f"network {network}", limit=limit, seconds=HOUR, now=now):
        return False
    who = register.identify(checked.address.key)
    heard = register.spend(f"address {who.hex()}", limit=PER_ADDRESS, seconds=HOUR, now=now)
    if heard and not entered.trapped:
        membership.request(
            Subscriber(
                address=checked.address,
                name=entered.name,
                language=entered.language or None,
                tags=entered.topics,
            ),
            source="web form",
        )
    return True


def _confirm(membership: Membership, *, who: bytes, network: str, wording: str) -> bool:
    """Make somebody a subscriber; true again when the button is pressed twice."""
    if membership.confirm(who, source="web", network=network, wording=wording):
        return True
    register = membership.register
    return bool(register.consents(who)) and register.suppression(who) is None


async def _pass_time(began: float, *, step: float) -> None:
    """Wait until a whole number of steps has passed since `began`, at least one."""
    if step > 0:
        spent = time.monotonic() - began
        await asyncio.sleep(max(1, math.ceil(spent / step)) * step - spent)
