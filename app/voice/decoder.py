"""A program of its own: a recording of any common form on standard input, 16 kHz float32 samples on standard output.

What decodes sound is native code, and a recording may come from anybody: so it runs in a process that has no network,
may open no further file (a playlist would name some), and takes nothing with it when it dies. Before the samples go 8
bytes, unless they are to come bare: the length in seconds as the recording tells it, a little-endian double, 0 where it
does not.
"""

from __future__ import annotations

import argparse
import importlib
import io
import math
import os
import pkgutil
import struct
import sys
from typing import Any

from app.privacy.core_dumps import forbid_core_dumps
from app.privacy.kernel import deny_network

LENGTH = struct.Struct("<d")
UNREADABLE, NO_SOUND, DAMAGED, TOO_LONG = 3, 4, 5, 6
"""Exit statuses: it is no recording; it has no sound; it cannot be read to its end, and what could be is given; it is
longer than ``--most-seconds``."""

_RATE = 16_000
_MEMORY_BYTES = 2 * 1024**3


def main(arguments: list[str] | None = None) -> int:
    """Decodes until the end of the recording; gives the exit status."""
    forbid_core_dumps()
    parser = argparse.ArgumentParser()
    parser.add_argument("--most-seconds", type=float, default=math.inf, help="of sound; a longer recording is refused")
    parser.add_argument("--cpu-seconds", type=int, help="of work; then the process is ended")
    parser.add_argument("--bare", action="store_true", help="leave out the length before the samples")
    chosen = parser.parse_args(arguments)
    deny_network()
    av = _library()
    _limit(chosen.cpu_seconds)
    source = sys.stdin.buffer if sys.stdin.seekable() else io.BytesIO(sys.stdin.buffer.read())
    out = sys.stdout.buffer
    written = 0
    try:
        with av.open(source, mode="r", metadata_errors="ignore") as container:
            if not container.streams.audio:
                return NO_SOUND
            if not chosen.bare:
                out.write(LENGTH.pack((container.duration or 0) / 1_000_000))
            resampler = av.AudioResampler(format="flt", layout="mono", rate=_RATE)
            try:
                for frame in container.decode(audio=0):
                    for part in resampler.resample(frame):
                        written += part.samples
                        out.write(bytes(part.planes[0])[: part.samples * 4])
                    if written > chosen.most_seconds * _RATE:
                        return TOO_LONG
                for part in resampler.resample(None):
                    written += part.samples
                    out.write(bytes(part.planes[0])[: part.samples * 4])
            except (av.FFmpegError, ValueError, EOFError) as error:
                print(error, file=sys.stderr)
                return DAMAGED if written else UNREADABLE
    except BrokenPipeError:
        os._exit(0)  # whoever asked has gone
    except (av.FFmpegError, ValueError, MemoryError, EOFError) as error:
        print(error, file=sys.stderr)
        return UNREADABLE
    out.flush()
    return 0 if written else NO_SOUND


def _library() -> Any:
    """PyAV with all its parts, which it otherwise imports when a recording first needs them."""
    import av

    for part in pkgutil.walk_packages(av.__path__, "av."):
        if not part.name.endswith("__main__"):
            importlib.import_module(part.name)
    return av


def _limit(cpu_seconds: int | None) -> None:
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    if cpu_seconds is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


if __name__ == "__main__":
    sys.exit(main())
