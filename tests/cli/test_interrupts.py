"""Ctrl-C before the command has begun, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, sys
from app.__main__ import main

class Interrupted:
    def find_spec(self, name, *more):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupted())
sys.argv = ["playground", "models", "list"]
main()
"""


@pytest.mark.parametrize("module", ["app.cli.main", "app.privacy.guard", "app.cli.models"])
def test_ctrl_c_while_the_program_starts_ends_it_without_a_word(environ, module):
    program = PROGRAM.format(module=module)
    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
