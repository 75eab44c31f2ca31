"""The only door to Jinja: a sandbox that reads a theme's templates and explains their mistakes.

Whatever a template of the HTML part prints is escaped, in the text part nothing is. An undefined name
is an error. Templates may read the fields of models and call what is listed in `docs/templates.md`,
and nothing else: no methods of models, no attributes with an underscore.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import sys
import types
from collections.abc import Callable, Iterable, Mapping
from datetime import date, time, timedelta
from typing import Any, cast

from jinja2 import (
    BaseLoader,
    Environment,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
    Undefined,
    UndefinedError,
)
from jinja2.exceptions import SecurityError
from jinja2.runtime import BlockReference, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace
from pydantic import BaseModel

from newsletter.errors import Place, Problem, TemplateError
from newsletter.rendering.folders import Found, ThemeFolders
from newsletter.rendering.markers import FieldsView, Marker, SubscriberView
from newsletter.rendering.mistake import Mistake, did_you_mean

MARKER_FILTERS = frozenset({"fallback", "escape", "e", "forceescape", "safe"})
MARKER_TESTS = frozenset({"defined", "undefined"})
_PERSONAL = (Marker, SubscriberView, FieldsView)
_SAFE_OWNERS = (str, bytes, int, float, tuple, list, dict, set, frozenset, date, time, timedelta)
_JINJA_CALLABLES = (Macro, LoopContext, BlockReference, Cycler, Joiner)
_ADDRESS = re.compile(" at 0x[0-9a-f]+")
_SAFE_TYPES = (dict, Namespace, Cycler, Joiner)


def autoescapes(name: str | None, *, html: bool) -> bool:
    """Whether what a template prints is escaped (Jinja's `select_autoescape` misses `.html.j2`).

    Args:
        name: of the template.
        html: whether it makes a piece of the HTML part; what both parts share is escaped there only.

    """
    return html or (name is not None and name.endswith(".html.j2"))


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

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute`; a free field comes before a method of the model with the same name."""
        if isinstance(obj, BaseModel) and attribute in (obj.model_extra or {}):
            return (obj.model_extra or {})[attribute]
        return super().getattr(obj, attribute)

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
        """Whether a template may call `obj`; what explains itself when called may be."""
        if isinstance(obj, (*_JINJA_CALLABLES, Marker, Undefined)):
            return True
        if isinstance(obj, types.BuiltinMethodType | types.MethodType):
            return isinstance(obj.__self__, _SAFE_OWNERS + _JINJA_CALLABLES)
        if isinstance(obj, types.FunctionType) and _is_guarded_format(obj):
            return True
        return any(obj is known for known in (*self.globals.values(), *_SAFE_TYPES))


def _is_guarded_format(function: types.FunctionType) -> bool:
    """Whether this is what the sandbox puts in place of `str.format`."""
    method = getattr(function, "__wrapped__", None)
    return (
        isinstance(method, types.BuiltinMethodType)
        and isinstance(method.__self__, str)
        and method.__name__ in ("format", "format_map")
    )


class _Loader(BaseLoader):
    """Templates from `ThemeFolders`."""

    def __init__(self, folders: ThemeFolders) -> None:
        self._folders = folders
        self.found: dict[str, Found] = {}
        self.sources: dict[str, str] = {}

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """Source, file name and a function that tells whether both are still right."""
        if self._folders.find(template) is None:
            raise TemplateNotFound(template)
        found, source = self._folders.load(template)
        self.found[str(found.path)] = found
        self.sources[found.shown] = source
        stamp = found.path.stat().st_mtime_ns

        def fresh() -> bool:
            now = self._folders.find(template)
            return now == found and found.path.stat().st_mtime_ns == stamp

        return source, str(found.path), fresh


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
        self._folders = folders
        self._loader = _Loader(folders)
        self._environments = {
            html: _environment(self._loader, filters=filters, functions=functions, html=html)
            for html in (True, False)
        }

    def render(self, name: str, context: Mapping[str, Any], *, html: bool) -> str:
        """The output of the template `name`, as a piece of the HTML or of the text part.

        Raises:
            TemplateError: with path and line of whatever is wrong.

        """
        try:
            return self._environments[html].get_template(name).render(context)
        except TemplateError:
            raise
        except Exception as error:  # whatever it is, it is the author's to mend
            problem = self._explain(error, name, context)
        raise TemplateError(problems=[problem])

    @property
    def sources(self) -> Mapping[str, str]:
        """The text of every template that was used so far, by its path as the user would type it."""
        return self._loader.sources

    def require(self, name: str, message: str) -> None:
        """Make sure that there is a template `name`.

        Raises:
            Mistake: there is none; `message` comes first.

        """
        if self._folders.find(name) is None:
            missing = self._folders.missing(name)
            raise Mistake(f"{message}: {missing.message}", hint=missing.hint)

    def running(self) -> Place | None:
        """The line of the template that is running in this thread, when one is."""
        frame: types.FrameType | None = sys._getframe(1)
        while frame is not None:
            found = self._loader.found.get(frame.f_code.co_filename)
            template = frame.f_globals.get("__jinja_template__")
            if found and template:
                return Place(
                    path=found.shown, line=template.get_corresponding_lineno(frame.f_lineno)
                )
            frame = frame.f_back
        return None

    def problem(self, message: str, *, hint: str | None, place: Place) -> Problem:
        """A problem at `place`, with the line when it is a line of a template."""
        return Problem(message=message, hint=hint, place=place, snippet=self._snippet(place))

    def _explain(self, error: Exception, name: str, context: Mapping[str, Any]) -> Problem:
        message, hint = self._what(error, context)
        place = error.place if isinstance(error, Mistake) else None
        entry = Place(path=f"{self._folders.folders[0].shown}/{name}")
        place = place or self._where(error) or self.running() or entry
        return self.problem(message, hint=hint, place=place)

    def _where(self, error: Exception) -> Place | None:
        if isinstance(error, TemplateSyntaxError):
            found = self._loader.found.get(error.filename or "")
            return Place(path=found.shown, line=error.lineno) if found else None
        place = None
        trace = error.__traceback__
        while trace is not None:
            if found := self._loader.found.get(trace.tb_frame.f_code.co_filename):
                place = Place(path=found.shown, line=trace.tb_lineno)
            trace = trace.tb_next
        return place

    def _what(self, error: Exception, context: Mapping[str, Any]) -> tuple[str, str | None]:
        match error:
            case Mistake():
                return error.message, error.hint
            case TemplateNotFound():
                missing = self._folders.missing(str(error.name or error))
                return missing.message, missing.hint
            case TemplateSyntaxError() | UndefinedError():
                message = _one_line(error.message or "cannot be read").rstrip(".")
                return message, self._nearest(message, context)
            case SecurityError():
                return f"not allowed in a template: {_one_line(_ADDRESS.sub('', str(error)))}", None
            case RecursionError():
                return "templates or blocks include each other without end", None
            case _:
                return f"{type(error).__name__}: {_one_line(str(error))}", None

    def _nearest(self, message: str, context: Mapping[str, Any]) -> str | None:
        """What was meant by the name in one of Jinja's messages."""
        environment = self._environments[True]
        word = message.partition("'")[2].rpartition("'")[0]
        if message == f"'{word}' is not defined":
            return did_you_mean(word, [*context, *environment.globals])
        if message == f"No filter named '{word}'":
            return did_you_mean(word, environment.filters)
        if message == f"No test named '{word}'":
            return did_you_mean(word, environment.tests)
        return None

    def _snippet(self, place: Place) -> str | None:
        lines = self.sources.get(place.path, "").splitlines()
        if place.line is None or place.line > len(lines):
            return None
        return f"{place.line:>5} | {lines[place.line - 1].rstrip()}"


def _environment(
    loader: BaseLoader,
    *,
    filters: Mapping[str, Callable[..., Any]],
    functions: Mapping[str, Callable[..., Any]],
    html: bool,
) -> _Sandbox:
    environment: Any = _Sandbox(
        loader=loader,
        autoescape=functools.partial(autoescapes, html=html),
        undefined=_Undefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        finalize=_nothing_for_none,
    )
    environment.globals.pop("lipsum", None)
    environment.globals.update({name: _strict(call) for name, call in functions.items()})
    environment.filters.update({name: _strict(call) for name, call in filters.items()})
    _guard(environment.filters, MARKER_FILTERS, "run the filter `{}` on it")
    _guard(environment.tests, MARKER_TESTS, "test whether it is {}")
    return cast("_Sandbox", environment)


def _nothing_for_none(value: Any) -> Any:
    return "" if value is None else value


def _guard(table: dict[str, Callable[..., Any]], allowed: Iterable[str], action: str) -> None:
    """Make every function of `table` refuse personal values, except the allowed ones."""
    for name in set(table) - set(allowed):
        table[name] = _refusing(table[name], action.format(name))


def _refusing(function: Callable[..., Any], action: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        for value in (*args, *kwargs.values()):
            if isinstance(value, _PERSONAL):
                value.refuse(action)
        return function(*args, **kwargs)

    return guarded


def _strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function fail on an undefined argument as printing it would."""

    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        for value in (*args, *kwargs.values()):
            if isinstance(value, Undefined):
                str(value)
        return function(*args, **kwargs)

    return guarded


def _one_line(text: str) -> str:
    return " ".join(text.split())
