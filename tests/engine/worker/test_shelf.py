"""Conversations kept on disk: back as they were, for the same model and key alone, and nothing else is believed."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.frames import Keep, KeptStates, LoadOptions
from app.engine.worker.shelf import StateShelf
from app.messages import Message, Sampling
from tests.engine.worker.test_scheduler import Bench

TOKENS = list(range(300))
STATE = np.arange(5_000_000, dtype=np.uint32).view(np.uint8)[: 9 << 20]
GREEDY = Sampling(temperature=0.0, max_tokens=12)


def kept_in(folder: Path, **other: object) -> KeptStates:
    return msgspec.structs.replace(KeptStates(str(folder / "states"), bytes(32), "ab" * 32, 1 << 30), **other)


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.kv"))


def test_what_is_put_on_the_shelf_is_found_again_and_only_its_owner_can_read_it(tmp_path):
    StateShelf(kept_in(tmp_path), "plain").put(TOKENS, STATE)
    (found,) = StateShelf(kept_in(tmp_path), "plain").conversations()
    assert list(found.tokens) == TOKENS
    assert np.array_equal(found.read(), STATE)
    (path,) = files(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert STATE.tobytes()[:64] not in path.read_bytes()
    assert np.array(TOKENS, "<i4").tobytes()[:64] not in path.read_bytes()


@pytest.mark.parametrize("other", [{"key": bytes(31) + b"\x01"}, {"model": "cd" * 32}, {}])
def test_another_key_model_or_layout_finds_nothing(tmp_path, other):
    StateShelf(kept_in(tmp_path), "plain").put(TOKENS, STATE[:100])
    layout = "plain" if other else "flash"
    assert StateShelf(kept_in(tmp_path, **other), layout).conversations() == []
    assert len(files(tmp_path)) == 1


@given(at=st.integers(0, 2500), how=st.sampled_from(["flip", "cut", "grow", "swap"]))
def test_a_file_that_was_changed_anywhere_is_not_believed_and_is_deleted(tmp_path_factory, at, how):
    folder = tmp_path_factory.mktemp("sealed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.engine.worker.shelf._PIECE", 500)
        shelf = StateShelf(kept_in(folder), "plain")
        assert np.array_equal(shelf.put(TOKENS, STATE[:1100]).read(), STATE[:1100])
        (path,) = files(folder)
        whole = path.read_bytes()
        at %= len(whole)
        changed = {
            "flip": whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :],
            "cut": whole[:at],
            "grow": whole + b"x",
            "swap": whole[:-648] + whole[-132:] + whole[-648:-132],
        }[how]
        path.write_bytes(changed)
        assert all(found.read() is None for found in shelf.conversations())
        assert not path.exists()


def test_a_longer_conversation_takes_the_place_of_its_beginning_and_the_longest_unused_gives_way(tmp_path):
    shelf = StateShelf(kept_in(tmp_path, most_bytes=2000), "plain")
    shelf.put(TOKENS[:200], STATE[:100])
    shelf.put(TOKENS, STATE[:100])
    (first,) = shelf.conversations()
    assert len(first.tokens) == 300
    os.utime(first.path, (1, 1))
    second = shelf.put([7] * 300, STATE[:100])
    assert {each.path for each in shelf.conversations()} == {second.path}


def test_the_second_start_answers_without_computing_the_old_tokens_and_computes_what_is_spoilt(starter_model, tmp_path):
    kept = kept_in(tmp_path)
    options = LoadOptions(path=str(starter_model), context=1024, sequences=2, device="cpu", states=kept)
    sea, sky = ((Message.user(f"Tell me about the {what}. " * 45),) for what in ("sea", "sky"))
    first = Bench(options)
    first.ask(sky, GREEDY)
    (spoilt,) = keep(first, kept)
    answer, last = first.ask(sea, GREEDY)
    assert len(keep(first, kept)) == 2
    first.worker.close()
    spoilt.write_bytes(spoilt.read_bytes()[:-1])
    spoilt.with_name("garbage.kv").write_bytes(b"garbage")
    second = Bench(options)
    _text, again = second.ask((*sea, Message.assistant(answer), Message.user("And the sky?")), GREEDY)
    _text, computed = second.ask(sky, GREEDY)
    second.worker.close()
    assert again.usage.cached_tokens >= last.usage.prompt_tokens > 256
    assert again.timings.prefill < last.timings.prefill / 2
    assert computed.usage.cached_tokens < 64
    assert len(files(tmp_path)) == 1


def keep(bench: Bench, kept: KeptStates) -> list[Path]:
    """Waits until the shelf has changed."""
    before = files(Path(kept.folder))
    bench.worker.handle(Keep(kept))
    deadline = time.monotonic() + 20
    while (now := files(Path(kept.folder))) == before:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return now
