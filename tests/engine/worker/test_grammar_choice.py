"""What a grammar leaves to choose from is found without asking about every token, and is the same."""

from __future__ import annotations

import ctypes
from pathlib import Path

import llama_cpp.llama_cpp as llama
import numpy as np
import pytest

from app.engine.worker import sampler as sampler_module
from app.engine.worker.native import Model
from app.engine.worker.sampler import Constraint, SamplerChain, plan_for
from app.messages import Sampling

GRAMMARS = (
    r'root ::= "{\"marker\": \"" [0-9a-f]{8} "\"}"',
    r'root ::= "\"" ([^"\\] | "\\" ["n])* "\"" [ä-ü]+ "."',
    r'root ::= [α-ω]+ " " ("x" | "日本")+',
    r'root ::= ("yes" | "no" | " maybe")? "!"',
)
SAMPLINGS = (
    Sampling(temperature=0.0),
    Sampling(temperature=0.9, top_k=40, seed=3),
    Sampling(temperature=0.9, top_k=0, seed=4),
    Sampling(temperature=0.7, repeat_penalty=1.3, repeat_last_n=64, seed=5),
    Sampling(temperature=0.0, logit_bias={100: 5.0}),
)


@pytest.fixture(scope="module")
def model(starter_model: Path) -> Model:
    return Model(str(starter_model), 0, lambda _share: None)


def everything(chain: SamplerChain, model: Model) -> np.ndarray:
    """The library's own walk through the whole vocabulary."""
    candidates, array = sampler_module._candidates(
        np.arange(model.vocab_size, dtype=np.int32), np.zeros(model.vocab_size, np.float32)
    )
    llama.llama_sampler_apply(chain._grammar, ctypes.byref(array))
    return np.flatnonzero(np.isfinite(candidates["logit"])).astype(np.int32)


@pytest.mark.parametrize("grammar", GRAMMARS)
@pytest.mark.parametrize("place", range(len(SAMPLINGS)))
def test_the_choice_is_that_among_everything_permitted(model: Model, grammar: str, place: int):
    plan = plan_for(SAMPLINGS[place], model.vocab_size, 2048)
    quick, whole = (SamplerChain(model, plan, Constraint(grammar)) for _ in range(2))
    random = np.random.default_rng(place)
    for _ in range(20):
        logits = random.normal(size=model.vocab_size, scale=3).astype(np.float32)
        permitted = everything(quick, model)
        assert set(permitted) <= set(model.beginnings.possible(quick._permitted))
        if not len(permitted):
            break
        token = quick._pick(quick._permitted_best(logits), logits)
        assert token == whole._pick(permitted, logits)
        for chain in (quick, whole):
            llama.llama_sampler_accept(chain._chain, token)
            llama.llama_sampler_accept(chain._grammar, token)
        if model.ends_generation(token):
            break
    quick.close()
    whole.close()
