"""The thread that computes in a worker."""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable


class ComputeThread:
    """Runs ``work`` in a thread; a fault in it ends the process.

    Without its only thread that computes a worker would accept and never answer. The face reports the death, with the
    traceback from the log, and starts a fresh worker.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._thread = threading.Thread(target=self._run, name="compute")

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def join(self) -> None:
        """Waits until ``work`` has returned; at once where it never began."""
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            self._work()
        except BrokenPipeError:
            # The face is gone; nobody is left to answer.
            os._exit(0)
        except BaseException:  # noqa: BLE001 - the boundary of the process: reported in the log, and by its death
            traceback.print_exc()
            os._exit(70)
