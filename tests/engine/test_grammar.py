"""From a JSON schema to a grammar that llama.cpp accepts, or a typed error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as llama
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.worker.grammar import MAX_REPEATS, grammar_for
from app.engine.worker.native import Model
from app.errors import InvalidRequestError
from app.messages import ResponseFormat


def of(schema: dict[str, Any]) -> str:
    grammar = grammar_for(ResponseFormat(json_schema=schema))
    assert grammar is not None
    return grammar


def test_a_free_answer_needs_no_grammar() -> None:
    assert grammar_for(ResponseFormat()) is None


def test_a_grammar_is_passed_on() -> None:
    assert grammar_for(ResponseFormat(grammar='root ::= "yes" | "no"')) == 'root ::= "yes" | "no"'


def test_an_empty_schema_is_any_object() -> None:
    assert "root ::= object" in of({}).splitlines()


def test_a_schema_as_programs_write_it() -> None:
    grammar = of(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Person",
            "type": "object",
            "properties": {
                "name": {"type": "string", "description": "full name", "minLength": 1},
                "title": {"description": "anything at all"},
                "mail": {"type": "string", "format": "email"},
                "born": {"type": "string", "format": "date"},
                "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 3},
                "parent": {"anyOf": [{"$ref": "#/$defs/parent"}, {"type": "null"}]},
            },
            "required": ["name"],
            "additionalProperties": False,
            "$defs": {"parent": {"type": "object", "properties": {"name": {"type": "string"}}}},
        }
    )
    assert grammar.count("root ::=") == 1


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "thing"},
        {"type": 3},
        {"type": "string", "minLength": MAX_REPEATS + 1},
        {"type": "array", "items": {"type": "string"}, "minItems": -1},
        {"type": "array", "items": {}, "maxItems": "many"},
        {"type": "string", "pattern": "no anchors"},
        {"type": "string", "pattern": "^a{999999999}$"},
        {"$ref": "https://example.org/schema"},
        {"$ref": "#/nowhere"},
        {"enum": []},
        {"anyOf": []},
        {"properties": [1]},
        {"properties": {"a": 7}},
        {"properties": {"a": False}},
    ],
)
def test_what_no_grammar_can_say_is_a_typed_error(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match="JSON schema"):
        of(schema)


def test_deep_and_large_schemas_are_refused() -> None:
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(40):
        deep = {"type": "array", "items": deep}
    with pytest.raises(InvalidRequestError, match="deeper"):
        of(deep)
    with pytest.raises(InvalidRequestError, match="bytes"):
        of({"enum": ["x" * 300_000]})
    with pytest.raises(InvalidRequestError, match="only one"):
        grammar_for(ResponseFormat(json_schema={}, grammar="root ::= [a]"))


def test_nested_repetitions_do_not_multiply() -> None:
    schema: dict[str, Any] = {"type": "string", "minLength": 999}
    for _ in range(20):
        schema = {"type": "array", "items": schema, "minItems": 99}
    assert len(of(schema)) < 1024 * 1024


references = ["$ref", "$defs", "description"]
counts = ["minItems", "maxItems", "minLength"]
schemas = ["properties", "items", "anyOf", "oneOf", "allOf", "additionalProperties", "prefixItems"]
NATIVE: dict[str, dict[str, Any]] = {
    "quotes and backslashes": {"enum": ['a"b', "\\", "\n", '\t\\"']},
    "odd names": {"type": "object", "properties": {'q"x': {"type": "integer"}, "\\n": {}, "é b": {"const": "\\"}}},
    "patterns": {"type": "string", "pattern": r"^\d{3}-\w+\.(com|org)[^a-z]?.[\d\-_]{2,}$"},
    "a list of itself": {"$ref": "#/$defs/n", "$defs": {"n": {"type": "array", "items": {"$ref": "#/$defs/n"}}}},
    "any value": {"type": "array", "items": True, "maxItems": 4},
    "every type": {"type": ["string", "null", "number", "integer", "boolean", "array", "object"]},
}


@pytest.fixture(scope="module")
def model(starter_model: Path) -> Model:
    return Model(str(starter_model), 0, lambda _share: None)


@pytest.mark.parametrize("name", NATIVE)
def test_the_native_library_takes_the_grammar(model: Model, name: str) -> None:
    sampler = llama.llama_sampler_init_grammar(model.vocab, of(NATIVE[name]).encode(), b"root")
    assert sampler
    llama.llama_sampler_free(sampler)


@pytest.mark.parametrize("pattern", ["^a]$", "^a}b$", "^a++$", '^"$', "^\\\\$", "^a{1,2}{3}$", "^(?=a)$", "^\\bword$"])
def test_patterns_that_no_grammar_can_hold_are_refused_at_once(pattern: str) -> None:
    with pytest.raises(InvalidRequestError, match="JSON schema"):
        of({"type": "string", "pattern": pattern})


def test_a_reference_is_not_taken_for_a_property_of_the_same_name() -> None:
    grammar = of(
        {
            "type": "object",
            "properties": {"size": {"type": "string"}, "depth": {"$ref": "#/$defs/size"}},
            "$defs": {"size": {"enum": [1, 2]}},
        }
    )
    assert '"1" | "2"' in grammar


def test_a_grammar_nested_too_deep_is_refused_before_native_code_sees_it() -> None:
    with pytest.raises(InvalidRequestError, match="nested"):
        grammar_for(ResponseFormat(grammar="root ::= " + "(" * 100_000 + '"a"' + ")" * 100_000))
    plain = 'root ::= "' + "(" * 2000 + '"'
    assert grammar_for(ResponseFormat(grammar=plain)) == plain


keys = st.sampled_from([*references, *counts, *schemas, "type", "enum", "const", "required", "pattern", "format"])
values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-5, 2000),
        st.sampled_from(["object", "string", "array", "date", "#/$defs/a", "^[a-z]{2,}$", "^(a|b+$", "^[", "^x{9,1}$"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.one_of(keys, st.text(max_size=3)), inner)),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(keys, values, max_size=5))
def test_any_schema_gives_a_grammar_or_a_typed_error(schema: dict[str, Any]) -> None:
    try:
        assert "root ::=" in of(schema)
    except InvalidRequestError as error:
        assert error.message
