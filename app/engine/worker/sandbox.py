"""Jinja for chat templates that nobody has vetted: no way out of the template, bounded work, bounded memory.

A chat template arrives inside a model file from a stranger and is run on every request (CVE-2024-34359, CVE-2026-5760:
templates that ran commands). Jinja's own sandbox closes underscore attributes; this one allows only the attributes,
filters and names that chat templates use, and measures loops, calls, joins and arithmetic, so that a template can
neither hang the worker nor fill its memory. The dialect is that of Hugging Face's ``apply_chat_template``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from time import monotonic
from typing import Any, NoReturn

from jinja2 import TemplateError, nodes, pass_environment
from jinja2.environment import Template
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.filters import FILTERS
from jinja2.parser import Parser
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

MAX_TEXT = 16 * 1024 * 1024
"""Most characters in one string and in the whole output: several times a prompt of a million tokens."""

MAX_ITEMS = 1_000_000
_MAX_RANGE = 100_000
_MAX_SOURCE = 512 * 1024
_MAX_INT_BITS = 1024
_MAX_INDENT = 64
_ITEMS_BETWEEN_CHECKS = 64


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ATTRIBUTES: dict[type, frozenset[str]] = {
    str: _names(
        "capitalize count endswith find index isalnum isalpha isdigit islower isnumeric isspace isupper join lower"
        " lstrip partition removeprefix removesuffix replace rfind rpartition rsplit rstrip split splitlines startswith"
        " strip title upper"
    ),
    dict: _names("get items keys values"),
    list: _names("count index"),
    tuple: _names("count index"),
    LoopContext: _names(
        "changed cycle depth depth0 first index index0 last length nextitem previtem revindex revindex0"
    ),
}

_PLAIN_FILTERS = _names(
    "abs capitalize count d default dictsort first float groupby int items last length list lower map max min reject"
    " rejectattr reverse round select selectattr sort string title trim truncate unique upper wordcount"
)


class TemplateLimitError(TemplateError):
    """A template took too long, or grew too large."""


class TemplateRefusedError(TemplateError):
    """A template called ``raise_exception``: it does not take such a conversation."""


class _Generation(Extension):
    """``{% generation %}…{% endgeneration %}`` marks the assistant's words for training; here it is transparent."""

    tags = {"generation"}  # noqa: RUF012 - jinja2 declares it so

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Measured(NodeTransformer):
    """Sends every loop and every ``~`` through a filter of ours, since the sandbox has no hook for these."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - the visitor's naming
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, "measured_each", [], [], None, None, lineno=node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return nodes.Filter(
            nodes.List(node.nodes, lineno=node.lineno), "measured_join", [], [], None, None, lineno=node.lineno
        )


def measured_join(values: Iterable[Any], separator: str = "") -> str:
    """The texts of ``values``, joined, unless that is too long."""
    texts: list[str] = []
    length = 0
    for value in values:
        text = str(value)
        length += len(text) + len(separator)
        _require_room(length, MAX_TEXT)
        texts.append(text)
    return separator.join(texts)


class ChatSandbox(ImmutableSandboxedEnvironment):
    """A sandbox for one template at a time; belongs to one thread.

    Args:
        seconds: the longest that one rendering may take.
        now: the clock behind ``strftime_now``.
    """

    concat = staticmethod(measured_join)
    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))

    def __init__(self, seconds: float, now: Callable[[], datetime] = datetime.now) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,  # nothing of a stranger's template is computed while it is compiled
            extensions=["jinja2.ext.loopcontrols", _Generation],
        )
        self._seconds = seconds
        self._now = now
        self._deadline = float("inf")
        self.globals = {
            "range": _bounded_range,
            "namespace": Namespace,
            "dict": dict,
            "raise_exception": _refuse,
            "strftime_now": self._strftime_now,
        }
        self.filters = {name: FILTERS[name] for name in _PLAIN_FILTERS} | {
            "indent": _indent,
            "join": _join_filter,
            "replace": _replace,
            "safe": str,
            "tojson": _tojson,
            "measured_each": self._measured_each,
            "measured_join": measured_join,
        }

    def compile_template(self, source: str) -> Template:
        """``source`` made ready to run.

        Raises:
            TemplateError: when it is not a template.
        """
        if len(source) > _MAX_SOURCE:
            raise TemplateLimitError(f"the template has {len(source)} characters, more than {_MAX_SOURCE}")
        try:
            return self.from_string(source)
        except TemplateError:
            raise
        except (RecursionError, SyntaxError, MemoryError, ValueError, TypeError, AssertionError) as error:
            # Python's own compiler speaks for what jinja2's parser lets through: nesting too deep for either.
            raise TemplateError(f"{type(error).__name__}: {error}") from error

    def run(self, template: Template, variables: dict[str, Any]) -> str:
        """The output of ``template``.

        Raises:
            TemplateError: whatever went wrong within it.
        """
        self._deadline = monotonic() + self._seconds
        pieces: list[str] = []
        length = 0
        try:
            for piece in template.generate(variables):
                self._check_time()
                length += len(piece)
                if length > MAX_TEXT:
                    raise TemplateLimitError(f"the output has more than {MAX_TEXT} characters")
                pieces.append(piece)
        except TemplateError:
            raise
        except Exception as error:  # a stranger's code may raise anything; reported as its fault
            raise TemplateError(f"{type(error).__name__}: {error}") from error
        finally:
            self._deadline = float("inf")
        return "".join(pieces)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Whether a template may read ``obj.attr``: only what is on the list of its type."""
        if isinstance(obj, Namespace):
            return not attr.startswith("_")
        return attr in _ATTRIBUTES.get(type(obj), ())

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Denies ``str.format``: its field syntax reaches attributes and pads without bound."""
        if getattr(value, "__name__", "") in ("format", "format_map") and isinstance(
            getattr(value, "__self__", None), str
        ):
            return _no_format
        if getattr(value, "__name__", "") == "replace" and isinstance(getattr(value, "__self__", None), str):
            text = value.__self__
            return lambda *args: _replace(text, *args)
        if getattr(value, "__name__", "") == "join" and isinstance(getattr(value, "__self__", None), str):
            separator = value.__self__
            return lambda values: measured_join(values, separator)
        return None

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Calls a macro, a method or a global of the template, if there is time."""
        self._check_time()
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic whose result is known to be small."""
        self._check_time()
        if operator == "+":
            if isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
                limit = MAX_TEXT if isinstance(left, str) else MAX_ITEMS
                _require_room(len(left) + len(right), limit)
        elif operator in ("*", "%", "**"):
            if not (isinstance(left, int | float) and isinstance(right, int | float)):
                raise SecurityError(f"{operator!r} is for numbers here, not {type(left).__name__}")
            if isinstance(left, int) and isinstance(right, int):
                bits = left.bit_length() * (max(right, 1) if operator == "**" else 1)
                _require_room(bits + (right.bit_length() if operator == "*" else 0), _MAX_INT_BITS)
        return super().call_binop(context, operator, left, right)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _Measured().visit(super()._parse(source, name, filename))
        tree.set_environment(self)
        return tree

    def _check_time(self) -> None:
        if monotonic() > self._deadline:
            raise TemplateLimitError(f"it took longer than {self._seconds:g} seconds")

    def _measured_each(self, values: Iterable[Any]) -> Iterator[Any]:
        for count, value in enumerate(values):
            if count % _ITEMS_BETWEEN_CHECKS == 0:
                self._check_time()
            yield value

    def _strftime_now(self, form: str) -> str:
        if len(form) > 64 or any(character.isdigit() for character in form):
            raise SecurityError("strftime_now takes a short format without widths")
        return self._now().strftime(form)


@pass_environment
def _join_filter(
    environment: ChatSandbox, values: Iterable[Any], d: str = "", attribute: str | int | None = None
) -> str:
    if attribute is not None:
        values = (environment.getitem(value, attribute) for value in values)
    return measured_join(values, str(d))


def _replace(text: Any, old: str, new: str, count: int | None = None) -> str:
    text, old, new = str(text), str(old), str(new)
    found = text.count(old)
    _require_room(len(text) + found * max(0, len(new) - len(old)), MAX_TEXT)
    replaced: str = text.replace(old, new, -1 if count is None else count)
    return replaced


def _indent(text: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    margin = " " * min(width, _MAX_INDENT) if isinstance(width, int) else width
    lines = str(text).splitlines(keepends=True)
    _require_room(len(lines) * len(margin) + len(str(text)), MAX_TEXT)
    return "".join(
        margin + line if (number > 0 or first) and (blank or line.strip()) else line
        for number, line in enumerate(lines)
    )


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """JSON as Hugging Face's ``tojson`` writes it: jinja2's own escapes ``<`` and sorts keys, unlike models' data."""
    if indent is not None:
        indent = max(0, min(int(indent), _MAX_INDENT))
    text = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
    _require_room(len(text), MAX_TEXT)
    return text


def _bounded_range(*bounds: int) -> range:
    numbers = range(*bounds)
    # len() itself overflows on a range beyond the machine's word.
    if abs(numbers.stop - numbers.start) > _MAX_RANGE * abs(numbers.step):
        raise TemplateLimitError(f"a range of more than {_MAX_RANGE} numbers")
    return numbers


def _refuse(message: Any) -> NoReturn:
    raise TemplateRefusedError(str(message)[:1000])


def _no_format(*_args: Any, **_kwargs: Any) -> NoReturn:
    raise SecurityError("str.format is not available to chat templates")


def _require_room(size: int, limit: int) -> None:
    if size > limit:
        raise TemplateLimitError(f"a value grew beyond {limit}")
