"""A program of its own: a recording of any common form on standard input, 16 kHz float32 samples on standard output.

What decodes sound is native code, and a recording may come from anybody: so it runs in a process that has no more than
its pipes, some memory and some time, and takes nothing with it when it dies.
"""

from __future__ import annotations

import io
import sys

from app.privacy.kernel import deny_network

_SAMPLE_RATE = 16_000
_MOST_SECONDS = 2 * 3600
_MEMORY_BYTES = 2 * 1024**3
_CPU_SECONDS = 120
UNREADABLE, TOO_LONG = 3, 4
"""Exit statuses: it is no recording; it is longer than two hours."""


def main() -> int:
    """Decodes until the end of the recording; gives the exit status."""
    deny_network()
    _limit()
    import av

    data = io.BytesIO(sys.stdin.buffer.read())
    written = 0
    try:
        with av.open(data, mode="r", metadata_errors="ignore") as container:
            if not container.streams.audio:
                return UNREADABLE
            resampler = av.AudioResampler(format="flt", layout="mono", rate=_SAMPLE_RATE)
            for frame in container.decode(audio=0):
                for part in resampler.resample(frame):
                    written += part.samples
                    sys.stdout.buffer.write(bytes(part.planes[0])[: part.samples * 4])
                if written > _MOST_SECONDS * _SAMPLE_RATE:
                    return TOO_LONG
            for part in resampler.resample(None):
                written += part.samples
                sys.stdout.buffer.write(bytes(part.planes[0])[: part.samples * 4])
    except (av.FFmpegError, ValueError, MemoryError, EOFError) as error:
        print(error, file=sys.stderr)
        return UNREADABLE
    sys.stdout.buffer.flush()
    return 0 if written else UNREADABLE


def _limit() -> None:
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main())
