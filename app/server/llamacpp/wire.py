"""What clients of llama.cpp's server send. Names that nobody knows are let pass, as there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from app.errors import InvalidRequestError

Whole = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
Name = Annotated[str, Field(min_length=1, max_length=256)]
Token = Annotated[int, Field(ge=0, le=2**31 - 1)]
MOST_TOKENS = 262_144
Bias = tuple[Annotated[int, Field(ge=0, le=2**31 - 1)], float | bool]


class Wire(BaseModel):
    """Outside input: types are not guessed."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, allow_inf_nan=False)


class CompletionFields(Wire):
    """How to continue."""

    model: Name | None = None
    stream: bool = False
    n_predict: Whole | None = None
    max_tokens: Whole | None = None
    temperature: float | None = None
    top_k: Whole | None = None
    top_p: float | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    repeat_last_n: Whole | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: Whole | None = None
    stop: Annotated[list[str], Field(max_length=64)] | None = None
    logit_bias: Annotated[list[Annotated[Bias, Field(strict=False)]], Field(max_length=1024)] | None = None
    grammar: str | None = None
    json_schema: dict[str, Any] | None = None
    # Known, and refused where they ask for what is not here: see ``FOREIGN``
    mirostat: int | None = None
    n_probs: int | None = None
    lora: list[Any] | None = None
    typical_p: float | None = None
    dynatemp_range: float | None = None
    dry_multiplier: float | None = None
    xtc_probability: float | None = None
    top_n_sigma: float | None = None
    ignore_eos: bool | None = None
    return_tokens: bool | None = None
    image_data: Any = None

    FOREIGN: ClassVar[Mapping[str, tuple[float, ...]]] = {
        "mirostat": (),
        "n_probs": (),
        "lora": (),
        "typical_p": (1.0,),
        "dynatemp_range": (),
        "dry_multiplier": (),
        "xtc_probability": (),
        "top_n_sigma": (-1.0,),
        "ignore_eos": (),
        "return_tokens": (),
        "image_data": (),
    }
    """Names that ask for what is not here, and which values, beside nothing, ask for nothing."""

    @property
    def wanted_tokens(self) -> int | None:
        """How long an answer may be; less than zero is no limit."""
        return self.n_predict if self.n_predict is not None else self.max_tokens

    @property
    def biases(self) -> dict[int, float]:
        """What is added to the logits of tokens."""
        return {token: -100.0 if bias is False else float(bias) for token, bias in self.logit_bias or ()}

    def refuse_foreign(self) -> None:
        """Refuses what cannot be honoured.

        Raises:
            InvalidRequestError: naming the parameter.
        """
        for name, neutral in self.FOREIGN.items():
            value = getattr(self, name)
            if value and value not in neutral:
                raise InvalidRequestError(f"{name} is not supported here.", "Leave it out.")
        if self.grammar and self.json_schema is not None:
            raise InvalidRequestError('Either "json_schema" or "grammar" can be specified, but not both.')


class CompletionBody(CompletionFields):
    """``POST /completion``: a prompt, as text or tokens, to be continued as it is."""

    prompt: Annotated[str, Field(min_length=1)] | Annotated[list[Whole], Field(min_length=1)]


class InfillBody(CompletionFields):
    """``POST /infill``: code with a gap. What is wrong with it is said in the original's words, so it is read late."""

    input_prefix: Any = None
    input_suffix: Any = None
    input_extra: Any = None
    prompt: Any = None


class TokenizeBody(Wire):
    """``POST /tokenize``: a text, or texts and tokens in order."""

    content: str | Annotated[list[str | Token], Field(max_length=65_536)] | None = None
    model: Name | None = None
    add_special: bool = False
    parse_special: bool = True
    with_pieces: bool = False


class DetokenizeBody(Wire):
    """``POST /detokenize``: tokens."""

    tokens: Annotated[list[Token], Field(max_length=MOST_TOKENS)] | None = None
    model: Name | None = None


class EmbeddingBody(Wire):
    """``POST /embedding``: texts, in either of two names."""

    content: str | list[str] | None = None
    input: str | list[str] | None = None
    model: Name | None = None

    @property
    def texts(self) -> list[str]:
        """What to embed."""
        given = self.content if self.content is not None else self.input
        return [given] if isinstance(given, str) else list(given or ())
