"""Where the program starts: joins the command line with the terminal interface, which do not know each other."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from app.cli.main import cli
from app.cli.session import Session

if TYPE_CHECKING:
    from app.playground import Playground


def main() -> None:
    """The console script ``playground``."""
    cli(prog_name="playground", obj=Session(os.environ, _interface))


def _interface(playground: Playground) -> None:
    from app.tui.app import PlaygroundApp

    PlaygroundApp(playground).run()


if __name__ == "__main__":
    main()
