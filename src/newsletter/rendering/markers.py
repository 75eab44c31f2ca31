"""Markers: what stands in a template for a value that differs per reader.

Printing a marker gives its token; everything else that a template could do with the value is refused, since the value
is not known when the issue is rendered. A token is `Nl`, eight characters of the issue's digest, eight of its own and
`Qz`: letters and digits only, in mixed case, so that a filter that changes the text is found out.
"""

from __future__ import annotations

import hashlib
import re
import string
from collections import Counter
from typing import Any, NoReturn

from newsletter.rendering.edition import Landing, Slot
from newsletter.rendering.mistake import Mistake, did_you_mean

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
HEAD, TAIL = "Nl", "Qz"
KEY_LENGTH = 8
TOKEN_LENGTH = len(HEAD) + 2 * KEY_LENGTH + len(TAIL)

LINKS = frozenset({"unsubscribe_url", "online_url"})
SUBSCRIBER_FIELDS = ("name", "email", "language", "fields")


def _short(*parts: str) -> str:
    """Eight letters and digits that stand for `parts`."""
    number = int.from_bytes(
        hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
    )
    chars = []
    for _ in range(KEY_LENGTH):
        number, rest = divmod(number, len(ALPHABET))
        chars.append(ALPHABET[rest])
    return "".join(chars)


class TokenBook:
    """Every token of one edition. The same source and names give the same tokens.

    Args:
        source: anything that is different for another issue.
    """

    def __init__(self, source: str) -> None:
        self._key = _short("key", source)
        self._slots: dict[str, Slot] = {}
        self._pattern = re.compile(re.escape(HEAD + self._key), re.IGNORECASE)

    def token(self, name: str, landing: Landing, fallback: str = "") -> str:
        """The token for a value that lands there; made on first use."""
        own = _short("slot", self._key, name, landing, fallback)
        token = f"{HEAD}{self._key}{own}{TAIL}"
        self._slots.setdefault(
            token, Slot(token=token, name=name, landing=landing, fallback=fallback)
        )
        return token

    def slot(self, token: str) -> Slot:
        """The slot that a token stands for."""
        return self._slots[token]

    def count(self, text: str) -> Counter[str]:
        """How often each token occurs in `text`.

        Raises:
            Mistake: a token was changed on its way into the text.
        """
        counter: Counter[str] = Counter()
        for match in self._pattern.finditer(text):
            token = text[match.start() : match.start() + TOKEN_LENGTH]
            if token not in self._slots:
                raise Mistake(self._changed(token, text[: match.start()]))
            counter[token] += 1
        return counter

    def replace(self, text: str, landing_of: Any) -> str:
        """`text` with each token replaced by `landing_of(slot, start, end)`'s landing."""

        def again(match: re.Match[str]) -> str:
            start, end = match.start(), match.start() + TOKEN_LENGTH
            slot = self._slots[text[start:end]]
            return self.token(slot.name, landing_of(slot, start, end), slot.fallback)

        return re.sub(f"{HEAD}{self._key}\\w{{{KEY_LENGTH}}}{TAIL}", again, text)

    def _changed(self, token: str, before: str) -> str:
        names = {slot.token.lower(): slot.name for slot in self._slots.values()}
        known = names.get(token.lower())
        what = f"`{known}`" if known else f"a value that differs per reader (token {token})"
        near = before[-20:].split("\n")[-1].strip()
        where = f", after “{near}”" if near else ""
        return f"{what} was changed after it was printed, by a filter or by cutting{where}"


class Marker:
    """A value that differs per reader. It can be printed, and given a fallback."""

    __slots__ = ("_book", "_fallback", "_landing", "_name")

    def __init__(self, name: str, *, book: TokenBook, landing: Landing, fallback: str = "") -> None:
        self._name = name
        self._book = book
        self._landing = landing
        self._fallback = fallback

    def with_fallback(self, text: str) -> Marker:
        """The same value, with what to say when a reader has none."""
        return Marker(self._name, book=self._book, landing=self._landing, fallback=text)

    def refuse(self, action: str) -> NoReturn:
        """Raise the mistake that tells what may be done with the value instead.

        Raises:
            Mistake: always.
        """
        shown = self._name if self._name in LINKS else f"subscriber.{self._name}"
        raise Mistake(
            f"`{shown}` differs per reader, so a template cannot {action}",
            hint=f'print it as it is, or with `{shown}|fallback("…")` for readers who have none',
        )

    def __str__(self) -> str:
        return self._book.token(self._name, self._landing, self._fallback)

    __html__ = __str__

    def __repr__(self) -> str:
        return f"<marker {self._name}>"

    def __format__(self, spec: str) -> str:
        if spec:
            self.refuse("pad or shorten it")
        return str(self)

    def __bool__(self) -> bool:
        self.refuse("ask whether it is empty")

    def __eq__(self, other: object) -> bool:
        self.refuse("compare it")

    def __hash__(self) -> int:
        self.refuse("look something up with it")

    def __lt__(self, other: object) -> bool:
        self.refuse("compare it")

    __le__ = __gt__ = __ge__ = __lt__

    def __iter__(self) -> Any:
        self.refuse("walk through it")

    def __len__(self) -> int:
        self.refuse("measure it")

    def __contains__(self, other: object) -> bool:
        self.refuse("look inside it")

    def __getitem__(self, key: object) -> Any:
        self.refuse("cut it")

    def __add__(self, other: object) -> Any:
        self.refuse("add to it; `~` joins")

    __radd__ = __mul__ = __rmul__ = __mod__ = __rmod__ = __add__

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        self.refuse(f"use its `{name}`")


class _View:
    """Something that has markers as parts, and is not a value itself."""

    __slots__ = ("_book", "_landing")
    _shown = ""

    def __init__(self, *, book: TokenBook, landing: Landing) -> None:
        self._book = book
        self._landing = landing

    def _marker(self, name: str) -> Marker:
        return Marker(name, book=self._book, landing=self._landing)

    def __str__(self) -> str:
        raise Mistake(f"`{self._shown}` cannot be printed as a whole", hint="name one of its parts")

    __html__ = __str__

    def __iter__(self) -> Any:
        raise Mistake(f"`{self._shown}` differs per reader, so a template cannot walk through it")

    def __bool__(self) -> bool:
        raise Mistake(f"`{self._shown}` differs per reader, so a template cannot test it")


class FieldsView(_View):
    """`subscriber.fields`: any column of the list, by its header."""

    __slots__ = ()
    _shown = "subscriber.fields"

    def __getattr__(self, name: str) -> Marker:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._marker(f"fields.{name}")

    def __getitem__(self, name: object) -> Marker:
        if not isinstance(name, str):
            raise Mistake("`subscriber.fields[…]` takes the header of a column")
        return self._marker(f"fields.{name}")


class SubscriberView(_View):
    """`subscriber`: name, email, language and fields of whoever reads the message."""

    __slots__ = ()
    _shown = "subscriber"

    @property
    def fields(self) -> FieldsView:
        """Further columns of the list."""
        return FieldsView(book=self._book, landing=self._landing)

    def __getattr__(self, name: str) -> Marker:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in SUBSCRIBER_FIELDS:
            hint = (
                did_you_mean(name, SUBSCRIBER_FIELDS) or f"`subscriber.fields.{name}` for a column"
            )
            raise Mistake(f"`subscriber` has no `{name}`", hint=hint)
        return self._marker(name)
