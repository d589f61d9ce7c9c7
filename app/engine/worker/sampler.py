"""How the next token is chosen: every parameter of ``Sampling``, on llama.cpp's samplers."""

from __future__ import annotations

import ctypes
import math
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import llama_cpp.llama_cpp as llama
import numpy as np
from numpy.typing import NDArray

from app.errors import InvalidRequestError
from app.messages import ChosenToken, Sampling, TokenLogprob

from .beginnings import Tokens
from .native import Context, Logits, Model

_DEFAULTS = Sampling(
    temperature=0.8,
    top_p=0.95,
    top_k=40,
    min_p=0.05,
    repeat_penalty=1.0,
    repeat_last_n=64,
    frequency_penalty=0.0,
    presence_penalty=0.0,
)
"""llama.cpp's own defaults, for what neither the request nor the catalogue chose."""

_RANGES: dict[str, tuple[float, float]] = {
    "temperature": (0.0, 100.0),
    "top_p": (0.0, 1.0),
    "top_k": (0, 2**31 - 1),
    "min_p": (0.0, 1.0),
    "repeat_penalty": (0.01, 100.0),
    "repeat_last_n": (-1, 2**31 - 1),
    "frequency_penalty": (-100.0, 100.0),
    "presence_penalty": (-100.0, 100.0),
    "seed": (0, 2**32 - 1),
    "max_tokens": (1, 2**31 - 1),
    "logprobs": (0, 100),
}


@dataclass(frozen=True)
class SamplerPlan:
    """Every choice of ``Sampling``, with none left open."""

    temperature: float
    top_p: float
    top_k: int
    min_p: float
    repeat_penalty: float
    repeat_last_n: int
    frequency_penalty: float
    presence_penalty: float
    seed: int
    logit_bias: tuple[tuple[int, float], ...]

    @property
    def likeliest(self) -> bool:
        """Whether the choice is simply the largest logit, after biases."""
        return self.temperature <= 0 and not self.penalises

    @property
    def looks_at(self) -> int:
        """How many of the likeliest tokens decide the choice; 0 when it may be any, or when their order changes."""
        if self.penalises or self.logit_bias:
            return 0
        return 1 if self.temperature <= 0 else self.top_k

    @property
    def penalises(self) -> bool:
        """Whether what was said before counts."""
        return self.repeat_last_n != 0 and (
            self.repeat_penalty != 1.0 or self.frequency_penalty != 0.0 or self.presence_penalty != 0.0
        )


@dataclass(frozen=True)
class Constraint:
    """A grammar, and the part of an answer that it holds for.

    Attributes:
        grammar: GBNF with a rule ``root``.
        after: the answer is free until it comes to this text; empty: it never is.
        again: once something fits the grammar whole, the answer is free again, up to the next ``after``.
    """

    grammar: str
    after: str = ""
    again: bool = False


def plan_for(sampling: Sampling, vocab_size: int, context: int) -> SamplerPlan:
    """The plan of a request, its gaps filled.

    Raises:
        InvalidRequestError: when a number is out of its range, or a biased token is not in the vocabulary.
    """
    for name, (low, high) in _RANGES.items():
        value = getattr(sampling, name)
        if value is not None and not (math.isfinite(value) and low <= value <= high):
            raise InvalidRequestError(f"{name} is {value}; it must be from {low:g} to {high:g}.")
    for token, bias in sampling.logit_bias.items():
        if not 0 <= token < vocab_size or not math.isfinite(bias):
            raise InvalidRequestError(
                f"logit_bias gives {bias} to token {token}; tokens are 0 to {vocab_size - 1}, biases finite numbers."
            )
    full = sampling.over(_DEFAULTS)
    return SamplerPlan(
        temperature=full.temperature or 0.0,
        top_p=1.0 if full.top_p is None else full.top_p,
        top_k=full.top_k or 0,
        min_p=full.min_p or 0.0,
        repeat_penalty=full.repeat_penalty or 1.0,
        repeat_last_n=context if full.repeat_last_n == -1 else full.repeat_last_n or 0,
        frequency_penalty=full.frequency_penalty or 0.0,
        presence_penalty=full.presence_penalty or 0.0,
        seed=secrets.randbits(32) if full.seed is None else full.seed,
        logit_bias=tuple(sorted(full.logit_bias.items())),
    )


def logprobs_of(model: Model, logits: Logits, token: int, alternatives: int) -> ChosenToken:
    """Natural-log probabilities of ``token`` and of the ``alternatives`` likeliest, before any sampler touched them."""
    highest = float(logits.max())
    scale = highest + math.log(float(np.exp(logits - highest, dtype=np.float32).sum(dtype=np.float64)))

    def named(index: int) -> TokenLogprob:
        raw = model.piece(index)
        return TokenLogprob(raw.decode("utf-8", "replace"), raw, float(logits[index]) - scale)

    top: list[int] = []
    if alternatives:
        likeliest = np.argpartition(logits, -alternatives)[-alternatives:]
        top = [int(index) for index in likeliest[np.argsort(logits[likeliest])[::-1]]]
    return ChosenToken(named(token), tuple(named(index) for index in top))


class SamplerChain:
    """Chooses the next token from logits.

    Biases and penalties come first, then top-k, top-p, min-p and temperature, or simply the likeliest: llama.cpp's own
    order. A grammar stands beside the chain: a choice that it forbids is made once more among the tokens that it
    allows, so that only forbidden choices pay for the walk through those that may be allowed (``Beginnings``).

    llama.cpp has lazy grammars too, but ends the process when what follows a trigger does not fit; so waiting for the
    text that a constraint begins after is done here.

    Args:
        shown: bytes of control tokens that count as text in this answer.

    Raises:
        InvalidRequestError: when the grammar does not parse.
    """

    def __init__(
        self, model: Model, plan: SamplerPlan, constraint: Constraint | None, shown: Mapping[int, bytes] | None = None
    ) -> None:
        self._model, self._constraint, self._shown = model, constraint, shown or {}
        self._grammar: Any = None
        self._holding = constraint is not None and not constraint.after
        self._seen = b""
        self._likeliest = plan.likeliest
        self._looks_at = plan.looks_at
        self._biased = np.array([token for token, _bias in plan.logit_bias], np.int64)
        self._biases = np.array([bias for _token, bias in plan.logit_bias], np.float32)
        self._chain: Any = llama.llama_sampler_chain_init(llama.llama_sampler_chain_default_params())
        for sampler in self._samplers(plan):
            llama.llama_sampler_chain_add(self._chain, sampler)
        if constraint is not None:
            self._grammar = llama.llama_sampler_init_grammar(model.vocab, constraint.grammar.encode(), b"root")
            if not self._grammar:
                self.close()
                raise InvalidRequestError(
                    "The grammar does not parse.", "It must be GBNF, without left recursion, and define `root`."
                )

    def _samplers(self, plan: SamplerPlan) -> Iterable[Any]:
        if plan.logit_bias:
            biases = (llama.llama_logit_bias * len(plan.logit_bias))(
                *(llama.llama_logit_bias(token, bias) for token, bias in plan.logit_bias)
            )
            yield llama.llama_sampler_init_logit_bias(self._model.vocab_size, len(biases), biases)
        if plan.penalises:
            yield llama.llama_sampler_init_penalties(
                self._model.vocab_size,
                plan.repeat_last_n,
                plan.repeat_penalty,
                plan.frequency_penalty,
                plan.presence_penalty,
            )
        if plan.temperature <= 0:
            yield llama.llama_sampler_init_greedy()
            return
        yield llama.llama_sampler_init_top_k(plan.top_k)
        yield llama.llama_sampler_init_top_p(plan.top_p, 1)
        yield llama.llama_sampler_init_min_p(plan.min_p, 1)
        yield llama.llama_sampler_init_temp(plan.temperature)
        yield llama.llama_sampler_init_dist(plan.seed)

    def remember(self, tokens: list[int]) -> None:
        """Lets the penalties see tokens that were not chosen here: the end of the prompt."""
        for token in tokens:
            llama.llama_sampler_accept(self._chain, token)

    def choose(self, context: Context, row: int) -> int:
        """The next token after a batch row that was added with ``output``."""
        if not self._holding:
            if self._likeliest:
                token = self._largest(context.logits(row))
            else:
                token = int(llama.llama_sampler_sample(self._chain, context.handle, row))
            if self._constraint is not None:
                self._watch(token, self._constraint)
            return token
        logits = context.logits(row)
        token = self._pick(np.arange(len(logits), dtype=np.int32), logits)
        if not self._permits(token):
            token = self._pick(self._permitted_best(logits), logits)
        llama.llama_sampler_accept(self._chain, token)
        llama.llama_sampler_accept(self._grammar, token)
        if self._constraint is not None and self._constraint.again and self._fits_whole():
            self._holding = False
        return token

    def _watch(self, token: int, constraint: Constraint) -> None:
        """Looks whether the answer has come to where the grammar begins to hold."""
        mark = constraint.after.encode()
        self._seen += self._shown.get(token) or self._model.piece(token)
        _before, found, rest = self._seen.partition(mark)
        if not found:
            self._seen = self._seen[-len(mark) :]
            return
        self._seen = b""
        llama.llama_sampler_reset(self._grammar)
        # The token that ends the mark may go on behind it. A call that began in a form of its own is left free.
        self._holding = self._accepts(rest.decode("utf-8", "ignore").strip()) or not constraint.again

    def _accepts(self, text: str) -> bool:
        bos = self._model.bos
        tokens = self._model.tokenize(bos + text, parse_special=True)[1 if bos else 0 :] if text else []
        for token in tokens:
            if not self._permits(token):
                llama.llama_sampler_reset(self._grammar)
                return False
            llama.llama_sampler_accept(self._grammar, token)
        return True

    def _fits_whole(self) -> bool:
        end = llama.llama_vocab_eos(self._model.vocab)
        return end >= 0 and self._model.ends_generation(end) and self._permits(end)

    def _largest(self, logits: Logits) -> int:
        """Greedy choice without laying out a list of candidates: 0.01 ms instead of 0.1 for 49,000 tokens."""
        if not len(self._biased):
            return int(logits.argmax())
        untouched = logits[self._biased]
        logits[self._biased] = untouched + self._biases
        chosen = int(logits.argmax())
        logits[self._biased] = untouched
        return chosen

    def _pick(self, tokens: Tokens, logits: Logits) -> int:
        candidates, array = _candidates(tokens, logits[tokens])
        llama.llama_sampler_apply(self._chain, ctypes.byref(array))
        return int(candidates[array.selected]["id"])

    def _permits(self, token: int) -> bool:
        return bool(len(self._permitted(np.array([token], np.int32))))

    def _permitted(self, tokens: Tokens) -> Tokens:
        """Those of ``tokens`` that the grammar permits next."""
        candidates, array = _candidates(tokens, np.zeros(len(tokens), np.float32))
        llama.llama_sampler_apply(self._grammar, ctypes.byref(array))
        kept: Tokens = tokens[np.isfinite(candidates["logit"])]
        return kept

    def _permitted_best(self, logits: Logits) -> Tokens:
        """The permitted tokens that can be chosen: as many of the likeliest as the chain looks at."""
        possible = self._model.beginnings.possible(self._permitted)
        if self._looks_at and len(possible) > _FEW:
            # Inside a string nearly everything is permitted: the likeliest few answer for the rest.
            best = possible[np.argpartition(logits[possible], -_FEW)[-_FEW:]]
            permitted = self._permitted(np.sort(best))
            if len(permitted) >= self._looks_at:
                return permitted
        permitted = self._permitted(possible)
        return permitted if len(permitted) else possible

    def close(self) -> None:
        """Frees the native samplers. Safe to call twice."""
        for sampler in (self._chain, self._grammar):
            if sampler:
                llama.llama_sampler_free(sampler)
        self._chain = self._grammar = None


_FEW = 512
"""Candidates that are asked about before all others: most grammars permit enough of them."""

_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


def _candidates(ids: NDArray[np.int32], logits: Logits) -> tuple[NDArray[Any], Any]:
    """The library's array of candidate tokens over our memory; the first value keeps that memory alive."""
    candidates = np.empty(len(ids), _CANDIDATE)
    candidates["id"], candidates["logit"], candidates["p"] = ids, logits, 0.0
    data = ctypes.cast(candidates.ctypes.data, llama.llama_token_data_p)
    return candidates, llama.llama_token_data_array(data=data, size=len(ids), selected=-1, sorted=False)
