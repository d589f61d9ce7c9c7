"""The program that decodes recordings: what it gives, and what it refuses to be made to do."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from app.voice.decoder import LENGTH, NO_SOUND, TOO_LONG, UNREADABLE
from tests.engine.speech import noise
from tests.voice.virtual_microphone import wav


def decode(recording: bytes, *arguments: str) -> tuple[int, bytes]:
    command = [sys.executable, "-m", "app.voice.decoder", *arguments]
    ended = subprocess.run(command, input=recording, capture_output=True, timeout=60)
    return ended.returncode, ended.stdout


@pytest.fixture
def recording(tmp_path: Path) -> bytes:
    return wav(noise(1.5), tmp_path / "noise.wav").read_bytes()


def test_the_length_comes_before_the_samples_unless_they_come_bare(recording: bytes) -> None:
    status, out = decode(recording)
    assert (status, LENGTH.unpack(out[: LENGTH.size])) == (0, (1.5,))
    assert decode(recording, "--bare") == (0, out[LENGTH.size :])
    assert len(out[LENGTH.size :]) == 1.5 * 16_000 * 4


def test_a_longer_one_than_is_allowed_is_refused(recording: bytes) -> None:
    assert decode(recording, "--most-seconds", "2")[0] == 0
    assert decode(recording, "--most-seconds", "1")[0] == TOO_LONG


def test_a_list_of_other_files_opens_none_of_them(recording: bytes, tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(recording)
    for other in (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.5,\nfile://{tmp_path}/secret.wav\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile {tmp_path}/secret.wav\n",
    ):
        status, out = decode(other.encode(), "--bare")
        assert status in (UNREADABLE, NO_SOUND)
        assert out == b""


@pytest.mark.parametrize("data", [b"", b"no recording", struct.pack("<4sI4s", b"RIFF", 2**32 - 1, b"WAVE")])
def test_what_is_none_is_refused(data: bytes) -> None:
    status, out = decode(data, "--bare")
    assert status in (UNREADABLE, NO_SOUND)
    assert out == b""
