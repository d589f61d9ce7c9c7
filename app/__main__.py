"""Where the program starts: joins the command line with the terminal interface, which do not know each other."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from app.cli.main import cli
from app.cli.session import Session
from app.privacy.connections import ConnectionPolicy
from app.privacy.guard import LocalOnlyGuard

if TYPE_CHECKING:
    from app.playground import Playground


def main() -> None:
    """The console script ``playground``. Nothing may leave the machine until the settings are read and allow it."""
    policy = ConnectionPolicy(local_only=True)
    LocalOnlyGuard(policy).install()
    cli(prog_name="playground", obj=Session(os.environ, _interface, policy))


def _interface(playground: Playground) -> None:
    from app.tui.app import PlaygroundApp

    PlaygroundApp(playground).run()


if __name__ == "__main__":
    main()
