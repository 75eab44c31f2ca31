"""A segment's text to its conditions, by recursive descent.

either   = both { "or" both }
both     = single { "and" single }
single   = "not" single | "(" either ")" | question
question = "all" | "got" number | "joined" [ comparison date ] | subject [ about ]
about    = ( "=" | "!=" | "~" ) value | [ "not" ] "in" "(" value { "," value } ")"
"""

from __future__ import annotations

import difflib
import re
from datetime import date

from newsletter.segments.expression import (
    COMPARISONS,
    And,
    Condition,
    Everybody,
    Had,
    Has,
    Is,
    Joined,
    Not,
    Or,
    Segment,
    Subject,
)
from newsletter.segments.tokens import Kind, SegmentError, Token, tokenize

MAX_DEPTH = 30
"""Deepest nesting of parentheses and `not`."""

_SUBJECTS = ("tag", "language", "name", "address", "domain")
_MOST_ISSUE = 999_999
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_FIELD = re.compile(r"fields?[.．。](.*)", re.DOTALL | re.IGNORECASE)
_NAME = re.compile(r"[^\W\d]\w*")
_OTHER_WORDS = {
    "all": ("everybody", "everyone", "所有", "全部"),
    "tag": ("标签",),
    "language": ("lang", "locale", "语言"),
    "name": ("姓名", "名字"),
    "address": ("email", "mail", "e-mail", "邮箱", "地址"),
    "domain": ("host", "域名"),
    "joined": ("signup", "signup_date", "created", "created_at", "since", "date"),
    "got": ("sent", "received", "issue", "收到"),
}
_OTHER_SIGNS = {
    "&&": "write `and`",
    "&": "write `and`",
    "和": "write `and`",
    "||": "write `or`",
    "|": "write `or`",
    "或": "write `or`",
    "contains": "write `~`, as in `name ~ 李`",
    "is": "write `=`",
    "like": "write `~`, as in `name ~ 李`",
}


def parse_segment(text: str, *, history: bool = True) -> Segment:
    """Read a segment.

    Args:
        text: the expression, on one line or several.
        history: whether it may ask who got an issue (`got 63`).

    Raises:
        SegmentError: with the place of the first mistake; never anything else.

    """
    return _Parser(text, history=history).parse()


class _Parser:
    """Reads tokens from left to right, one ahead."""

    def __init__(self, text: str, *, history: bool) -> None:
        self._text = text
        self._history = history
        self._tokens = tokenize(text)
        self._at = 0
        self._depth = 0

    def parse(self) -> Segment:
        if self._ends():
            raise self._wrong("the segment is empty", hint="such as `tag = cv`; `all` is everybody")
        condition = self._either()
        if not self._ends():
            raise self._left_over()
        return Segment(condition)

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _ends(self) -> bool:
        return self._next.kind is Kind.END

    def _take(self) -> Token:
        token = self._tokens[self._at]
        self._at += token.kind is not Kind.END
        return token

    def _accept(self, *, word: str = "", sign: str = "") -> bool:
        found = self._next.is_word(word) if word else self._next.is_sign(sign)
        self._at += found
        return found

    def _wrong(
        self, message: str, *, at: Token | None = None, hint: str | None = None
    ) -> SegmentError:
        """A mistake at the next token, or at this one."""
        offset = (at or self._next).offset
        return SegmentError(message, text=self._text, offset=offset, hint=hint)

    def _either(self) -> Condition:
        conditions = _flat(self._both(), Or)
        while self._accept(word="or"):
            conditions += _flat(self._both(), Or)
        return conditions[0] if len(conditions) == 1 else Or(conditions)

    def _both(self) -> Condition:
        conditions = _flat(self._single(), And)
        while self._accept(word="and"):
            conditions += _flat(self._single(), And)
        return conditions[0] if len(conditions) == 1 else And(conditions)

    def _single(self) -> Condition:
        token = self._next
        if self._accept(word="not"):
            self._deeper(token)
            condition: Condition = Not(self._single())
        elif self._accept(sign="("):
            self._deeper(token)
            condition = self._either()
            if not self._accept(sign=")"):
                if not self._ends():
                    raise self._left_over()
                raise self._wrong("this parenthesis is never closed", at=token, hint="add `)`")
        else:
            return self._question()
        self._depth -= 1
        return condition

    def _deeper(self, token: Token) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._wrong(f"this nests deeper than {MAX_DEPTH} levels", at=token)

    def _negated(self, condition: Condition, token: Token) -> Condition:
        """The opposite, which is printed as one level more."""
        self._deeper(token)
        self._depth -= 1
        return Not(condition)

    def _question(self) -> Condition:
        token = self._take()
        if token.kind is not Kind.WORD or token.is_word("and", "or", "in"):
            hint = "such as `tag = cv`"
            found = f"`{token.text}` does not fit here" if token.text else "something is missing"
            raise self._wrong(f"a question is expected, but {found}", at=token, hint=hint)
        if token.is_word("all"):
            return Everybody()
        if token.is_word("got"):
            return self._got(token)
        if token.is_word("joined"):
            return self._joined()
        return self._about(self._subject(token))

    def _subject(self, token: Token) -> Subject:
        if token.is_word(*_SUBJECTS):
            return Subject(token.text.casefold())
        if field := _FIELD.fullmatch(token.text):
            name = field[1]
            if not _NAME.fullmatch(name):
                hint = "letters, digits and _, as in `field.city`"
                raise self._wrong(f"`{name}` is not the name of a field", at=token, hint=hint)
            return Subject(f"field.{name}")
        raise self._wrong(
            f"`{token.text}` is nothing to ask about", at=token, hint=self._guess(token)
        )

    def _guess(self, token: Token) -> str:
        """What somebody may have meant with a word that is no subject."""
        word = token.text.casefold()
        for name, others in _OTHER_WORDS.items():
            if word in others:
                return f"did you mean `{name}`?"
        near = difflib.get_close_matches(word, [*_OTHER_WORDS, "not"], n=1, cutoff=0.6)
        if near:
            return f"did you mean `{near[0]}`?"
        if self._next.kind is Kind.SIGN and _NAME.fullmatch(token.text):
            return f"a column of the list is written `field.{token.text}`"
        return f"did you mean `tag = {token.text}`?"

    def _about(self, subject: Subject) -> Condition:
        token = self._next
        if self._accept(sign="="):
            return Is(subject, (self._value(subject),))
        if self._accept(sign="!="):
            return self._negated(Is(subject, (self._value(subject),)), token)
        if self._accept(sign="~"):
            return Has(subject, self._text_value())
        if self._accept(word="in"):
            return Is(subject, self._values(subject))
        if token.is_word("not") and self._tokens[self._at + 1].is_word("in"):
            self._at += 2
            return self._negated(Is(subject, self._values(subject)), token)
        if token.is_sign("<", "<=", ">", ">="):
            hint = "only `joined` comes earlier or later"
            raise self._wrong(f"`{subject}` cannot be compared with `{token.text}`", hint=hint)
        return subject

    def _values(self, subject: Subject) -> tuple[str, ...]:
        hint = f"such as `{subject} in (one, two)`"
        opening = self._next
        if not self._accept(sign="("):
            raise self._wrong("a list in parentheses is expected after `in`", hint=hint)
        values = [self._value(subject)]
        while self._accept(sign=","):
            values.append(self._value(subject))
        if self._ends():
            raise self._wrong("this list is never closed", at=opening, hint="add `)`")
        if not self._accept(sign=")"):
            raise self._wrong(f"`,` or `)` is expected, not `{self._next.text}`", hint=hint)
        return tuple(dict.fromkeys(values))

    def _value(self, subject: Subject) -> str:
        """What the subject is to be compared with, in the spelling that the list has."""
        token = self._next
        if token.is_sign("("):
            raise self._wrong("several values need `in`", hint=f"write `{subject} in (one, two)`")
        value = self._text_value()
        if subject.name == "domain":
            value = value.removeprefix("@") or value
        if subject.name == "language":
            value = value.replace("_", "-")
            if not _LANGUAGE.fullmatch(value):
                hint = "write a tag such as zh or zh-CN"
                raise self._wrong(f"`{token.text}` is not a language", at=token, hint=hint)
        return value

    def _text_value(self) -> str:
        token = self._next
        if token.kind is Kind.TEXT and not token.text.strip():
            hint = "`not field.city` asks whether there is none"
            raise self._wrong("there is nothing between these quotation marks", hint=hint)
        if token.is_word("and", "or", "not", "in"):
            hint = f'as a value it stands in quotation marks: "{token.text}"'
            raise self._wrong(
                f"a value is expected, but `{token.text}` is a word of the language", hint=hint
            )
        if token.kind not in (Kind.WORD, Kind.TEXT):
            found = f"not `{token.text}`" if token.text else "but nothing follows"
            raise self._wrong(f"a value is expected, {found}")
        return self._take().text

    def _joined(self) -> Condition:
        sign = self._next
        if sign.is_sign("!=") or sign.is_sign(*COMPARISONS):
            self._take()
            day = self._day()
            if sign.text == "!=":
                return self._negated(Joined("=", day), sign)
            return Joined(sign.text, day)
        if sign.is_sign("~") or sign.is_word("in"):
            raise self._wrong(
                f"`joined` cannot be asked with `{sign.text}`", hint="it has =, <, <=, > and >="
            )
        return Joined()

    def _day(self) -> date:
        token = self._take()
        written = _DAY.fullmatch(token.text)
        if written is None:
            hint = None
            if token.text.isdecimal():
                hint = "ages such as `30 days ago` change from day to day; write the date"
            raise self._wrong("a date such as 2026-01-31 is expected", at=token, hint=hint)
        try:
            return date(*map(int, written.groups()))
        except ValueError:
            raise self._wrong(f"there is no day {token.text}", at=token) from None

    def _got(self, got: Token) -> Condition:
        token = self._next
        if not self._history:
            message = "`got` cannot stand here, since a message must be the same at every retry"
            raise self._wrong(message, at=got, hint="`newsletter send --segment` can ask it")
        written = token.text if token.kind is Kind.WORD else ""
        if not (written.isdecimal() and len(written) <= 9 and int(written) <= _MOST_ISSUE):
            raise self._wrong("the number of an issue is expected", hint="such as `got 63`")
        self._take()
        return Had(int(written))

    def _left_over(self) -> SegmentError:
        """What is wrong with what follows a complete question."""
        token, before = self._next, self._tokens[self._at - 1]
        if token.is_sign(")"):
            return self._wrong("there is no `(` for this `)`")
        if token.is_sign(","):
            return self._wrong("`,` stands only in a list", hint="such as `tag in (cv, nlp)`")
        hint = _OTHER_SIGNS.get(token.text.casefold(), "")
        words = before.kind is Kind.WORD and token.kind is Kind.WORD
        if not hint and words and self._tokens[self._at - 2].is_sign("=", "!=", "~"):
            both = f'"{before.text} {token.text}"'
            hint = f"several words of one value stand in quotation marks: {both}"
        message = f"`and`, `or` or the end is expected, not `{token.text}`"
        return self._wrong(message, hint=hint or None)


def _flat(condition: Condition, kind: type[And] | type[Or]) -> tuple[Condition, ...]:
    """The conditions of an And inside an And, or of an Or inside an Or; else the condition itself."""
    return condition.conditions if isinstance(condition, kind) else (condition,)
