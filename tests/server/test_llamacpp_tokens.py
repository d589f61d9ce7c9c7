"""llama.cpp's routes about tokens, templates and gaps, on the real starter model."""

import asyncio
import json

import httpx
import msgspec
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.starter import NAME

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = [{"role": "user", "content": "What is the capital of France? One word."}]


@pytest_asyncio.fixture(loop_scope="module")
async def curl(lasting_client):
    address = str(lasting_client.base_url).removesuffix("/v1/")
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        yield client


async def ask(curl, path, **body):
    answer = await curl.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_texts_become_tokens_and_texts_again(curl):
    text = "Hello, wörld \U0001f469!"
    tokens = (await ask(curl, "/tokenize", content=text))["tokens"]
    assert (await ask(curl, "/detokenize", tokens=tokens))["content"] == text
    pieces = (await ask(curl, "/tokenize", content=text, with_pieces=True))["tokens"]
    assert [piece["id"] for piece in pieces] == tokens
    raw = b"".join(
        piece["piece"].encode() if isinstance(piece["piece"], str) else bytes(piece["piece"]) for piece in pieces
    )
    assert raw == text.encode()
    assert any(isinstance(piece["piece"], list) for piece in pieces)
    # Control tokens are one token, or plain text, as asked.
    assert (await ask(curl, "/tokenize", content="<|im_start|>"))["tokens"] == [1]
    assert len((await ask(curl, "/tokenize", content="<|im_start|>", parse_special=False))["tokens"]) > 1
    assert (await ask(curl, "/detokenize", tokens=[1]))["content"] == "<|im_start|>"
    assert (await ask(curl, "/tokenize", content=[5, "Hello", 6]))["tokens"] == [5, 19556, 6]
    assert await ask(curl, "/tokenize") == {"tokens": []}
    assert await ask(curl, "/detokenize") == {"content": ""}


async def test_the_template_shows_the_prompt_and_its_length_is_the_usage(curl, lasting_client):
    prompt = (await ask(curl, "/apply-template", messages=QUESTION))["prompt"]
    assert prompt.endswith("<|im_start|>assistant\n")
    assert QUESTION[0]["content"] in prompt
    tokens = (await ask(curl, "/tokenize", content=prompt))["tokens"]
    answer = await lasting_client.chat.completions.create(model=NAME, messages=QUESTION, max_tokens=1)
    assert answer.usage.prompt_tokens == len(tokens)
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
    assert "get_weather" in (await ask(curl, "/apply-template", messages=QUESTION, tools=[tool]))["prompt"]


async def test_a_model_that_cannot_fill_gaps_says_so_in_the_originals_words(curl):
    answer = await curl.post("/infill", json={"input_prefix": "def f(", "input_suffix": "    return 1"})
    assert answer.status_code == 501
    assert answer.json()["error"] == {
        "code": 501,
        "type": "not_supported_error",
        "message": "Infill is not supported by this model:"
        " prefix token is missing. suffix token is missing. middle token is missing.",
    }


async def test_what_is_no_token_or_too_much_is_refused(curl):
    for path, body, words in (
        ("/tokenize", {"content": "a" * 1_000_001}, "1000001 characters"),
        ("/tokenize", {"content": [2**30]}, "is not a token"),
        ("/detokenize", {"tokens": [49_152]}, "0 to 49151"),
        ("/detokenize", {"tokens": [0] * 262_145}, "262144"),
        ("/apply-template", {"messages": []}, "messages"),
        ("/apply-template", {"messages": QUESTION, "seed": 10**30}, "seed"),
    ):
        answer = await curl.post(path, content=json.dumps(body))
        assert answer.status_code == 400
        assert answer.json()["error"]["type"] == "invalid_request_error"
        assert words in answer.json()["error"]["message"]


async def test_long_questions_about_tokens_hold_up_nobody(curl, lasting_client):
    """Texts of nothing but control tokens, one behind the other for as long as the answer takes."""
    answered = asyncio.Event()

    async def asking():
        while not answered.is_set():
            told = await curl.post("/tokenize", json={"content": "<|im_start|>" * 10_000})
            assert len(told.json()["tokens"]) == 10_000

    asked = [asyncio.ensure_future(asking()) for _ in range(3)]
    await asyncio.sleep(0.1)
    async with asyncio.timeout(60):
        answer = await lasting_client.chat.completions.create(model=NAME, messages=QUESTION, max_tokens=4)
    assert answer.choices[0].message.content
    answered.set()
    await asyncio.gather(*asked)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = "content tokens messages add_special parse_special with_pieces input_prefix input_suffix input_extra prompt"
NAMES = st.sampled_from([*FIELDS.split(), "n_predict", "tools", "model", "x"])
OBJECTS = st.dictionaries(NAMES, JSON, max_size=5)
TURNS = st.lists(st.fixed_dictionaries({"role": st.sampled_from(["user", "system", "assistant"]), "content": JSON}))
CHATS = st.builds(lambda turns, rest: {**rest, "messages": turns}, TURNS, OBJECTS)
BODIES = st.binary(max_size=60) | (OBJECTS | CHATS).map(msgspec.json.encode)
PATHS = st.sampled_from(["tokenize", "detokenize", "apply-template", "infill"])


async def test_garbage_is_answered_in_llamacpps_shape(curl):
    loop = asyncio.get_running_loop()

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(body=BODIES, path=PATHS)
    def tried(body, path):
        answer = asyncio.run_coroutine_threadsafe(curl.post(f"/{path}", content=body), loop).result(30)
        assert answer.status_code < 500 or answer.status_code == 501, answer.text
        if answer.status_code != 200:
            assert answer.json()["error"]["code"] == answer.status_code

    await asyncio.to_thread(tried)
