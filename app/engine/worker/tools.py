"""Tools for a model: the forms in which it calls them, and the grammar that holds it to one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from app.errors import InvalidRequestError
from app.messages import ChatRequest, Tool

from .grammar import MAX_GRAMMAR_BYTES, grammar_for, literal, rules_for
from .sampler import Constraint

MOST_CALLS = 8
"""Calls in one answer, where it must consist of calls: some models would go on for ever."""

_THINKING_ENDS = "</think>"


@dataclass(frozen=True)
class CallForm:
    """How a family of models writes calls.

    Attributes:
        opening, closing: around all calls of an answer.
        between: from one call to the next.
        arguments: the key of the arguments.
    """

    opening: str
    closing: str
    between: str
    arguments: str = "arguments"


TAGGED = CallForm("<tool_call>\n", "\n</tool_call>", "\n</tool_call>\n<tool_call>\n")
"""That of Hermes and Qwen, and our own where a template says nothing of tools."""

LLAMA = CallForm("", "", "; ", "parameters")
MISTRAL = CallForm("[TOOL_CALLS][", "]", ", ")


def form_of(template: str) -> CallForm:
    """The form that a chat template's source teaches; ours, where it says nothing."""
    if "[TOOL_CALLS]" in template:
        return MISTRAL
    if "<tool_call>" not in template and "<|python_tag|>" in template:
        return LLAMA
    return TAGGED


def constraint_for(
    request: ChatRequest, tools: Sequence[Tool], form: CallForm, *, thinking: bool, most_calls: int = MOST_CALLS
) -> Constraint | None:
    """What the answer is held to: calls where they are required, the response format, or a call once it has begun.

    Args:
        request: what is asked.
        tools: those that the model may call.
        form: how the model writes a call that it is forced to.
        most_calls: in one answer, where it must consist of calls.
        thinking: the answer begins inside what the model thinks aloud, which is free.

    Raises:
        InvalidRequestError: when the request contradicts itself, or a schema cannot be made into a grammar.
    """
    after = _THINKING_ENDS if thinking else ""
    asked, choice = request.response_format, request.tool_choice
    if not tools:
        if choice.name is not None or choice.mode == "required":
            raise InvalidRequestError("A tool call is required, but the request has no tools.", "Send the tools along.")
        grammar = grammar_for(asked)
        return None if grammar is None else Constraint(grammar, after)
    names = [tool.name for tool in tools]
    if len(set(names)) < len(names):
        raise InvalidRequestError("Two tools of the request have the same name.", "Give each a name of its own.")
    if choice.name is not None or choice.mode == "required":
        if asked.grammar is not None:
            raise InvalidRequestError("A request has a grammar and requires a tool call; only one of them can hold.")
        if choice.name is not None and choice.name not in names:
            raise InvalidRequestError(
                f"tool_choice names the tool {choice.name[:80]!r}, which is not among the request's tools."
            )
        if choice.name is None:
            return Constraint(_calls(tools, form, most_calls), after)
        return Constraint(_calls([tool for tool in tools if tool.name == choice.name], form, 1), after)
    if asked.grammar is not None:
        return Constraint(grammar_for(asked) or "", after)
    if asked.json_schema is not None:
        return Constraint(_answer_or_calls(asked.json_schema, tools, form, most_calls), after)
    return Constraint(_one_begun(tools), TAGGED.opening.strip(), again=True)


def _calls(tools: Sequence[Tool], form: CallForm, most: int) -> str:
    _names, rules = _call_rules(tools, form, {})
    return _checked(f"root ::= {_sequence(form, most)}\n{rules}")


def _answer_or_calls(schema: dict[str, object], tools: Sequence[Tool], form: CallForm, most: int) -> str:
    names, rules = _call_rules(tools, form, {"answer": schema})
    return _checked(f"root ::= {names['answer']} | {_sequence(form, most)}\n{rules}")


def _one_begun(tools: Sequence[Tool]) -> str:
    """The rest of a call in our form, from behind its opening tag."""
    _names, rules = _call_rules(tools, TAGGED, {})
    return _checked(f"root ::= call-space call call-space {literal(TAGGED.closing.strip())}\n{rules}")


def _sequence(form: CallForm, most: int) -> str:
    more = f" ({literal(form.between)} call){{0,{most - 1}}}" if most > 1 else ""
    opening, closing = (f"{literal(text)} " if text else "" for text in (form.opening, form.closing))
    return f"{opening}call{more} {closing}"


def _call_rules(
    tools: Sequence[Tool], form: CallForm, others: dict[str, dict[str, object]]
) -> tuple[dict[str, str], str]:
    schemas = {f"arguments-of-{at}": {"type": "object", **tool.parameters} for at, tool in enumerate(tools)}
    names, rules = rules_for({**others, **schemas})
    lines = [rules, r"call-space ::= [ \n]{0,2}"]
    for at, tool in enumerate(tools):
        head = f'{{"name": {json.dumps(tool.name, ensure_ascii=False)}, "{form.arguments}": '
        lines.append(f"call-{at} ::= {literal(head)} {names[f'arguments-of-{at}']} {literal('}')}")
    lines.append("call ::= " + " | ".join(f"call-{at}" for at in range(len(tools))))
    return names, "\n".join(lines)


def _checked(grammar: str) -> str:
    if len(grammar.encode("utf-8", "replace")) > MAX_GRAMMAR_BYTES:
        raise InvalidRequestError(f"The tools make a grammar larger than {MAX_GRAMMAR_BYTES} bytes.", "Send fewer.")
    return grammar
