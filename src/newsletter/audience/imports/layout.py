"""Which column of a file is what: by the tool that wrote it, by its name, or by `--map`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from newsletter.audience.cells import field_name
from newsletter.audience.imports.tool import COMMON, TARGETS, Judge, Tool, judge_status, plain
from newsletter.audience.imports.tools import PLAIN, TOOLS
from newsletter.errors import UsageError

_OURS = frozenset(("row", "reason"))
"""What a file of rejects has in front, which may be imported again when it is mended."""
_COLUMNS = ("email", "name", "status", "tags", "language", "joined", "suppressed")
"""What an export has in front of the fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where each value stands in a row, by index.

    Attributes:
        tool: who wrote the file.
        header: the columns as the file names them.
        delimiter: between cells.
        email: the address; None where no column can be it.
        name, first_name, last_name, tags, language: one column each, if there is one.
        joined: columns with the day of joining, the best first.
        judge: says whether somebody may be mailed …
        judged: … from the cells of these columns.
        objects: columns with a JSON object.
        fields: the names of fields with their columns.
        dropped: columns that are not taken over, by name.

    """

    tool: Tool
    header: tuple[str, ...]
    delimiter: str
    email: int | None
    name: int | None
    first_name: int | None
    last_name: int | None
    tags: int | None
    language: int | None
    joined: tuple[int, ...]
    judge: Judge
    judged: tuple[int | None, ...]
    objects: tuple[int, ...]
    fields: tuple[tuple[str, int], ...]
    dropped: tuple[str, ...]

    def columns(self) -> dict[str, tuple[str, ...]]:
        """What is read from which columns, by name."""
        names = (self.name,) if self.name is not None else (self.first_name, self.last_name)
        places = {
            "email": (self.email,),
            "name": names,
            "status": self.judged,
            "tags": (self.tags, *self.objects),
            "language": (self.language,),
            "joined": self.joined,
        }
        found = {
            target: tuple(self.header[place] for place in those if place is not None)
            for target, those in places.items()
        }
        return {target: columns for target, columns in found.items() if columns}


def parse_map(texts: Iterable[str]) -> dict[str, str]:
    """`email=E-Mail,field.city=Ort` to columns by target; a name with a comma in it stands in quotation marks.

    Raises:
        UsageError: there is no such target, or no `=`.

    """
    found: dict[str, str] = {}
    for text in texts:
        for part in next(csv.reader([text], skipinitialspace=True), []):
            target, equals, column = part.partition("=")
            target = target.strip()
            field = target.removeprefix("field.") if target.startswith("field.") else ""
            if not equals or not (target in TARGETS or field_name(field)):
                raise UsageError(
                    f"--map {part!r}: write target=column, and the target is one of {', '.join(TARGETS)}"
                    " or field.NAME"
                )
            found[target] = column.strip()
    return found


def recognise(header: Sequence[str]) -> Tool:
    """Who wrote a file with these columns; `csv` where nobody known did."""
    names = frozenset(map(plain, header))
    return next((tool for tool in TOOLS.values() if tool.recognises(names)), PLAIN)


def lay_out(
    header: Sequence[str], *, delimiter: str, tool: Tool, mapping: Mapping[str, str]
) -> Layout:
    """What each column is.

    Args:
        header: the names of the columns.
        delimiter: between cells.
        tool: who wrote the file.
        mapping: what somebody has said about it, columns by target; an empty column is none.

    Raises:
        UsageError: `mapping` names a column that is not there.

    """
    columns = _Columns(header, tool=tool, mapping=mapping)
    asked = tool is PLAIN or "status" in mapping
    standing = [columns.one("status"), columns.one("suppressed")] if asked else []
    judged = standing if asked else [columns.named(name) for name in tool.judged]
    email, name = columns.one("email"), columns.one("name")
    tags, language, joined = columns.one("tags"), columns.one("language"), columns.all("joined")
    objects = tuple(place for place, text in enumerate(header) if plain(text) in tool.objects)
    used = {email, name, tags, language, *joined, *judged, *objects}
    left = [place for place in range(len(header)) if place not in used and header[place]]
    dropped = tuple(place for place in left if columns.drops(place))
    return Layout(
        tool=tool,
        header=tuple(header),
        delimiter=delimiter,
        email=email,
        name=name,
        first_name=columns.one("first_name"),
        last_name=columns.one("last_name"),
        tags=tags,
        language=language,
        joined=joined,
        judge=judge_status if asked else tool.judge,
        judged=tuple(judged),
        objects=objects,
        fields=columns.fields([place for place in left if place not in dropped]),
        dropped=tuple(header[place] for place in dropped),
    )


class _Columns:
    """The columns of a file by their names."""

    def __init__(self, header: Sequence[str], *, tool: Tool, mapping: Mapping[str, str]) -> None:
        self._header = header
        self._tool = tool
        self._mapping = mapping
        self._exact = {text: place for place, text in reversed(list(enumerate(header)))}
        self._plain = {plain(text): place for place, text in reversed(list(enumerate(header)))}
        self._mapped = {
            target.removeprefix("field."): self._asked(column)
            for target, column in mapping.items()
            if target.startswith("field.") and column
        }

    def named(self, name: str) -> int | None:
        return self._plain.get(name)

    def all(self, target: str) -> tuple[int, ...]:
        """Every column that can be this, the best first."""
        if target in self._mapping:
            column = self._mapping[target]
            return (self._asked(column),) if column else ()
        names = self._tool.columns.get(target) or COMMON[target]
        return tuple(self._plain[name] for name in names if name in self._plain)

    def one(self, target: str) -> int | None:
        return next(iter(self.all(target)), None)

    def drops(self, place: int) -> bool:
        """Whether this column is not taken over."""
        name = plain(self._header[place])
        if place in self._mapped.values():
            return False
        return name in _OURS or self._tool.dropped.fullmatch(name) is not None

    def fields(self, places: Sequence[int]) -> tuple[tuple[str, int], ...]:
        """The fields that these columns and the mapped ones become, each with a name of its own."""
        fields = {field_name(name): place for name, place in self._mapped.items()}
        taken = {name.casefold() for name in (*_COLUMNS, *fields)}
        for place in places:
            if place in self._mapped.values():
                continue
            name = wanted = field_name(self._header[place]) or f"column_{place + 1}"
            count = 1
            while name.casefold() in taken:
                count += 1
                name = f"{wanted}_{count}"
            taken.add(name.casefold())
            fields[name] = place
        return tuple(fields.items())

    def _asked(self, column: str) -> int:
        place = self._exact.get(column, self._plain.get(plain(column)))
        if place is None:
            there = ", ".join(f"`{text}`" for text in self._header if text)
            raise UsageError(f"--map: there is no column `{column}`; the first row has {there}")
        return place
