"""The only door to Jinja: a sandbox that reads templates from the theme's folders and explains their mistakes.

Autoescape is on for everything but `*.txt.j2`. An undefined name is an error. Templates may read the models' fields and
call what is listed in `docs/templates.md`, and nothing else: no methods of models, no attributes with an underscore.
"""

from __future__ import annotations

import builtins
import dataclasses
import functools
import types
from collections.abc import Callable, Iterable, Mapping
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

from jinja2 import (
    BaseLoader,
    Environment,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedError,
)
from jinja2.exceptions import SecurityError
from jinja2.runtime import BlockReference, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace
from pydantic import BaseModel

from newsletter.errors import Place, Problem, TemplateError
from newsletter.rendering.folders import Found, ThemeFolders
from newsletter.rendering.markers import Marker
from newsletter.rendering.mistake import Mistake, did_you_mean

MARKER_FILTERS = frozenset({"fallback", "escape", "e", "forceescape", "safe"})
MARKER_TESTS = frozenset({"defined", "undefined"})
_SAFE_OWNERS = (str, bytes, int, float, tuple, list, dict, set, frozenset, date, time, timedelta)
_JINJA_CALLABLES = (Macro, LoopContext, BlockReference, Cycler, Joiner)
_SAFE_TYPES = (dict, Namespace, Cycler, Joiner)


def autoescapes(name: str | None) -> bool:
    """Whether a template's output is HTML. (Jinja's `select_autoescape` does not know `.html.j2`.)"""
    return name is None or not name.endswith(".txt.j2")


def field_names(value: object) -> list[str]:
    """The names that a template may read from a model, a dataclass or a mapping."""
    if isinstance(value, BaseModel):
        own = [name for name, part in vars(type(value)).items() if isinstance(part, property)]
        return [*type(value).model_fields, *(value.model_extra or {}), *own]
    if dataclasses.is_dataclass(value):
        return [field.name for field in dataclasses.fields(value)]
    if isinstance(value, Mapping):
        return [str(key) for key in value]
    return []


class _Undefined(StrictUndefined):
    """A missing name that says what was meant."""

    @property
    def _undefined_message(self) -> str:
        name = self._undefined_name
        if self._undefined_hint:
            return self._undefined_hint
        if name is None or not hasattr(self, "_undefined_obj"):
            return f"'{name}' is not defined"
        owner = self._undefined_obj
        if type(owner).__module__.startswith("jinja2"):
            return f"'{name}' is not defined"
        known = did_you_mean(str(name), field_names(owner))
        kind = getattr(owner, "kind", None)
        what = f"a block of kind '{kind}'" if isinstance(kind, str) else _type_name(owner)
        return f"{what} has no '{name}'" + (f" ({known})" if known else "")


def _type_name(value: object) -> str:
    if value is None:
        return "None"
    return f"'{type(value).__name__.removeprefix('Visible').lower()}'"


class _Sandbox(ImmutableSandboxedEnvironment):
    """Attributes of models are their fields; only listed things can be called."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Whether a template may read `obj.attr`."""
        if isinstance(obj, BaseModel) and attr not in field_names(obj):
            return False
        return super().is_safe_attribute(obj, attr, value)

    def unsafe_undefined(self, obj: Any, attribute: str) -> Any:
        """What a refused attribute becomes: for a model, one that does not exist."""
        if isinstance(obj, BaseModel) and not attribute.startswith("_"):
            return self.undefined(obj=obj, name=attribute)
        return super().unsafe_undefined(obj, attribute)

    def is_safe_callable(self, obj: Any) -> bool:
        """Whether a template may call `obj`."""
        if isinstance(obj, _JINJA_CALLABLES) or obj in self.globals.values():
            return True
        if isinstance(obj, types.BuiltinMethodType | types.MethodType):
            return isinstance(obj.__self__, _SAFE_OWNERS + _JINJA_CALLABLES)
        return bool(obj in _SAFE_TYPES or getattr(obj, "called_by_templates", False))


class _Loader(BaseLoader):
    """Templates from `ThemeFolders`."""

    def __init__(self, folders: ThemeFolders) -> None:
        self._folders = folders
        self.found: dict[str, Found] = {}

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """Source, file name and a function that tells whether both are still right."""
        found, source = self._folders.load(template)
        self.found[str(found.path)] = found
        stamp = found.path.stat().st_mtime_ns

        def fresh() -> bool:
            now = self._folders.find(template)
            return now == found and found.path.stat().st_mtime_ns == stamp

        return source, str(found.path), fresh

    def list_templates(self) -> list[str]:
        """Every template of every folder."""
        return self._folders.names()


class Theme:
    """The compiled templates of one publication.

    Args:
        folders: where the templates are.
        filters: by name, added to Jinja's own.
        functions: by name, callable in every template and macro.
    """

    def __init__(
        self,
        folders: ThemeFolders,
        *,
        filters: Mapping[str, Callable[..., Any]],
        functions: Mapping[str, Callable[..., Any]],
    ) -> None:
        self._loader = _Loader(folders)
        self._folders = folders
        self._environment = _Sandbox(
            loader=self._loader,
            autoescape=autoescapes,
            undefined=_Undefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
            finalize=_nothing_for_none,
        )
        self._environment.globals.pop("lipsum", None)
        self._environment.globals.update(functions)
        self._environment.filters.update(filters)
        _guard(self._environment.filters, MARKER_FILTERS, "run the filter `{}` on it")
        _guard(self._environment.tests, MARKER_TESTS, "test whether it is {}")

    def render(self, name: str, context: Mapping[str, Any]) -> str:
        """The output of the template `name`.

        Raises:
            TemplateError: with path and line of whatever is wrong.
        """
        try:
            return self._environment.get_template(name).render(context)
        except TemplateError:
            raise
        except (
            Exception
        ) as error:  # templates can raise anything; all of it is the author's to mend
            problem = self._explain(error, name, context)
        raise TemplateError(problems=[problem])

    def _explain(self, error: Exception, name: str, context: Mapping[str, Any]) -> Problem:
        path, line = self._where(error)
        message, hint = self._what(error, context)
        if path is None:
            return Problem(message=message, hint=hint, place=self._entry(name, error))
        place = Place(path=self._loader.found[path].shown, line=line)
        return Problem(message=message, hint=hint, place=place, snippet=_snippet(path, line))

    def _entry(self, name: str, error: Exception) -> Place | None:
        if isinstance(error, Mistake):
            return None
        return Place(path=f"{self._folders.folders[0].shown}/{name}")

    def _where(self, error: Exception) -> tuple[str | None, int | None]:
        if isinstance(error, TemplateSyntaxError):
            return error.filename, error.lineno
        found: tuple[str | None, int | None] = (None, None)
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename in self._loader.found:
                found = trace.tb_frame.f_code.co_filename, trace.tb_lineno
            trace = trace.tb_next
        return found

    def _what(self, error: Exception, context: Mapping[str, Any]) -> tuple[str, str | None]:
        match error:
            case Mistake():
                return error.message, error.hint
            case TemplateNotFound():
                return f"there is no template {error.message}", None
            case TemplateSyntaxError():
                return _one_line(error.message or "syntax error"), None
            case UndefinedError():
                message = _one_line(error.message or "something is not defined")
                return message, self._nearest(message, context)
            case SecurityError():
                return f"not allowed in a template: {_one_line(str(error))}", None
            case RecursionError():
                return "templates or blocks include each other without end", None
            case _:
                return f"{type(error).__name__}: {_one_line(str(error))}", None

    def _nearest(self, message: str, context: Mapping[str, Any]) -> str | None:
        word, _, rest = message.removeprefix("'").partition("'")
        if rest != " is not defined":
            return None
        return did_you_mean(word, [*context, *self._environment.globals])


def _nothing_for_none(value: Any) -> Any:
    return "" if value is None else value


def _guard(
    table: builtins.dict[str, Callable[..., Any]], allowed: Iterable[str], action: str
) -> None:
    """Make every function of `table` refuse markers, except the allowed ones."""
    for name in set(table) - set(allowed):
        table[name] = _refusing(table[name], action.format(name))


def _refusing(function: Callable[..., Any], action: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        for value in (*args, *kwargs.values()):
            if isinstance(value, Marker):
                value.refuse(action)
        return function(*args, **kwargs)

    return guarded


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _snippet(path: str, line: int | None) -> str | None:
    if line is None:
        return None
    lines = Path(path).read_text("utf-8-sig").splitlines()
    return f"{line:>5} | {lines[line - 1].rstrip()}" if 0 < line <= len(lines) else None
