"""Going out, and changing one's mind: the unsubscribe page, one-click unsubscribing (RFC 8058), preferences.

Tokens of these links never expire, since a way out must work from the oldest mail. The preferences take the token of
the unsubscribe link too: whoever has it can read name and address in the mail it came from. No cookie makes anybody
known, so there is nothing that a foreign page could abuse (CSRF): a token has to be in the path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.audience.models import Subscriber, SubscriberStatus
from newsletter.audience.tokens import Purpose
from newsletter.errors import AudienceError, NewsletterError
from newsletter.membership import Membership
from newsletter.web.desk import Desk
from newsletter.web.forms import Entered, Unreadable, check, read_fields

FORGOTTEN = "forgotten"
"""Reason of the suppression that is all that is left of somebody."""

_ONE_CLICK = b"One-Click"  # List-Unsubscribe=One-Click, whichever way the form is encoded


def routes(desk: Desk) -> list[Route]:
    """`/u/TOKEN` and `/p/TOKEN`."""
    rooms = _Rooms(desk)
    return [
        Route("/u/{token}", rooms.leave, methods=["GET", "POST"]),
        Route("/p/{token}", rooms.preferences, methods=["GET", "POST"]),
    ]


class _Rooms:
    """One method per route."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def leave(self, request: Request) -> Response:
        """A page with a button (GET), or the button or the mail provider (POST).

        A genuine token is answered the same whether or not anybody has it, and a POST is always answered with 200,
        since a mail provider may ask again and again. What a forged or broken link says is the truth: that it is one.
        """
        desk, token = self._desk, request.path_params["token"]
        who = desk.project.keyring.verify(token, Purpose.UNSUBSCRIBE)
        if request.method != "POST":
            if who is None:
                return desk.notice(request, "link", status=404)
            return desk.page(request, "leave", token=token, has_choices=desk.has_choices)
        if who is None:
            return desk.notice(request, "link", status=200)
        # Whatever the body is or is not, the wish is clear.
        one_click = _ONE_CLICK in await request.body()
        return await self._left(request, who, "one-click" if one_click else "unsubscribe page")

    async def preferences(self, request: Request) -> Response:
        """Name, language and topics: shown (GET), changed or all given up (POST)."""
        desk, token = self._desk, request.path_params["token"]
        keyring = desk.project.keyring
        who = keyring.verify(token, Purpose.PREFERENCES) or keyring.verify(
            token, Purpose.UNSUBSCRIBE
        )
        if who is None:
            return desk.notice(request, "link", status=404)
        try:
            if request.method == "POST":
                return await self._changed(request, who)
            person = await desk.reader.ask(partial(_current, who=who))
        except NewsletterError as error:
            return desk.away(request, error)
        return self._preferences(request, person)

    async def _left(self, request: Request, who: bytes, source: str) -> Response:
        try:
            await self._desk.writer.do(lambda membership: membership.leave(who, source=source))
        except NewsletterError as error:
            return self._desk.away(request, error)
        return self._desk.fixed_page(request, "left")

    async def _changed(self, request: Request, who: bytes) -> Response:
        desk = self._desk
        try:
            fields = await read_fields(request)
        except Unreadable:
            return desk.notice(request, "media", status=415)
        if fields.get("leave"):
            return await self._left(request, who, "preferences page")
        checked = check(fields, desk.publication.signup, with_address=False)
        if checked.errors:
            person = await desk.reader.ask(partial(_current, who=who))
            return self._preferences(
                request, person, entered=checked.entered, errors=checked.errors
            )
        signup = desk.publication.signup

        def change(known: Subscriber) -> Subscriber:
            return replace(
                known,
                name=checked.entered.name if signup.ask_name else known.name,
                language=(checked.entered.language or None)
                if len(signup.languages) > 1
                else known.language,
                tags=known.tags - set(signup.topics) | checked.entered.topics,
            )

        person = await desk.writer.do(partial(_update, who=who, change=change))
        return self._preferences(request, person, saved=True)

    def _preferences(
        self,
        request: Request,
        person: Subscriber | None,
        *,
        entered: Entered | None = None,
        errors: Mapping[str, str] | None = None,
        saved: bool = False,
    ) -> Response:
        desk = self._desk
        if person is None:
            return desk.notice(request, "link", status=404)
        return desk.page(
            request,
            "preferences",
            status=422 if errors else 200,
            token=request.path_params["token"],
            active=person.status is SubscriberStatus.ACTIVE,
            has_choices=desk.has_choices,
            values=entered or _entered(person),
            errors=errors or {},
            saved=saved,
        )


def _entered(person: Subscriber) -> Entered:
    return Entered(name=person.name, language=person.language or "", topics=person.tags)


def _current(membership: Membership, *, who: bytes) -> Subscriber | None:
    """Who this is, as the list has them now; nothing of who is forgotten."""
    stopped = membership.register.suppression(who)
    if stopped is not None and stopped.reason == FORGOTTEN:
        return None
    person = membership.person(who)
    if person is None or membership.project.publication.keeps_list:
        return person
    listed = membership.project.subscriber(person.address.envelope)
    return replace(listed, status=person.status) if listed and stopped else listed or person


def _update(
    membership: Membership, *, who: bytes, change: Callable[[Subscriber], Subscriber]
) -> Subscriber | None:
    """Change somebody who receives mail; whoever has left is left alone."""
    person = _current(membership, who=who)
    if person is None or person.status is not SubscriberStatus.ACTIVE:
        return person
    wanted = change(person)
    membership.update(who, change, source="preferences page")
    kept = _current(membership, who=who)
    if kept is None or _entered(kept) != _entered(wanted):
        raise AudienceError("the list has no column for what subscribers may choose")
    return kept
