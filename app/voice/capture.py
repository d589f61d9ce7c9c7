"""A program of its own that listens to a microphone: blocks of samples on standard output, until standard input ends.

PortAudio and what lies below it are native code that prints to the terminal, waits for ever on a sound server that is
gone, and aborts its process on some faults. Here it does so alone. It also keeps the list of devices that it found
when it started, so that a new process is what sees a microphone that was just plugged in.

What is heard goes through the pipe and nowhere else.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import sys
import threading
from typing import Any

from app.privacy.core_dumps import forbid_core_dumps

from .capture_frames import AUDIO, DEVICES, FAULT, STARTED, Fault, frame
from .resampling import Resampler

RATE = 16_000
_BLOCK_SECONDS = 0.02
_QUEUE_BLOCKS = 1500
"""Half a minute: a reader that sleeps longer has no use for what was said meanwhile."""

_UNAVAILABLE = -9985
_UNANTICIPATED = -9999
"""PortAudio's numbers for a device that somebody else holds, and for what the system below it says."""

_RATE_REFUSED = -9997


def main(arguments: list[str] | None = None) -> int:
    """Lists the microphones, or listens to one; gives the exit status."""
    forbid_core_dumps()
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--device", default="")
    chosen = parser.parse_args(arguments)
    out = _own_output()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        sound = _library()
        if chosen.list:
            out.write(frame(DEVICES, json.dumps(_inputs(sound)).encode()))
        else:
            _listen(sound, chosen.device, out)
    except _FaultError as error:
        out.write(frame(FAULT, json.dumps({"fault": error.fault, "detail": error.detail}).encode()))
        out.flush()
        return 1
    out.flush()
    return 0


class _FaultError(Exception):
    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(fault)
        self.fault, self.detail = fault, detail


def _own_output() -> Any:
    """The pipe, out of reach of libraries that print."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe


def _library() -> Any:
    try:
        import sounddevice
    except OSError as error:
        raise _FaultError("no_portaudio", str(error)) from error
    return sounddevice


def _inputs(sound: Any) -> list[dict[str, object]]:
    preferred = sound.default.device[0]
    return [
        {"name": str(device["name"]), "channels": int(device["max_input_channels"]), "default": index == preferred}
        for index, device in enumerate(sound.query_devices())
        if device["max_input_channels"] > 0
    ]


def _find(sound: Any, name: str) -> tuple[int, dict[str, Any]]:
    """The number of the device that is meant: the whole name counts before a part of one."""
    inputs = [(index, device) for index, device in enumerate(sound.query_devices()) if device["max_input_channels"] > 0]
    if not inputs:
        raise _FaultError("no_microphone")
    if not name:
        preferred = sound.default.device[0]
        return next((found for found in inputs if found[0] == preferred), inputs[0])
    for fits in (lambda known: known == name, lambda known: name.casefold() in known.casefold()):
        for index, device in inputs:
            if fits(device["name"]):
                return index, device
    raise _FaultError("unknown_device", ", ".join(device["name"] for _index, device in inputs))


def _listen(sound: Any, name: str, out: Any) -> None:
    index, device = _find(sound, name)
    blocks: queue.Queue[bytes] = queue.Queue(_QUEUE_BLOCKS)
    ended = threading.Event()

    def hear(samples: Any, _frames: int, _time: Any, _status: Any) -> None:
        try:
            blocks.put_nowait(bytes(samples))
        except queue.Full:
            ended.set()

    stream, rate = _open(sound, index, int(device["default_samplerate"]), hear, ended.set)
    resampler = Resampler(rate, RATE) if rate != RATE else None
    began = frame(STARTED, json.dumps({"name": str(device["name"])}).encode())  # told when it really hears
    while True:
        try:
            samples = blocks.get(timeout=0.2)
        except queue.Empty:
            if ended.is_set() or not stream.active:
                raise _FaultError("lost") from None
            continue
        if resampler is not None:
            samples = resampler.feed(samples)
        try:
            out.write(began + frame(AUDIO, samples))
            out.flush()
        except BrokenPipeError:
            _leave()
        began = b""


def _open(sound: Any, index: int, own_rate: int, hear: Any, ended: Any) -> tuple[Any, int]:
    """The stream, running, and its rate: ours where the device can do that, else the one that it has by itself."""
    for rate in (RATE, own_rate):
        try:
            stream = sound.RawInputStream(
                samplerate=rate,
                blocksize=round(rate * _BLOCK_SECONDS),
                device=index,
                channels=1,
                dtype="int16",
                callback=hear,
                finished_callback=ended,
                latency="low",
            )
            stream.start()
        except sound.PortAudioError as error:
            number = error.args[1] if len(error.args) > 1 else 0
            if number == _RATE_REFUSED and rate != own_rate:
                continue
            if number in (_UNAVAILABLE, _UNANTICIPATED):
                raise _FaultError("busy", str(error.args[0])) from error
            raise _FaultError("refused", str(error.args[0])) from error
        return stream, rate
    raise AssertionError("the second rate either opens or raises")


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    _leave()


def _leave() -> None:
    # At once: closing a stream waits for ever where its sound server is gone. The kernel gives the device back.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
