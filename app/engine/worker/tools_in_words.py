"""Tools for a model whose chat template knows none: they are described in the system prompt, and calls and results are
told in the conversation's own words. The form is that of Hermes, which most small models have seen somewhere.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from app.messages import Tool

_HOW = (
    "You can call tools. Each line here describes one, its parameters as a JSON schema:\n"
    "<tools>\n{tools}\n</tools>\n"
    "To call a tool, answer with its name and its arguments as JSON between these tags, and nothing else:\n"
    '<tool_call>\n{{"name": "the tool", "arguments": {{}}}}\n</tool_call>\n'
    "The result then comes between <tool_response> tags. Call no tool when you can answer without."
)


def in_words(turns: Sequence[dict[str, Any]], tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """The conversation for a template that knows only system, user and assistant, and only what they say.

    Results that follow each other become one user turn.
    """
    told: list[dict[str, Any]] = []
    for turn in turns:
        if turn["role"] == "tool":
            result = f"<tool_response>\n{turn['content']}\n</tool_response>"
            if told and told[-1].get("results"):
                told[-1] = told[-1] | {"content": f"{told[-1]['content']}\n{result}"}
            else:
                told.append({"role": "user", "content": result, "results": True})
        elif calls := turn.get("tool_calls"):
            said = [turn["content"]] if turn["content"] else []
            rest = {key: value for key, value in turn.items() if key != "tool_calls"}
            told.append(rest | {"content": "\n".join((*said, *(_call(call["function"]) for call in calls)))})
        else:
            told.append(turn)
    plain = [{key: value for key, value in turn.items() if key != "results"} for turn in told]
    return _with_system(plain, _HOW.format(tools="\n".join(map(_line, tools)))) if tools else plain


def _with_system(turns: list[dict[str, Any]], words: str) -> list[dict[str, Any]]:
    if turns and turns[0]["role"] == "system":
        return [turns[0] | {"content": f"{turns[0]['content']}\n\n{words}"}, *turns[1:]]
    return [{"role": "system", "content": words}, *turns]


def _call(function: dict[str, Any]) -> str:
    call = {"name": function["name"], "arguments": function["arguments"]}
    return f"<tool_call>\n{json.dumps(call, ensure_ascii=False)}\n</tool_call>"


def _line(tool: Tool) -> str:
    described = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return json.dumps({key: value for key, value in described.items() if value}, ensure_ascii=False)
