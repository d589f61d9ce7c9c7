"""A microphone without hardware: a PulseAudio of the tests' own, into whose only microphone sound is played."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

PROGRAMS = ("pulseaudio", "pactl", "paplay", "espeak-ng")


class VirtualMicrophone:
    """A sound server whose microphone hears what is played."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {
            **os.environ,
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_RUNTIME_PATH": str(folder / "pulse"),
            "PULSE_STATE_PATH": str(folder / "state"),
            "HOME": str(folder),
        }
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        (self.folder / ".asoundrc").write_text("pcm.!default pulse\nctl.!default pulse\n")
        self._server = subprocess.Popen(
            [
                "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes",
                "-L", "module-native-protocol-unix",
                "-L", "module-null-sink sink_name=mic rate=48000",
            ],
            env=self.environ, stdout=subprocess.DEVNULL, stderr=(self.folder / "log").open("wb"),
            start_new_session=True,
        )  # fmt: skip
        for _ in range(100):
            if self._pactl("info") == 0:
                break
            time.sleep(0.1)
        else:
            pytest.skip(f"pulseaudio did not start: {(self.folder / 'log').read_text()[-300:]}")
        assert self._pactl("set-default-source", "mic.monitor") == 0
        assert self._pactl("set-default-sink", "mic") == 0

    def _pactl(self, *arguments: str) -> int:
        return subprocess.run(["pactl", *arguments], env=self.environ, capture_output=True, timeout=10).returncode

    def kill(self) -> None:
        """As if it were unplugged."""
        assert self._server is not None
        self._server.send_signal(signal.SIGKILL)
        self._server.wait()

    def close(self) -> None:
        if self._server is not None and self._server.poll() is None:
            self._server.terminate()
            try:
                self._server.wait(5)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()

    async def play(self, pcm: bytes) -> tuple[float, float]:
        """Plays float32 samples at 16 kHz; gives when they began and ended, by the monotonic clock.

        Raw samples through a pipe, so that nothing of it lies on the disk either.
        """
        player = await asyncio.create_subprocess_exec(
            "paplay", "--raw", "--rate=16000", "--channels=1", "--format=float32le", "--latency-msec=30",
            stdin=asyncio.subprocess.PIPE, env=self.environ,
        )  # fmt: skip
        began = time.monotonic()
        await player.communicate(pcm)
        assert player.returncode == 0
        return began, time.monotonic()


@contextmanager
def virtual_microphone(folder: Path) -> Iterator[VirtualMicrophone]:
    """A virtual microphone that is there for the block; skips the test where its programs are missing."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} missing (Debian: apt install pulseaudio pulseaudio-utils espeak-ng)")
    if not list(Path("/usr/lib").glob("**/libasound_module_pcm_pulse.so")):
        pytest.skip("no ALSA plugin for PulseAudio (Debian: apt install libasound2-plugins)")
    found = VirtualMicrophone(folder)
    try:
        found.start()
        yield found
    finally:
        found.close()


def speech_only(pcm: bytes) -> bytes:
    """Without the silence at both ends, so that it is known when the speech begins and ends."""
    samples = np.frombuffer(pcm, np.float32)
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    found: bytes = samples[loud[0] : loud[-1] + 1].tobytes()
    return found


def wav(pcm: bytes, path: Path, rate: int = 16_000) -> Path:
    """The samples as a file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(np.frombuffer(pcm, np.float32), -1, 1) * 32767).astype("<i2").tobytes())
    return path
