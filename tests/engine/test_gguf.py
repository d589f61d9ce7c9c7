"""GGUF headers that lie, are cut short or are noise: always a typed error, never a crash, never long."""

import struct
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.engine.files.gguf import MAX_ARRAY_TEXTS, read_header
from app.errors import IntegrityError


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


def pair(key: bytes, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def tensor(name: bytes, dimensions: list[int], kind: int, offset: int) -> bytes:
    return text(name) + struct.pack(f"<I{len(dimensions)}QIQ", len(dimensions), *dimensions, kind, offset)


def header(tensors: list[bytes], pairs: list[bytes], version: int = 3) -> bytes:
    counts = struct.pack("<IQQ", version, len(tensors), len(pairs))
    return b"GGUF" + counts + b"".join(pairs) + b"".join(tensors)


def padded(raw: bytes, data: int) -> bytes:
    return raw.ljust(-(-len(raw) // 32) * 32, b"\0") + bytes(data)


SOUND = padded(
    header(
        [tensor(b"a", [32, 2], 0, 0), tensor(b"b", [32], 2, 256)],
        [
            pair(b"general.architecture", 8, text(b"llama")),
            pair(b"llama.block_count", 4, struct.pack("<I", 30)),
            pair(b"tokens", 9, struct.pack("<IQ", 8, 2) + text(b"x") + text(b"yy")),
            pair(b"scores", 9, struct.pack("<IQ", 6, 3) + struct.pack("<3f", 1, 2, 3)),
        ],
    ),
    256 + 18,
)


@pytest.fixture
def check(tmp_path):
    path = tmp_path / "model.gguf"

    def checked(raw: bytes):
        path.write_bytes(raw)
        return read_header(path)

    return checked


def test_a_sound_header_is_read(check):
    found = check(SOUND)
    assert found.metadata["general.architecture"] == "llama"
    assert found.metadata["scores"] == [1.0, 2.0, 3.0]
    assert found.metadata["tokens"] == {"items": 2}
    assert found.tensors == 2


def test_the_real_starter_model_is_sound(starter_model):
    found = read_header(starter_model)
    assert found.metadata["llama.context_length"] == 8192
    assert found.tensors == 272


def test_a_file_cut_at_any_byte_is_refused(check):
    for length in range(len(SOUND)):
        with pytest.raises(IntegrityError):
            check(SOUND[:length])


BIG = 2**63
LIES = {
    "magic": b"GGML" + SOUND[4:],
    "version": header([], [], version=1),
    "tensor count": b"GGUF" + struct.pack("<IQQ", 3, BIG, 0),
    "key count": b"GGUF" + struct.pack("<IQQ", 3, 0, BIG),
    "long key": b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**40),
    "long text": header([], [text(b"k") + struct.pack("<IQ", 8, 2**40)]),
    "huge array": header([], [pair(b"k", 9, struct.pack("<IQ", 0, 2**60))]),
    "nested array": header([], [pair(b"k", 9, struct.pack("<IQ", 9, 1))]),
    "unknown value type": header([], [pair(b"k", 99, b"")]),
    "key twice": header([], [pair(b"k", 0, b"\1"), pair(b"k", 0, b"\1")]),
    "no dimensions": header([tensor(b"t", [], 0, 0)], []),
    "five dimensions": header([tensor(b"t", [1] * 5, 0, 0)], []),
    "no elements": header([tensor(b"t", [0], 0, 0)], []),
    "elements overflow": header([tensor(b"t", [2**62, 2**62], 0, 0)], []),
    "unknown tensor type": header([tensor(b"t", [1], 4, 0)], []),
    "half a block": header([tensor(b"t", [33], 2, 0)], []),
    "tensor twice": padded(header([tensor(b"t", [1], 0, 0)] * 2, []), 32),
    "beyond the file": padded(header([tensor(b"t", [64], 0, 0)], []), 255),
    "offset beyond the file": padded(header([tensor(b"t", [1], 0, 2**62)], []), 32),
    "crooked offset": padded(header([tensor(b"t", [1], 0, 4)], []), 32),
    "crooked alignment": header([], [pair(b"general.alignment", 4, struct.pack("<I", 33))]),
    "no alignment": header([], [pair(b"general.alignment", 4, struct.pack("<I", 0))]),
    "worded alignment": header([], [pair(b"general.alignment", 8, text(b"32"))]),
}


@pytest.mark.parametrize("lie", LIES)
def test_every_lie_is_refused_by_name(check, lie):
    with pytest.raises(IntegrityError, match=r"model\.gguf is not a sound GGUF file"):
        check(LIES[lie])


def test_the_largest_array_of_texts_that_is_taken_takes_seconds_and_one_more_is_refused(tmp_path):
    path = tmp_path / "model.gguf"
    for count in (MAX_ARRAY_TEXTS, MAX_ARRAY_TEXTS + 1):
        with path.open("wb") as file:
            file.write(header([], [pair(b"k", 9, struct.pack("<IQ", 8, count))]))
            file.truncate(len(SOUND) + 8 * count)  # as many empty texts, in a file that takes no room
        begun = time.process_time()
        if count > MAX_ARRAY_TEXTS:
            with pytest.raises(IntegrityError, match="texts; at most"):
                read_header(path)
        else:
            assert read_header(path).metadata["k"] == {"items": count}
        assert time.process_time() - begun < 20


def test_texts_are_walked_over_wherever_a_block_of_reading_ends(check):
    for length in (1, 7, 8, 1000, 2**20 - 30, 2**20 - 8, 2**20, 2**20 + 5):
        texts = text(bytes(length)) * 3
        found = check(header([], [pair(b"k", 9, struct.pack("<IQ", 8, 3) + texts), pair(b"last", 0, b"\7")]))
        assert found.metadata == {"k": {"items": 3}, "last": 7}


fuzz = settings(
    max_examples=2500, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def survives(check, raw: bytes) -> None:
    try:
        check(raw)
    except IntegrityError as error:
        assert "model.gguf" in str(error)


@fuzz
@given(st.binary(max_size=300))
def test_noise(check, raw):
    survives(check, raw)


@fuzz
@given(st.binary(max_size=300), st.sampled_from([2, 3]), st.integers(0, 5), st.integers(0, 5))
def test_noise_behind_a_good_beginning(check, raw, version, tensors, keys):
    survives(check, b"GGUF" + struct.pack("<IQQ", version, tensors, keys) + raw)


@fuzz
@given(st.integers(0, len(SOUND) - 1), st.binary(min_size=1, max_size=12))
def test_a_sound_file_with_bytes_overwritten(check, place, raw):
    survives(check, SOUND[:place] + raw + SOUND[place + len(raw) :])


@fuzz
@given(st.data())
def test_headers_made_of_well_formed_parts_with_wild_numbers(check, data):
    wild = st.one_of(st.integers(0, 70), st.integers(0, 2**64 - 1))
    tensors = [
        tensor(
            data.draw(st.binary(max_size=4)),
            data.draw(st.lists(wild, max_size=5)),
            data.draw(st.integers(0, 45)),
            data.draw(wild),
        )
        for _ in range(data.draw(st.integers(0, 3)))
    ]
    array = struct.pack("<IQ", data.draw(st.integers(0, 15)), data.draw(wild))
    pairs = [pair(b"k", data.draw(st.integers(0, 14)), array + data.draw(st.binary(max_size=20)))]
    survives(check, padded(header(tensors, pairs), data.draw(st.integers(0, 64))))
