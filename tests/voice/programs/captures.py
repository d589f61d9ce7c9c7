"""The capturing program on a made library for sound: its first argument says what is wrong with it.

It hears a tone, or the samples in the file that ``CAPTURES_SPEECH`` names.
"""

from __future__ import annotations

import ctypes.util
import os
import sys
import threading
import time
import types
from pathlib import Path
from typing import Any

from app.voice import capture


class PortAudioError(Exception):
    pass


class Stream:
    """Hears a tone of its own."""

    def __init__(self, fault: str, **options: Any) -> None:
        if fault == "busy":
            raise PortAudioError("Error opening RawInputStream: Device unavailable [PaErrorCode -9985]", -9985)
        if fault == "refused":
            raise PortAudioError("Error opening RawInputStream: Invalid number of channels [PaErrorCode -9998]", -9998)
        if fault == "own-rate" and options["samplerate"] == 16_000:
            raise PortAudioError("Error opening RawInputStream: Invalid sample rate [PaErrorCode -9997]", -9997)
        self.fault, self.options, self.active = fault, options, True

    def start(self) -> None:
        threading.Thread(target=self._hear, daemon=True).start()

    def _hear(self) -> None:
        size = self.options["blocksize"]
        speech = os.environ.get("CAPTURES_SPEECH")
        heard = Path(speech).read_bytes() if speech else b"\x00\x10" * size * 21
        blocks = len(heard) // (2 * size)
        for number in range(1_000_000):
            place = number % blocks * 2 * size
            self.options["callback"](heard[place : place + 2 * size], size, None, None)
            time.sleep(size / self.options["samplerate"])
            if number == blocks - 1:
                match self.fault:
                    case "stalls":
                        return
                    case "ends":
                        self.active = False
                        self.options["finished_callback"]()
                        return
                    case "aborts":
                        os.abort()


def main(fault: str) -> int:
    if fault == "no-portaudio":
        ctypes.util.find_library = lambda name: None
        return capture.main()
    if fault == "garbage":
        os.write(1, b"ALSA lib: something is wrong\n" * 100)
        return 0
    if fault == "dies":
        os.abort()
    devices = [
        {"name": "Speakers", "max_input_channels": 0, "default_samplerate": 48_000.0},
        {"name": "Built-in", "max_input_channels": 2, "default_samplerate": 48_000.0},
        {"name": "USB headset", "max_input_channels": 1, "default_samplerate": 44_100.0},
    ]
    made = types.ModuleType("sounddevice")
    made.PortAudioError = PortAudioError
    made.default = types.SimpleNamespace(device=[2, 0])

    def query_devices() -> list[dict[str, Any]]:
        print("what a library prints does not reach the pipe", flush=True)
        return devices[:1] if fault == "none" else devices

    made.query_devices = query_devices
    made.RawInputStream = lambda **options: Stream(fault, **options)
    sys.modules["sounddevice"] = made
    return capture.main()


if __name__ == "__main__":
    fault = sys.argv.pop(1)
    sys.exit(main(fault))
