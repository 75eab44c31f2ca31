"""What a segment says: conditions on what is known of a subscriber, and how they are printed."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from newsletter.segments.tokens import is_plain, quoted

RESERVED = frozenset(("and", "or", "not", "in", "all", "got"))
"""Words of the language, which as values stand in quotation marks."""

COMPARISONS: Mapping[str, Callable[[date, date], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Mailbox(Protocol):
    """An address: `str()` is how people read it."""

    @property
    def key(self) -> str:
        """Case-folded, the domain in ASCII."""

    @property
    def domain(self) -> str:
        """In ASCII."""

    @property
    def unicode_domain(self) -> str:
        """As people read it."""


class Facts(Protocol):
    """What a segment may ask about: `audience.models.Subscriber`, or anything like it."""

    @property
    def address(self) -> Mailbox:
        """Where mail goes."""

    @property
    def name(self) -> str:
        """May be empty."""

    @property
    def tags(self) -> AbstractSet[str]:
        """Free labels."""

    @property
    def language(self) -> str | None:
        """A BCP 47 tag."""

    @property
    def fields(self) -> Mapping[str, str]:
        """Everything else, by name."""

    @property
    def joined(self) -> date | None:
        """The day of signing up."""


Got = Callable[[int], bool]
"""Whether the subscriber in question got the issue of this number."""


class Condition(Protocol):
    """Something that is true of a subscriber or not. `str()` is its one way of being written."""

    def holds(self, reader: Facts, got: Got) -> bool:
        """Whether it is true of `reader`."""

    def questions(self) -> Iterator[Condition]:
        """The conditions inside it that have none inside."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A parsed segment. `parse_segment(str(segment)) == segment`."""

    condition: Condition

    def matches(self, reader: Facts, *, got: Got | None = None) -> bool:
        """Whether a subscriber is in it.

        Args:
            reader: the subscriber.
            got: needed when `uses_history`.

        """
        return self.condition.holds(reader, got or _no_history)

    @property
    def uses_history(self) -> bool:
        """Whether it asks who got which issue, so that `matches` needs `got`."""
        return bool(self.issues)

    @property
    def issues(self) -> frozenset[int]:
        """The issues it asks about."""
        return frozenset(
            question.issue for question in self.condition.questions() if isinstance(question, Had)
        )

    def questions(self) -> frozenset[Condition]:
        """Its single questions, without `and`, `or` and `not`."""
        return frozenset(self.condition.questions())

    def __str__(self) -> str:
        return str(self.condition)


def _no_history(issue: int) -> bool:
    raise ValueError(f"who got issue {issue} is not known here")


class _Question:
    """Base of the conditions that have no condition inside."""

    __slots__ = ()

    def questions(self: Condition) -> Iterator[Condition]:
        """Itself."""
        yield self


@dataclass(frozen=True, slots=True)
class Subject(_Question):
    """What can be asked about in words; by itself, the question whether there is anything.

    Attributes:
        name: tag, language, name, address, domain, or `field.` and the field's name.

    """

    name: str

    def holds(self, reader: Facts, got: Got) -> bool:
        """Whether it is there and not empty."""
        return any(text.strip() for text in self.texts(reader))

    def texts(self, reader: Facts) -> tuple[str, ...]:
        """All of it: every tag, both spellings of an address, or what there is."""
        match self.name:
            case "tag":
                return tuple(reader.tags)
            case "language":
                return (reader.language,) if reader.language else ()
            case "name":
                return (reader.name,)
            case "address":
                return (reader.address.key, str(reader.address))
            case "domain":
                return (reader.address.domain, reader.address.unicode_domain)
        field = reader.fields.get(self.name.removeprefix("field."))
        return () if field is None else (field,)

    def is_(self, text: str, value: str) -> bool:
        """Whether one of its texts is what somebody wrote: zh is also zh-CN, and a domain has no case."""
        match self.name:
            case "language":
                return is_language(text, value)
            case "address" | "domain":
                return text.casefold() == value.casefold()
        return text == value

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Is(_Question):
    """`tag = cv`, `tag in (cv, nlp)`: one of its texts is one of these."""

    subject: Subject
    values: tuple[str, ...]

    def holds(self, reader: Facts, got: Got) -> bool:
        """Whether any text is any value."""
        texts = self.subject.texts(reader)
        return any(self.subject.is_(text, value) for text in texts for value in self.values)

    def __str__(self) -> str:
        if len(self.values) == 1:
            return f"{self.subject} = {_value(self.values[0])}"
        return f"{self.subject} in ({', '.join(map(_value, self.values))})"


@dataclass(frozen=True, slots=True)
class Has(_Question):
    """`name ~ 李`: one of its texts has this inside, in any case."""

    subject: Subject
    part: str

    def holds(self, reader: Facts, got: Got) -> bool:
        """Whether any text has it."""
        part = self.part.casefold()
        return any(part in text.casefold() for text in self.subject.texts(reader))

    def __str__(self) -> str:
        return f"{self.subject} ~ {_value(self.part)}"


@dataclass(frozen=True, slots=True)
class Joined(_Question):
    """`joined >= 2026-01-01`, or `joined` for whoever has a day of signing up at all.

    No comparison holds for somebody without such a day.
    """

    comparison: str = ""
    day: date | None = None

    def holds(self, reader: Facts, got: Got) -> bool:
        """Whether the day of signing up compares so."""
        if reader.joined is None or self.day is None:
            return reader.joined is not None
        return COMPARISONS[self.comparison](reader.joined, self.day)

    def __str__(self) -> str:
        return f"joined {self.comparison} {self.day}" if self.day else "joined"


@dataclass(frozen=True, slots=True)
class Had(_Question):
    """`got 63`: the relay has accepted this issue for the subscriber."""

    issue: int

    def holds(self, reader: Facts, got: Got) -> bool:
        """What the history says."""
        return got(self.issue)

    def __str__(self) -> str:
        return f"got {self.issue}"


@dataclass(frozen=True, slots=True)
class Everybody(_Question):
    """`all`."""

    def holds(self, reader: Facts, got: Got) -> bool:
        """Always."""
        return True

    def __str__(self) -> str:
        return "all"


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    condition: Condition

    def holds(self, reader: Facts, got: Got) -> bool:
        """Whether the condition does not hold."""
        return not self.condition.holds(reader, got)

    def questions(self) -> Iterator[Condition]:
        """Those of the condition."""
        return self.condition.questions()

    def __str__(self) -> str:
        return f"not {_bracketed(self.condition, And, Or)}"


@dataclass(frozen=True, slots=True)
class And:
    """All of them hold. None of them is an And itself."""

    conditions: tuple[Condition, ...]

    def holds(self, reader: Facts, got: Got) -> bool:
        """Whether all of them hold."""
        return all(condition.holds(reader, got) for condition in self.conditions)

    def questions(self) -> Iterator[Condition]:
        """Those of all conditions."""
        for condition in self.conditions:
            yield from condition.questions()

    def __str__(self) -> str:
        return " and ".join(_bracketed(condition, Or) for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of them holds. None of them is an Or itself."""

    conditions: tuple[Condition, ...]

    def holds(self, reader: Facts, got: Got) -> bool:
        """Whether any of them holds."""
        return any(condition.holds(reader, got) for condition in self.conditions)

    def questions(self) -> Iterator[Condition]:
        """Those of all conditions."""
        for condition in self.conditions:
            yield from condition.questions()

    def __str__(self) -> str:
        return " or ".join(map(str, self.conditions))


def is_language(spoken: str, wanted: str) -> bool:
    """Whether a language tag is `wanted` or a variety of it: zh is also zh-CN (RFC 4647, 3.3.1)."""
    spoken, wanted = spoken.lower(), wanted.lower()
    return spoken == wanted or spoken.startswith(f"{wanted}-")


def _value(value: str) -> str:
    plain = is_plain(value) and value.casefold() not in RESERVED
    return value if plain else quoted(value)


def _bracketed(condition: Condition, *kinds: type[Condition]) -> str:
    return f"({condition})" if isinstance(condition, kinds) else str(condition)
