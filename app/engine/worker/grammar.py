"""From the form that an answer must take to a grammar that the sampler can hold it to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from app.errors import InvalidRequestError
from app.messages import ResponseFormat

MAX_SCHEMA_BYTES = 256 * 1024
MAX_GRAMMAR_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_NESTING = 1000
"""Parentheses within parentheses: the library's parser calls itself for each, and 100,000 overflow its stack."""

MAX_REPEATS = 1000
"""The largest ``maxItems``, ``minLength`` and the like: each repetition is written out in the grammar."""

_COUNTS = ("minItems", "maxItems", "minLength", "maxLength")
_SCHEMAS_BY_NAME = ("properties", "$defs", "definitions")
_SCHEMA_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE_SCHEMAS = ("items", "additionalProperties")
_PLAIN_KEYS = ("type", "enum", "const", "required", "pattern", "format", "$ref", *_COUNTS)
_LITERAL_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_NEVER_IN_STRINGS = r'"\\\x00-\x1F'
_HEX = "[0-9a-fA-F]"
_CHARACTER = (
    rf'[^{_NEVER_IN_STRINGS}] | "\\" (["\\/bfnrt] | "u" ([0-9a-cA-CefEF] {_HEX} | [dD] [0-7]) {_HEX} {_HEX}'
    rf' | "u" [dD] [89abAB] {_HEX} {_HEX} "\\u" [dD] [c-fC-F] {_HEX} {_HEX})'
)
"""One of a JSON string (RFC 8259, section 7): no control character as it is, no half of a surrogate pair."""

_NUMBER = '("-"? integral-part) ("." decimal-part)? ([eE] [-+]? [0-9] [0-9]?)? space'
"""One that a double can hold."""

_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": " "}
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\]', re.DOTALL)
_QUANTIFIER = re.compile(r"\{\d+(,\d*)?\}|[*+?]")
_COUNT_IN_PATTERN = re.compile(r"(?<=[{,])\s*\d+")
_ANY_VALUE: dict[str, Any] = {"type": ["object", "array", "string", "number", "boolean", "null"]}
_TYPES = frozenset(("object", "array", "string", "number", "integer", "boolean", "null"))
_FORMATS = frozenset(("date", "time", "date-time", "uuid", "uuid1", "uuid2", "uuid3", "uuid4", "uuid5"))


def grammar_for(response_format: ResponseFormat) -> str | None:
    """The GBNF that an answer must fit, or ``None`` where it is free.

    Raises:
        InvalidRequestError: when the schema is too large, or says what no grammar can hold an answer to.
    """
    if response_format.grammar is not None and response_format.json_schema is not None:
        raise InvalidRequestError("A request has a grammar and a JSON schema; only one of them can hold.")
    if response_format.grammar is not None:
        if len(response_format.grammar.encode("utf-8", "replace")) > MAX_GRAMMAR_BYTES:
            raise InvalidRequestError(f"The grammar is larger than {MAX_GRAMMAR_BYTES} bytes.")
        if _nesting(response_format.grammar) > MAX_NESTING:
            raise InvalidRequestError(f"The grammar is nested deeper than {MAX_NESTING}.")
        if "\0" in response_format.grammar:
            raise InvalidRequestError("The grammar holds a NUL character.")
        return response_format.grammar
    if response_format.json_schema is None:
        return None
    return rules_for({"root": response_format.json_schema})[1]


def _nesting(grammar: str) -> int:
    depth = deepest = 0
    for character in _QUOTED.sub("", grammar):
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return deepest


def rules_for(schemas: dict[str, dict[str, Any]]) -> tuple[dict[str, str], str]:
    """Grammar rules for several schemas, which can be used in a larger grammar.

    Args:
        schemas: by the name that a rule of it should have: lower-case letters, digits and hyphens; ``root`` is free.

    Gives:
        The name that each rule has, and the text of the rules. They use the names ``space``, ``definition-…`` and those
        of JSON's types.

    Raises:
        InvalidRequestError: when a schema is too large, or says what no grammar can hold an answer to.
    """
    sound: dict[str, Any] = {}
    for name, schema in schemas.items():
        plain = _plain(schema, "the schema", 0) if schema else {"type": "object"}
        try:
            text = json.dumps(plain)
        except (TypeError, ValueError) as error:
            raise InvalidRequestError(f"The JSON schema is not JSON: {error}.") from error
        if len(text) > MAX_SCHEMA_BYTES:
            raise InvalidRequestError(f"The JSON schema has {len(text)} bytes; at most {MAX_SCHEMA_BYTES} can be used.")
        sound[name] = json.loads(text)
    try:
        names, grammar = _converted(sound)
    except RecursionError as error:
        raise InvalidRequestError("The JSON schema refers to itself without end.") from error
    except (AssertionError, LookupError, ValueError, TypeError, AttributeError) as error:
        # The converter has no error type of its own; these are what it raises on a schema that it does not know.
        raise InvalidRequestError(f"The JSON schema cannot be made into a grammar: {str(error)[:200]}.") from error
    if len(grammar) > MAX_GRAMMAR_BYTES:
        raise InvalidRequestError(
            f"The JSON schema makes a grammar of {len(grammar)} bytes; at most {MAX_GRAMMAR_BYTES} can be used."
        )
    return names, grammar


def literal(text: str) -> str:
    """The text as a grammar spells it."""
    return '"' + "".join(_LITERAL_ESCAPES.get(character, character) for character in text) + '"'


def _converted(schemas: dict[str, Any]) -> tuple[dict[str, str], str]:
    """The work of llama-cpp-python's converter, without its faults.

    It forgets to escape backslashes in literals, takes any rule of the same name for what a ``$ref`` points at, does
    not look for references beside one, and lets strings and numbers be what no parser reads (``_CHARACTER``).
    """
    from llama_cpp.llama_grammar import PRIMITIVE_RULES, SchemaConverter

    sound = {PRIMITIVE_RULES["char"].content: _CHARACTER, PRIMITIVE_RULES["number"].content: _NUMBER}

    class Converter(SchemaConverter):  # type: ignore[misc]  # untyped, and imported late: it is native code's package
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self._definitions = 0
            self._rule_of_ref: dict[str, str] = {}

        def within(self, schema: Any) -> None:
            self._refs = {reference: _target(schema, reference) for reference in _references(schema)}
            self._rule_of_ref = {}

        def _format_literal(self, text: str) -> str:
            return literal(text)

        def _add_rule(self, name: str, rule: str) -> str:
            added: str = super()._add_rule(name, sound.get(rule, rule))
            return added

        def _resolve_ref(self, ref: str) -> str:
            name = self._rule_of_ref.get(ref)
            if name is None:
                name = self._rule_of_ref[ref] = f"definition-{self._definitions}"
                self._definitions += 1
                name = self._rule_of_ref[ref] = self.visit(self._refs[ref], name)
            return name

    converter = Converter(prop_order={}, allow_fetch=False, dotall=False, raw_pattern=False)
    names: dict[str, str] = {}
    for name, schema in schemas.items():
        converter.within(schema)
        names[name] = converter.visit(schema, "" if name == "root" else name)
    grammar: str = converter.format_grammar()
    return names, grammar


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from _references(part)


def _target(schema: dict[str, Any], reference: str) -> Any:
    """What a JSON pointer (RFC 6901) points at within ``schema``."""
    found: Any = schema
    for step in reference.removeprefix("#/").split("/"):
        key = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, dict) or key not in found:
            raise InvalidRequestError(f"In the JSON schema, $ref {reference!r} points at nothing.")
        found = found[key]
    return found


def _plain(schema: Any, where: str, depth: int) -> dict[str, Any]:
    """The part of a schema that the converter reads: no annotations, ``{}`` and ``true`` as any value.

    The converter fails on a schema that holds a description alone, and reads a nested ``{}`` as an object.
    """
    if depth > MAX_DEPTH:
        raise InvalidRequestError(f"The JSON schema is nested deeper than {MAX_DEPTH}.")
    if schema is True:
        return dict(_ANY_VALUE)
    if not isinstance(schema, dict):
        raise InvalidRequestError(f"In the JSON schema, {where} is {type(schema).__name__}, expected an object.")
    kept: dict[str, Any] = {key: schema[key] for key in _PLAIN_KEYS if key in schema}
    _check_plain(kept, where)
    for key in _SCHEMAS_BY_NAME:
        if key in schema:
            named = schema[key]
            if not isinstance(named, dict):
                raise InvalidRequestError(f"In the JSON schema, {key} of {where} is not an object.")
            kept[key] = {name: _plain(part, f"{key}.{name}", depth + 1) for name, part in named.items()}
    for key in _SCHEMA_LISTS:
        if key in schema:
            parts = schema[key]
            if not isinstance(parts, list) or not parts:
                raise InvalidRequestError(f"In the JSON schema, {key} of {where} is not a list of schemas.")
            kept[key] = [_plain(part, f"{key}[{at}]", depth + 1) for at, part in enumerate(parts)]
    for key in _SINGLE_SCHEMAS:
        if key in schema:
            part = schema[key]
            keep_as_is = key == "additionalProperties" and isinstance(part, bool)
            kept[key] = part if keep_as_is else _plain(part, f"{key} of {where}", depth + 1)
    if kept.get("type") == "array" and "items" not in kept and "prefixItems" not in kept and _has_counts(kept):
        kept["items"] = dict(_ANY_VALUE)
    if not set(kept) - {"$defs", "definitions"}:
        kept |= _ANY_VALUE if depth else {"type": "object"}
    return kept


def _has_counts(schema: dict[str, Any]) -> bool:
    return any(key in schema for key in _COUNTS)


def _check_plain(schema: dict[str, Any], where: str) -> None:
    for key in _COUNTS:
        count = schema.get(key, 0)
        if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= MAX_REPEATS:
            raise InvalidRequestError(
                f"In the JSON schema, {key} of {where} is {count!r}, expected a whole number from 0 to {MAX_REPEATS}."
            )
    kinds = schema.get("type", [])
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if not isinstance(kind, str) or kind not in _TYPES:
            raise InvalidRequestError(
                f"In the JSON schema, type of {where} is {kind!r}, expected one of {', '.join(sorted(_TYPES))}."
            )
    if "enum" in schema and not (isinstance(schema["enum"], list) and schema["enum"]):
        raise InvalidRequestError(f"In the JSON schema, enum of {where} is not a list of values.")
    form = schema.get("format")
    if form is not None and (not isinstance(form, str) or form not in _FORMATS):
        del schema["format"]  # an annotation, by the standard, where it is not known
    pattern = schema.get("pattern")
    if pattern is not None and (not isinstance(pattern, str) or len(pattern) > MAX_REPEATS):
        raise InvalidRequestError(f"In the JSON schema, pattern of {where} is not a short text.")
    if pattern is not None and any(int(count) > MAX_REPEATS for count in _COUNT_IN_PATTERN.findall(pattern)):
        raise InvalidRequestError(
            f"In the JSON schema, pattern of {where} repeats something more than {MAX_REPEATS} times."
        )
    if pattern is not None:
        schema["pattern"] = _plain_pattern(pattern, where)
    reference = schema.get("$ref")
    if reference is not None and not (isinstance(reference, str) and reference.startswith("#/")):
        raise InvalidRequestError(
            f"In the JSON schema, $ref of {where} is {reference!r}, expected one within the schema: '#/…'."
        )


def _plain_pattern(pattern: str, where: str) -> str:
    """A regular expression in the few forms that the converter knows, which never leaves the JSON string it is in.

    Escapes become character classes; ``.`` and negated classes leave out what would end or break the string.
    """
    plain: list[str] = []
    in_class = repeated = False
    at = 0
    while at < len(pattern):
        quantifier = None if in_class else _QUANTIFIER.match(pattern, at)
        if quantifier:
            if repeated:
                raise _unusable(pattern, where)
            repeated, at = True, quantifier.end()
            plain.append(quantifier.group())
            continue
        repeated = False
        character = pattern[at]
        at += 1
        # A bracket or brace without its other half sends the converter round for ever.
        if character in '"' or character < " " or (not in_class and character in "]{}"):
            raise _unusable(pattern, where)
        if character == "\\":
            escaped = pattern[at : at + 1]
            at += 1
            ranges = _CLASSES.get(escaped, escaped if escaped in ".-/_@:+*?()[]{}|^$# " and escaped else None)
            if ranges is None:
                raise _unusable(pattern, where)
            quoted = "\\" + ranges if ranges in ("]", "[") else f"\\x{ord(ranges):02X}" if ranges in "^-" else ranges
            plain.append(quoted if in_class else f"[{quoted}]")
        elif in_class:
            in_class = character != "]"
            plain.append(character)
        elif character == "[":
            in_class = True
            negated = pattern.startswith("^", at)
            at += negated
            plain.append("[" + ("^" + _NEVER_IN_STRINGS if negated else ""))
        elif character == ".":
            plain.append(f"[^{_NEVER_IN_STRINGS}]")
        else:
            plain.append(character)
    return "".join(plain)


def _unusable(pattern: str, where: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"In the JSON schema, pattern of {where} is {pattern[:80]!r}, which no grammar can hold."
    )
