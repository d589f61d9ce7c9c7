"""The microphone: which there are, what it hears, and each way in which it can be missing or lost."""

from __future__ import annotations

import asyncio
import struct
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import (
    MicrophoneBusyError,
    MicrophoneError,
    MicrophoneLostError,
    NoMicrophoneError,
    PlaygroundError,
    PortAudioMissingError,
)
from app.voice.capture_frames import MOST_BYTES, frame, head
from app.voice.microphone import InputDevice, Microphone

PROGRAM = Path(__file__).with_name("programs") / "captures.py"


def microphone(fault: str, device: str = "") -> Microphone:
    return Microphone(device, command=(sys.executable, str(PROGRAM), fault), silent_s=1.0)


async def listen(found: Microphone, blocks: int = 10) -> tuple[str, bytes]:
    heard = bytearray()
    async with found.open() as sound, asyncio.timeout(20):
        count = 0
        async for block in sound:
            heard += block
            count += 1
            if count == blocks:
                break
    return sound.device, bytes(heard)


async def test_the_microphones_are_listed() -> None:
    assert await microphone("").devices() == (InputDevice("Built-in", 2), InputDevice("USB headset", 1, default=True))
    assert await microphone("none").devices() == ()


@pytest.mark.parametrize(
    ("wanted", "taken"), [("", "USB headset"), ("built-in", "Built-in"), ("headset", "USB headset")]
)
async def test_the_one_that_is_meant_is_listened_to(wanted: str, taken: str) -> None:
    device, heard = await listen(microphone("", wanted))
    assert device == taken
    assert heard == b"\x00\x10" * 3200


async def test_a_device_that_knows_only_its_own_rate_is_heard_at_ours() -> None:
    began = time.monotonic()
    _device, heard = await listen(microphone("own-rate"), blocks=50)
    assert abs(len(heard) - 32_000) < 700
    assert set(heard[::2]) == {0}
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("fault", "wanted", "error", "words"),
    [
        ("no-portaudio", "", PortAudioMissingError, "apt install libportaudio2"),
        ("none", "", NoMicrophoneError, "knows no microphone"),
        ("", "Blue Yeti", NoMicrophoneError, "'Blue Yeti'; there is Built-in, USB headset"),
        ("busy", "", MicrophoneBusyError, "in use"),
        ("refused", "headset", MicrophoneError, "refused the microphone 'headset'.*Invalid number of channels"),
        ("garbage", "", MicrophoneError, "ended with status"),
        ("dies", "", MicrophoneError, "before it heard anything"),
    ],
)
async def test_what_is_wrong_is_told_with_what_to_do(
    fault: str, wanted: str, error: type[PlaygroundError], words: str
) -> None:
    with pytest.raises(error, match=words) as told:
        await listen(microphone(fault, wanted))
    assert type(told.value) is error
    assert told.value.remedy


@pytest.mark.parametrize("fault", ["stalls", "ends", "aborts"])
async def test_one_that_falls_silent_is_lost_within_two_seconds_and_what_came_before_is_kept(fault: str) -> None:
    heard = 0
    with pytest.raises(MicrophoneLostError, match="does not answer any more"):
        async with microphone(fault).open() as sound, asyncio.timeout(20):
            async for block in sound:
                heard += len(block)
                last = time.monotonic()
    assert heard == 21 * 640
    assert time.monotonic() - last < 2


async def test_leaving_ends_the_program_even_when_nobody_reads_what_it_hears() -> None:
    began = time.monotonic()
    async with microphone("").open() as sound:
        async for _block in sound:
            break
        await asyncio.sleep(6)  # more than the pipe and its reader hold
    assert time.monotonic() - began < 9
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


@given(st.binary(max_size=200))
def test_a_message_is_read_as_it_was_written(body: bytes) -> None:
    made = frame(1, body)
    assert head(made[:5]) == (1, len(body))
    assert made[5:] == body


@given(st.binary(min_size=5, max_size=5))
def test_garbage_is_no_message(header: bytes) -> None:
    kind, length = struct.unpack(">BI", header)
    if kind in (1, 2, 3, 4) and length <= MOST_BYTES:
        assert head(header) == (kind, length)
    else:
        with pytest.raises(ValueError, match="a message of kind"):
            head(header)
