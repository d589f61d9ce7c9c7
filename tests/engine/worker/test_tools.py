"""Calls of tools by the real starter model, which was never taught any: they parse, and fit the tools' schemas."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.engine.frames import Event, Failed, Generate, LoadOptions, Step
from app.engine.tool_calls import ToolCallSplitter
from app.engine.worker.chat import ChatWorker
from app.engine.worker.native import NativeLog
from app.engine.worker.sampler import SamplerChain, plan_for
from app.engine.worker.tools import LLAMA, MISTRAL, TAGGED, constraint_for, form_of
from app.messages import ChatRequest, Message, ResponseFormat, Sampling, Tool, ToolCallDelta, ToolChoice

WEATHER = Tool(
    "get_weather",
    "Tells the weather of a city.",
    {
        "type": "object",
        "properties": {
            "city": {"type": "string", "maxLength": 20},
            "unit": {"enum": ["celsius", "fahrenheit"]},
            "where": {"$ref": "#/$defs/where"},
        },
        "required": ["city", "unit"],
        "$defs": {"where": {"type": "object", "properties": {"lat": {"type": "integer"}}}},
    },
)
CLOCK = Tool("now", 'Tells the "time".', {"type": "object", "properties": {}})
BOTH = (WEATHER, CLOCK)
REQUIRED = ToolChoice("required")


class Bench:
    """A worker in this process that is asked one thing at a time."""

    def __init__(self, options: LoadOptions) -> None:
        self._news = threading.Condition()
        self._text = ""
        self._end: Any = None
        self._log = NativeLog(lambda text: None)
        self.worker = ChatWorker(options, self._hear)
        self.worker.start()

    def _hear(self, event: Event) -> None:
        with self._news:
            if isinstance(event, Step):
                for piece in event.pieces:
                    self._text += piece.text
                    self._end = piece if piece.reason else self._end
            elif isinstance(event, Failed):
                self._end = event
            self._news.notify_all()

    def ask(self, request: ChatRequest) -> tuple[str, Any]:
        self._text, self._end = "", None
        self.worker.handle(Generate(1, request))
        with self._news:
            assert self._news.wait_for(lambda: self._end is not None, timeout=90)
        return self._text, self._end

    def calls(self, request: ChatRequest) -> tuple[str, list[tuple[str, Any]]]:
        """The text beside calls, and the calls."""
        text, end = self.ask(request)
        assert end.reason == "stop", (text, end)
        splitter = ToolCallSplitter([tool.name for tool in request.tools])
        said = ""
        found: list[list[str]] = []
        for part in (*splitter.feed(text), *splitter.finish()):
            if isinstance(part, str):
                said += part
            elif part.name is not None:
                found.append([part.name, ""])
            else:
                found[-1][1] += part.arguments
        return said, [(name, json.loads(arguments)) for name, arguments in found]


@pytest.fixture(scope="module")
def bench(starter_model: Path) -> Iterator[Bench]:
    bench = Bench(LoadOptions(path=str(starter_model), context=2048))
    yield bench
    bench.worker.close()


def request(
    text: str = "What is the weather in Paris?", tools: tuple[Tool, ...] = BOTH, seed: int = 1, **more: Any
) -> ChatRequest:
    sampling = Sampling(temperature=1.0, seed=seed, max_tokens=600)
    return ChatRequest(model="m", messages=(Message.user(text),), tools=tools, **{"sampling": sampling, **more})


@pytest.mark.parametrize("seed", range(2))
def test_a_required_call_parses_and_fits_its_schema(bench: Bench, seed: int) -> None:
    said, calls = bench.calls(request(seed=seed, tool_choice=REQUIRED))
    assert said == ""
    ((name, arguments),) = calls  # a model that was never taught would only repeat itself
    jsonschema_rs.validate({"get_weather": WEATHER, "now": CLOCK}[name].parameters, arguments)


def test_a_named_tool_is_called_once(bench: Bench) -> None:
    said, calls = bench.calls(request(tool_choice=ToolChoice("required", "now")))
    assert (said, calls) == ("", [("now", {})])


def test_no_tools_means_none(bench: Bench) -> None:
    greedy = Sampling(temperature=0.0, max_tokens=8)
    hidden = request(tool_choice=ToolChoice("none"), sampling=greedy)
    assert (
        bench.ask(hidden)[1].usage.prompt_tokens == bench.ask(request(tools=(), sampling=greedy))[1].usage.prompt_tokens
    )


class Wishes:
    """A context whose model wants to say certain tokens, and after them something else at every step."""

    def __init__(self, vocab_size: int, tokens: list[int], seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._size, self._tokens = vocab_size, list(tokens)

    def logits(self, _row: int) -> Any:
        wishes = self._random.normal(size=self._size).astype(np.float32)
        if self._tokens:
            wishes[self._tokens.pop(0)] = 100.0
        return wishes


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("begun", ("Well.<tool_call>", '<tool_call>{"name": "', '<tool_call>\n{"', "<tool_call>Hello"))
def test_a_call_that_the_model_has_begun_is_held_to_its_schema(bench: Bench, begun: str, seed: int) -> None:
    """Whatever the model would say from there on; behind the call it is free again."""
    model = bench.worker._model
    constraint = constraint_for(request(tools=(CLOCK,)), (CLOCK,), TAGGED, thinking=False)
    chain = SamplerChain(model, plan_for(Sampling(temperature=0.0), model.vocab_size, 512), constraint)
    wishes: Any = Wishes(model.vocab_size, model.tokenize(begun), seed)
    raw = b""
    while raw.count(b"</tool_call>") < 1 and len(raw) < 500:
        raw += model.piece(chain.choose(wishes, 0))
    after = [chain.choose(wishes, 0) for _ in range(20)]
    chain.close()
    splitter = ToolCallSplitter(["now"])
    *text, call, arguments = (*splitter.feed(raw.decode()), *splitter.finish())
    assert text in ([], ["Well."])
    assert isinstance(call, ToolCallDelta)
    assert isinstance(arguments, ToolCallDelta)
    assert (call.name, json.loads(arguments.arguments)) == ("now", {})
    assert len(set(after)) > 10, "the answer is free behind the call"


def test_an_answer_in_a_form_may_be_a_call_instead(bench: Bench) -> None:
    schema = {"type": "object", "properties": {"sunny": {"type": "boolean"}}, "required": ["sunny"]}
    asked = request(response_format=ResponseFormat(json_schema=schema))
    text, end = bench.ask(asked)
    assert end.reason == "stop"
    if not text.startswith("<tool_call>"):
        jsonschema_rs.validate(schema, json.loads(text))


@pytest.mark.parametrize(
    ("wrong", "words"),
    (
        ({"tools": (), "tool_choice": REQUIRED}, "no tools"),
        ({"tool_choice": ToolChoice("required", "fly")}, "'fly'"),
        ({"tools": (CLOCK, CLOCK)}, "same name"),
        ({"tool_choice": REQUIRED, "response_format": ResponseFormat(grammar='root ::= "a"')}, "grammar"),
    ),
)
def test_contradictions_are_refused(bench: Bench, wrong: dict[str, Any], words: str) -> None:
    failed = bench.ask(request(**wrong))[1]
    assert isinstance(failed, Failed)
    assert failed.code == "invalid_request"
    assert words in failed.message


def test_a_family_s_own_form_is_found_in_its_template() -> None:
    assert form_of("{{ '[TOOL_CALLS]' }}") == MISTRAL
    assert form_of("<|python_tag|>") == LLAMA
    assert form_of("<tool_call>") == form_of("") == TAGGED


_LEAF = st.sampled_from(
    ({"type": "string", "maxLength": 8}, {"type": "integer"}, {"type": "boolean"}, {"enum": ["a b", 'c"\\', 7]},
     {"type": "null"}, {"const": "x"}, {"type": "string", "pattern": "^[a-c]{2}$"})
)  # fmt: skip
_OBJECTS = st.dictionaries(st.text("ab \"'é-", min_size=1, max_size=5), _LEAF, min_size=1, max_size=3).map(
    lambda properties: {"type": "object", "properties": properties, "required": sorted(properties)}
)


@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_OBJECTS, st.text("abc_-", min_size=1, max_size=6))
def test_calls_fit_any_schema(bench: Bench, schema: dict[str, Any], name: str) -> None:
    tool = Tool(name, "Does something.", schema)
    said, calls = bench.calls(request("Go.", (tool,), tool_choice=ToolChoice("required", name)))
    assert said == ""
    ((called, arguments),) = calls
    assert called == name
    jsonschema_rs.validate(schema, arguments)


@pytest.mark.parametrize("wanted", ("\n", "\t", "\x00", "\x1f", "\\ud800", "\\u00", "1e9", "é"))
@pytest.mark.parametrize("kind", ({"type": "string", "maxLength": 6}, {"type": "number"}, {"type": "string"}))
def test_whatever_a_model_would_say_its_calls_are_json(bench: Bench, kind: dict[str, Any], wanted: str) -> None:
    """Control characters, halves of a pair and endless numbers are what untaught models come to, once in a while."""
    tool = Tool("say", "Says it.", {"type": "object", "properties": {"it": kind}, "required": ["it"]})
    model = bench.worker._model
    asked = request(tools=(tool,), tool_choice=ToolChoice("required", "say"))
    for seed in range(3):
        constraint = constraint_for(asked, (tool,), TAGGED, thinking=False)
        chain = SamplerChain(model, plan_for(Sampling(temperature=0.0), model.vocab_size, 512), constraint)
        wishes: Any = Eager(model.vocab_size, model.tokenize(wanted), seed, model.tokenize('"}'))
        raw = b""
        while not raw.endswith(b"</tool_call>") and len(raw) < 2000:
            raw += model.piece(chain.choose(wishes, 0))
        chain.close()
        body = raw.decode("utf-8", "replace").removeprefix("<tool_call>\n").removesuffix("\n</tool_call>")
        said = json.loads(body)["arguments"]
        jsonschema_rs.validate(tool.parameters, said)
        assert json.loads(json.dumps(said, allow_nan=False)) == said
        str(said["it"]).encode()


class Eager(Wishes):
    """A context whose model wants nothing but certain tokens, and after a while to come to an end."""

    def __init__(self, vocab_size: int, tokens: list[int], seed: int, ending: list[int]) -> None:
        super().__init__(vocab_size, [], seed)
        self._wanted, self._ending, self._left = tokens, ending, 40

    def logits(self, row: int) -> Any:
        wishes = super().logits(row)
        self._left -= 1
        for token in self._wanted if self._left > 0 else self._ending:
            wishes[token] += 6.0 + self._random.normal()
        return wishes
