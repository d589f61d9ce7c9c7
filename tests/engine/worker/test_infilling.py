"""Code with a gap: the prompt as llama.cpp lays it out, in a vocabulary of characters and in a real model."""

import struct
from pathlib import Path

import pytest

from app.engine.frames import LoadOptions
from app.engine.infill import Gap, Snippet
from app.engine.process.log import WorkerLog
from app.engine.process.worker_process import WorkerProcess
from app.engine.worker.infilling import prompt_for
from app.engine.worker.vocabulary import FillTokens
from app.errors import InvalidRequestError, NotSupportedError
from app.messages import ChatRequest, Finished, Sampling

PREFIX, SUFFIX, MIDDLE, REPOSITORY, FILE, BOS = range(200_001, 200_007)
NAMES = {PREFIX: "<P>", SUFFIX: "<S>", MIDDLE: "<M>", REPOSITORY: "<R>", FILE: "<F>", BOS: "<B>"}


class Characters:
    """A vocabulary in which each character is a token."""

    bos = BOS

    def __init__(self, *, repository: int = -1, file: int = -1, begins_with_bos: bool = False, middle: int = MIDDLE):
        self.fill_tokens = FillTokens(PREFIX, SUFFIX, middle, repository, file)
        self.begins_with_bos = begins_with_bos

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> list[int]:
        return [ord(character) for character in text]


def read(tokens: list[int]) -> str:
    return "".join(NAMES.get(token) or chr(token) for token in tokens)


def test_what_stands_around_the_gap_stands_around_its_tokens():
    gap = Gap(prefix="def f(", suffix="return x", prompt="x")
    assert read(prompt_for(Characters(), gap, 8192)) == "<P>def f(x<S>return x<M>"
    assert read(prompt_for(Characters(begins_with_bos=True), gap, 8192)) == "<B><P>def f(x<S>return x<M>"


def test_other_files_stand_before_it():
    gap = Gap(prefix="a", suffix="b", extra=(Snippet("one", "1.py"), Snippet("two")))
    whole = Characters(repository=REPOSITORY, file=FILE)
    assert read(prompt_for(whole, gap, 8192)) == "<R>myproject\n<F>1.py\none<F>tmp\ntwo<F>filename\n<P>a<S>b<M>"
    plain = read(prompt_for(Characters(), gap, 8192))
    assert plain == "\n\n--- snippet ---\n\none\n\n--- snippet ---\n\ntwo<P>a<S>b<M>"


def test_of_long_code_the_ends_at_the_gap_are_kept():
    gap = Gap(prefix="-" * 9000 + "before", suffix="behind" + "-" * 9000, extra=(Snippet("." * 9000),))
    for context in (512, 1024, 8192):
        tokens = prompt_for(Characters(), gap, context)
        assert len(tokens) < context
        assert "before<S>behind" in read(tokens)


def test_a_vocabulary_without_the_tokens_is_refused_in_llamacpps_words():
    with pytest.raises(NotSupportedError, match=r"^Infill is not supported by this model: middle token is missing.$"):
        prompt_for(Characters(middle=-1), Gap(prefix="", suffix=""), 8192)


def with_fill_tokens(model: Path, copy: Path) -> Path:
    """The starter, taught by its header alone that three of its control tokens are those for gaps."""
    added = b""
    for name, token in (("fim_pre", 13), ("fim_suf", 14), ("fim_mid", 15)):
        key = f"tokenizer.ggml.{name}_token_id".encode()
        added += struct.pack("<Q", len(key)) + key + struct.pack("<II", 4, token)
    # Tensors lie at multiples of 32 bytes: what is put in front of them must be one, too.
    key = b"test.filler"
    filler = -(len(added) + 8 + len(key) + 4 + 8) % 32
    added += struct.pack("<Q", len(key)) + key + struct.pack("<IQ", 8, filler) + b"." * filler
    raw = model.read_bytes()
    (count,) = struct.unpack_from("<Q", raw, 16)
    copy.write_bytes(raw[:16] + struct.pack("<Q", count + 4) + added + raw[24:])
    return copy


async def test_a_model_that_has_the_tokens_is_asked_for_the_gap(starter_model: Path, tmp_path: Path) -> None:
    path = with_fill_tokens(starter_model, tmp_path / "fills.gguf")
    options = LoadOptions(path=str(path), context=512, gpu_layers=0, device="cpu")
    worker = WorkerProcess("fills", options, WorkerLog(tmp_path / "worker.log"))
    await worker.load()
    try:
        tokens = await worker.infill(Gap(prefix="def add(a, b):\n", suffix="\n", prompt="    return"))
        text = await worker.detokenize(tokens)
        # The starter names a token for repositories, and none for files.
        assert text == (
            "<reponame>myproject\n<jupyter_code>def add(a, b):\n    return<jupyter_output>\n<jupyter_script>"
        )
        asked = ChatRequest(model="fills", messages=(), prompt=tokens, sampling=Sampling(max_tokens=4))
        deltas = [delta async for delta in worker.stream(asked)]
        assert isinstance(deltas[-1], Finished)
        assert deltas[-1].usage.prompt_tokens == len(tokens)
        with pytest.raises(InvalidRequestError, match="at most 1000000"):
            await worker.infill(Gap(prefix="a" * 1_000_001, suffix=""))
    finally:
        await worker.aclose()
        path.unlink()
