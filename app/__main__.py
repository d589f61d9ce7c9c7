"""Where the program starts: joins the command line with the terminal interface, which do not know each other."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from app.cli.interrupts import end_at_once

if TYPE_CHECKING:
    from app.playground import Playground
    from app.privacy.masking import Masker


def main() -> None:
    """The console script ``playground``. Nothing may leave the machine until the settings are read and allow it."""
    end_at_once()
    # Only now: it takes most of the time until the first paint, and Ctrl-C is pressed in it.
    from app.cli.main import cli
    from app.cli.session import Session
    from app.cli.streams import make_readable, replace_closed_streams
    from app.privacy.connections import ConnectionPolicy
    from app.privacy.core_dumps import forbid_core_dumps
    from app.privacy.guard import LocalOnlyGuard
    from app.privacy.masking import Masker

    forbid_core_dumps()
    policy = ConnectionPolicy(local_only=True)
    LocalOnlyGuard(policy).install()
    masker = Masker.of_environment(os.environ)
    mask_warnings(masker)
    replace_closed_streams()
    make_readable((sys.stdout, sys.stderr))
    cli(prog_name="playground", obj=Session(os.environ, _interface, policy, masker))


def mask_warnings(masker: Masker) -> None:
    """Takes secrets out of what is warned of where no log is kept: Python writes that to stderr by itself."""
    import logging

    from app.privacy.masking import MaskingFilter

    if logging.lastResort is not None:
        logging.lastResort.addFilter(MaskingFilter(masker))


def _interface(playground: Playground) -> None:
    import asyncio

    from app.tui.app import PlaygroundApp

    async def live() -> int | None:
        app = PlaygroundApp(playground)
        try:
            await app.run_async()
        finally:
            # What waits to be noted is written, the models are ended, the vault is closed.
            await playground.aclose()
        return app.return_code

    sys.exit(asyncio.run(live()) or 0)


if __name__ == "__main__":
    main()
