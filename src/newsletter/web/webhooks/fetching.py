"""Fetching a small thing from a host that is pinned before: nothing is followed, nothing large is read."""

from __future__ import annotations

from email.message import Message
from typing import IO
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

SECONDS = 10.0
MOST_OCTETS = 64 * 1024


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        raise HTTPError(req.full_url, code, "redirects are not followed", headers, fp)


def https_get(url: str) -> bytes:
    """The first 64 KiB behind an https address.

    Raises:
        OSError: it cannot be had.

    """
    if not url.startswith("https://"):
        raise OSError(0, "only https is fetched")
    with build_opener(_NoRedirects).open(url, timeout=SECONDS) as response:
        data: bytes = response.read(MOST_OCTETS)
    return data
