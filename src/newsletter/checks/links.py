"""Links: that they lead somewhere, to the right place, and in the open."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote

from newsletter.checks.model import Example, Found, Severity, check
from newsletter.content.cjk import is_cjk_punctuation
from newsletter.source.text import shortened

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked, Element

_SCHEMES = frozenset(("http", "https", "mailto", "tel", "sms"))
_SHORTENERS = frozenset(
    (
        *("bit.ly", "t.co", "tinyurl.com", "goo.gl", "ow.ly", "is.gd", "buff.ly", "rebrand.ly"),
        *("t.cn", "url.cn", "dwz.cn", "suo.im", "suo.nz", "u.nu", "sourl.cn", "dwz.date", "mrw.so"),
        *("w.url.cn", "c7.gg", "1url.com", "cutt.ly", "shorturl.at", "rb.gy", "t.ly", "lnkd.in"),
    )
)
_TRACKING = re.compile(
    r"[?&](utm_\w+|fbclid|gclid|mc_[ce]id|spm|chksm|scene|share_token|from=(?:timeline|singlemessage))\b"
)
_LOCAL_ENDS = (".local", ".localhost", ".test", ".invalid", ".internal", ".lan", ".home.arpa")


@check(
    "link-empty",
    title="A link that leads nowhere",
    severity=Severity.ERROR,
    passing=Example(html='<p><a href="https://example.org/">论文</a></p>'),
    failing=(
        Example(html='<p><a href="">论文</a></p>'),
        Example(html='<p><a href="#">论文</a></p>'),
        Example(html="<p><a>论文</a></p>"),
    ),
)
def link_empty(checked: Checked) -> Iterator[Found]:
    """Its address is missing, empty or `#`: put in to be filled later, and forgotten."""
    for link in checked.links:
        if link.address in ("", "#"):
            yield Found(f"“{shortened(link.label)}” has no address", place=link.place)


@check(
    "link-anchor",
    title="A link to a place inside the mail",
    severity=Severity.WARNING,
    passing=Example(html='<p><a href="https://example.org/#top">论文</a></p>'),
    failing=Example(html='<p><a href="#papers">论文</a></p>'),
)
def link_anchor(checked: Checked) -> Iterator[Found]:
    """`#papers` works in few mail programs; in Gmail on a phone it does nothing or opens a browser.

    Nothing in a mail may depend on it. Link to the page on the web instead.
    """
    for link in checked.links:
        if link.address.startswith("#") and link.address != "#":
            yield Found(f"“{shortened(link.label)}” leads to {link.address}", place=link.place)


@check(
    "link-malformed",
    title="A link whose address cannot be right",
    severity=Severity.ERROR,
    passing=Example(
        html='<p><a href="https://zh.wikipedia.org/wiki/%E5%BE%AE%E8%B0%83_(a)">论文</a> '
        '<a href="mailto:a@example.org?subject=x">写信</a></p>'
    ),
    failing=(
        Example(html='<p><a href="www.example.org/a">论文</a></p>'),
        Example(html='<p><a href="https://https://example.org/a">论文</a></p>'),
        Example(html='<p><a href="https://example/a">论文</a></p>'),
        Example(body="见[论文](https://arxiv.org/abs/2210.11610。)"),
        Example(html='<p><a href="mailto:nobody">写信</a></p>'),
    ),
)
def link_malformed(checked: Checked) -> Iterator[Found]:
    """No scheme, no host, two schemes, white space, or Chinese punctuation at its end.

    Mail programs take an address without `https://` for a file, or drop the link.
    """
    for link in checked.links:
        reason = _malformed(link)
        if reason:
            yield Found(f"{shortened(link.address)}: {reason}", place=link.place)


@check(
    "link-scheme",
    title="A link of a kind that mail programs do not follow",
    severity=Severity.ERROR,
    passing=Example(html='<p><a href="tel:+861012345678">电话</a></p>'),
    failing=(
        Example(html='<p><a href="javascript:void(0)">论文</a></p>'),
        Example(html='<p><a href="ftp://example.org/a.pdf">论文</a></p>'),
        Example(html='<p><a href="file:///Users/me/a.pdf">论文</a></p>'),
    ),
)
def link_scheme(checked: Checked) -> Iterator[Found]:
    """Links lead to https, http, mailto, tel or sms. Anything else is removed or blocked."""
    for link in checked.links:
        scheme = link.parts.scheme
        if scheme and scheme not in _SCHEMES and not _is_host(link.address):
            yield Found(f"{shortened(link.address)} is a {scheme}: link", place=link.place)


@check(
    "link-local",
    title="A link that works on one machine only",
    severity=Severity.ERROR,
    passing=Example(html='<p><a href="https://93.184.216.34/">论文</a></p>'),
    failing=(
        Example(html='<p><a href="http://localhost:8000/64">论文</a></p>'),
        Example(html='<p><a href="http://192.168.1.5/a">论文</a></p>'),
    ),
)
def link_local(checked: Checked) -> Iterator[Found]:
    """localhost, a private address, or a name ending in `.local` or `.test`: copied from a preview."""
    for link in checked.links:
        if _is_local(link.host):
            yield Found(f"{shortened(link.address)} leads to a private machine", place=link.place)


@check(
    "link-http",
    title="A link without encryption",
    severity=Severity.WARNING,
    passing=Example(html='<p><a href="https://example.org/">论文</a></p>'),
    failing=Example(html='<p><a href="http://example.org/">论文</a></p>'),
)
def link_http(checked: Checked) -> Iterator[Found]:
    """`http://` where almost every site has `https://`. Browsers warn, and filters count it."""
    for link in checked.links:
        if link.parts.scheme == "http" and not _is_local(link.host):
            yield Found(f"{shortened(link.address)} is http", place=link.place, hint="try https://")


@check(
    "link-shortener",
    title="A shortened link",
    severity=Severity.WARNING,
    passing=Example(html='<p><a href="https://example.org/">论文</a></p>'),
    failing=Example(html='<p><a href="https://bit.ly/3abc">论文</a></p>'),
)
def link_shortener(checked: Checked) -> Iterator[Found]:
    """Shorteners hide where a link leads, and spammers use them, so filters count them heavily.

    Write the real address; nobody reads it in HTML anyway.
    """
    for link in checked.links:
        if link.host.removeprefix("www.") in _SHORTENERS:
            yield Found(
                f"{shortened(link.address)} hides where it leads",
                place=link.place,
                hint="write the real address",
            )


@check(
    "link-tracking",
    title="Somebody else's tracking in a link",
    severity=Severity.NOTE,
    passing=Example(html='<p><a href="https://example.org/?page=2">论文</a></p>'),
    failing=Example(
        html='<p><a href="https://example.org/a?utm_source=x&amp;fbclid=1">论文</a></p>'
    ),
)
def link_tracking(checked: Checked) -> Iterator[Found]:
    """`utm_source`, `fbclid`, `chksm`: it came along when the link was copied. Links work without."""
    for link in checked.links:
        if match := _TRACKING.search(link.address):
            yield Found(
                f"`{match[1]}` in {shortened(link.address)}", place=link.place, hint="cut it off"
            )


def _malformed(link: Element) -> str | None:
    """What is wrong with an address, or None."""
    address, parts = link.address, link.parts
    if address in ("", "#") or address.startswith("#"):
        return None
    if not parts.scheme or _is_host(address):
        return "no https:// in front"
    if parts.scheme == "mailto":
        return (
            None
            if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", unquote(parts.path))
            else "no mail address"
        )
    if parts.scheme not in ("http", "https"):
        return None
    return _malformed_web(address, link.host)


def _malformed_web(address: str, host: str) -> str | None:
    if re.search(r"https?:?/?/?\W*https?:", address[:20]):
        return "two schemes"
    if re.search(r"\s", address):
        return "white space in it"
    plain = unquote(address)
    if plain and (is_cjk_punctuation(plain[-1]) or plain[-1] in "，。；：、）"):
        return f"`{plain[-1]}` at its end"
    if not host:
        return "no host"
    if not _is_local(host) and ("." not in host.strip(".") or ".." in host or "," in host):
        return f"`{host}` is no host"
    return None


def _is_host(address: str) -> bool:
    """Whether what looks like a scheme is the host of an address without one: example.org:80/x."""
    return bool(re.match(r"(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?(?:/|$)", address, re.IGNORECASE))


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(_LOCAL_ENDS):
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return not address.is_global
