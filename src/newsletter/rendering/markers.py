"""Markers: what stands in a template for a value that differs per reader.

Printing a marker gives a token; everything else that a template could do with the value is refused,
since the value is not known when the issue is rendered. A token is `Nl`, eight characters from the
issue's digest, eight of its own and `Qz`: letters and digits only, in mixed case, so that a filter
that changes the text is found out.

While templates run, a token also stands for the line that printed it, so that a mistake that shows
only later can name that line. `TokenBook.settle` then turns it into the token of a `Slot`.
"""

from __future__ import annotations

import hashlib
import re
import string
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from newsletter.errors import Place
from newsletter.rendering.edition import Landing, Slot
from newsletter.rendering.mistake import Mistake, did_you_mean

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
HEAD, TAIL = "Nl", "Qz"
KEY_LENGTH = 8
SEEN_LENGTH = 5
"""Characters of the key by which a token is found: few, so that a cut one is; enough, so that no
word of an issue is taken for one."""

TOKEN_LENGTH = len(HEAD) + 2 * KEY_LENGTH + len(TAIL)

LINKS = frozenset({"unsubscribe_url", "online_url"})
SUBSCRIBER_FIELDS = ("name", "email", "language", "fields")


def short_digest(*parts: str) -> str:
    """Eight letters and digits that stand for `parts`."""
    data = "\0".join(parts).encode("utf-8", "surrogatepass")
    number = int.from_bytes(hashlib.sha256(data).digest())
    chars = []
    for _ in range(KEY_LENGTH):
        number, rest = divmod(number, len(ALPHABET))
        chars.append(ALPHABET[rest])
    return "".join(chars)


def spoken(name: str) -> str:
    """The name of a personal value as templates write it."""
    return name if name in LINKS else f"subscriber.{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """One value, printed by one line of a template."""

    name: str
    fallback: str
    place: Place | None

    @property
    def shown(self) -> str:
        """What to call it in messages."""
        return f"`{spoken(self.name)}`"


class TokenBook:
    """Every token of one edition. The same source and templates give the same tokens.

    Args:
        source: anything that is different for another issue.
        where: tells which line of which template is running.

    """

    def __init__(self, source: str, *, where: Callable[[], Place | None] = lambda: None) -> None:
        self._key = short_digest("key", source)
        self._where = where
        self._prints: dict[str, Print] = {}
        self._slots: dict[str, Slot] = {}
        self._start = re.compile(HEAD + self._key[:SEEN_LENGTH], re.IGNORECASE)

    def begin_part(self) -> None:
        """Forget what was printed into another part."""
        self._prints = {}

    def print(self, name: str, fallback: str = "") -> str:
        """A token for `name`, printed by the line that is running."""
        place = self._where()
        token = self._token("print", name, fallback, str(place))
        self._prints[token] = Print(name=name, fallback=fallback, place=place)
        return token

    def prints(self, text: str) -> Counter[str]:
        """How often each token that templates printed is in `text`.

        Raises:
            Mistake: a token was changed after it was printed.

        """
        tokens = Counter(text[at : at + TOKEN_LENGTH] for at in self._positions(text))
        for token in tokens:
            if token not in self._prints:
                raise self._changed(token)
        return tokens

    def mentioned(self, text: str) -> Print | None:
        """The first value that has a token in `text`, even one in the wrong case."""
        for at in self._positions(text):
            return self._like(text[at : at + TOKEN_LENGTH])
        return None

    def printed(self, token: str) -> Print:
        """Which value a token stands for, and where it was printed."""
        return self._prints[token]

    def settle(self, text: str, landing: Callable[[Print, int], Landing]) -> str:
        """`text` with the token of a slot in place of each token that a template printed.

        Args:
            text: where tokens stand whole, as `prints` has checked.
            landing: called with the value and the position of its token in `text`.

        """
        parts, end = [], 0
        for at in self._positions(text):
            value = self._prints[text[at : at + TOKEN_LENGTH]]
            parts += [text[end:at], self._slot(value, landing(value, at)).token]
            end = at + TOKEN_LENGTH
        return "".join([*parts, text[end:]])

    def slots(self, text: str) -> Counter[Slot]:
        """How often each slot is in `text`, in the order of the text.

        Raises:
            Mistake: something that is not the token of a slot looks like one.

        """
        slots: Counter[Slot] = Counter()
        for at in self._positions(text):
            token = text[at : at + TOKEN_LENGTH]
            if token not in self._slots:
                raise self._changed(token)
            slots[self._slots[token]] += 1
        return slots

    def _slot(self, value: Print, landing: Landing) -> Slot:
        token = self._token("slot", value.name, landing, value.fallback)
        slot = Slot(token=token, name=value.name, landing=landing, fallback=value.fallback)
        return self._slots.setdefault(token, slot)

    def _token(self, *parts: str) -> str:
        return f"{HEAD}{self._key}{short_digest(self._key, *parts)}{TAIL}"

    def _positions(self, text: str) -> list[int]:
        return [match.start() for match in self._start.finditer(text)]

    def _like(self, token: str) -> Print | None:
        """The value whose token was most like this, if it is one."""
        alike = {known: _shared_length(known.lower(), token.lower()) for known in self._prints}
        best = [known for known, length in alike.items() if length == max(alike.values())]
        return self._prints[best[0]] if len(best) == 1 else None

    def _changed(self, token: str) -> Mistake:
        value = self._like(token)
        shown = value.shown if value else "a value that differs per reader"
        return Mistake(
            f"{shown} was changed after it was printed, by a filter or by cutting",
            hint="print it outside of what the filter works on",
            place=value.place if value else None,
        )


def _shared_length(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


class Marker:
    """A value that differs per reader. It can be printed, and given a fallback."""

    __slots__ = ("_book", "_fallback", "_name")

    def __init__(self, name: str, *, book: TokenBook, fallback: str = "") -> None:
        self._name = name
        self._book = book
        self._fallback = fallback

    def with_fallback(self, text: str) -> Marker:
        """The same value, with what to say when a reader has none."""
        return Marker(self._name, book=self._book, fallback=text)

    def refuse(self, action: str) -> NoReturn:
        """Raise the mistake that tells what may be done with the value instead.

        Raises:
            Mistake: always.

        """
        shown = spoken(self._name)
        instead = "print it as it is"
        if self._name not in LINKS:
            instead += f', or as `{shown}|fallback("…")` for readers who have none'
        raise Mistake(f"`{shown}` differs per reader, so a template cannot {action}", hint=instead)

    def __str__(self) -> str:
        return self._book.print(self._name, self._fallback)

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

    def __lt__(self, other: object) -> bool:
        self.refuse("compare it")

    __le__ = __gt__ = __ge__ = __lt__

    def __hash__(self) -> int:
        self.refuse("look something up with it")

    def __iter__(self) -> Any:
        self.refuse("walk through it")

    def __len__(self) -> int:
        self.refuse("measure it")

    def __contains__(self, other: object) -> bool:
        self.refuse("look inside it")

    def __getitem__(self, key: object) -> Any:
        self.refuse("cut it")

    def __call__(self, *args: object, **kwargs: object) -> Any:
        """Refuse: a value is not a function."""
        self.refuse("call it")

    def __add__(self, other: object) -> Any:
        self.refuse("calculate with it; `~` joins texts")

    __radd__ = __mul__ = __rmul__ = __mod__ = __add__

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("_", "jinja_")):  # Jinja asks what a value is before it calls it
            raise AttributeError(name)
        self.refuse(f"use its `{name}`")


class _View:
    """Something that has markers as parts, and is not a value itself."""

    __slots__ = ("_book",)
    _shown = ""

    def __init__(self, book: TokenBook) -> None:
        self._book = book

    def refuse(self, action: str) -> NoReturn:
        """Raise the mistake that tells that this is no value.

        Raises:
            Mistake: always.

        """
        raise Mistake(
            f"`{self._shown}` differs per reader, so a template cannot {action}",
            hint="name one of its parts, and print that",
        )

    def __str__(self) -> str:
        self.refuse("print it as a whole")

    __html__ = __str__

    def __iter__(self) -> Any:
        self.refuse("walk through it")

    def __bool__(self) -> bool:
        self.refuse("ask whether it is empty")

    def __contains__(self, other: object) -> bool:
        self.refuse("look inside it")


class FieldsView(_View):
    """`subscriber.fields`: any column of the list, by its header."""

    __slots__ = ()
    _shown = "subscriber.fields"

    def __getattr__(self, name: str) -> Marker:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: object) -> Marker:
        if not isinstance(name, str):
            self.refuse("find a column without a header")
        return Marker(f"fields.{name}", book=self._book)


class SubscriberView(_View):
    """`subscriber`: name, email, language and fields of whoever reads the message."""

    __slots__ = ()
    _shown = "subscriber"

    @property
    def fields(self) -> FieldsView:
        """Further columns of the list."""
        return FieldsView(self._book)

    def __getattr__(self, name: str) -> Marker:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in SUBSCRIBER_FIELDS:
            near = did_you_mean(name, SUBSCRIBER_FIELDS)
            column = f"a column of the list is `subscriber.fields.{name}`"
            raise Mistake(f"`subscriber` has no `{name}`", hint=near or column)
        return Marker(name, book=self._book)
