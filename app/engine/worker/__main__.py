"""The worker process: one model, frames in and out, until its stdin closes."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from app.engine.frames import (
    Command,
    Event,
    Loaded,
    LoadFailed,
    Loading,
    LoadOptions,
    Shutdown,
    decode_command,
    decode_options,
)
from app.errors import PlaygroundError
from app.privacy.connections import ConnectionPolicy
from app.privacy.core_dumps import forbid_core_dumps
from app.privacy.guard import LocalOnlyGuard
from app.privacy.kernel import deny_network
from app.privacy.reaching import reach

from .pipe import FramePipe

_NICENESS = 5
_HAS_NVIDIA = Path("/dev/nvidiactl")


class Worker(Protocol):
    """What every role is to this process. Commands come one after the other; what is not the role's is ignored."""

    loaded: Loaded

    def start(self) -> None:
        """Begins to answer."""
        ...

    def handle(self, command: Command) -> None:
        """Carries out one command, or begins to."""
        ...

    def close(self) -> None:
        """Ends soon; what is open is dropped."""
        ...


def main() -> int:
    """Serves until told to end, or until the face goes away. Gives the exit status."""
    forbid_core_dumps()
    confinement = deny_network(local_sockets=_HAS_NVIDIA.exists())
    if "--reach" in sys.argv:
        print(reach(confinement, sys.argv[-2], int(sys.argv[-1])))
        return 0
    if not confinement.by:
        # Python's own sockets at least. Where the kernel holds, no hook is put in the way of native calls.
        LocalOnlyGuard(ConnectionPolicy(local_only=True)).install()
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
    if first is None:
        return 0
    options = decode_options(first)
    if options.gives_way:
        _give_way()
    return _serve(pipe, options)


def _serve(pipe: FramePipe, options: LoadOptions) -> int:
    pipe.write(Loading(0.0))
    try:
        worker = _open(options, pipe.write)
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
    return 0


def _open(options: LoadOptions, emit: Callable[[Event], None]) -> Worker:
    """The worker for a role, its model open. Imported late, and no role's libraries for another: they are large.

    Raises:
        ModelLoadError: when the model cannot be opened.
    """
    if options.role == "embed":
        from .embed import EmbedWorker

        return EmbedWorker(options, emit)
    if options.role == "transcribe":
        # Read at import by the hub's library, which faster-whisper brings in: it has nothing to fetch here.
        os.environ["HF_HUB_OFFLINE"] = "1"
        from .transcribe import TranscribeWorker

        return TranscribeWorker(options, emit)
    from .chat import ChatWorker
    from .native import NativeLog

    NativeLog(lambda text: print(text, end="", file=sys.stderr, flush=True))
    return ChatWorker(options, emit)


def _give_way() -> None:
    """Lets a key be painted before the next token is computed: 15 ms instead of 50 at the 99th percentile on two cores.

    Linux weighs sessions against each other before it looks inside them, and this process has one of its own: so its
    group's weight is lowered as well (sched(7), "The autogroup feature").
    """
    with suppress(OSError):
        os.nice(_NICENESS)
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(_NICENESS))


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
