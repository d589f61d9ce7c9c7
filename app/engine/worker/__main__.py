"""The worker process: one model, frames in and out, until its stdin closes."""

from __future__ import annotations

import ctypes
import signal
import sys

from app.engine.frames import LoadFailed, Loading, LoadOptions, Shutdown, decode_command, decode_options
from app.errors import PlaygroundError

from .pipe import FramePipe


def main() -> int:
    """Serves until told to end, or until the face goes away. Gives the exit status."""
    if "--probe" in sys.argv:
        from .devices import report

        print(report())
        return 0
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at the terminal is the face's to handle
    # The decoding thread must get the interpreter back at once when a step is computed.
    sys.setswitchinterval(0.0005)
    pipe = FramePipe.over_stdio()
    first = pipe.read()
    return 0 if first is None else _serve(pipe, decode_options(first))


def _serve(pipe: FramePipe, options: LoadOptions) -> int:
    if options.role != "chat":
        pipe.write(LoadFailed(f"This version's workers know no role {options.role!r}."))
        return 1
    pipe.write(Loading(0.0))
    # Imported late: the frame above tells the face at once that the process lives.
    from .chat import ChatWorker
    from .native import NativeLog

    log = NativeLog(lambda text: print(text, end="", file=sys.stderr, flush=True))
    try:
        worker = ChatWorker(options, pipe.write)
    except PlaygroundError as error:
        pipe.write(LoadFailed(error.message, error.remedy))
        return 1
    worker.start()
    pipe.write(worker.loaded)
    try:
        while (body := pipe.read()) is not None:
            command = decode_command(body)
            if isinstance(command, Shutdown):
                break
            worker.handle(command)
    finally:
        worker.close()
        del log
    return 0


def _die_with_parent() -> None:
    """Asks the kernel to end this process when the face is killed; elsewhere the closed stdin does it."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:
        sys.exit(0)
